//! What the last passes over a source say: its errors, its log.

use leptos::prelude::AnyView;
use maud::html;
use portal_core::sources::wire::{PassList, PassView, SourceErrorList};

use super::problem::problem;
use crate::api::{Load, sentence};
use crate::ui::{Content, Erase, ago, duration, failed, number, small_icon};

/// The errors of a source, each with its lines; nothing when there are none.
pub(super) fn problems_region(load: Load, heading: String) -> Option<AnyView> {
    Some(match load.read_current::<SourceErrorList>()? {
        Err(failure) => failed("The errors", &failure, load),
        Ok((list, _)) if list.items.is_empty() => ().erase(),
        Ok((list, _)) => {
            let problems = list.items.iter().map(|error| problem(error, true)).collect::<Vec<Content>>();
            let mut documents: Vec<_> = list.items.iter().map(|error| (&error.file, error.document)).collect();
            documents.dedup();
            let rest = list.next_cursor.is_some().then(|| {
                let rest = list.total.saturating_sub(documents.len() as u64);
                let text = format!("{} more documents have errors; the API lists them all.", number(rest));
                Content::from(html! {
                    div class="card-foot" { (text) }
                })
            });
            Content::from(html! {
                section class="card" aria-labelledby="problems" {
                    header class="card-head" {
                        h2 id="problems" {
                            (heading) " "
                            span class="count" { (number(list.total)) }
                        }
                        div class="push" {
                            span {
                                code { "portal validate PATH" }
                                " finds them before the push"
                            }
                        }
                    }
                    @for problem in &problems { (problem) }
                    @if let Some(rest) = &rest { (rest) }
                }
            })
            .erase()
        }
    })
}

/// The log of passes, newest first.
pub(super) fn passes_region(load: Load) -> Option<AnyView> {
    Some(match load.read_current::<PassList>()? {
        Err(failure) => failed("The passes", &failure, load),
        Ok((list, now_ms)) => {
            let body = if list.items.is_empty() {
                Content::from(html! {
                    p class="card-body muted" { "This source was not read yet." }
                })
            } else {
                let passes = list.items.iter().map(|view| pass(view, now_ms)).collect::<Vec<Content>>();
                Content::from(html! {
                    ol class="timeline" { @for entry in &passes { (entry) } }
                })
            };
            Content::from(html! {
                section class="card" aria-labelledby="passes" {
                    header class="card-head" {
                        h2 id="passes" { "Last passes" }
                    }
                    div class="card-body" data-flush {
                        (body)
                    }
                }
            })
            .erase()
        }
    })
}

fn pass(view: &PassView, now_ms: i64) -> Content {
    let (tone, symbol) = match view.outcome.as_deref() {
        Some("ok") => ("success", "pass"),
        Some("degraded") => ("danger", "fail"),
        Some(_) => ("warning", "alert"),
        None => ("info", "running"),
    };
    let title = match view.trigger.as_str() {
        "webhook" => "Push",
        "manual" => "Read by hand",
        "start" => "First reading",
        "schedule" => "Scheduled pass",
        other => other,
    };
    let summary = match &view.failure {
        Some(failure) => sentence(failure),
        None => summary(view),
    };
    let revision = view.revision.as_ref().map(|revision| {
        let short: String = revision.chars().take(12).collect();
        Content::from(html! {
            div class="meta" {
                code title=(&revision) { (short) }
            }
        })
    });
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (title.to_owned())
                div class="meta" { (summary) }
                @if let Some(revision) = &revision { (revision) }
            }
            (ago(view.started_at, now_ms))
        }
    })
}

/// `638 documents read, 2 changed, 1 error, 4.1 s`.
fn summary(view: &PassView) -> String {
    let documents = if view.documents == 1 { "document" } else { "documents" };
    let mut parts = vec![format!("{} {documents} read", count(view.documents))];
    for (number, word) in [(view.created, "added"), (view.updated, "changed"), (view.removed, "removed")] {
        if number > 0 {
            parts.push(format!("{} {word}", count(number)));
        }
    }
    if parts.len() == 1 && view.outcome.is_some() {
        parts.push("nothing changed".to_owned());
    }
    match view.errors {
        0 => {}
        1 => parts.push("1 error".to_owned()),
        errors => parts.push(format!("{} errors", count(errors))),
    }
    parts.extend(view.duration_ms.map(duration));
    parts.join(", ")
}

fn count(value: i64) -> String {
    number(value.unsigned_abs())
}
