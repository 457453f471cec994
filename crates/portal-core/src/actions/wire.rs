//! What crosses HTTP about actions and approvals.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::approval::Need;
use crate::catalog::wire::EntityLink;
use crate::runs::wire::RunPerson;
use crate::templates::wire::{FormView, TemplateProblem, TemplateUsage};

/// An action, as the gallery and the menu of an entity show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionView {
    pub entity_ref: String,
    pub title: String,
    pub description: Option<String>,
    pub category: String,
    pub icon: Option<String>,
    pub owner: Option<EntityLink>,
    pub tags: Vec<String>,
    /// Kinds of entities that it is run on; of none in particular when empty.
    pub kinds: Vec<String>,
    /// Which of these entities, in CEL.
    pub condition: Option<String>,
    /// Who has to agree, in words; nobody when absent.
    pub approval: Option<String>,
    /// Seconds that it usually takes.
    pub expected_seconds: Option<u64>,
    pub usage: TemplateUsage,
    /// Why it cannot be run by the caller, on the entity that was named; nothing where it can.
    pub refusal: Option<String>,
    pub problems: Vec<TemplateProblem>,
    /// It cannot be run until it is mended.
    pub broken: bool,
}

/// Actions, by category and title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionList {
    pub items: Vec<ActionView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What is asked about an action's form: the entity, and the answers so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionQuestion {
    /// Reference of the entity that it is run on.
    #[serde(default)]
    pub entity: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
}

/// The form of an action, filled in so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionForm {
    pub form: FormView,
    /// The entity that it is run on.
    pub target: Option<EntityLink>,
    /// What is about to happen, in words.
    pub confirmation: Option<String>,
    /// Who has to agree to this, in words; nobody when absent.
    pub approval: Option<String>,
    /// Why the caller cannot run it with these answers; nothing where they can.
    pub refusal: Option<String>,
}

/// How far a version of an action has come that the portal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum VersionState {
    /// Being written; at most one of an action.
    Draft,
    /// Was published, and stays as it is.
    Published,
}

/// A version of an action that the portal keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionVersion {
    /// Reference of the action.
    pub action: String,
    /// From 1, in the order of their beginning.
    pub number: u32,
    pub state: VersionState,
    /// It is what the catalog holds now.
    pub current: bool,
    /// Whoever published it may vouch for sources, so that it may use connectors and start by
    /// itself.
    pub trusted: bool,
    /// Who wrote it last.
    pub author: String,
    pub changed_at: DateTime<Utc>,
    /// Names this state of it, for `If-Match`.
    pub etag: String,
    /// The action as YAML; absent in lists.
    #[serde(default)]
    pub text: Option<String>,
}

/// Versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionVersionList {
    pub items: Vec<ActionVersion>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a draft is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionText {
    /// One document of kind `Action`, as YAML; at most 256 KiB.
    pub text: String,
}

/// One reason for an action to start by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriggerView {
    /// Its place in `spec.triggers`, from 0.
    pub position: i32,
    /// `schedule`, `change`, `webhook` or `run`.
    pub kind: String,
    /// What it waits for, in words.
    pub says: String,
    /// When a schedule comes next.
    pub next_at: Option<DateTime<Utc>>,
    /// Path to which a webhook is sent.
    pub path: Option<String>,
    /// Id of the last run that it started.
    pub last_run: Option<i64>,
    pub last_at: Option<DateTime<Utc>>,
    /// Why it starts nothing, or did not last time.
    pub problem: Option<String>,
    /// When it did not.
    pub problem_at: Option<DateTime<Utc>>,
}

/// The triggers of an action, in the order of its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriggerList {
    pub items: Vec<TriggerView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What came of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookReceipt {
    pub run_id: i64,
    /// It has come before, and started nothing this time.
    pub repeated: bool,
}

/// How an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ApprovalState {
    Pending,
    Approved,
    Declined,
    Expired,
    /// The run has ended without it.
    Withdrawn,
}

impl ApprovalState {
    pub const ALL: [ApprovalState; 5] = [
        ApprovalState::Pending,
        ApprovalState::Approved,
        ApprovalState::Declined,
        ApprovalState::Expired,
        ApprovalState::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ApprovalState::Pending => "pending",
            ApprovalState::Approved => "approved",
            ApprovalState::Declined => "declined",
            ApprovalState::Expired => "expired",
            ApprovalState::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Something that people have to agree to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalView {
    pub id: i64,
    pub run_id: i64,
    /// What is about to happen, in words.
    pub title: String,
    /// Id of the step that waits for it; absent where the whole run does.
    pub step: Option<String>,
    pub state: ApprovalState,
    pub requested_by: RunPerson,
    pub approvers: Vec<EntityLink>,
    pub need: Need,
    /// What is agreed to, where it is a plan: exactly this one.
    pub plan: Option<String>,
    /// SHA-256 of the plan, in hexadecimal.
    pub plan_hash: Option<String>,
    /// Whoever asks does not decide.
    pub four_eyes: bool,
    pub votes: Vec<VoteView>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
    /// Why the caller may not decide; nothing where they may.
    pub refusal: Option<String>,
    /// In whose place the caller decides; absent where it is in their own.
    pub on_behalf_of: Option<RunPerson>,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoteView {
    pub by: RunPerson,
    /// In whose place they said it; the vote counts as that person's.
    pub on_behalf_of: Option<RunPerson>,
    pub approves: bool,
    pub comment: Option<String>,
    pub at: DateTime<Utc>,
}

/// Approvals, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalList {
    pub items: Vec<ApprovalView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// Decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoteCreate {
    pub approves: bool,
    #[serde(default)]
    pub comment: Option<String>,
}

/// Hands the right to decide about approvals to somebody else for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DelegationCreate {
    /// Reference of the user who decides meanwhile.
    pub delegate: String,
    /// A date (`2026-12-24`: to the end of that day, UTC), or a time. For one approval, the end
    /// of that approval when absent.
    #[serde(default)]
    pub until: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    /// Only this approval; all of one's own when absent.
    #[serde(default)]
    pub approval: Option<i64>,
}

/// A right that was handed to somebody, as long as it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DelegationView {
    pub id: i64,
    pub from: RunPerson,
    pub to: EntityLink,
    /// The only approval that it is about; all of theirs when absent.
    pub approval: Option<i64>,
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// The caller has handed it on; else it was handed to them.
    pub own: bool,
}

/// What the caller has handed on, and what was handed to them, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DelegationList {
    pub items: Vec<DelegationView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a platform tells of something that it was asked to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackReport {
    pub status: CallbackStatus,
    /// Why it failed, or how it goes.
    #[serde(default)]
    pub message: Option<String>,
    /// Percent.
    #[serde(default)]
    pub progress: Option<u8>,
    /// Lines for the log of the run.
    #[serde(default)]
    pub log: Vec<String>,
    /// Where to see more.
    #[serde(default)]
    pub links: Vec<CallbackLink>,
    /// What came of it, as outputs of the step.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub output: Map<String, Value>,
}

/// How something goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CallbackStatus {
    #[default]
    Running,
    Succeeded,
    Failed,
}

/// A page about something that a platform does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackLink {
    pub title: String,
    pub url: String,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackReceipt {
    pub run_id: i64,
    /// No more reports are taken.
    pub is_final: bool,
}

/// Keeps something longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpiryExtend {
    /// How long from now on, such as `7d`.
    pub ttl: String,
}

/// When something goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expiry {
    pub entity_ref: String,
    pub expires_at: DateTime<Utc>,
    /// Times that it was put off.
    pub extensions: i64,
}
