//! Keeps the full text current: built from the rows when it is new, then fed
//! from the change feed.
//!
//! It follows the feed on its own, so that indexing text never delays the
//! catalog index.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::document::MAX_DOCUMENTATION;
use super::{SearchChange, SearchDocument, SearchError, SearchIndex};
use crate::catalog::state::EntityState;
use crate::catalog::store;
use crate::changes::tail::Feed;
use crate::changes::{self, Change};
use crate::db::{Db, DbError, DbResult};
use crate::documentation::store as documentation;

/// Rows read at once while building.
const BATCH: u64 = 500;
/// Changes behind which building anew is cheaper than catching up.
const FAR: i64 = 100_000;
/// The sequence of an index that is not complete: it is built again if the
/// process ends before.
const INCOMPLETE: i64 = 0;

/// Why the full text cannot follow.
#[derive(Debug, thiserror::Error)]
enum Stalled {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Index(#[from] SearchError),
}

/// Follows the feed until `stop`.
pub async fn follow(db: Db, index: SearchIndex, feed: Feed, stop: CancellationToken) {
    let seq = loop {
        match start(&db, &index).await {
            Ok(seq) => break seq,
            Err(error) => tracing::error!(error = %error, "cannot build the search index; trying again"),
        }
        let pause = tokio::time::sleep(std::time::Duration::from_secs(5));
        if stop.run_until_cancelled(pause).await.is_none() {
            return index.close().await;
        }
    };
    let (reader, writer) = (db.clone(), index.clone());
    let apply = move |changes: Vec<Arc<Change>>| {
        let (db, index) = (reader.clone(), writer.clone());
        async move {
            if let Err(error) = apply(&db, &index, changes).await {
                tracing::error!(error = %error, "cannot update the search index");
            }
        }
        .boxed()
    };
    feed.follow(seq, stop, apply).await;
    index.close().await;
}

/// Answers the sequence from which the feed continues.
async fn start(db: &Db, index: &SearchIndex) -> Result<i64, Stalled> {
    // Rows may be newer than this; their changes are applied again, which is harmless.
    let last = changes::store::last_seq(db.reader()).await?;
    let seq = index.seq();
    // An index ahead of the feed belongs to another database.
    if seq != INCOMPLETE && seq <= last && last - seq < FAR {
        return Ok(seq);
    }
    index.apply(vec![SearchChange::Clear], INCOMPLETE).await?;
    let mut after = 0;
    loop {
        let states = store::page_after(db.reader(), after, BATCH).await?;
        let Some(newest) = states.last() else { break };
        after = newest.id;
        index.apply(upserts(db, states).await?, INCOMPLETE).await?;
    }
    index.apply(Vec::new(), last).await?;
    Ok(last)
}

async fn apply(db: &Db, index: &SearchIndex, changes: Vec<Arc<Change>>) -> Result<(), Stalled> {
    let Some(seq) = changes.last().map(|change| change.seq) else { return Ok(()) };
    // Only the newest state of each entity matters.
    let mut newest: HashMap<&str, Option<&str>> = HashMap::new();
    let mut documented = Vec::new();
    for change in &changes {
        if let Some(entity_ref) = change.subject.strip_prefix("entity:") {
            newest.insert(entity_ref, change.document.as_deref());
        } else if let Some(entity_ref) = change.subject.strip_prefix(documentation::SUBJECT) {
            documented.push(entity_ref.to_owned());
        }
    }
    // The entity of documentation that changed may itself be unchanged.
    documented.retain(|entity_ref| !newest.contains_key(entity_ref.as_str()));
    let mut states: Vec<EntityState> = store::by_refs(db.reader(), &documented).await?.into_values().collect();
    let mut applied = Vec::with_capacity(newest.len());
    for (entity_ref, document) in newest {
        match document.map(serde_json::from_str::<EntityState>) {
            Some(Ok(state)) => states.push(state),
            Some(Err(error)) => tracing::error!(error = %error, "a change of `{entity_ref}` cannot be read"),
            None => applied.push(SearchChange::Remove(entity_ref.to_owned())),
        }
    }
    applied.extend(upserts(db, states).await?);
    Ok(index.apply(applied, seq).await?)
}

/// The documents of entities, with the definitions and the documentation that
/// are stored elsewhere.
async fn upserts(db: &Db, states: Vec<EntityState>) -> DbResult<Vec<SearchChange>> {
    let hashes: Vec<String> = states.iter().filter_map(|state| state.definition_hash.clone()).collect();
    let definitions = store::definitions(db.reader(), &hashes).await?;
    let refs: Vec<String> = states.iter().filter_map(|state| Some(state.entity.entity_ref()?.to_string())).collect();
    let documented = documentation::documented(db.reader(), &refs).await?;
    let mut changes = Vec::with_capacity(states.len());
    for state in states {
        let definition = state.definition_hash.as_ref().and_then(|hash| definitions.get(hash));
        let Some(mut document) = SearchDocument::from_entity(state.id, &state.entity, definition.map(String::as_str))
        else {
            continue;
        };
        let entity_ref = document.hit.entity_ref.clone();
        if documented.contains(&entity_ref) {
            document.document(documentation::texts(db.reader(), &entity_ref, MAX_DOCUMENTATION).await?);
        }
        changes.push(SearchChange::Upsert(Box::new(document)));
    }
    Ok(changes)
}
