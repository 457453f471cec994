//! Charts of parts: a ring, a funnel, a table of shades.

use std::f64::consts::TAU;

use maud::html;

use super::{Content, figure, legend, shown};

/// Shares of a whole, the largest first by convention of the caller.
pub(crate) fn donut(title: &str, parts: &[(&str, f64)]) -> Content {
    let total: f64 = parts.iter().map(|(_, value)| value).sum();
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    let shares: Vec<String> = parts.iter().map(|(name, value)| format!("{name} {}", shown(Some(*value), ""))).collect();
    let mut from = 0.0;
    let mut arcs = Vec::new();
    for (index, (_, value)) in parts.iter().enumerate() {
        let share = if total > 0.0 { value / total } else { 0.0 };
        if share > 0.0 {
            arcs.push((index + 1, arc(from, from + share)));
        }
        from += share;
    }
    let drawing = Content::from(html! {
        svg class="chart donut" viewBox="0 0 120 120" role="img" aria-label=(format!("{title}: {}", shares.join(", "))) {
            @for (rank, path) in &arcs { path class="ring" data-series=(rank) d=(path) {} }
            text class="value" x="60" y="64" text-anchor="middle" { (shown(Some(total), "")) }
        }
    });
    let table = Content::from(html! {
        table {
            caption class="visually-hidden" { (title) }
            tbody { @for (name, value) in parts { tr { th scope="row" { (name) } td { (shown(Some(*value), "")) } } } }
        }
    });
    figure(title, &drawing, &legend(&names), &table)
}

/// An arc of a ring around (60, 60), from and to in turns from the top.
fn arc(from: f64, to: f64) -> String {
    // A whole turn would end where it begins, and draw nothing.
    let to = to.min(from + 0.9999);
    let point = |turn: f64| {
        let angle = (turn - 0.25) * TAU;
        format!("{:.2} {:.2}", 60.0 + 44.0 * angle.cos(), 60.0 + 44.0 * angle.sin())
    };
    format!("M{} A44 44 0 {} 1 {}", point(from), u8::from(to - from > 0.5), point(to))
}

/// How many are left after each step.
pub(crate) fn funnel(title: &str, steps: &[(&str, f64)]) -> Content {
    let most = steps.iter().map(|(_, value)| *value).fold(f64::EPSILON, f64::max);
    let height = 34 * steps.len();
    let words: Vec<String> = steps.iter().map(|(name, value)| format!("{name} {}", shown(Some(*value), ""))).collect();
    let drawing = Content::from(html! {
        svg class="chart funnel" viewBox=(format!("0 0 640 {height}")) role="img" aria-label=(format!("{title}: {}", words.join(", "))) {
            @for (index, (name, value)) in steps.iter().enumerate() {
                text class="name" x="0" y=(34 * index + 21) { (name) }
                rect class="bar" data-series="1" x="170" y=(34 * index + 4) width=(format!("{:.1}", 380.0 * value / most)) height="26" rx="3" {}
                text class="value" x=(format!("{:.1}", 178.0 + 380.0 * value / most)) y=(34 * index + 21) { (shown(Some(*value), "")) }
            }
        }
    });
    let before = |index: usize| index.checked_sub(1).and_then(|index| steps.get(index)).map(|(_, value)| *value);
    let kept =
        |index: usize, value: f64| before(index).filter(|before| *before > 0.0).map(|before| 100.0 * value / before);
    let table = Content::from(html! {
        table {
            caption class="visually-hidden" { (title) }
            thead { tr { td {} th scope="col" { "Count" } th scope="col" { "Of the step before" } } }
            tbody {
                @for (index, (name, value)) in steps.iter().enumerate() {
                    tr {
                        th scope="row" { (name) }
                        td { (shown(Some(*value), "")) }
                        td { @if let Some(kept) = kept(index, *value) { (shown(Some(kept), " %")) } @else { "the first" } }
                    }
                }
            }
        }
    });
    figure(title, &drawing, &legend(&[]), &table)
}

/// Values by row and column, as shades; it is a table by itself.
pub(crate) fn heatmap(title: &str, columns: &[&str], rows: &[(&str, &[f64])]) -> Content {
    let most = rows.iter().flat_map(|(_, values)| *values).copied().fold(f64::EPSILON, f64::max);
    let step = |value: f64| ((5.0 * value / most).ceil() as u32).min(5);
    Content::from(html! {
        div class="heat-scroll" tabindex="0" role="region" aria-label=(title) {
            table class="heat" {
                caption class="visually-hidden" { (title) }
                thead { tr { td {} @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @for (name, values) in rows {
                        tr {
                            th scope="row" { (name) }
                            @for value in *values { td data-step=(step(*value)) { (shown(Some(*value), "")) } }
                        }
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_begin_at_the_top() {
        assert_eq!(arc(0.0, 0.25), "M60.00 16.00 A44 44 0 0 1 104.00 60.00");
        assert!(arc(0.0, 1.0).starts_with("M60.00 16.00 A44 44 0 1 1 "));
    }

    #[test]
    fn nothing_breaks_on_nothing() {
        for chart in [donut("x", &[]), donut("x", &[("a", 0.0)]), funnel("x", &[]), heatmap("x", &[], &[])] {
            assert!(!html! { (chart) }.into_string().contains("NaN"));
        }
    }
}
