//! The runs that one may see.

use maud::html;
use portal_core::access::Verb;
use portal_core::runs::RunState;
use portal_core::runs::wire::{RunList, RunView};
use serde_json::Value;

use super::of_run;
use crate::access::Question;
use crate::catalog::entity_link;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, counted, denied, duration, empty, icon, number};

pub(crate) async fn runs(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    if let (_, Some(reason)) = denied(Verb::ReadRuns) {
        return Ok(Content::from(html! {
            section class="card" {
                (empty("lock", "Runs are not shown to you".to_owned(), reason, html! { a class="button" href=(paths::SIGN_IN) rel="external" { "Sign in" } }))
            }
        }));
    }
    let list: RunList = asking.get(&paths::with_query(paths::API_RUNS, question.pairs())).await?;
    let now = asking.now_ms();
    let filters = || question.pairs().filter(|(key, _)| *key != "cursor");
    let older = list.next_cursor.as_deref();
    let older = older.map(|cursor| paths::with_query(paths::RUNS, filters().chain([("cursor", cursor)])));
    let is_filtered = filters().next().is_some();
    Ok(Content::from(html! {
        div class="stack" {
            form class="filter-bar" action=(paths::RUNS) data-live aria-label="Filter" {
                select class="select filter-field" data-size="sm" name="state" aria-label="State" {
                    option value="" { "Any state" }
                    @for state in RunState::ALL { option value=(state.as_str()) selected[state.as_str() == question.value("state")] { (of_run(state).2) } }
                }
                select class="select filter-field" data-size="sm" name="mine" aria-label="Whose" {
                    option value="" { "Everybody's" }
                    option value="true" selected[question.value("mine") == "true"] { "Mine" }
                }
                @for key in ["template", "entity"] {
                    @if !question.value(key).is_empty() { input type="hidden" name=(key) value=(question.value(key)); }
                }
                noscript { button class="button" data-size="sm" { "Filter" } }
                a class="button push" data-size="sm" href=(paths::TEMPLATES) { (icon("template")) "Templates" }
            }
            section class="card" aria-labelledby="list" {
                header class="card-head" {
                    h2 id="list" { "Runs " span class="count" { (number(list.total)) } }
                    @for key in ["template", "entity"] {
                        @if !question.value(key).is_empty() { span class="push tag" { (question.value(key)) } }
                    }
                }
                @if list.items.is_empty() && is_filtered {
                    (empty("list", "No run like this".to_owned(), "Take a filter away to see more.", html! { a class="button" href=(paths::RUNS) { "Show all" } }))
                } @else if list.items.is_empty() {
                    (empty("list", "Nothing has been run yet".to_owned(), "Start with a template.", html! { a class="button" href=(paths::TEMPLATES) { "Templates" } }))
                } @else {
                    div class="table-wrap" {
                        table class="table runs" {
                            caption class="visually-hidden" { "Runs, newest first" }
                            thead { tr {
                                th scope="col" { "Run" }
                                th scope="col" { "State" }
                                th scope="col" class="p2" { "Made" }
                                @if !question.value("template").is_empty() { th scope="col" class="p2" { "Template since" } }
                                th scope="col" class="p2" { "By" }
                                th scope="col" class="p3" { "Took" }
                                th scope="col" { "Started" }
                            } }
                            tbody { @for run in &list.items { (row(run, now, !question.value("template").is_empty())) } }
                        }
                    }
                }
            }
            @if let Some(older) = &older { nav class="pagination" aria-label="Pages" { a class="button" href=(older) { "Older" } } }
        }
    }))
}

fn row(run: &RunView, now: i64, shows_behind: bool) -> Content {
    let (tone, symbol, word) = of_run(run.state);
    let took = run.started_at.zip(run.finished_at).map(|(from, to)| duration((to - from).num_milliseconds()));
    Content::from(html! {
        tr data-key=(run.id) {
            td {
                div class="cell" { a class="entity-link" href=(paths::run(run.id)) { (icon(if run.definition.starts_with("action:") { "action" } else { "template" })) span class="truncate" { (run.title) @if let Some(name) = run.answers.get("name").and_then(Value::as_str).filter(|_| !run.definition.starts_with("action:")) { ": " (name) } " " span class="muted" { "#" (run.id) } } } }
            }
            td { div class="cell" { span class="status" data-tone=(tone) data-quiet[tone == "success"] { (icon(symbol)) (word) } } }
            td class="p2" { div class="cell" { @match run.entities.first() { Some(first) => { (entity_link(first)) }, None => { span class="muted" { "–" } } } } }
            @if shows_behind {
                td class="p2" { div class="cell" { @if run.behind == 0 { span class="muted" { "Unchanged" } } @else { (counted(run.behind, "change", "changes")) } } }
            }
            td class="p2" { div class="cell truncate" { (run.started_by.name) } }
            td class="p3" { div class="cell" { (took.unwrap_or_default()) } }
            td { div class="cell" { (ago(run.created_at, now)) } }
        }
    })
}
