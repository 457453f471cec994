//! Entities as they are served, serialised once and kept while they are current.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use portal_core::catalog::index::{CatalogIndex, Visibility};
use serde_json::{Value, json};

use super::state::EntityState;
use super::store;
use crate::db::{Db, DbResult};

const SHARDS: usize = 16;
/// Bytes of all cached documents together.
const CAPACITY: usize = 96 << 20;

/// One entity, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    pub entity_ref: String,
    pub uid: String,
    pub etag: String,
    pub changed_seq: i64,
    pub changed_at: DateTime<Utc>,
    pub source_id: Option<i64>,
    pub location: String,
    pub document_index: i32,
    pub line: i32,
    pub stale: bool,
    pub orphan_since: Option<DateTime<Utc>>,
    /// The entity with `relations`, `metadata.uid` and `metadata.etag`, as JSON.
    pub json: Bytes,
}

/// A cache of documents by row number, bounded in bytes.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    shards: [Mutex<Shard>; SHARDS],
    /// Counts invalidations, so that what was read before one is not kept after it.
    epoch: AtomicU64,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<u32, Entry>,
    /// Rows in the order of arrival; used ones get a second chance.
    order: VecDeque<u32>,
    bytes: usize,
}

struct Entry {
    document: Arc<Document>,
    used: bool,
}

impl Documents {
    #[expect(clippy::new_without_default, reason = "a cache is made on purpose, once")]
    pub fn new() -> Self {
        Self(Arc::new(Inner { shards: Default::default(), epoch: AtomicU64::new(0) }))
    }

