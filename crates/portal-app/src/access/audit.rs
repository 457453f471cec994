//! The audit log.

use maud::html;
use portal_core::access::wire::{AuditList, AuditView};

use super::question::Question;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, empty, icon, moment, number};

pub(crate) async fn audit(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let value = |name: &str| question.value(name);
    let asked = || question.pairs();
    let list: AuditList = asking.get(&paths::with_query("/api/v1/audit", asked())).await?;
    let filters = || asked().filter(|(key, _)| *key != "cursor");
    let export = paths::with_query("/api/v1/audit/export", filters());
    let older = list.next_cursor.as_deref();
    let older = older.map(|cursor| paths::with_query("/admin/audit", filters().chain([("cursor", cursor)])));
    Ok(Content::from(html! {
        div class="stack" {
            form class="filter-bar" action="/admin/audit" aria-label="Filter" {
                (input("actor", "Who", value("actor")))
                (input("action", "Action", value("action")))
                (input("target", "Target", value("target")))
                label class="visually-hidden" for="outcome" { "Outcome" }
                select class="select filter-field" data-size="sm" id="outcome" name="outcome" {
                    @for (key, words) in [("", "Any outcome"), ("done", "Done"), ("refused", "Refused"), ("failed", "Failed")] {
                        option value=(key) selected[key == value("outcome")] { (words) }
                    }
                }
                button class="button" data-size="sm" { "Filter" }
                a class="button push" data-size="sm" href=(export) rel="external" download { (icon("download")) "Export" }
            }
            section class="card" aria-labelledby="log" {
                header class="card-head" { h2 id="log" { "Entries " span class="count" { (number(list.total)) } } }
                @if list.items.is_empty() {
                    (empty("shield", "Nothing like this in the log".to_owned(), "Take a filter away to see more.", ""))
                } @else {
                    div class="table-wrap" {
                        table class="table" {
                            caption class="visually-hidden" { "Entries of the audit log, newest first" }
                            thead {
                                tr {
                                    th scope="col" { "When" }
                                    th scope="col" { "Who" }
                                    th scope="col" { "What" }
                                    th scope="col" class="p2" { "To what" }
                                    th scope="col" class="p2" { "More" }
                                }
                            }
                            tbody { @for entry in &list.items { (row(entry)) } }
                        }
                    }
                }
            }
            @if let Some(older) = &older {
                nav class="pagination" aria-label="Pages" { a class="button" href=(older) { "Older" } }
            }
        }
    }))
}

fn input(name: &str, label: &str, value: &str) -> Content {
    Content::from(html! {
        span class="filter-field" {
            label class="visually-hidden" for=(name) { (label) }
            input class="input" data-size="sm" id=(name) name=(name) type="text" value=(value) placeholder=(label) autocomplete="off";
        }
    })
}

fn row(entry: &AuditView) -> Content {
    let AuditView { seq, at, actor, name, action, target, outcome, request_id, address, detail, .. } = entry;
    let (tone, symbol) = match outcome.as_str() {
        "done" => ("success", "pass"),
        "refused" => ("warning", "lock"),
        _ => ("danger", "fail"),
    };
    let from = if address.is_empty() { request_id.clone() } else { format!("{address}, {request_id}") };
    let detail = if detail.is_null() { String::new() } else { detail.to_string() };
    Content::from(html! {
        tr data-key=(seq) {
            td { div class="cell" title=(format!("Entry {seq}")) { (moment(*at)) } }
            td { div class="cell" title=(format!("{actor}, {from}")) { (name) } span class="sub" { (address) } }
            td {
                div class="cell" {
                    span class="status" data-tone=(tone) data-quiet[tone == "success"] { (icon(symbol)) (action) }
                    @if tone != "success" { span class="muted" { " " (outcome) } }
                }
                span class="sub" { (target) }
            }
            td class="p2" { div class="cell truncate" title=(target) { (target) } }
            td class="p2" { @if !detail.is_empty() { code class="audit-detail truncate" title=(detail) { (detail) } } }
        }
    })
}
