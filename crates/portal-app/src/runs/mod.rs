//! Runs: those there are, and one of them as it happens. Served.

mod list;
mod page;

use maud::html;
use portal_core::runs::{RunState, StepState};

use crate::ui::{Content, icon};

pub(crate) use list::{of_entity, runs};
pub(crate) use page::run;

/// Tone, symbol and word of a run's state.
pub(super) fn of_run(state: RunState) -> (&'static str, &'static str, &'static str) {
    match state {
        RunState::Draft => ("neutral", "edit", "Draft"),
        RunState::PendingApproval => ("warning", "pending", "Waits for approval"),
        RunState::Queued => ("info", "pending", "Queued"),
        RunState::Running => ("info", "running", "Running"),
        RunState::Waiting => ("info", "clock", "Waiting"),
        RunState::Succeeded => ("success", "pass", "Succeeded"),
        RunState::Failed => ("danger", "fail", "Failed"),
        RunState::Cancelled => ("neutral", "stop", "Cancelled"),
        RunState::Expired => ("neutral", "clock", "Expired"),
        RunState::Declined => ("neutral", "x", "Declined"),
        RunState::Unknown => ("warning", "unknown", "Unknown"),
    }
}

/// The state of a step: a symbol, with the word beside it or for screen readers only.
pub(crate) fn step_status(state: StepState, is_quiet: bool) -> Content {
    let (tone, symbol, word) = match state {
        StepState::Pending => ("neutral", "pending", "not started"),
        StepState::Running => ("info", "running", "running"),
        StepState::Waiting => ("info", "clock", "waiting"),
        StepState::Succeeded => ("success", "pass", "succeeded"),
        StepState::Skipped => ("neutral", "skip", "skipped"),
        StepState::Failed => ("danger", "fail", "failed"),
        StepState::Cancelled => ("neutral", "stop", "cancelled"),
        StepState::Unknown => ("warning", "unknown", "unknown"),
    };
    Content::from(html! {
        span class="status" data-tone=(tone) {
            (icon(symbol))
            span class=[is_quiet.then_some("visually-hidden")] { (word) }
        }
    })
}
