//! What crosses HTTP about sources.

use chrono::{DateTime, Utc};
use portal_derive::Read;
use serde::{Deserialize, Serialize};

use crate::catalog::wire::{EntityLink, Fault, Proposal};
use crate::double_option;

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourceType {
    /// A file, folder or glob on the server's disk.
    Path,
    /// A git repository.
    Git,
    /// One document behind HTTP(S).
    Http,
    /// The sample organisation inside the binary.
    Sample,
}

impl SourceType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Git => "git",
            Self::Http => "http",
            Self::Sample => "sample",
        }
    }
}

/// Who configured a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourceOrigin {
    /// The command line or `portal.toml`; can only be changed there.
    Config,
    /// The API or the UI.
    Api,
}

/// What the last pass says about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourceState {
    /// Not read yet.
    New,
    /// A pass is under way.
    Reading,
    /// The last pass read everything.
    Ok,
    /// The last pass read it, and some documents have errors.
    Degraded,
    /// The last pass could not read it; what it declared before is kept.
    Failed,
}

/// A source and its health.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceView {
    pub id: i64,
    #[serde(rename = "type")]
    pub source_type: SourceType,
    /// Path or glob, repository URL, or document URL.
    pub target: String,
    /// Branch or tag of a git source; the remote's default when absent.
    pub branch: Option<String>,
    /// Globs inside a git repository; `**/catalog-info.yaml` when empty.
    pub globs: Vec<String>,
    pub origin: SourceOrigin,
    /// A trusted source may declare users and groups.
    pub trusted: bool,
    /// Seconds between scheduled passes.
    pub interval_seconds: u32,
    /// Where the credential is read from, e.g. `env:GIT_TOKEN`. Never the credential.
    pub credential: Option<String>,
    /// Where the webhook's secret is read from.
    pub webhook_secret: Option<String>,
    /// Path to which the git host posts pushes.
    pub webhook_path: String,
    pub state: SourceState,
    pub entity_count: u64,
    pub error_count: u64,
    /// Why the last pass failed as a whole, with the way out.
    pub failure: Option<String>,
    pub last_pass: Option<PassView>,
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub next_pass_at: Option<DateTime<Utc>>,
    pub etag: String,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub created_at: DateTime<Utc>,
}

/// Sources, all on one page.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceList {
    pub items: Vec<SourceView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// A source to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceCreate {
    #[serde(rename = "type")]
    pub source_type: SourceType,
    pub target: String,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub globs: Vec<String>,
    #[serde(default)]
    pub trusted: bool,
    /// 60 to 86 400; 300 when absent.
    #[serde(default)]
    pub interval_seconds: Option<u32>,
    /// `env:NAME` or `file:PATH`.
    #[serde(default)]
    pub credential: Option<String>,
    /// `env:NAME` or `file:PATH`.
    #[serde(default)]
    pub webhook_secret: Option<String>,
}

/// Changes to a source; an absent field stays as it is, `null` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceUpdate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub branch: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globs: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub credential: Option<Option<String>>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub webhook_secret: Option<Option<String>>,
}

/// One reading of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassView {
    pub id: i64,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub started_at: DateTime<Utc>,
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub finished_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
    /// `schedule`, `webhook`, `manual`, `start`.
    pub trigger: String,
    /// `ok`, `degraded`, `failed`; absent while it runs.
    pub outcome: Option<String>,
    /// Commit or entity tag that was read.
    pub revision: Option<String>,
    pub documents: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub removed: i64,
    pub errors: i64,
    pub failure: Option<String>,
}

/// What became of a webhook's delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookReceipt {
    /// `accepted`, `duplicate` or `ignored`.
    pub outcome: String,
}

/// The log of passes, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassList {
    pub items: Vec<PassView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// Something wrong with one document of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceErrorView {
    pub source_id: i64,
    /// Path or URL of the file.
    pub file: String,
    pub document: u32,
    /// The entity that the document declares, if it can be told.
    pub entity_ref: Option<String>,
    /// Its last good version is kept in the catalog.
    pub stale: bool,
    #[serde(flatten)]
    pub fault: Fault,
    /// The offending line with its neighbours.
    pub excerpt: Vec<ExcerptLine>,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExcerptLine {
    pub line: u32,
    pub text: String,
}

/// Errors of a source, all on one page (at most 500).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceErrorList {
    pub items: Vec<SourceErrorView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a source would declare, were it added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourcePreview {
    /// Commit that was read.
    pub revision: Option<String>,
    /// Its documents, those with errors first (at most 500).
    pub documents: Vec<PreviewDocument>,
    pub total: u64,
    /// Documents that would not get into the catalog.
    pub faulty: u64,
    /// A descriptor to begin with, when there is none.
    pub proposal: Option<Proposal>,
}

/// One document of a source that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewDocument {
    pub file: String,
    /// Index of the document in the file, from 0.
    pub document: u32,
    /// The entity that it declares, if it can be told.
    pub entity: Option<EntityLink>,
    /// `new`, `known` (the catalog has it from elsewhere, and that keeps it),
    /// `invalid`, `unreadable` or `refused`.
    pub outcome: String,
    pub faults: Vec<PreviewFault>,
}

/// Something wrong with a document, with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewFault {
    #[serde(flatten)]
    pub fault: Fault,
    /// The offending line with its neighbours.
    pub excerpt: Vec<ExcerptLine>,
}
