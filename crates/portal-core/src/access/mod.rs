//! Who asks, what for, and whether they may.
//!
//! [`decide`] is the one place that answers; handlers name the verb in their
//! signature, views carry its answers as `can`, and the UI disables with its
//! reasons. Nothing is allowed unless a role or a policy allows it.

mod decide;
#[cfg(test)]
mod fixture;
#[cfg(feature = "engine")]
pub mod policy;
mod role;
pub mod wire;

use serde::{Deserialize, Serialize};

pub use decide::{Decision, Resource, decide};
#[cfg(feature = "engine")]
use decide::{by_role, by_scope};
pub use role::{Role, Verb, narrowed};

/// Opaque id of an account or part of the system that causes a change.
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

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// Not at all; may sign in and nothing else.
    Nobody,
    /// Not at all, and may look around.
    Guest,
    /// By the cookie of a session.
    Session,
    /// By an API token.
    Token,
    /// By a short-lived token that the portal has signed.
    Jwt,
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account, or `guest` or `nobody`.
    pub actor: ActorId,
    pub known: Known,
    /// The name that the account signs in with.
    pub name: String,
    pub role: Role,
    /// What a token is limited to; everything that the role may when absent.
    pub verbs: Option<Vec<Verb>>,
    /// References of the groups that they are in, those above included.
    pub groups: Vec<String>,
    /// The catalog's `User` that they are.
    pub user: Option<String>,
}

impl Principal {
    pub fn nobody() -> Self {
        Self::unknown("nobody", Known::Nobody)
    }

    /// Whoever looks around without signing in, where that is allowed.
    pub fn guest() -> Self {
        Self::unknown("guest", Known::Guest)
    }

    fn unknown(name: &str, known: Known) -> Self {
        Self {
            actor: ActorId(name.to_owned()),
            known,
            name: name.to_owned(),
            role: Role::Viewer,
            verbs: None,
            groups: Vec::new(),
            user: None,
        }
    }

    /// Whether an account stands behind it.
    pub fn has_account(&self) -> bool {
        matches!(self.known, Known::Session | Known::Token | Known::Jwt)
    }

    /// Whether it is the user, or in the group, that this reference names.
    pub fn is_or_belongs_to(&self, owner: &str) -> bool {
        self.user.as_deref() == Some(owner) || self.groups.iter().any(|group| group == owner)
    }
}
