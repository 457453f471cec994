//! Numbers that look random and follow from a seed, so that a failed soak or
//! bench can be run again as it was (splitmix64).

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to and without `high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low).max(1)
    }

    /// Another generator that follows from this one.
    pub fn fork(&mut self) -> Random {
        Random(self.next())
    }
}

/// A seed for a run that was given none.
pub fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Random::new(now.as_nanos() as u64).next() % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        let drawn: Vec<u64> = (0..50).map(|_| one.range(10, 20)).collect();
        assert_eq!(drawn, (0..50).map(|_| two.range(10, 20)).collect::<Vec<_>>());
        assert!(drawn.iter().all(|number| (10..20).contains(number)));
        assert_ne!(one.fork().next(), one.next());
    }
}
