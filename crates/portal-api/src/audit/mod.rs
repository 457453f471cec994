//! The audit log: who did what, from where, and with which outcome. Rows are
//! only ever added, each with a hash over itself and the hash before it, so that
//! whoever changes or removes one has to change all that follow.
//!
//! A change of the catalog, of sources and of access is logged in the
//! transaction that makes it; its states before and after are in the change
//! feed under the sequences that the row names. A refusal changes nothing, and is
//! logged after it was answered.

pub mod handlers;
pub mod store;

use portal_core::access::Principal;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// Who acts, in which request and from where.
#[derive(Debug, Clone)]
pub struct By {
    /// Id of the account, or `nobody`.
    pub actor: String,
    pub name: String,
    pub request_id: String,
    pub address: String,
}

impl By {
    pub fn new(principal: &Principal, request_id: &str, address: &str) -> Self {
        Self {
            actor: principal.actor.0.clone(),
            name: principal.name.clone(),
            request_id: request_id.to_owned(),
            address: address.to_owned(),
        }
    }

    /// Who works on the server itself.
    pub fn command_line() -> Self {
        let words = |text: &str| text.to_owned();
        Self { actor: words("system"), name: words("command line"), request_id: String::new(), address: String::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A rule forbids it.
    Refused,
    /// It was tried and did not work, e.g. with a wrong password.
    Failed,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A row about to be added.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `sign_in`, `token.create`, `entity.update`, …
    pub action: String,
    pub target: String,
    pub outcome: Outcome,
    /// An object; null when there is nothing to add.
    pub detail: Value,
}

impl Entry {
    pub fn done(action: impl Into<String>, target: impl Into<String>, detail: Value) -> Self {
        Self { action: action.into(), target: target.into(), outcome: Outcome::Done, detail }
    }
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::list_audit)).routes(routes!(handlers::export_audit))
}
