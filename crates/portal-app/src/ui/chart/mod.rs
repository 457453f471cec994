//! Charts as SVG: each says in words what it shows and has a table behind it.
//! Colours go by the rank of a series; no element has a style of its own.

mod lines;
mod parts;
mod scale;

use maud::html;

pub(crate) use lines::{bars, line, sparkline, stacked};
pub(crate) use parts::{donut, funnel, heatmap};

use super::{Content, small_icon};

/// Values of one kind, one for each label.
pub(crate) struct Series<'a> {
    pub name: &'a str,
    pub values: &'a [f64],
}

/// What a chart over labels shows.
pub(crate) struct Chart<'a> {
    pub title: &'a str,
    /// Along the horizontal axis, e.g. weeks.
    pub labels: &'a [&'a str],
    /// At most five; the colours end there.
    pub series: &'a [Series<'a>],
    /// Behind a value, e.g. ` ms`; may be empty.
    pub unit: &'a str,
}

/// A drawing with its legend and its table.
fn figure(title: &str, drawing: &Content, legend: &Content, table: &Content) -> Content {
    Content::from(html! {
        figure class="chart-figure" aria-label=(title) {
            (drawing)
            (legend)
            details class="table-twin" {
                summary { (small_icon("chevron-right")) "As a table" }
                (table)
            }
        }
    })
}

/// Names of series with their colours; nothing for a single one.
fn legend(names: &[&str]) -> Content {
    Content::from(html! {
        ul class="legend" {
            @if names.len() > 1 {
                @for (index, name) in names.iter().enumerate() {
                    li data-series=(index + 1) { i {} (name) }
                }
            }
        }
    })
}

/// Labels down, series across.
fn table(chart: &Chart<'_>) -> Content {
    let Chart { title, labels, series, unit } = chart;
    Content::from(html! {
        table {
            caption class="visually-hidden" { (title) }
            thead { tr { td {} @for series in *series { th scope="col" { (series.name) } } } }
            tbody {
                @for (index, label) in labels.iter().enumerate() {
                    tr {
                        th scope="row" { (label) }
                        @for series in *series { td { (shown(series.values.get(index).copied(), unit)) } }
                    }
                }
            }
        }
    })
}

/// A value as text: without a fraction that says nothing.
fn shown(value: Option<f64>, unit: &str) -> String {
    match value {
        None => "no value".to_owned(),
        Some(value) if value.fract().abs() < 0.005 => format!("{value:.0}{unit}"),
        Some(value) => format!("{value:.1}{unit}"),
    }
}
