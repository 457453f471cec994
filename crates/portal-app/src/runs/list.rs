//! The runs that one may see.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::runs::RunState;
use portal_core::runs::wire::{RunList, RunView};
use serde_json::Value;

use super::of_run;
use crate::access::Question;
use crate::api::sentence;
use crate::catalog::{entity_link, kind_of};
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, EntityBox, ago, counted, denied, duration, empty, icon, number, with_code};

pub(crate) async fn runs(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    if let (_, Some(reason)) = denied(Verb::ReadRuns) {
        return Ok(Content::from(html! {
            section class="card" {
                (empty("lock", "Runs are not shown to you".to_owned(), reason, html! { a class="button" href=(paths::SIGN_IN) rel="external" { "Sign in" } }))
            }
        }));
    }
    // One box for templates and actions; links say which of the two they mean.
    let what = ["what", "template", "action"].map(|key| question.value(key)).into_iter().find(|text| !text.is_empty());
    let what = what.unwrap_or_default().to_owned();
    let is_action = what.starts_with("action:");
    let whole = if is_action { "action" } else { "template" };
    let pairs: Vec<(&str, &str)> = question.pairs().filter(|(_, value)| !value.is_empty()).collect();
    let asked = pairs.iter().map(|(key, value)| (if *key == "what" { whole } else { key }, *value));
    let nothing = RunList { items: Vec::new(), next_cursor: None, total: 0 };
    let (list, hint) = match asking.ask::<RunList>(&paths::with_query(paths::API_RUNS, asked)).await? {
        Ok(list) => (list, None),
        // Half a name, while it is being typed.
        Err(problem) if problem.status == 422 => (nothing, Some(sentence(&problem.detail))),
        Err(problem) => return Err(problem.into()),
    };
    let shows_behind = !what.is_empty() && !is_action;
    let now = asking.now_ms();
    let filters = || pairs.iter().copied().filter(|(key, _)| *key != "cursor");
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
                (picker("what", "Template or action", &what, &["template", "action"]))
                (picker("about", "Entity", question.value("about"), &[]))
                (picker("user", "Started by", question.value("user"), &["user"]))
                @for key in ["entity", "target"] {
                    @if !question.value(key).is_empty() { input type="hidden" name=(key) value=(question.value(key)); }
                }
                noscript { button class="button" data-size="sm" { "Filter" } }
                a class="button push" data-size="sm" href=(paths::TEMPLATES) { (icon("template")) "Templates" }
            }
            section class="card" aria-labelledby="list" {
                header class="card-head" {
                    h2 id="list" { "Runs " span class="count" { (number(list.total)) } }
                    @for key in ["entity", "target"] {
                        @if !question.value(key).is_empty() { span class="push tag" { (question.value(key)) } }
                    }
                    @if is_filtered { a class="push" href=(paths::RUNS) { "Show all" } }
                }
                @if list.items.is_empty() && is_filtered {
                    @let hint = hint.as_deref().unwrap_or("Take a filter away to see more.");
                    (empty("list", "No run like this".to_owned(), with_code(hint), html! { a class="button" href=(paths::RUNS) { "Show all" } }))
                } @else if list.items.is_empty() {
                    (empty("list", "Nothing has been run yet".to_owned(), "Start with a template.", html! { a class="button" href=(paths::TEMPLATES) { "Templates" } }))
                } @else {
                    (table(&list.items, now, shows_behind))
                }
            }
            @if let Some(older) = &older { nav class="pagination" aria-label="Pages" { a class="button" href=(older) { "Older" } } }
        }
    }))
}

/// A box that finds entities of some kinds.
fn picker<'a>(name: &'a str, label: &'a str, value: &'a str, kinds: &[&str]) -> EntityBox<'a> {
    let suggestions = paths::suggestions(kinds.iter().copied());
    EntityBox { id: name, name, value, label, suggestions, is_filter: true, ..EntityBox::default() }
}

