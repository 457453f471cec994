//! Who asks, and what for.
//!
//! Until identity arrives there is one principal, the local administrator, and
//! everything is visible to it. The types are the seam: handlers, reads and
//! changes already name a principal, a verb and a visibility.

use serde::{Deserialize, Serialize};

/// What a handler is about to do. One verb a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    ReadCatalog,
    WriteCatalog,
    ReadSources,
    WriteSources,
    ReadChanges,
    ReadOperations,
    /// Change what belongs to oneself: marks, saved views.
    Personalise,
    /// Send a request to an API of the catalog, through the portal.
    CallApi,
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Opaque id that changes, audit and events carry.
    pub actor: ActorId,
}

impl Principal {
    /// The one caller that exists before sign-in does.
    pub fn local_administrator() -> Self {
        Self { actor: ActorId("local".to_owned()) }
    }
}

/// Opaque id of a person, token or part of the system that causes a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActorId(pub String);

impl ActorId {
    /// The ingestion worker and other background work.
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

/// The answer of [`decide`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// The reason is shown to the caller.
    Deny(String),
}

/// Decides whether `principal` may do `verb`.
///
/// The only principal is the local administrator, who may do everything; a
/// later release adds roles, ownership and policies behind this signature.
pub fn decide(principal: &Principal, _verb: Verb) -> Decision {
    let _ = principal;
    Decision::Allow
}