    /// The documents of these rows, in order, with the relations that the caller may
    /// know of; a row that is gone has none. That they may see the rows is for the
    /// caller of this to know.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn get(
        &self,
        db: &Db,
        index: &CatalogIndex,
        visibility: &Visibility,
        rows: &[u32],
    ) -> DbResult<Vec<Option<Arc<Document>>>> {
        let mut found = self.whole(db, index, rows).await?;
        for (row, slot) in rows.iter().zip(&mut found) {
            if let Some(document) = slot.as_ref().and_then(|document| restricted(document, index, *row, visibility)) {
                *slot = Some(Arc::new(document));
            }
        }
        Ok(found)
    }

    async fn whole(&self, db: &Db, index: &CatalogIndex, rows: &[u32]) -> DbResult<Vec<Option<Arc<Document>>>> {
        let epoch = self.0.epoch.load(Ordering::Acquire);
        let mut found: Vec<Option<Arc<Document>>> = rows.iter().map(|row| self.cached(*row)).collect();
        let missing: Vec<u32> =
            rows.iter().zip(&found).filter(|(_, document)| document.is_none()).map(|(row, _)| *row).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let states = store::by_ids(db.reader(), &missing).await?;
        let loaded = assemble(db, index, states).await?;
        let keep = epoch == self.0.epoch.load(Ordering::Acquire);
        let loaded: HashMap<u32, Arc<Document>> = loaded.into_iter().collect();
        for (row, slot) in rows.iter().zip(&mut found) {
            if slot.is_none() {
                slot.clone_from(&loaded.get(row).cloned());
            }
        }
        if keep {
            for (row, document) in loaded {
                self.keep(row, document);
            }
        }
        Ok(found)
    }

    pub fn invalidate(&self, rows: &[u32]) {
        self.0.epoch.fetch_add(1, Ordering::AcqRel);
        for row in rows {
            let mut shard = self.shard(*row);
            if let Some(entry) = shard.entries.remove(row) {
                shard.bytes -= weight(&entry.document);
            }
        }
    }

    pub fn clear(&self) {
        self.0.epoch.fetch_add(1, Ordering::AcqRel);
        for shard in &self.0.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    fn shard(&self, row: u32) -> std::sync::MutexGuard<'_, Shard> {
        self.0.shards[row as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cached(&self, row: u32) -> Option<Arc<Document>> {
        let mut shard = self.shard(row);
        let entry = shard.entries.get_mut(&row)?;
        entry.used = true;
        Some(entry.document.clone())
    }

    fn keep(&self, row: u32, document: Arc<Document>) {
        let mut shard = self.shard(row);
        shard.bytes += weight(&document);
        if let Some(old) = shard.entries.insert(row, Entry { document, used: false }) {
            shard.bytes -= weight(&old.document);
        } else {
            shard.order.push_back(row);
        }
        while shard.bytes > CAPACITY / SHARDS {
            let Some(oldest) = shard.order.pop_front() else { return };
            match shard.entries.get_mut(&oldest) {
                Some(entry) if entry.used => {
                    entry.used = false;
                    shard.order.push_back(oldest);
                }
                Some(_) => {
                    if let Some(entry) = shard.entries.remove(&oldest) {
                        shard.bytes -= weight(&entry.document);
                    }
                }
                None => {}
            }
        }
    }
}

/// The document without the relations that the caller may not know of, when there are any.
fn restricted(document: &Document, index: &CatalogIndex, row: u32, visibility: &Visibility) -> Option<Document> {
    let Visibility::Rows(_) = visibility else { return None };
    let known = relations(index, row, visibility);
    if known.len() == index.edges(row, &Visibility::All).len() {
        return None;
    }
    let mut entity: Value = serde_json::from_slice(&document.json).unwrap_or_default();
    entity["relations"] = Value::Array(known);
    Some(Document { json: Bytes::from(entity.to_string()), ..document.clone() })
}

fn relations(index: &CatalogIndex, row: u32, visibility: &Visibility) -> Vec<Value> {
    let relations = index.relations(row, visibility).into_iter();
    relations.map(|(kind, target)| json!({"type": kind, "targetRef": target.to_string()})).collect()
}

fn weight(document: &Document) -> usize {
    document.json.len() + document.location.len() + 400
}

/// Puts definitions back, adds relations, and serialises.
async fn assemble(db: &Db, index: &CatalogIndex, states: Vec<EntityState>) -> DbResult<Vec<(u32, Arc<Document>)>> {
    let hashes: Vec<String> = states.iter().filter_map(|state| state.definition_hash.clone()).collect();
    let definitions = store::definitions(db.reader(), &hashes).await?;
    let documents = states.into_iter().map(|state| {
        let definition = state.definition_hash.as_ref().and_then(|hash| definitions.get(hash)).map(String::as_str);
        (state.id, Arc::new(document(&state, definition, index, &Visibility::All)))
    });
    Ok(documents.collect())
}

/// Serialises one entity with the relations that the index knows.
pub fn document(
    state: &EntityState,
    definition: Option<&str>,
    index: &CatalogIndex,
    visibility: &Visibility,
) -> Document {
    let entity_ref = state.entity.entity_ref().map(|entity_ref| entity_ref.to_string()).unwrap_or_default();
    let json = Bytes::from(served(state, definition, index, visibility).to_string());
    Document {
        entity_ref,
        uid: state.uid.clone(),
        etag: state.etag.clone(),
        changed_seq: state.changed_seq,
        changed_at: state.changed_at,
        source_id: state.source_id,
        location: state.location.clone(),
        document_index: state.document_index,
        line: state.line,
        stale: state.stale,
        orphan_since: state.orphan_since,
        json,
    }
}

/// Says in the descriptor itself, as Backstage does, that no source declares it:
/// it is filtered by that, too.
pub fn mark_orphan(entity: &mut Value) {
    let metadata = entity.get_mut("metadata").and_then(Value::as_object_mut);
    let annotations = metadata.map(|metadata| metadata.entry("annotations").or_insert_with(|| json!({})));
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.insert("backstage.io/orphan".to_owned(), json!("true"));
    }
}

fn served(state: &EntityState, definition: Option<&str>, index: &CatalogIndex, visibility: &Visibility) -> Value {
    let mut entity = state.whole(definition).0;
    if let Some(metadata) = entity.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.entry("namespace").or_insert_with(|| json!("default"));
        metadata.insert("uid".to_owned(), json!(state.uid));
        metadata.insert("etag".to_owned(), json!(state.etag));
    }
    if state.orphan_since.is_some() {
        mark_orphan(&mut entity);
    }
    if let Some(root) = entity.as_object_mut() {
        root.insert("relations".to_owned(), Value::Array(relations(index, state.id, visibility)));
    }
    entity
}
