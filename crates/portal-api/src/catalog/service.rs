//! Writes to the catalog: rows, change feed and definitions in one transaction.
//!
//! Callers have validated the descriptors. Batches are at most 500 entities,
//! because other writers wait for the transaction.

use std::collections::{HashMap, HashSet};

use portal_core::catalog::Entity;

use super::state::{self, Definition, EntityState};
use super::store;
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, DbError, DbResult};
use crate::documentation;

/// A validated descriptor to be stored.
#[derive(Debug, Clone)]
pub struct EntityDraft {
    pub entity: Entity,
    /// The source that declares it; `None` when the API writes it.
    pub source_id: Option<i64>,
    pub location: String,
    pub document_index: i32,
    pub line: i32,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upserted {
    Created {
        seq: i64,
    },
    Updated {
        seq: i64,
    },
    /// The same descriptor from the same place: nothing was written.
    Unchanged,
    /// Another source (or the API, when absent) declares this reference and keeps it.
    Conflict {
        source_id: Option<i64>,
        location: String,
    },
    /// The same reference stands twice in one batch; the first keeps it.
    Duplicate,
}

/// Who declares a reference that [`Upserted::Conflict`] is about.
pub fn owner(source_id: Option<i64>) -> String {
    source_id.map_or_else(|| "the API".to_owned(), |id| format!("source {id}"))
}

/// Stores drafts; the answers are in their order.
pub async fn upsert(txn: &DatabaseTransaction, writing: &Writing, drafts: Vec<EntityDraft>) -> DbResult<Vec<Upserted>> {
    let refs: Vec<String> = drafts.iter().map(|draft| reference(&draft.entity)).collect();
    let existing = store::by_refs(txn, &refs).await?;
    let mut plan = Plan::default();
    let mut seen = HashSet::new();
    for (draft, entity_ref) in drafts.into_iter().zip(&refs) {
        let outcome = match seen.insert(entity_ref) {
            false => Step::Done(Upserted::Duplicate),
            true => plan.add(draft, existing.get(entity_ref), writing),
        };
        plan.steps.push(outcome);
    }
    plan.execute(txn, writing).await
}

/// How a draft ends: known already, or with the n-th insert or update.
enum Step {
    Done(Upserted),
    Create(usize),
    Update(usize),
}

#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    creates: Vec<EntityState>,
    updates: Vec<EntityState>,
    operations: Vec<&'static str>,
    definitions: HashMap<String, Definition>,
    /// References that another source, or the API, takes over.
    taken_over: Vec<String>,
}

impl Plan {
    fn add(&mut self, draft: EntityDraft, existing: Option<&EntityState>, writing: &Writing) -> Step {
        let EntityDraft { mut entity, source_id, location, document_index, line } = draft;
        let etag = state::etag(&entity);
        if let Some(old) = existing {
            if old.source_id != source_id && old.orphan_since.is_none() {
                return Step::Done(Upserted::Conflict { source_id: old.source_id, location: old.location.clone() });
            }
            let same_place = old.source_id == source_id
                && old.location == location
                && old.document_index == document_index
                && old.line == line;
            if old.etag == etag && same_place && !old.stale && old.orphan_since.is_none() {
                return Step::Done(Upserted::Unchanged);
            }
        }
        let definition = state::take_definition(&mut entity);
        let definition_hash = definition.as_ref().map(|definition| definition.hash.clone());
        if let Some(definition) = definition {
            self.definitions.insert(definition.hash.clone(), definition);
        }
        let state = EntityState {
            id: existing.map_or(0, |old| old.id),
            uid: existing.map_or_else(|| uuid::Uuid::new_v4().to_string(), |old| old.uid.clone()),
            etag,
            entity,
            definition_hash,
            source_id,
            location,
            document_index,
            line,
            stale: false,
            orphan_since: None,
            changed_seq: 0,
            changed_at: writing.at,
        };
        match existing {
            None => {
                self.creates.push(state);
                Step::Create(self.creates.len() - 1)
            }
            Some(old) => {
                if old.source_id != source_id {
                    self.taken_over.push(reference(&state.entity));
                }
                self.operations.push(match old {
                    old if old.orphan_since.is_some() => "restore",
                    old if old.etag == state.etag && old.stale => "refresh",
                    old if old.etag == state.etag => "move",
                    _ => "update",
                });
                self.updates.push(state);
                Step::Update(self.updates.len() - 1)
            }
        }
    }

