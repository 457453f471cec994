//! When an action starts by itself, beside its form.

use maud::{Markup, html};
use portal_core::actions::wire::{TriggerList, TriggerView};

use crate::paths;
use crate::ui::{ago, capitalised, icon, moment, with_code};

/// What it waits for, and what came of it; nothing where nothing starts it.
pub(super) fn card(triggers: &TriggerList, now: i64) -> Markup {
    html! {
        @if !triggers.items.is_empty() {
            section class="card" aria-labelledby="by-itself" {
                header class="card-head" { h2 id="by-itself" { "Starts by itself" } }
                div class="card-body stack" data-gap="4" {
                    @for trigger in &triggers.items { (one(trigger, now)) }
                }
            }
        }
    }
}

fn one(trigger: &TriggerView, now: i64) -> Markup {
    let symbol = if trigger.kind == "schedule" { "clock" } else { "play" };
    html! {
        div class="stack" data-gap="1" {
            p class="with-icon" { (icon(symbol)) span { (with_code(&capitalised(&trigger.says))) } }
            @if let Some(path) = &trigger.path { p class="muted breakable" { code { "POST " (path) } } }
            @if let Some(next) = trigger.next_at { p class="muted" { "Next: " (moment(next)) } }
            @if let Some((run, at)) = trigger.last_run.zip(trigger.last_at) {
                p class="muted" { "Last: " a href=(paths::run(run)) { "run " (run) } ", " (ago(at, now)) }
            }
            @if let Some(problem) = &trigger.problem {
                p class="muted with-icon" {
                    (icon("alert"))
                    span { (with_code(problem)) @if let Some(at) = trigger.problem_at { ", " (ago(at, now)) } }
                }
            }
        }
    }
}
