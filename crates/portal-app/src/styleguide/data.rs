//! Tables, code, logs, differences, charts.

use maud::html;

use super::specimens;
use crate::ui::Content;
use crate::ui::chart::{Chart, Series, bars, donut, funnel, heatmap, line, sparkline, stacked};

pub(super) fn text() -> Content {
    let rows = [
        ("booking-api", "service", "Booking", "412"),
        ("a-component-with-a-name-that-does-not-fit-into-its-column", "library", "Developer Platform", "7"),
    ];
    let table = Content::from(html! {
        div class="table-wrap" {
            table class="table" {
                caption class="visually-hidden" { "Example of a table" }
                thead { tr { th scope="col" class="col-name" aria-sort="ascending" { a class="sort" href="#sort" { "Name" } } th scope="col" { "Type" } th scope="col" { "Owner" } th scope="col" class="num" { "Views" } } }
                tbody {
                    @for (name, kind, owner, views) in rows {
                        tr { td class="col-name" { div class="cell" { a href="#row" { (name) } } } td { (kind) } td { (owner) } td class="num" { (views) } }
                    }
                }
            }
        }
    });
    let facts = Content::from(html! {
        dl class="kv" {
            dt { "Owner" } dd { a href="#owner" { "Booking" } }
            dt { "Data class" } dd { "Personal data" }
            dt { "Cost centre" } dd { span class="missing" { "Not set" } }
        }
    });
    let code = Content::from(html! {
        div class="code" tabindex="0" role="region" aria-label="Example of code" {
            pre { code {
                span class="hl-comment" { "// Prices by lane.\n" }
                span class="hl-keyword" { "fn " } span class="hl-function" { "price" } "(lane: " span class="hl-type" { "Lane" } ") -> " span class="hl-number" { "42" } "\n"
            } }
        }
    });
    let frame = Content::from(html! {
        div class="frame" tabindex="0" role="region" aria-label="Example of an error" {
            ol {
                li { span class="ln" { "6" } span class="src" { "spec:" } }
                li data-mark { span class="ln" { "7" } span class="src" { "  lifecyle: production" } }
                li { span class="ln" {} span class="src caret" { "  ^ did you mean `lifecycle`?" } }
            }
        }
    });
    let diff = Content::from(html! {
        div class="diff" tabindex="0" role="region" aria-label="Example of a difference" {
            ol {
                li { span class="sign" {} span class="src" { "spec:" } }
                li data-op="del" { span class="sign" { "−" } span class="src" { "  lifecycle: experimental" } }
                li data-op="add" { span class="sign" { "+" } span class="src" { "  lifecycle: production" } }
            }
        }
    });
    let lines = [
        ("14:02:07", "", "Reading kestrel/booking"),
        ("14:02:09", "warning", "2 documents have errors"),
        ("14:02:09", "danger", "Cannot write: the disk is full"),
    ];
    let log = Content::from(html! {
        div class="log" tabindex="0" role="log" aria-label="Example of a log" {
            ol { @for (index, (at, tone, message)) in lines.iter().enumerate() { li data-tone=(tone) { span class="ln" { (index + 1) } span class="at" { (at) } span class="msg" { (message) } } } }
        }
    });
    specimens(&[
        ("Table", table),
        ("Facts", facts),
        ("Code", code),
        ("Lines around an error", frame),
        ("Difference", diff),
        ("Log", log),
    ])
}

pub(super) fn charts() -> Content {
    let weeks = ["W40", "W41", "W42", "W43", "W44", "W45", "W46", "W47"];
    let deploys = Series { name: "Deployments", values: &[31.0, 34.0, 28.0, 41.0, 44.0, 39.0, 52.0, 57.0] };
    let failures = Series { name: "Failed", values: &[4.0, 2.0, 5.0, 3.0, 2.0, 6.0, 2.0, 1.0] };
    let both = [deploys, failures];
    let chart = |title| Chart { title, labels: &weeks, series: &both, unit: "" };
    let single = [Series { name: "Lead time", values: &[9.5, 8.0, 8.5, 6.0, 5.5, 6.5, 4.0, 3.5] }];
    let tile = Content::from(html! {
        div class="stack" data-gap="1" { strong { "57" } (sparkline("Deployments", both[0].values)) }
    });
    specimens(&[
        ("Lines", line(&chart("Deployments by week"))),
        ("One line", line(&Chart { title: "Lead time by week", labels: &weeks, series: &single, unit: " h" })),
        ("Bars", bars(&chart("Deployments and failures by week"))),
        ("Stacked bars", stacked(&chart("All deployments by week"))),
        ("Ring", donut("Services by level", &[("Gold", 31.0), ("Silver", 41.0), ("Bronze", 16.0), ("None", 12.0)])),
        (
            "Funnel",
            funnel(
                "From template to production",
                &[("Opened", 412.0), ("Filled in", 280.0), ("Created", 231.0), ("In production", 96.0)],
            ),
        ),
        (
            "Shades",
            heatmap(
                "Visits by day and hour",
                &["08", "10", "12", "14", "16"],
                &[
                    ("Monday", &[3.0, 21.0, 14.0, 19.0, 8.0]),
                    ("Tuesday", &[5.0, 25.0, 11.0, 22.0, 9.0]),
                    ("Friday", &[2.0, 12.0, 9.0, 6.0, 1.0]),
                ],
            ),
        ),
        ("Small line", tile),
    ])
}