    async fn execute(mut self, txn: &DatabaseTransaction, writing: &Writing) -> DbResult<Vec<Upserted>> {
        let (created, updated) = (self.creates.len(), self.updates.len());
        let mut first = 0;
        if created + updated > 0 {
            store::put_definitions(txn, self.definitions.into_values().collect()).await?;
            first = changes::store::reserve(txn).await?;
            let states = self.creates.iter_mut().chain(&mut self.updates);
            for (seq, state) in (first..).zip(states) {
                state.changed_seq = seq;
            }
            store::insert(txn, &mut self.creates).await?;
            store::update(txn, &self.updates).await?;
            let operations = std::iter::repeat_n("create", created).chain(self.operations);
            let entries = self.creates.iter().chain(&self.updates).zip(operations);
            let entries = entries.map(|(state, operation)| entry(state, operation)).collect::<DbResult<Vec<_>>>()?;
            changes::store::append_from(txn, first, writing, entries).await?;
            // Documentation is of the source that read it.
            documentation::store::remove(txn, writing, &self.taken_over, None).await?;
        }
        let nth = |index: usize| first + i64::try_from(index).unwrap_or_default();
        Ok(self
            .steps
            .into_iter()
            .map(|step| match step {
                Step::Done(outcome) => outcome,
                Step::Create(index) => Upserted::Created { seq: nth(index) },
                Step::Update(index) => Upserted::Updated { seq: nth(created + index) },
            })
            .collect())
    }
}

/// Marks entities that their source does not declare any more. They stay.
pub async fn orphan(txn: &DatabaseTransaction, writing: &Writing, refs: &[String]) -> DbResult<usize> {
    change_each(txn, writing, refs, "orphan", |state| {
        let fresh = state.orphan_since.is_none();
        state.orphan_since = state.orphan_since.or(Some(writing.at));
        fresh
    })
    .await
}

/// Marks entities whose document is broken now: this is their last good version.
pub async fn mark_stale(txn: &DatabaseTransaction, writing: &Writing, refs: &[String]) -> DbResult<usize> {
    change_each(txn, writing, refs, "stale", |state| !std::mem::replace(&mut state.stale, true)).await
}

/// Makes an orphan the API's own, so that it stays. Answers whether it was one.
pub async fn adopt(txn: &DatabaseTransaction, writing: &Writing, entity_ref: &str) -> DbResult<bool> {
    let refs = [entity_ref.to_owned()];
    let adopted = change_each(txn, writing, &refs, "restore", |state| {
        state.source_id = None;
        state.orphan_since.take().is_some()
    });
    let adopted = adopted.await? == 1;
    if adopted {
        documentation::store::remove(txn, writing, &refs, None).await?;
    }
    Ok(adopted)
}

/// Removes entities for good; the feed keeps their history. Answers how many there were.
pub async fn remove(txn: &DatabaseTransaction, writing: &Writing, refs: &[String]) -> DbResult<usize> {
    let found = store::by_refs(txn, refs).await?;
    if found.is_empty() {
        return Ok(0);
    }
    let ids: Vec<u32> = found.values().map(|state| state.id).collect();
    store::delete(txn, &ids).await?;
    let entries = found.keys().map(|entity_ref| NewChange {
        subject: changes::entity_subject(entity_ref),
        operation: "delete",
        document: None,
    });
    changes::store::append(txn, writing, entries.collect()).await?;
    documentation::store::remove(txn, writing, &found.into_keys().collect::<Vec<_>>(), None).await?;
    Ok(ids.len())
}

/// Applies `edit` to each row; those for which it answers true are written.
async fn change_each(
    txn: &DatabaseTransaction,
    writing: &Writing,
    refs: &[String],
    operation: &'static str,
    edit: impl Fn(&mut EntityState) -> bool,
) -> DbResult<usize> {
    let mut states: Vec<EntityState> = store::by_refs(txn, refs).await?.into_values().collect();
    states.retain_mut(edit);
    if states.is_empty() {
        return Ok(0);
    }
    states.sort_unstable_by_key(|state| state.id);
    let first = changes::store::reserve(txn).await?;
    for (seq, state) in (first..).zip(&mut states) {
        state.changed_seq = seq;
        state.changed_at = writing.at;
    }
    store::update(txn, &states).await?;
    let entries = states.iter().map(|state| entry(state, operation)).collect::<DbResult<Vec<_>>>()?;
    changes::store::append_from(txn, first, writing, entries).await?;
    Ok(states.len())
}

fn entry(state: &EntityState, operation: &'static str) -> DbResult<NewChange> {
    let document = serde_json::to_string(state).map_err(|error| DbError::Unsupported(error.to_string()))?;
    Ok(NewChange { subject: changes::entity_subject(&reference(&state.entity)), operation, document: Some(document) })
}

fn reference(entity: &Entity) -> String {
    entity.entity_ref().map(|entity_ref| entity_ref.to_string()).unwrap_or_default()
}
