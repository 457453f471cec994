//! The catalog in memory: the index that answers filters, facets, counts and
//! graphs, rebuilt at start and kept current from the change feed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures::future::BoxFuture;
use portal_core::access::Principal;
use portal_core::catalog::index::{CatalogIndex, RowChange, Visibility};
use portal_core::catalog::kinds::{KindDefinition, KindRegistry};
use portal_core::catalog::{EntityRef, relations};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::documents::{Documents, mark_orphan};
use super::state::EntityState;
use super::store;
use crate::access::policies::{self, InForce};
use crate::changes::tail::Feed;
use crate::changes::{self, Change};
use crate::db::{Db, DbError, DbResult};

/// The catalog as of one change.
#[derive(Clone)]
pub struct Snapshot {
    pub index: CatalogIndex,
    pub kinds: KindRegistry,
    pub policies: Arc<InForce>,
    /// Everything up to this change is in the index.
    pub seq: i64,
}

impl Snapshot {
    /// The rows that a caller may see.
    pub fn visibility(&self, principal: &Principal) -> Visibility {
        self.policies.visibility(principal, &self.index, self.seq)
    }

    /// The rows of an earlier catalog that a caller may see: what was theirs to see
    /// then, and is not hidden from them now.
    pub fn past_visibility(&self, principal: &Principal, past: &CatalogIndex) -> Visibility {
        if !self.policies.rules.hide() {
            return Visibility::All;
        }
        let now = self.index.visible(&Visibility::All);
        let hidden = &*now - &*self.index.visible(&self.visibility(principal));
        let then = past.visible(&self.policies.rules.visibility(principal, past));
        Visibility::Rows(Arc::new(&*then - hidden))
    }
}

/// The current snapshot, and ways to wait for a later one.
#[derive(Clone)]
pub struct CatalogView {
    current: Arc<ArcSwap<Snapshot>>,
    applied: watch::Receiver<i64>,
    live: broadcast::Sender<Arc<Change>>,
    pub documents: Documents,
}

impl CatalogView {
    /// Builds the index from the rows and follows the feed from there on.
    ///
    /// # Errors
    /// The database does not answer, or a row is damaged.
    pub async fn start(db: &Db, feed: &Feed, stop: CancellationToken) -> DbResult<Self> {
        // Rows may be newer than this sequence; their changes are applied again, which is harmless.
        let seq = changes::store::last_seq(db.reader()).await?;
        let (kinds, index) = rebuild(db).await?;
        let policies = Arc::new(policies::load(db).await?);
        let (sender, applied) = watch::channel(seq);
        let (live, _) = broadcast::channel(4096);
        let current = Arc::new(ArcSwap::from_pointee(Snapshot { index, kinds, policies, seq }));
        let view = Self { current, applied, live, documents: Documents::new() };
        let projector = view.clone();
        let reader = db.clone();
        let sender = Arc::new(sender);
        let apply = move |changes: Vec<Arc<Change>>| -> BoxFuture<'static, ()> {
            let (projector, reader, sender) = (projector.clone(), reader.clone(), sender.clone());
            Box::pin(async move { projector.apply(&reader, changes, &sender).await })
        };
        tokio::spawn(feed.clone().follow(seq, stop, apply));
        Ok(view)
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Waits until the view has seen a change, so that one reads one's own write.
    /// Answers false when that takes longer than five seconds.
    pub async fn wait_for(&self, seq: i64) -> bool {
        let mut applied = self.applied.clone();
        let reached = applied.wait_for(|applied| *applied >= seq);
        matches!(tokio::time::timeout(Duration::from_secs(5), reached).await, Ok(Ok(_)))
    }

