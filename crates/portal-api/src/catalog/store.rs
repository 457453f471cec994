//! Queries on the current rows of the catalog.

use std::collections::HashMap;

use futures::TryStreamExt;
use portal_core::catalog::Entity as Descriptor;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, StreamTrait,
};

use super::state::{Definition, EntityState};
use crate::db::entity::entity::{ActiveModel, Column, Entity, Model};
use crate::db::entity::{definition, kind, source};
use crate::db::{DatabaseTransaction, DbError, DbResult};

/// Values of one `IN (…)`; both databases allow thousands.
const IN_CHUNK: usize = 500;
/// Rows of one INSERT: 14 columns each.
const INSERT_CHUNK: usize = 100;
/// Rows read at once: parsed, each is some ten kilobytes.
const BATCH: usize = 400;

/// The rows of these references, by reference.
pub async fn by_refs<C: ConnectionTrait>(db: &C, refs: &[String]) -> DbResult<HashMap<String, EntityState>> {
    let mut found = HashMap::with_capacity(refs.len());
    for chunk in refs.chunks(IN_CHUNK) {
        let rows = Entity::find().filter(Column::EntityRef.is_in(chunk)).all(db).await?;
        for row in rows {
            found.insert(row.entity_ref.clone(), state(row)?);
        }
    }
    Ok(found)
}

pub async fn by_ref<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Option<EntityState>> {
    let row = Entity::find().filter(Column::EntityRef.eq(entity_ref)).one(db).await?;
    row.map(state).transpose()
}

pub async fn by_uid<C: ConnectionTrait>(db: &C, uid: &str) -> DbResult<Option<EntityState>> {
    let row = Entity::find().filter(Column::Uid.eq(uid)).one(db).await?;
    row.map(state).transpose()
}

pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[u32]) -> DbResult<Vec<EntityState>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IN_CHUNK) {
        let ids = chunk.iter().copied().map(i64::from);
        for row in Entity::find().filter(Column::Id.is_in(ids)).all(db).await? {
            found.push(state(row)?);
        }
    }
    Ok(found)
}

/// All of a kind, in lower case.
pub async fn of_kind<C: ConnectionTrait>(db: &C, kind: &str) -> DbResult<Vec<EntityState>> {
    let rows = Entity::find().filter(Column::EntityRef.starts_with(format!("{kind}:")));
    rows.order_by_asc(Column::Id).all(db).await?.into_iter().map(state).collect()
}

/// The references of one source.
pub async fn refs_of_source<C: ConnectionTrait>(db: &C, source_id: i64) -> DbResult<Vec<String>> {
    let refs = Entity::find().select_only().column(Column::EntityRef).filter(Column::SourceId.eq(source_id));
    Ok(refs.into_tuple::<String>().all(db).await?)
}

/// The orphans that have been so since before a time, at most `limit`.
pub async fn orphans_before<C: ConnectionTrait>(
    db: &C,
    time: chrono::DateTime<chrono::Utc>,
    limit: u64,
) -> DbResult<Vec<String>> {
    let refs = Entity::find()
        .select_only()
        .column(Column::EntityRef)
        .filter(Column::OrphanSince.lt(time))
        .order_by_asc(Column::OrphanSince)
        .limit(limit);
    Ok(refs.into_tuple::<String>().all(db).await?)
}

/// Reads the whole catalog in batches, in row order.
///
/// # Errors
/// The database, or what `each` answers.
pub async fn stream_all<C>(db: &C, mut each: impl FnMut(Vec<EntityState>)) -> DbResult<()>
where
    C: ConnectionTrait + StreamTrait,
{
    let mut rows = Entity::find().order_by_asc(Column::Id).stream(db).await?;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = rows.try_next().await? {
        batch.push(state(row)?);
        if batch.len() == BATCH {
            each(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
        }
    }
    if !batch.is_empty() {
        each(batch);
    }
    Ok(())
}

/// The next rows after `id`, in row order.
pub async fn page_after<C: ConnectionTrait>(db: &C, id: u32, limit: u64) -> DbResult<Vec<EntityState>> {
    let rows = Entity::find().filter(Column::Id.gt(i64::from(id))).order_by_asc(Column::Id).limit(limit);
    rows.all(db).await?.into_iter().map(state).collect()
}

/// Inserts new rows and fills in their ids.
pub async fn insert(txn: &DatabaseTransaction, states: &mut [EntityState]) -> DbResult<()> {
    for chunk in states.chunks_mut(INSERT_CHUNK) {
        let rows = chunk.iter().map(|state| {
            let mut row = active(state);
            row.id = NotSet;
            row
        });
        let inserted = Entity::insert_many(rows).exec_with_returning(txn).await?;
        let ids: HashMap<String, i64> = inserted.into_iter().map(|row| (row.uid, row.id)).collect();
        for state in chunk {
            let id = ids.get(&state.uid).copied().unwrap_or_default();
            state.id = u32::try_from(id).map_err(|_| DbError::Unsupported("row numbers are used up".to_owned()))?;
        }
    }
    Ok(())
}

/// Replaces existing rows.
pub async fn update(txn: &DatabaseTransaction, states: &[EntityState]) -> DbResult<()> {
    let columns = [
        Column::EntityRef,
        Column::Uid,
        Column::Etag,
        Column::Document,
        Column::DefinitionHash,
        Column::SourceId,
        Column::Location,
        Column::DocumentIndex,
        Column::Line,
        Column::Stale,
        Column::OrphanSince,
        Column::ChangedSeq,
        Column::ChangedAt,
    ];
    for chunk in states.chunks(INSERT_CHUNK) {
        Entity::insert_many(chunk.iter().map(active))
            .on_conflict(OnConflict::column(Column::Id).update_columns(columns).to_owned())
            .exec_without_returning(txn)
            .await?;
    }
    Ok(())
}

pub async fn delete(txn: &DatabaseTransaction, ids: &[u32]) -> DbResult<()> {
    for chunk in ids.chunks(IN_CHUNK) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied().map(i64::from))).exec(txn).await?;
    }
    Ok(())
}

