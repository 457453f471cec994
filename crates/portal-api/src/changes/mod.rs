//! The change feed: the history of everything, and the only way that anything
//! derived learns of a write.

pub mod handlers;
pub mod seeing;
pub mod store;
pub mod stream;
pub mod tail;

use chrono::{DateTime, Utc};
use portal_core::access::ActorId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit;
use crate::state::App;

/// Who writes, why and when: the same for every change of one request or pass.
#[derive(Debug, Clone)]
pub struct Writing {
    pub actor: ActorId,
    /// `source:4`, `request:req_…`, `run:…`.
    pub cause: String,
    pub at: DateTime<Utc>,
    /// The caller, for the audit log; absent where the portal itself writes.
    pub by: Option<audit::By>,
}

impl Writing {
    /// What the portal does by itself.
    pub fn system(cause: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { actor: ActorId::system(), cause: cause.into(), at, by: None }
    }

    /// What somebody does on the server itself.
    pub fn command_line(at: DateTime<Utc>) -> Self {
        Self { by: Some(audit::By::command_line()), ..Self::system("command line", at) }
    }
}

/// A change about to be appended.
#[derive(Debug, Clone)]
pub struct NewChange {
    /// `entity:component:default/booking-api`, `source:4`, `kind:Robot`.
    pub subject: String,
    pub operation: &'static str,
    /// The state after the change, as JSON; `None` when it is gone.
    pub document: Option<String>,
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor: ActorId,
    pub cause: String,
    pub subject: String,
    pub operation: String,
    pub document: Option<String>,
}

/// The subject under which an entity's changes stand.
pub fn entity_subject(entity_ref: &str) -> String {
    format!("entity:{entity_ref}")
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::list_changes)).routes(routes!(stream::stream_changes))
}
