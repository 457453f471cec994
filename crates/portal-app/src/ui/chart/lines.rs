//! Charts over labels: lines, bars, stacked bars, and the small line of a tile.

use maud::html;

use super::scale::{BOTTOM, HEIGHT, LEFT, RIGHT, Vertical, WIDTH, band, every, middle};
use super::{Chart, Content, figure, legend, shown, table};

/// Lines, one a series.
pub(crate) fn line(chart: &Chart<'_>) -> Content {
    let vertical = Vertical::up_to(most(chart));
    let paths = chart.series.iter().map(|series| path(series.values, &vertical)).collect::<Vec<String>>();
    let marks = Content::from(html! {
        g {
            @for (index, path) in paths.iter().enumerate() {
                path class="line" data-series=(index + 1) d=(path) {}
            }
        }
    });
    framed(chart, &vertical, &marks)
}

/// Bars beside each other.
pub(crate) fn bars(chart: &Chart<'_>) -> Content {
    let vertical = Vertical::up_to(most(chart));
    let count = chart.labels.len();
    let width = band(count) * 0.7 / chart.series.len().max(1) as f64;
    let marks = Content::from(html! {
        g {
            @for (rank, series) in chart.series.iter().enumerate() {
                @for (index, value) in series.values.iter().enumerate() {
                    (bar(rank, middle(index, count) - band(count) * 0.35 + width * rank as f64, width, 0.0, *value, &vertical))
                }
            }
        }
    });
    framed(chart, &vertical, &marks)
}

/// Bars on top of each other.
pub(crate) fn stacked(chart: &Chart<'_>) -> Content {
    let count = chart.labels.len();
    let total = |index: usize| chart.series.iter().filter_map(|series| series.values.get(index)).sum::<f64>();
    let vertical = Vertical::up_to((0..count).map(total).fold(0.0, f64::max));
    let width = band(count) * 0.7;
    let below = |rank: usize, index: usize| {
        chart.series[..rank].iter().filter_map(|series| series.values.get(index)).sum::<f64>()
    };
    let marks = Content::from(html! {
        g {
            @for (rank, series) in chart.series.iter().enumerate() {
                @for (index, value) in series.values.iter().enumerate() {
                    (bar(rank, middle(index, count) - width / 2.0, width, below(rank, index), *value, &vertical))
                }
            }
        }
    });
    framed(chart, &vertical, &marks)
}

/// A line without axes, for a tile that says the value itself.
pub(crate) fn sparkline(title: &str, values: &[f64]) -> Content {
    let most = values.iter().copied().fold(f64::EPSILON, f64::max);
    let step = 100.0 / (values.len().max(2) - 1) as f64;
    let points = values.iter().enumerate().map(|(index, value)| {
        let letter = if index == 0 { 'M' } else { 'L' };
        format!("{letter}{:.1} {:.1}", step * index as f64, 26.0 - 24.0 * (value / most))
    });
    let path: String = points.collect();
    let (first, last) = (values.first().copied(), values.last().copied());
    let words = format!("{title}: from {} to {}", shown(first, ""), shown(last, ""));
    Content::from(html! {
        svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label=(words) {
            path d=(path) {}
        }
    })
}

fn most(chart: &Chart<'_>) -> f64 {
    chart.series.iter().flat_map(|series| series.values).copied().fold(0.0, f64::max)
}

fn path(values: &[f64], vertical: &Vertical) -> String {
    let place = |(index, value): (usize, &f64)| {
        let letter = if index == 0 { 'M' } else { 'L' };
        format!("{letter}{:.1} {:.1}", middle(index, values.len()), vertical.y(*value))
    };
    values.iter().enumerate().map(place).collect()
}

fn bar(rank: usize, x: f64, width: f64, from: f64, value: f64, vertical: &Vertical) -> Content {
    let (top, bottom) = (vertical.y(from + value), vertical.y(from));
    Content::from(html! {
        rect class="bar" data-series=(rank + 1) x=(format!("{x:.1}")) y=(format!("{top:.1}")) width=(format!("{width:.1}")) height=(format!("{:.1}", bottom - top)) {}
    })
}

/// Axes around the marks, and what belongs to them.
fn framed(chart: &Chart<'_>, vertical: &Vertical, marks: &Content) -> Content {
    let Chart { title, labels, series, unit } = chart;
    let names: Vec<&str> = series.iter().map(|series| series.name).collect();
    let words = format!("{title}: {} over {} to {}", names.join(", "), first(labels), last(labels));
    let foot = HEIGHT - BOTTOM;
    let drawing = Content::from(html! {
        svg class="chart" viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(words) {
            @for tick in &vertical.ticks {
                line class="grid-line" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(format!("{:.1}", vertical.y(*tick))) y2=(format!("{:.1}", vertical.y(*tick))) {}
                text x=(LEFT - 6.0) y=(format!("{:.1}", vertical.y(*tick) + 4.0)) text-anchor="end" { (shown(Some(*tick), unit)) }
            }
            (marks)
            line class="axis" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(foot) y2=(foot) {}
            @for (index, label) in labels.iter().enumerate().step_by(every(labels.len())) {
                text x=(format!("{:.1}", middle(index, labels.len()))) y=(HEIGHT - 6.0) text-anchor="middle" { (label) }
            }
        }
    });
    figure(title, &drawing, &legend(&names), &table(chart))
}

fn first<'a>(labels: &[&'a str]) -> &'a str {
    labels.first().copied().unwrap_or("nothing")
}

fn last<'a>(labels: &[&'a str]) -> &'a str {
    labels.last().copied().unwrap_or("nothing")
}