    /// Changes from now on, as they become visible.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.live.subscribe()
    }

    async fn apply(&self, db: &Db, changes: Vec<Arc<Change>>, applied: &watch::Sender<i64>) {
        let Some(seq) = changes.last().map(|change| change.seq) else { return };
        let mut next = Snapshot::clone(&self.snapshot());
        if changes.iter().any(|change| change.subject.starts_with("kind:")) {
            match rebuild(db).await {
                Ok((kinds, index)) => {
                    next.kinds = kinds;
                    next.index = index;
                    self.documents.clear();
                }
                Err(error) => tracing::error!(error = %error, "cannot reload the kinds"),
            }
        }
        if changes.iter().any(|change| change.subject.starts_with(policies::SUBJECT)) {
            match policies::load(db).await {
                Ok(policies) => next.policies = Arc::new(policies),
                Err(error) => tracing::error!(error = %error, "cannot reload the policies"),
            }
        }
        let mut touched = Vec::new();
        let mut rows = Vec::with_capacity(changes.len());
        // Only the newest state of each entity matters.
        let mut newest: HashMap<&str, &Change> = HashMap::new();
        for change in &changes {
            if let Some(entity_ref) = change.subject.strip_prefix("entity:") {
                newest.insert(entity_ref, change);
            }
        }
        for (entity_ref, change) in newest {
            let Ok(entity_ref) = entity_ref.parse::<EntityRef>() else { continue };
            let old = next.index.row(&entity_ref);
            if let Some(id) = old {
                touch(&next.index, id, &mut touched);
            }
            let state = change.document.as_deref().map(serde_json::from_str::<EntityState>);
            match state {
                Some(Ok(state)) => {
                    if let Some(id) = old.filter(|id| *id != state.id) {
                        rows.push(RowChange::Remove { id });
                    }
                    rows.push(upsert(state, &next.kinds));
                }
                Some(Err(error)) => {
                    tracing::error!(change.seq, error = %error, "change {} cannot be read", change.seq);
                }
                None => rows.extend(old.map(|id| RowChange::Remove { id })),
            }
        }
        let upserted: Vec<u32> = rows
            .iter()
            .filter_map(|row| match row {
                RowChange::Upsert { id, .. } => Some(*id),
                RowChange::Remove { .. } => None,
            })
            .collect();
        next.index.apply(rows);
        for id in upserted {
            touch(&next.index, id, &mut touched);
        }
        next.seq = seq;
        self.current.store(Arc::new(next));
        self.documents.invalidate(&touched);
        // Nobody may be listening.
        let _ = applied.send(seq);
        for change in changes {
            let _ = self.live.send(change);
        }
    }
}

/// An entity and everything whose relations mention it: their documents change with it.
fn touch(index: &CatalogIndex, id: u32, touched: &mut Vec<u32>) {
    touched.push(id);
    touched.extend(index.relations(id, &Visibility::All).iter().filter_map(|(_, target)| index.row(target)));
}

/// A row of the index from what is stored.
pub fn upsert(state: EntityState, kinds: &KindRegistry) -> RowChange {
    let EntityState { id, uid, mut entity, orphan_since, changed_seq, .. } = state;
    if orphan_since.is_some() {
        mark_orphan(&mut entity.0);
    }
    let relations = relations::emitted(&entity, kinds);
    RowChange::Upsert { id, uid, changed_seq, entity, relations }
}

/// Reads everything: at start, and when a new kind gives relations to entities
/// that are there already.
async fn rebuild(db: &Db) -> DbResult<(KindRegistry, CatalogIndex)> {
    let kinds = load_kinds(db).await?;
    let mut index = empty_index(&kinds);
    store::stream_all(db.reader(), |batch| {
        index.apply(batch.into_iter().map(|state| upsert(state, &kinds)).collect());
    })
    .await?;
    Ok((kinds, index))
}

/// An index that knows the pairs of relations of declared kinds.
pub fn empty_index(kinds: &KindRegistry) -> CatalogIndex {
    let mut index = CatalogIndex::new();
    let fields = kinds.iter().flat_map(|kind| &kind.relation_fields);
    index.declare_pairs(fields.map(|field| (field.outgoing.clone(), field.incoming.clone())));
    index
}

async fn load_kinds(db: &Db) -> DbResult<KindRegistry> {
    let declared = store::declared_kinds(db.reader()).await?;
    let declared: Vec<KindDefinition> = declared
        .iter()
        .filter_map(|text| match serde_json::from_str(text) {
            Ok(kind) => Some(kind),
            Err(error) => {
                tracing::error!(error = %error, "a declared kind cannot be read and is left out");
                None
            }
        })
        .collect();
    KindRegistry::with(declared)
        .map_err(|error| DbError::Unsupported(format!("the declared kinds are damaged: {error}")))
}
