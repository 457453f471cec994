//! What crosses HTTP about runs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{RunState, StepState};
use crate::catalog::wire::EntityLink;

/// A run, without its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunView {
    pub id: i64,
    /// Reference of the template or action that it runs.
    pub definition: String,
    /// What it does, in words: the template's title when the run was started, or what the
    /// action said.
    pub title: String,
    /// The entity that an action is run on.
    pub target: Option<EntityLink>,
    /// Commit that the template's source was at then, where it has one; or the version that
    /// the portal keeps, as `v3`.
    pub version: Option<String>,
    /// It ran a text that was being written, and counts for nothing.
    #[serde(default)]
    pub test: bool,
    /// Times that the template was changed since.
    pub behind: u64,
    pub state: RunState,
    /// Who started it.
    pub started_by: RunPerson,
    /// What started it by itself; nothing where somebody did.
    #[serde(default)]
    pub trigger: Option<RunTrigger>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// What was answered; what was secret is not kept.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    pub steps: Vec<RunStepView>,
    /// `links`, `text` and what else the template puts out; of a run that succeeded.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub output: Map<String, Value>,
    pub error: Option<RunError>,
    /// Entities that it made.
    pub entities: Vec<EntityLink>,
    pub cancel_requested: bool,
    pub can: RunPermissions,
}

/// What started a run by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunTrigger {
    /// `schedule`, `change`, `webhook` or `run`.
    pub kind: String,
    /// What it waited for, in words.
    pub name: String,
    /// The run that led to it.
    pub above: Option<RunAbove>,
}

/// A run that led to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunAbove {
    pub id: i64,
    /// Reference of its template or action.
    pub definition: String,
}

/// Whoever started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPerson {
    pub name: String,
    /// Their entity, when the catalog has one.
    pub entity_ref: Option<String>,
}

/// What the caller may do with a run; a reason where they may not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPermissions {
    /// Why it cannot be cancelled; nothing where it can.
    pub cancel: Option<String>,
    /// Why it cannot be retried; nothing where it can.
    pub retry: Option<String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunError {
    /// Stable, for programs.
    pub code: String,
    pub message: String,
    /// Id of the step that failed.
    pub step: Option<String>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStepView {
    pub id: String,
    pub name: String,
    pub action: String,
    pub state: StepState,
    pub attempts: u32,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    /// Percent, as a platform tells it.
    pub progress: Option<u8>,
    /// Where a platform shows more.
    pub links: Vec<RunLink>,
}

/// A page about what a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunLink {
    pub title: String,
    pub url: String,
}

/// Some runs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunList {
    pub items: Vec<RunView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Grows from line to line; `Last-Event-ID` and `after` go on from one.
    pub seq: i64,
    pub at: DateTime<Utc>,
    /// Id of the step; absent for what concerns the run.
    pub step: Option<String>,
    pub text: String,
}

/// Some lines, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    pub items: Vec<LogLine>,
    /// The run has ended and there are no more lines.
    pub is_complete: bool,
}

/// Starts a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunCreate {
    /// Reference of the template; of nothing where it is an action.
    #[serde(default)]
    pub template: Option<String>,
    /// Reference of the action.
    #[serde(default)]
    pub action: Option<String>,
    /// Instead of a reference, an action that is being written, as YAML: a test run, for those
    /// who may change it.
    #[serde(default)]
    pub text: Option<String>,
    /// Reference of the entity that an action is run on.
    #[serde(default)]
    pub entity: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
    /// Kept sealed until the run ends, and never shown.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub secrets: Map<String, Value>,
}
