//! From values to places on a drawing.

/// The drawing, and what its axes leave of it.
pub(super) const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 200.0;
pub(super) const LEFT: f64 = 44.0;
pub(super) const RIGHT: f64 = 8.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const BOTTOM: f64 = 24.0;

/// The vertical axis, from zero.
pub(super) struct Vertical {
    /// Values at which a line is drawn, the last one at the top.
    pub ticks: Vec<f64>,
}

impl Vertical {
    /// For values up to `most`, in steps of 1, 2 or 5 times a power of ten.
    pub fn up_to(most: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let rough = most / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let count = (most / step).ceil().clamp(1.0, 10.0) as u32;
        Self { ticks: (0..=count).map(|index| f64::from(index) * step).collect() }
    }

    pub fn y(&self, value: f64) -> f64 {
        let top = self.ticks.last().copied().unwrap_or(1.0);
        HEIGHT - BOTTOM - (value.clamp(0.0, top) / top) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The middle of the n-th of `count` places along the horizontal axis.
pub(super) fn middle(index: usize, count: usize) -> f64 {
    LEFT + band(count) * (index as f64 + 0.5)
}

pub(super) fn band(count: usize) -> f64 {
    (WIDTH - LEFT - RIGHT) / count.max(1) as f64
}

/// Every how many labels one is written, so that they do not run together.
pub(super) fn every(count: usize) -> usize {
    count.div_ceil(10).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(most: f64, expected: &[f64]) {
        assert_eq!(Vertical::up_to(most).ticks, expected, "{most}");
    }

    #[test]
    fn ticks_are_round() {
        check(4.0, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check(37.0, &[0.0, 10.0, 20.0, 30.0, 40.0]);
        check(90.0, &[0.0, 50.0, 100.0]);
        check(0.0, &[0.0, 0.5, 1.0]);
        check(f64::NAN, &[0.0, 0.5, 1.0]);
    }

    #[test]
    fn values_stand_between_the_edges() {
        let vertical = Vertical::up_to(100.0);
        assert!((vertical.y(0.0) - (HEIGHT - BOTTOM)).abs() < 1e-9);
        assert!((vertical.y(1e9) - TOP).abs() < 1e-9);
        assert!(middle(0, 4) > LEFT && middle(3, 4) < WIDTH - RIGHT);
    }
}
