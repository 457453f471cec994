//! What crosses HTTP about templates.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalog::wire::{EntityLink, Fault};
use crate::problem::FieldError;
use crate::runs::StepState;
use crate::runs::wire::RunError;

/// A page of a form, for the values that have been given so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormPage {
    pub title: String,
    pub description: Option<String>,
    pub fields: Vec<FormField>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormField {
    /// JSON pointer of its value in the answers.
    pub pointer: String,
    pub name: String,
    pub label: String,
    pub control: Control,
    pub required: bool,
    /// What it is for; Markdown.
    pub help: Option<String>,
    /// What helps to fill it in.
    pub hint: Option<String>,
    pub placeholder: Option<String>,
    /// What was given, or the default.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub value: Option<Value>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// Kinds of entities that it takes, in lower case; of a picker of entities without any, all.
    pub kinds: Vec<String>,
    /// What else they must be, as `filter` of the catalog: one of these fits.
    pub filters: Vec<String>,
    /// As the template wrote `ui:options`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Value,
    /// As the template wrote `ui:field`.
    pub extension: Option<String>,
    /// Its value is not shown.
    pub masked: bool,
    /// It is shown before the run starts.
    pub reviewed: bool,
    pub disabled: bool,
    pub autofocus: bool,
    /// Height, in lines.
    pub rows: Option<u64>,
    pub pattern: Option<String>,
    /// What a box takes: `date`, `email`, `range` and the like, as HTML names them; of names
    /// with values, the JSON type of the values.
    pub input: Option<String>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    /// What a number must be a multiple of.
    pub step: Option<f64>,
    /// Of a group or a list.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub fields: Vec<FormField>,
}

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Control {
    Text,
    TextArea,
    Password,
    Number,
    Checkbox,
    YesNo,
    Select,
    Radio,
    Checkboxes,
    /// Items that can be added.
    List,
    /// Fields of an object.
    Group,
    /// Any names with values.
    Pairs,
    /// A reference to an entity.
    Entity,
    /// Several.
    Entities,
    Tags,
    /// Host, owner and name of a repository.
    Repository,
    /// Never stored in clear.
    Secret,
    Hidden,
}

/// One of the values that can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Choice {
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub value: Value,
    pub label: String,
}

/// What is asked about a form: the answers so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormQuestion {
    /// Reference of an entity that answers what it can: pickers of its kind, its owner, its
    /// system. What is among the values comes first.
    #[serde(default)]
    pub entity: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
}

/// A form, filled in so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormView {
    pub title: String,
    pub description: Option<String>,
    pub pages: Vec<FormPage>,
    /// The answers, with the defaults of fields that are shown.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
    /// Everything that is wrong with them, by JSON pointer.
    pub errors: Vec<FieldError>,
    /// Label of the button that starts the run.
    pub create_label: String,
    /// Of the button that leads to the page before.
    pub back_label: String,
    /// Of the button that leads to the review.
    pub review_label: String,
}

/// A template, as the gallery shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateView {
    pub entity_ref: String,
    pub title: String,
    pub description: Option<String>,
    /// As the author wrote `spec.type`.
    pub template_type: String,
    pub owner: Option<EntityLink>,
    pub tags: Vec<String>,
    pub usage: TemplateUsage,
    /// What is wrong with it.
    pub problems: Vec<TemplateProblem>,
    /// It cannot be run until it is mended.
    pub broken: bool,
}

/// How a template is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateUsage {
    /// Runs in all.
    pub runs: u64,
    /// Of those that succeeded or failed, the part that succeeded; 0 to 1.
    pub success_rate: Option<f64>,
    pub last_run_at: Option<DateTime<Utc>>,
}

/// Something wrong in a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateProblem {
    /// JSON pointer into the entity.
    pub pointer: String,
    pub message: String,
    /// It does not run until this is mended.
    pub is_error: bool,
}

/// Templates, by title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateList {
    pub items: Vec<TemplateView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunView {
    /// Files that would be written, by path.
    pub files: Vec<DryRunFile>,
    /// The repository that they would go to, where there is one with something in it.
    pub repository: Option<DryRunRepository>,
    pub steps: Vec<DryRunStep>,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub output: Map<String, Value>,
    /// Why it would fail.
    pub error: Option<RunError>,
}

/// A file that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunFile {
    pub path: String,
    /// Absent where it is binary, or too large to be shown.
    pub text: Option<String>,
    pub bytes: u64,
    pub executable: bool,
    /// What becomes of the repository's file; absent where nothing is compared, or the
    /// file is not published.
    pub change: Option<FileChange>,
    /// The text that the repository has now, where it is another one.
    pub before: Option<String>,
}

/// A repository that files would go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunRepository {
    pub address: String,
    pub branch: String,
}

/// What becomes of a file of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileChange {
    Added,
    Changed,
    Unchanged,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunStep {
    pub id: String,
    pub name: String,
    pub action: String,
    pub state: StepState,
    pub log: Vec<String>,
}

/// A kind of step that templates can use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateActionView {
    pub id: String,
    pub description: String,
    /// What it does outside: `none`, `idempotent`, `lookup` or `once`.
    pub effect: String,
    /// JSON Schema.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub input: Value,
    /// JSON Schema.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub output: Value,
}

/// Every kind of step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateActionList {
    pub items: Vec<TemplateActionView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// A template that is being written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateDraft {
    /// YAML or JSON.
    pub text: String,
    /// Answers to its form.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
    /// Reference of a template of the catalog whose files lie beside this one.
    #[serde(default)]
    pub place: Option<String>,
    /// Reference of the entity that an action would be run on.
    #[serde(default)]
    pub entity: Option<String>,
    /// Also tells what a run would do.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a template or an action would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplatePreview {
    /// What is wrong with it; remarks come last.
    pub faults: Vec<Fault>,
    /// Absent where the text is no template.
    pub form: Option<FormView>,
    /// Its reference, where it has a name.
    #[serde(default)]
    pub entity_ref: Option<String>,
    /// Of an action: what it says before it begins.
    pub confirmation: Option<String>,
    /// Of an action: who would have to agree.
    pub approval: Option<String>,
    /// Of an action: why it would not be run; on this entity, with these answers, by the
    /// caller.
    pub refusal: Option<String>,
    /// Kinds of entities that an action is run on.
    pub kinds: Vec<String>,
    /// Absent where it was not asked for, the answers are not right, or it cannot run.
    pub report: Option<DryRunView>,
}
