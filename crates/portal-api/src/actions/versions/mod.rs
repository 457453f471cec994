//! Actions that are kept in the portal and not in a file: one draft that is written, and versions
//! that were published, each of which can be published again.
//!
//! What is in force is what the catalog holds. A version is current as long as that is its text,
//! so that whatever else writes the entity takes its trust away.

pub mod handlers;
mod store;

use portal_core::actions::wire::{ActionVersion, VersionState};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::document::{self, Budget};
use serde_json::Value;

use crate::changes::NewChange;
use crate::error::{ApiError, ApiResult};
use crate::http::etag;
use store::VersionRow;
pub use store::in_force;

/// Bytes of one text.
const LONGEST: usize = 256 << 10;

/// The one action of a text.
///
/// # Errors
/// A fault at `/text`, with its line.
pub fn action_of(text: &str) -> ApiResult<Entity> {
    let wrong = |message: String| ApiError::field("/text", message);
    if text.len() > LONGEST {
        return Err(wrong(format!("{} bytes; an action has at most {LONGEST}", text.len())));
    }
    let read = document::read(text.as_bytes(), &Budget::default());
    if let Some((_, fault)) = read.faults.first() {
        return Err(wrong(format!("line {}: {}", fault.line, fault.message)));
    }
    let mut documents = read.documents.into_iter().map(|document| document.value);
    match (documents.next(), documents.next()) {
        (Some(entity), None) if entity["kind"] == "Action" => Ok(Entity(entity)),
        (Some(_), None) => Err(wrong("must be a document of kind `Action`".to_owned())),
        (None, _) => Err(wrong("there is nothing in it".to_owned())),
        _ => Err(wrong("has more than one document; an action is one".to_owned())),
    }
}

/// The reference of an action, where it has a name.
fn reference_of(entity: &Entity) -> ApiResult<EntityRef> {
    entity.entity_ref().ok_or_else(|| ApiError::field("/text", "needs a name: `metadata.name`"))
}

fn view(row: VersionRow, in_force: Option<i32>, with_text: bool) -> ActionVersion {
    let is_draft = row.state == store::DRAFT;
    ActionVersion {
        state: if is_draft { VersionState::Draft } else { VersionState::Published },
        current: in_force == Some(row.number),
        number: row.number.unsigned_abs(),
        trusted: row.trusted && !is_draft,
        etag: tag(&row),
        action: row.action_ref,
        author: row.author,
        changed_at: row.changed_at,
        text: with_text.then_some(row.text),
    }
}

fn tag(row: &VersionRow) -> String {
    etag::of(&(row.number, &row.state, &row.text, row.changed_at))
}

fn change(action_ref: &str, number: i32, operation: &'static str) -> NewChange {
    let document = serde_json::json!({ "version": number });
    NewChange {
        subject: format!("action_version:{action_ref}"),
        operation,
        document: (operation != "discard").then(|| Value::to_string(&document)),
    }
}
