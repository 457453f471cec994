//! The life of a run, whatever it runs: which step is next, what becomes of it after a
//! failure, a crash or a cancellation. Decisions only; whoever holds the run carries them
//! out and stores what they come to.
//!
//! A holder stores that a step is under way *before* it begins, and what became of it
//! *after*. Who finds a step under way therefore knows that its holder is gone, and that
//! nobody knows how far it came.

pub mod wire;

use serde::{Deserialize, Serialize};

use crate::templates::actions::Effect;

/// Attempts of one step, the first among them.
pub const ATTEMPTS: u32 = 3;
/// Of one whose effect is the same however often it is asked for: the other side is given
/// about a minute to come back.
pub const ATTEMPTS_IDEMPOTENT: u32 = 6;
/// Seconds up to which whoever holds a run waits for the next attempt; before longer waits
/// it is given back.
pub const HELD: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RunState {
    Draft,
    PendingApproval,
    Queued,
    Running,
    /// For something outside: a callback, or the time of the next attempt.
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
    Expired,
    Declined,
    /// Something outside may or may not have happened; a person looks, and decides.
    Unknown,
}

impl RunState {
    pub const ALL: [RunState; 11] = [
        RunState::Draft,
        RunState::PendingApproval,
        RunState::Queued,
        RunState::Running,
        RunState::Waiting,
        RunState::Succeeded,
        RunState::Failed,
        RunState::Cancelled,
        RunState::Expired,
        RunState::Declined,
        RunState::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Draft => "draft",
            RunState::PendingApproval => "pending_approval",
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Waiting => "waiting",
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
            RunState::Expired => "expired",
            RunState::Declined => "declined",
            RunState::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing happens any more unless somebody asks for it.
    pub fn is_final(self) -> bool {
        use RunState::{Cancelled, Declined, Expired, Failed, Succeeded, Unknown};
        matches!(self, Succeeded | Failed | Cancelled | Expired | Declined | Unknown)
    }

    /// Whether it can be stopped.
    pub fn can_cancel(self) -> bool {
        !self.is_final()
    }

    /// Whether it can go on from where it ended.
    pub fn can_retry(self) -> bool {
        matches!(self, RunState::Failed | RunState::Cancelled | RunState::Unknown)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StepState {
    Pending,
    Running,
    /// It has begun, and hears of its end from outside: a platform, a person, the clock.
    Waiting,
    Succeeded,
    Skipped,
    Failed,
    Cancelled,
    Unknown,
}

impl StepState {
    pub const ALL: [StepState; 8] = [
        StepState::Pending,
        StepState::Running,
        StepState::Waiting,
        StepState::Succeeded,
        StepState::Skipped,
        StepState::Failed,
        StepState::Cancelled,
        StepState::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Pending => "pending",
            StepState::Running => "running",
            StepState::Waiting => "waiting",
            StepState::Succeeded => "succeeded",
            StepState::Skipped => "skipped",
            StepState::Failed => "failed",
            StepState::Cancelled => "cancelled",
            StepState::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A step of a run, as far as its life goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub state: StepState,
    /// Times that it was begun.
    pub attempts: u32,
    pub effect: Effect,
    /// Later steps run although this one failed.
    pub goes_on: bool,
}

/// A run, as far as its life goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub state: RunState,
    pub cancel_requested: bool,
    pub steps: Vec<Step>,
}

/// What the holder of a run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Begin this step.
    Begin(usize),
    /// Look whether what this step waits for has come.
    Resume(usize),
    /// A former holder began it and is gone: nobody can say what happened.
    Doubt(usize),
    /// End the run.
    Finish(RunState),
    /// It has ended.
    Nothing,
}

/// What became of a step that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Skipped,
    /// It was begun outside, which will tell of its end.
    Waits,
    /// Nothing was sent: its turn comes later, and this was no attempt.
    Deferred,
    /// It will fail again.
    Failed,
    /// It may go well the next time: a limit, a timeout, a server in trouble.
    FailedForNow,
    /// Stopped on request, before it had an effect.
    Cancelled,
    /// It was sent, and the answer is lost.
    Doubtful,
}

impl Run {
    pub fn new(steps: Vec<Step>) -> Self {
        Self { state: RunState::Queued, cancel_requested: false, steps }
    }