/// Stores definitions that are not stored yet.
pub async fn put_definitions(txn: &DatabaseTransaction, definitions: Vec<Definition>) -> DbResult<()> {
    for Definition { hash, body } in definitions {
        let row = definition::ActiveModel { hash: Set(hash), body: Set(body) };
        definition::Entity::insert(row)
            .on_conflict(OnConflict::column(definition::Column::Hash).do_nothing().to_owned())
            .exec_without_returning(txn)
            .await?;
    }
    Ok(())
}

/// Definitions by hash.
pub async fn definitions<C: ConnectionTrait>(db: &C, hashes: &[String]) -> DbResult<HashMap<String, String>> {
    let mut found = HashMap::with_capacity(hashes.len());
    for chunk in hashes.chunks(IN_CHUNK) {
        let rows = definition::Entity::find().filter(definition::Column::Hash.is_in(chunk)).all(db).await?;
        found.extend(rows.into_iter().map(|row| (row.hash, row.body)));
    }
    Ok(found)
}

/// How a source is named to people, and when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceName {
    pub name: String,
    pub read_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// The names of sources by id.
pub async fn source_names<C: ConnectionTrait>(db: &C, ids: &[i64]) -> DbResult<HashMap<i64, SourceName>> {
    let rows = source::Entity::find().filter(source::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, SourceName { name: row.target, read_at: row.read_at })).collect())
}

/// The kinds declared as data, as JSON.
pub async fn declared_kinds<C: ConnectionTrait>(db: &C) -> DbResult<Vec<String>> {
    let rows = kind::Entity::find().order_by_asc(kind::Column::Kind).all(db).await?;
    Ok(rows.into_iter().map(|row| row.definition).collect())
}

pub async fn put_kind(txn: &DatabaseTransaction, name: &str, definition: String) -> DbResult<()> {
    let row = kind::ActiveModel { kind: Set(name.to_owned()), definition: Set(definition) };
    kind::Entity::insert(row)
        .on_conflict(OnConflict::column(kind::Column::Kind).update_column(kind::Column::Definition).to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

pub async fn delete_kind(txn: &DatabaseTransaction, name: &str) -> DbResult<()> {
    kind::Entity::delete_by_id(name.to_owned()).exec(txn).await?;
    Ok(())
}

fn state(row: Model) -> DbResult<EntityState> {
    let Model {
        id,
        entity_ref,
        uid,
        etag,
        document,
        definition_hash,
        source_id,
        location,
        document_index,
        line,
        stale,
        orphan_since,
        changed_seq,
        changed_at,
    } = row;
    let damaged = |what: &str| DbError::Unsupported(format!("the row of `{entity_ref}` is damaged: {what}"));
    Ok(EntityState {
        id: u32::try_from(id).map_err(|_| damaged("its number is out of range"))?,
        uid,
        etag,
        entity: Descriptor(serde_json::from_str(&document).map_err(|error| damaged(&error.to_string()))?),
        definition_hash,
        source_id,
        location,
        document_index,
        line,
        stale,
        orphan_since,
        changed_seq,
        changed_at,
    })
}

fn active(state: &EntityState) -> ActiveModel {
    let entity_ref = state.entity.entity_ref().map(|entity_ref| entity_ref.to_string());
    ActiveModel {
        id: Set(i64::from(state.id)),
        entity_ref: Set(entity_ref.unwrap_or_default()),
        uid: Set(state.uid.clone()),
        etag: Set(state.etag.clone()),
        document: Set(state.entity.0.to_string()),
        definition_hash: Set(state.definition_hash.clone()),
        source_id: Set(state.source_id),
        location: Set(state.location.clone()),
        document_index: Set(state.document_index),
        line: Set(state.line),
        stale: Set(state.stale),
        orphan_since: Set(state.orphan_since),
        changed_seq: Set(state.changed_seq),
        changed_at: Set(state.changed_at),
    }
}