/// What was made from a template, what an action has done, or what has to do with an entity.
pub(crate) async fn of_entity(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let entity = question.value("entity");
    if let (_, Some(reason)) = denied(Verb::ReadRuns) {
        return Ok(Content::from(html! {
            section class="card" data-part="html" {
                (empty("lock", "Runs are not shown to you".to_owned(), reason, html! { a class="button" href=(paths::SIGN_IN) rel="external" { "Sign in" } }))
            }
        }));
    }
    let kind = kind_of(entity);
    let (key, title, none, start, label) = match kind {
        "template" => (
            "template",
            "Made from this template",
            "Nothing was made from it yet",
            paths::template(entity),
            "Use template",
        ),
        "action" => ("action", "Runs of this action", "It was never run", paths::action(entity), "Run it"),
        _ => (
            "about",
            "Runs on this, and the one that made it",
            "Nothing was run on it",
            paths::actions_for(entity),
            "See its actions",
        ),
    };
    let list: RunList = asking.get(&paths::with_query(paths::API_RUNS, [(key, entity), ("limit", "50")])).await?;
    let all = paths::with_query(paths::RUNS, [(if key == "about" { key } else { "what" }, entity)]);
    let now = asking.now_ms();
    Ok(Content::from(html! {
        section class="card" aria-labelledby="runs" data-part="html" {
            header class="card-head" {
                h2 id="runs" { (title) " " span class="count" { (number(list.total)) } }
                div class="push" { a class="button" data-size="sm" href=(start) { (icon(if kind == "template" { "template" } else { "action" })) (label) } }
            }
            @if list.items.is_empty() {
                (empty("list", none.to_owned(), "What is run shows here, with what came of it.".to_owned(), html! {}))
            } @else {
                (table(&list.items, now, kind == "template"))
                @if list.total > list.items.len() as u64 { div class="card-foot" { a href=(all) { "Show all " (number(list.total)) } } }
            }
        }
    }))
}

fn table(runs: &[RunView], now: i64, shows_behind: bool) -> Markup {
    html! {
        div class="table-wrap" {
            table class="table runs" {
                caption class="visually-hidden" { "Runs, newest first" }
                thead { tr {
                    th scope="col" { "Run" }
                    th scope="col" class="col-short" { "State" }
                    th scope="col" class="p2" { "Made" }
                    @if shows_behind { th scope="col" class="p2" { "Template since" } }
                    th scope="col" class="p2" { "By" }
                    th scope="col" class="p3" { "Took" }
                    th scope="col" class="p2" { "Started" }
                } }
                tbody { @for run in runs { (row(run, now, shows_behind)) } }
            }
        }
    }
}

fn row(run: &RunView, now: i64, shows_behind: bool) -> Content {
    let (tone, symbol, word) = of_run(run.state);
    let took = run.started_at.zip(run.finished_at).map(|(from, to)| duration((to - from).num_milliseconds()));
    Content::from(html! {
        tr data-key=(run.id) {
            td {
                div class="cell" { a class="entity-link" href=(paths::run(run.id)) { (icon(if run.definition.starts_with("action:") { "action" } else { "template" })) span class="truncate" { (run.title) @if let Some(name) = run.answers.get("name").and_then(Value::as_str).filter(|_| !run.definition.starts_with("action:")) { ": " (name) } " " span class="muted" { "#" (run.id) } } } }
                span class="sub" { (ago(run.created_at, now)) " · " (run.started_by.name) }
            }
            td { div class="cell" { span class="status" data-tone=(tone) data-quiet[tone == "success"] { (icon(symbol)) (word) } } }
            td class="p2" { div class="cell" { @match run.entities.first() { Some(first) => { (entity_link(first)) }, None => { span class="muted" { "–" } } } } }
            @if shows_behind {
                td class="p2" { div class="cell" { @if run.behind == 0 { span class="muted" { "Unchanged" } } @else { (counted(run.behind, "change", "changes")) } } }
            }
            td class="p2" { div class="cell truncate" { (run.started_by.name) } }
            td class="p3" { div class="cell" { (took.unwrap_or_default()) } }
            td class="p2" { div class="cell" { (ago(run.created_at, now)) } }
        }
    })
}
