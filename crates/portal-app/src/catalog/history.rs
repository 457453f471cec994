//! What happened to an entity: its changes, newest first, each with what it
//! changed.

use leptos::prelude::AnyView;
use maud::html;
use portal_core::catalog::wire::{ChangeList, ChangeView, FieldChange};
use serde_json::Value;

use super::entity_page::{Place, Tab};
use crate::api::Load;
use crate::paths;
use crate::ui::{Content, Erase, empty, exact, failed, moment, pagination, skeleton_rows, small_icon};
use portal_core::yaml::to_yaml;

pub(super) fn history_region(place: &Place, load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<ChangeList>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(failure) => failed("The history", &failure, load),
        Ok((list, _)) => changes(place, list).erase(),
    })
}

fn changes(place: &Place, list: ChangeList) -> Content {
    let ChangeList { items, next_cursor, total } = list;
    if items.is_empty() {
        return Content::from(html! {
                    div class="card" {
                        (empty(
                            "clock",
                            "No change is recorded".to_owned(),
                            "Every change of this entity will be listed here, with who or what caused it.",
                            "",
                        ))
                }
        });
    }
    let shown = items.len();
    let history = Tab::History.href(&place.entity_ref);
    let next = next_cursor.map(|cursor| {
        paths::with_query(&paths::entity(&place.entity_ref), [("tab", "history"), ("cursor", cursor.as_str())])
    });
    let first = place.cursor.is_some().then_some(history);
    let items = items.into_iter().map(|view| change(place, view)).collect::<Vec<Content>>();
    Content::from(html! {
        div class="stack" {
            section class="card" aria-labelledby="history" {
                header class="card-head" {
                    h2 id="history" { "Changes" }
                    div class="push" { (past_form(place)) span { (format!("{total} in all")) } }
                }
                div class="card-body" data-flush {
                    ol class="timeline" {
                        @for item in &items { (item) }
                    }
                }
            }
            (pagination(None, shown, total, first, next))
        }
    })
}

/// A form that opens the entity as it was at a time.
fn past_form(place: &Place) -> Content {
    Content::from(html! {
        form class="past" method="get" action=(paths::entity(&place.entity_ref)) {
            label for="as-of" { "As of" }
            input class="input" data-size="sm" id="as-of" name="as_of" type="datetime-local" required step="1";
            span class="muted" { "UTC" }
            button class="button" data-size="sm" type="submit" { "Show" }
        }
    })
}

fn change(place: &Place, view: ChangeView) -> Content {
    let ChangeView { seq, at, actor, by, cause, operation, diff, .. } = view;
    let then = (operation != "delete").then(|| {
        let as_of = exact(at);
        let pairs = [("tab", Tab::Source.name()), ("as_of", as_of.as_str())];
        paths::with_query(&paths::entity(&place.entity_ref), pairs)
    });
    let (what, symbol, tone) = operation_label(&operation);
    let actor = if actor.0 == "system" { None } else { Some(format!("by {} ", by.unwrap_or(actor.0))) };
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (what)
                div class="meta" {
                    @if let Some(actor) = &actor { (actor) }
                    (cause_link(&cause))
                    (format!(" · change {seq}"))
                    @if let Some(then) = &then { " · " a class="underlined" href=(then) { "as it was then" } }
                }
                @if !diff.is_empty() { (changed_fields(seq, &diff)) }
            }
            (moment(at))
        }
    })
}

/// What a change did to the fields of the document.
pub(crate) fn changed_fields(seq: i64, diff: &[FieldChange]) -> Content {
    Content::from(html! {
        div class="diff" tabindex="0" role="region" aria-label=(format!("What change {seq} changed")) {
            ol { @for field in diff { (field_change(field)) } }
        }
    })
}

/// What an operation did in words, with a symbol and a tone.
pub(crate) fn operation_label(operation: &str) -> (String, &'static str, &'static str) {
    let (label, symbol, tone) = match operation {
        "create" => ("Added to the catalog", "plus", "success"),
        "update" => ("Changed", "commit", "neutral"),
        "delete" => ("Removed", "x", "danger"),
        "orphan" => ("Became an orphan", "alert", "warning"),
        "restore" => ("Declared again", "retry", "success"),
        "stale" => ("Kept at its last good version", "alert", "warning"),
        other => return (super::relations::words(other), "commit", "neutral"),
    };
    (label.to_owned(), symbol, tone)
}

pub(crate) fn cause_link(cause: &str) -> Content {
    match cause.split_once(':') {
        Some(("source", id)) => match id.parse() {
            Ok(id) => Content::from(html! {
                "read from "
                a class="underlined" href=(paths::source(id)) { (format!("source {id}")) }
            }),
            Err(_) => Content::from(html! { (cause) }),
        },
        Some(("request", id)) => Content::from(html! {
            "by request "
            code { (id.to_owned()) }
        }),
        _ => Content::from(html! { (cause) }),
    }
}

fn field_change(change: &FieldChange) -> Content {
    let FieldChange { pointer, before, after } = change;
    let lines = |value: &Option<Value>, op: &'static str, sign: &'static str| -> Vec<Content> {
        let Some(value) = value else { return Vec::new() };
        let yaml = to_yaml(value);
        // Long values are in the document; here their beginning is enough.
        let shown = yaml.lines().take(12).map(|line| {
            Content::from(html! {
                li data-op=(op) {
                    span class="sign" { (sign) }
                    span class="src" { (line.to_owned()) }
                }
            })
        });
        shown.collect()
    };
    Content::from(html! {
        li data-op="skip" {
            span class="sign" {}
            span class="src" {
                (if pointer.is_empty() { "the document".to_owned() } else { pointer.clone() })
            }
        }
        @for line in lines(before, "del", "−").iter().chain(&lines(after, "add", "+")) { (line) }
    })
}