    /// Whether a step has failed, which decides what the later ones do.
    pub fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.state == StepState::Failed && !step.goes_on)
    }

    /// The next thing to do, for whoever has just taken the run or stored what was before.
    pub fn next(&self) -> Task {
        if self.state.is_final() {
            return Task::Nothing;
        }
        // Nothing of it has begun.
        if matches!(self.state, RunState::Draft | RunState::PendingApproval) {
            return if self.cancel_requested { Task::Finish(RunState::Cancelled) } else { Task::Nothing };
        }
        if let Some(unknown) = self.steps.iter().position(|step| step.state == StepState::Unknown) {
            debug_assert!(self.steps[unknown].effect == Effect::Once);
            return Task::Finish(RunState::Unknown);
        }
        // Steps run one after the other, so there is at most one.
        if let Some(lost) = self.steps.iter().position(|step| step.state == StepState::Running) {
            return match self.steps[lost].effect {
                Effect::Once => Task::Doubt(lost),
                // Done again even where the run is to be cancelled: what was begun outside is
                // brought to its end, so that nothing is left half.
                Effect::Idempotent | Effect::Lookup => Task::Begin(lost),
                Effect::None if self.cancel_requested => Task::Finish(RunState::Cancelled),
                Effect::None => Task::Begin(lost),
            };
        }
        let is_open = |step: &Step| matches!(step.state, StepState::Pending | StepState::Waiting);
        if self.cancel_requested && self.steps.iter().any(is_open) {
            return Task::Finish(RunState::Cancelled);
        }
        if let Some(waiting) = self.steps.iter().position(|step| step.state == StepState::Waiting) {
            return Task::Resume(waiting);
        }
        match self.steps.iter().position(|step| step.state == StepState::Pending) {
            Some(next) => Task::Begin(next),
            None if self.steps.iter().any(|step| step.state == StepState::Cancelled) => {
                Task::Finish(RunState::Cancelled)
            }
            None if self.has_failed() => Task::Finish(RunState::Failed),
            None => Task::Finish(RunState::Succeeded),
        }
    }

    /// Stored before a step begins.
    pub fn begin(&mut self, position: usize) {
        self.state = RunState::Running;
        let step = &mut self.steps[position];
        step.state = StepState::Running;
        step.attempts += 1;
    }

    /// Stored after it: whether it is tried again, and after how many seconds.
    pub fn end(&mut self, position: usize, outcome: Outcome) -> Option<u32> {
        if matches!(outcome, Outcome::Waits | Outcome::Deferred) {
            self.state = RunState::Waiting;
        }
        let step = &mut self.steps[position];
        let mut again = None;
        let most = if step.effect == Effect::Idempotent { ATTEMPTS_IDEMPOTENT } else { ATTEMPTS };
        step.state = match outcome {
            Outcome::Waits => StepState::Waiting,
            Outcome::Done => StepState::Succeeded,
            Outcome::Skipped => StepState::Skipped,
            Outcome::Cancelled => StepState::Cancelled,
            Outcome::Doubtful if step.effect == Effect::Once => StepState::Unknown,
            Outcome::Deferred => {
                step.attempts = step.attempts.saturating_sub(1);
                StepState::Pending
            }
            Outcome::FailedForNow | Outcome::Doubtful if step.attempts < most => {
                let seconds = 1 << (2 * step.attempts.saturating_sub(1).min(2));
                again = Some(seconds);
                if seconds > HELD {
                    self.state = RunState::Waiting;
                }
                StepState::Pending
            }
            Outcome::Failed | Outcome::FailedForNow | Outcome::Doubtful => StepState::Failed,
        };
        again
    }

    /// Ends the run.
    pub fn finish(&mut self, state: RunState) {
        debug_assert!(state.is_final());
        self.state = state;
        for step in &mut self.steps {
            if matches!(step.state, StepState::Pending | StepState::Running | StepState::Waiting) {
                step.state = if state == RunState::Cancelled { StepState::Cancelled } else { StepState::Skipped };
            }
        }
    }

    /// Goes on with the steps that have not succeeded.
    ///
    /// # Errors
    /// It has not ended, or there is nothing to go on with.
    pub fn retry(&mut self) -> Result<(), RunState> {
        if !self.state.can_retry() {
            return Err(self.state);
        }
        self.state = RunState::Queued;
        self.cancel_requested = false;
        let first = self.steps.iter().position(|step| {
            matches!(step.state, StepState::Failed | StepState::Cancelled | StepState::Unknown) && !step.goes_on
        });
        for step in &mut self.steps[first.unwrap_or(0)..] {
            if step.state != StepState::Succeeded {
                step.state = StepState::Pending;
                step.attempts = 0;
            }
        }
        Ok(())
    }
}
