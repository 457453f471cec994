//! Colours, type and space, by the names of their tokens.

use maud::html;

use super::specimens;
use crate::ui::Content;

const SURFACES: [&str; 8] = [
    "surface",
    "surface-sunken",
    "surface-raised",
    "surface-muted",
    "surface-hover",
    "surface-active",
    "surface-selected",
    "surface-inverse",
];
const TONES: [&str; 10] = [
    "accent",
    "accent-soft",
    "success-solid",
    "success-soft",
    "warning-solid",
    "warning-soft",
    "danger-solid",
    "danger-soft",
    "info-solid",
    "plum",
];
const CHARTS: [&str; 10] =
    ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"];
const SIZES: [(&str, &str); 7] = [
    ("2xl", "187 of 264"),
    ("xl", "Production readiness"),
    ("lg", "Remove booking-web?"),
    ("md", "Prose, and titles in forms"),
    ("sm", "Body, tables and controls"),
    ("xs", "Meta, table heads, hints"),
    ("2xs", "Ticks of charts, hints of keys"),
];
const SPACES: [&str; 8] = ["1", "2", "3", "4", "6", "8", "12", "16"];

pub(super) fn section() -> Content {
    specimens(&[
        ("Surfaces", swatches(&SURFACES)),
        ("Tones", swatches(&TONES)),
        ("Series and shades", swatches(&CHARTS)),
        ("Type", sizes()),
        ("Space", spaces()),
    ])
}

fn swatches(tokens: &[&str]) -> Content {
    Content::from(html! {
        ul class="swatches" {
            @for token in tokens { li { i data-token=(token) {} code { "--" (token) } } }
        }
    })
}

fn sizes() -> Content {
    Content::from(html! {
        ul class="stack" data-gap="2" {
            @for (size, text) in SIZES { li data-size=(size) class="type-sample" { span { (text) } " " code { (size) } } }
        }
    })
}

fn spaces() -> Content {
    Content::from(html! {
        ul class="stack" data-gap="1" {
            @for space in SPACES { li class="space-sample" { code { (space) } i data-space=(space) {} } }
        }
    })
}
