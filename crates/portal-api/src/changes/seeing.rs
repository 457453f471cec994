//! Which changes a caller may know of: what happened to an entity is theirs to know
//! while the entity is theirs to see, and after it is gone, if it was.

use std::collections::HashMap;
use std::sync::Arc;

use portal_core::access::Principal;

use super::store;
use crate::catalog::state::EntityState;
use crate::catalog::view::{Snapshot, empty_index, upsert};
use crate::db::DbResult;
use crate::state::App;

/// What one caller may know, as of one moment.
pub struct Seeing {
    app: App,
    snapshot: Arc<Snapshot>,
    principal: Principal,
    /// Subjects that were asked about.
    known: HashMap<String, bool>,
}

impl Seeing {
    pub fn new(app: &App, principal: &Principal) -> Self {
        let (app, principal) = (app.clone(), principal.clone());
        Self { snapshot: app.catalog.snapshot(), app, principal, known: HashMap::new() }
    }

    /// Whether anything may be hidden from anybody.
    pub fn is_restricted(&self) -> bool {
        self.snapshot.policies.rules.hide()
    }

    /// Whether the caller may know what happens to a subject.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sees(&mut self, subject: &str) -> DbResult<bool> {
        let Some(entity_ref) = subject.strip_prefix("entity:").filter(|_| self.is_restricted()) else {
            return Ok(true);
        };
        if let Some(sees) = self.known.get(subject) {
            return Ok(*sees);
        }
        let sees = match self.snapshot.index.row_of(entity_ref) {
            Some(row) => self.snapshot.visibility(&self.principal).admits(row),
            None => self.saw(subject).await?,
        };
        self.known.insert(subject.to_owned(), sees);
        Ok(sees)
    }

    /// Whether they could see an entity as it last was.
    async fn saw(&self, subject: &str) -> DbResult<bool> {
        let document = store::last_document(self.app.db.reader(), subject).await?;
        let state = document.and_then(|text| serde_json::from_str::<EntityState>(&text).ok());
        let Some(state) = state else { return Ok(true) };
        let id = state.id;
        let mut alone = empty_index(&self.snapshot.kinds);
        alone.apply(vec![upsert(state, &self.snapshot.kinds)]);
        Ok(self.snapshot.policies.rules.visibility(&self.principal, &alone).admits(id))
    }
}
