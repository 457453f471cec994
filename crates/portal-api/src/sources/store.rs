//! Queries on sources, their files, documents, passes and deliveries.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use portal_core::sources::wire::{SourceOrigin, SourceState, SourceType};
use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::Value;

use super::links::Links;
use super::reading::{RecordedFault, Status};
use crate::db::entity::{entity, job, pass, source, source_document, source_file, webhook_delivery};
use crate::db::{DatabaseTransaction, DbError, DbResult, like};

/// Values of one `IN (…)`.
const IN_CHUNK: usize = 500;
/// Rows of one INSERT.
const INSERT_CHUNK: usize = 100;

/// A source as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// 0 before it is stored.
    pub id: i64,
    /// Unique; made from type and target for configured sources, so that
    /// replicas that start together make one.
    pub uid: String,
    pub source_type: SourceType,
    pub target: String,
    pub branch: Option<String>,
    pub globs: Vec<String>,
    pub origin: SourceOrigin,
    pub trusted: bool,
    pub interval_seconds: u32,
    pub credential: Option<String>,
    pub webhook_secret: Option<String>,
    pub state: SourceState,
    pub failure: Option<String>,
    pub revision: Option<String>,
    pub read_at: Option<DateTime<Utc>>,
    pub next_pass_at: Option<DateTime<Utc>>,
    pub etag: String,
    pub created_at: DateTime<Utc>,
}

pub async fn list<C: ConnectionTrait>(db: &C) -> DbResult<Vec<Source>> {
    source::Entity::find().order_by_asc(source::Column::Id).all(db).await?.into_iter().map(read).collect()
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<Source>> {
    source::Entity::find_by_id(id).one(db).await?.map(read).transpose()
}

/// Stores a new source and answers its id; `None` when its `uid` is taken.
pub async fn insert(txn: &DatabaseTransaction, new: &Source) -> DbResult<Option<i64>> {
    let mut row = active(new)?;
    row.id = NotSet;
    let inserted = source::Entity::insert_many([row])
        .on_conflict(OnConflict::column(source::Column::Uid).do_nothing().to_owned())
        .exec_with_returning(txn)
        .await?;
    Ok(inserted.into_iter().next().map(|row| row.id))
}

/// Replaces what is configured about a source, and its state.
pub async fn update(txn: &DatabaseTransaction, changed: &Source) -> DbResult<()> {
    let row = active(changed)?;
    source::Entity::update(row).exec(txn).await?;
    Ok(())
}

/// Removes a source with everything that was recorded of it, but not its entities.
pub async fn delete(txn: &DatabaseTransaction, id: i64) -> DbResult<bool> {
    source_document::Entity::delete_many().filter(source_document::Column::SourceId.eq(id)).exec(txn).await?;
    source_file::Entity::delete_many().filter(source_file::Column::SourceId.eq(id)).exec(txn).await?;
    pass::Entity::delete_many().filter(pass::Column::SourceId.eq(id)).exec(txn).await?;
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::SourceId.eq(id)).exec(txn).await?;
    Ok(source::Entity::delete_by_id(id).exec(txn).await?.rows_affected > 0)
}

/// The sources whose next pass is due and has no job yet.
pub async fn due<C: ConnectionTrait>(db: &C, now: DateTime<Utc>) -> DbResult<Vec<i64>> {
    let due = source::Entity::find()
        .select_only()
        .column(source::Column::Id)
        .filter(source::Column::NextPassAt.lte(now))
        .order_by_asc(source::Column::NextPassAt)
        .limit(200);
    let due: Vec<i64> = due.into_tuple().all(db).await?;
    if due.is_empty() {
        return Ok(due);
    }
    let keys = due.iter().map(|id| super::jobs::key(*id));
    let waiting = job::Entity::find()
        .select_only()
        .column(job::Column::IdempotencyKey)
        .filter(job::Column::IdempotencyKey.is_in(keys));
    let waiting: HashSet<String> = waiting.into_tuple().all(db).await?.into_iter().collect();
    Ok(due.into_iter().filter(|id| !waiting.contains(&super::jobs::key(*id))).collect())
}

/// Asks for a pass at `at`.
pub async fn set_next_pass(txn: &DatabaseTransaction, id: i64, at: DateTime<Utc>) -> DbResult<()> {
    source::Entity::update_many()
        .col_expr(source::Column::NextPassAt, Expr::value(at))
        .filter(source::Column::Id.eq(id))
        .exec(txn)
        .await?;
    Ok(())
}

/// What a pass leaves at its source.
#[derive(Debug, Clone)]
pub struct Finish {
    pub state: SourceState,
    pub failure: Option<String>,
    pub revision: Option<String>,
    /// Absent when the source could not be read.
    pub read_at: Option<DateTime<Utc>>,
    pub next_pass_at: DateTime<Utc>,
    /// A pass that was asked for after this time stays due.
    pub started_at: DateTime<Utc>,
}

pub async fn finish(txn: &DatabaseTransaction, id: i64, finish: Finish) -> DbResult<()> {
    let Finish { state, failure, revision, read_at, next_pass_at, started_at } = finish;
    let mut update = source::Entity::update_many()
        .col_expr(source::Column::State, Expr::value(word(&state)?))
        .col_expr(source::Column::Failure, Expr::value(failure))
        .filter(source::Column::Id.eq(id));
    if let Some(read_at) = read_at {
        update = update
            .col_expr(source::Column::ReadAt, Expr::value(read_at))
            .col_expr(source::Column::Revision, Expr::value(revision));
    }
    update.exec(txn).await?;
    source::Entity::update_many()
        .col_expr(source::Column::NextPassAt, Expr::value(next_pass_at))
        .filter(source::Column::Id.eq(id))
        .filter(source::Column::NextPassAt.is_null().or(source::Column::NextPassAt.lte(started_at)))
        .exec(txn)
        .await?;
    Ok(())
}

pub async fn set_state(txn: &DatabaseTransaction, id: i64, state: SourceState) -> DbResult<()> {
    source::Entity::update_many()
        .col_expr(source::Column::State, Expr::value(word(&state)?))
        .filter(source::Column::Id.eq(id))
        .exec(txn)
        .await?;
    Ok(())
}

/// Shows that a source could not be read, and why.
pub async fn set_failure(txn: &DatabaseTransaction, id: i64, failure: &str) -> DbResult<()> {
    source::Entity::update_many()
        .col_expr(source::Column::State, Expr::value(word(&SourceState::Failed)?))
        .col_expr(source::Column::Failure, Expr::value(failure))
        .filter(source::Column::Id.eq(id))
        .exec(txn)
        .await?;
    Ok(())
}

/// What was last read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    pub hash: String,
    pub etag: Option<String>,
    pub links: Links,
}

/// Every file of a source by its name.
pub async fn files<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<HashMap<String, KnownFile>> {
    let rows = source_file::Entity::find().filter(source_file::Column::SourceId.eq(id)).all(db).await?;
    let known = rows.into_iter().map(|row| {
        let source_file::Model { path, hash, etag, links, .. } = row;
        // Links that cannot be read make the file count as changed.
        match serde_json::from_str(&links) {
            Ok(links) => (path, KnownFile { hash, etag, links }),
            Err(_) => (path, KnownFile { hash: String::new(), etag: None, links: Links::default() }),
        }
    });
    Ok(known.collect())
}

pub async fn put_file(txn: &DatabaseTransaction, id: i64, path: &str, file: &KnownFile) -> DbResult<()> {
    use source_file::Column;
    let row = source_file::ActiveModel {
        source_id: Set(id),
        path: Set(path.to_owned()),
        hash: Set(file.hash.clone()),
        etag: Set(file.etag.clone()),
        links: Set(json(&file.links)?),
    };
    source_file::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::SourceId, Column::Path])
                .update_columns([Column::Hash, Column::Etag, Column::Links])
                .to_owned(),
        )
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

/// Forgets files and the verdicts on their documents.
pub async fn delete_files(txn: &DatabaseTransaction, id: i64, paths: &[String]) -> DbResult<()> {
    for chunk in paths.chunks(IN_CHUNK) {
        delete_documents(txn, id, chunk).await?;
        source_file::Entity::delete_many()
            .filter(source_file::Column::SourceId.eq(id))
            .filter(source_file::Column::Path.is_in(chunk))
            .exec(txn)
            .await?;
    }
    Ok(())
}

/// Makes files count as changed at the next pass: all of a source, or those named.
pub async fn force(txn: &DatabaseTransaction, id: i64, path: Option<&str>) -> DbResult<()> {
    let mut update = source_file::Entity::update_many()
        .col_expr(source_file::Column::Hash, Expr::value(""))
        .col_expr(source_file::Column::Etag, Expr::value(None::<String>))
        .filter(source_file::Column::SourceId.eq(id));
    if let Some(path) = path {
        update = update.filter(source_file::Column::Path.eq(path));
    }
    update.exec(txn).await?;
    Ok(())
}

/// The verdict on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    pub path: String,
    pub document_index: u32,
    pub line: u32,
    pub entity_ref: Option<String>,
    pub status: Status,
    pub faults: Vec<RecordedFault>,
    /// Of a document with faults, what could be read of it.
    pub draft: Option<Value>,
}

pub async fn delete_documents(txn: &DatabaseTransaction, id: i64, paths: &[String]) -> DbResult<()> {
    source_document::Entity::delete_many()
        .filter(source_document::Column::SourceId.eq(id))
        .filter(source_document::Column::Path.is_in(paths))
        .exec(txn)
        .await?;
    Ok(())
}

pub async fn insert_documents(txn: &DatabaseTransaction, id: i64, rows: &[DocumentRow]) -> DbResult<()> {
    for chunk in rows.chunks(INSERT_CHUNK) {
        let rows = chunk.iter().map(|row| {
            let DocumentRow { path, document_index, line, entity_ref, status, faults, draft } = row;
            Ok(source_document::ActiveModel {
                source_id: Set(id),
                path: Set(path.clone()),
                document_index: Set(small(*document_index)),
                line: Set(small(*line)),
                entity_ref: Set(entity_ref.clone()),
                status: Set(status.as_str().to_owned()),
                faults: Set(json(faults)?),
                draft: Set(draft.as_ref().map(json).transpose()?),
                ..Default::default()
            })
        });
        let rows = rows.collect::<DbResult<Vec<_>>>()?;
        source_document::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// Where each reference of a source is declared: `(reference, path, index)`.
pub async fn declared<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Vec<(String, String, i32)>> {
    use source_document::Column;
    let rows = source_document::Entity::find()
        .select_only()
        .columns([Column::EntityRef, Column::Path, Column::DocumentIndex])
        .filter(Column::SourceId.eq(id))
        .filter(Column::Status.eq(Status::Ok.as_str()))
        .filter(Column::EntityRef.is_not_null());
    Ok(rows.into_tuple().all(db).await?)
}

/// An entity of a source that no document of it declares any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub entity_ref: String,
    pub location: String,
}

pub async fn missing<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Vec<Missing>> {
    let rows = entity::Entity::find()
        .select_only()
        .columns([entity::Column::EntityRef, entity::Column::Location])
        .filter(entity::Column::SourceId.eq(id))
        .filter(entity::Column::OrphanSince.is_null())
        .filter(Expr::exists(declaring(id, &[Status::Ok, Status::Invalid])).not());
    let rows: Vec<(String, String)> = rows.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(entity_ref, location)| Missing { entity_ref, location }).collect())
}

/// Files with a broken document of which nobody can tell what it declares.
pub async fn blind_files<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<HashSet<String>> {
    use source_document::Column;
    let rows = source_document::Entity::find()
        .select_only()
        .column(Column::Path)
        .filter(Column::SourceId.eq(id))
        .filter(Column::Status.is_in([Status::Invalid.as_str(), Status::Unreadable.as_str()]))
        .filter(Column::EntityRef.is_null());
    let paths: Vec<String> = rows.into_tuple().all(db).await?;
    Ok(paths.into_iter().collect())
}

/// Entities of a source whose document is broken now, and that are not marked yet.
pub async fn newly_stale<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Vec<String>> {
    let rows = entity::Entity::find()
        .select_only()
        .column(entity::Column::EntityRef)
        .filter(entity::Column::SourceId.eq(id))
        .filter(entity::Column::Stale.eq(false))
        .filter(entity::Column::OrphanSince.is_null())
        .filter(Expr::exists(declaring(id, &[Status::Invalid])))
        // Another document of the source may declare it well.
        .filter(Expr::exists(declaring(id, &[Status::Ok])).not());
    Ok(rows.into_tuple().all(db).await?)
}

/// The documents of a source that declare the entity at hand. For `EXISTS`:
/// PostgreSQL compares a long `NOT IN` row by row.
fn declaring(id: i64, statuses: &[Status]) -> SelectStatement {
    use source_document::Column;
    Query::select()
        .expr(Expr::val(1))
        .from(source_document::Entity)
        .and_where(Expr::col((source_document::Entity, Column::SourceId)).eq(id))
        .and_where(
            Expr::col((source_document::Entity, Column::EntityRef)).equals((entity::Entity, entity::Column::EntityRef)),
        )
        .and_where(
            Expr::col((source_document::Entity, Column::Status)).is_in(statuses.iter().map(|status| status.as_str())),
        )
        .to_owned()
}

/// Documents that wait for one of these references to become free, as
/// `(source, path)`.
pub async fn claimants<C: ConnectionTrait>(db: &C, refs: &[String]) -> DbResult<Vec<(i64, String)>> {
    use source_document::Column;
    let mut found = HashSet::new();
    for chunk in refs.chunks(IN_CHUNK) {
        let rows = source_document::Entity::find()
            .select_only()
            .columns([Column::SourceId, Column::Path])
            .filter(Column::Status.eq(Status::Conflict.as_str()))
            .filter(Column::EntityRef.is_in(chunk));
        found.extend(rows.into_tuple::<(i64, String)>().all(db).await?);
    }
    Ok(found.into_iter().collect())
}

/// Documents with faults of a source, in order of the files.
pub async fn faulty_documents<C: ConnectionTrait>(
    db: &C,
    id: i64,
    after: Option<(String, i32)>,
    limit: u64,
) -> DbResult<Vec<DocumentRow>> {
    use source_document::Column;
    let mut rows = source_document::Entity::find().filter(Column::SourceId.eq(id)).filter(Column::Faults.ne("[]"));
    if let Some((path, index)) = after {
        let same_file = Column::Path.eq(path.clone()).and(Column::DocumentIndex.gt(index));
        rows = rows.filter(Column::Path.gt(path).or(same_file));
    }
    let rows = rows.order_by_asc(Column::Path).order_by_asc(Column::DocumentIndex).limit(limit);
    rows.all(db).await?.into_iter().map(|row| document(row).map(|(_, row)| row)).collect()
}

/// Documents with faults that declare an entity, with their sources.
pub async fn faulty_documents_of<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Vec<(i64, DocumentRow)>> {
    use source_document::Column;
    let rows = source_document::Entity::find()
        .filter(Column::EntityRef.eq(entity_ref))
        .filter(Column::Faults.ne("[]"))
        .order_by_asc(Column::SourceId)
        .limit(50);
    rows.all(db).await?.into_iter().map(document).collect()
}

/// Documents with faults whose entity or file contains a text, or which say of no entity and
/// stand in a source whose target contains it, or in the file of an entity whose reference
/// does, with their sources.
pub async fn faulty_documents_like<C: ConnectionTrait>(
    db: &C,
    text: &str,
    limit: u64,
) -> DbResult<Vec<(i64, DocumentRow)>> {
    use source_document::Column;
    let contains = |expression: Expr| Expr::expr(Func::lower(expression)).like(like::containing(text));
    let named = Query::select()
        .column(source::Column::Id)
        .from(source::Entity)
        .and_where(contains(Expr::col(source::Column::Target)))
        .to_owned();
    // Few entities are stale; a join of all with all documents takes PostgreSQL 150 ms of 10 000.
    let held = entity::Entity::find()
        .select_only()
        .columns([entity::Column::SourceId, entity::Column::Location])
        .filter(entity::Column::Stale.eq(true))
        .filter(contains(Expr::col(entity::Column::EntityRef)))
        .limit(limit);
    let held: Vec<(Option<i64>, String)> = held.into_tuple().all(db).await?;
    let files = held.into_iter().filter_map(|(source_id, path)| Some((source_id?, path)));
    let of_named = files.fold(Condition::any().add(Column::SourceId.in_subquery(named)), |any, (source_id, path)| {
        any.add(Column::SourceId.eq(source_id).and(Column::Path.eq(path)))
    });
    let of_named = Condition::all().add(Column::EntityRef.is_null()).add(of_named);
    let any = Condition::any()
        .add(contains(Expr::col(Column::EntityRef)))
        .add(contains(Expr::col(Column::Path)))
        .add(of_named);
    let rows = source_document::Entity::find()
        .filter(Column::Faults.ne("[]"))
        .filter(any)
        .order_by_asc(Column::SourceId)
        .order_by_asc(Column::Path)
        .order_by_asc(Column::DocumentIndex)
        .limit(limit);
    rows.all(db).await?.into_iter().map(document).collect()
}

/// Documents of other places that claim an entity which this source holds:
/// `(claimant's source, its document, where the holder declares it)`.
pub async fn rivals<C: ConnectionTrait>(db: &C, id: i64, limit: u64) -> DbResult<Vec<(i64, DocumentRow, Holder)>> {
    use source_document::Column;
    let held = Query::select()
        .column(entity::Column::EntityRef)
        .from(entity::Entity)
        .and_where(Expr::col(entity::Column::SourceId).eq(id))
        .to_owned();
    let rows = source_document::Entity::find()
        .filter(Column::Status.eq(Status::Conflict.as_str()))
        .filter(Column::SourceId.ne(id))
        .filter(Column::EntityRef.in_subquery(held))
        .order_by_asc(Column::Id)
        .limit(limit);
    let rows = rows.all(db).await?.into_iter().map(document).collect::<DbResult<Vec<_>>>()?;
    let refs: Vec<String> = rows.iter().filter_map(|(_, row)| row.entity_ref.clone()).collect();
    let holders = holders(db, &refs).await?;
    let with_holder = rows.into_iter().filter_map(|(claimant, row)| {
        let holder = holders.get(row.entity_ref.as_ref()?)?.clone();
        Some((claimant, row, holder))
    });
    Ok(with_holder.collect())
}

/// Where an entity is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub source_id: Option<i64>,
    pub location: String,
    pub document_index: i32,
    pub line: i32,
    pub stale: bool,
}

/// The holders of references.
pub async fn holders<C: ConnectionTrait>(db: &C, refs: &[String]) -> DbResult<HashMap<String, Holder>> {
    use entity::Column;
    let mut found = HashMap::new();
    for chunk in refs.chunks(IN_CHUNK) {
        let rows = entity::Entity::find()
            .select_only()
            .columns([
                Column::EntityRef,
                Column::SourceId,
                Column::Location,
                Column::DocumentIndex,
                Column::Line,
                Column::Stale,
            ])
            .filter(Column::EntityRef.is_in(chunk))
            .into_tuple::<(String, Option<i64>, String, i32, i32, bool)>()
            .all(db)
            .await?;
        for (entity_ref, source_id, location, document_index, line, stale) in rows {
            found.insert(entity_ref, Holder { source_id, location, document_index, line, stale });
        }
    }
    Ok(found)
}

/// Entities and faulty documents of each source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub entities: u64,
    pub errors: u64,
}

pub async fn counts<C: ConnectionTrait>(db: &C) -> DbResult<HashMap<i64, Counts>> {
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    let entities = entity::Entity::find()
        .select_only()
        .column(entity::Column::SourceId)
        .column_as(entity::Column::Id.count(), "count")
        .filter(entity::Column::SourceId.is_not_null())
        .filter(entity::Column::OrphanSince.is_null())
        .group_by(entity::Column::SourceId);
    for (id, count) in entities.into_tuple::<(i64, i64)>().all(db).await? {
        counts.entry(id).or_default().entities = count.unsigned_abs();
    }
    use source_document::Column;
    let errors = source_document::Entity::find()
        .select_only()
        .column(Column::SourceId)
        .column_as(Column::Id.count(), "count")
        .filter(Column::Faults.ne("[]"))
        .group_by(Column::SourceId);
    for (id, count) in errors.into_tuple::<(i64, i64)>().all(db).await? {
        counts.entry(id).or_default().errors = count.unsigned_abs();
    }
    Ok(counts)
}

/// Entities and faulty documents of one source.
pub async fn counts_of<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Counts> {
    let entities = entity::Entity::find()
        .filter(entity::Column::SourceId.eq(id))
        .filter(entity::Column::OrphanSince.is_null())
        .count(db)
        .await?;
    Ok(Counts { entities, errors: count_faulty(db, id).await? })
}

/// How many documents of one source have faults.
pub async fn count_faulty<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<u64> {
    use source_document::Column;
    let faulty = source_document::Entity::find().filter(Column::SourceId.eq(id)).filter(Column::Faults.ne("[]"));
    Ok(faulty.count(db).await?)
}

/// Every document with faults of a source.
pub async fn all_faulty_documents<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Vec<DocumentRow>> {
    use source_document::Column;
    let rows = source_document::Entity::find().filter(Column::SourceId.eq(id)).filter(Column::Faults.ne("[]"));
    rows.all(db).await?.into_iter().map(|row| document(row).map(|(_, row)| row)).collect()
}

/// The entities that a source holds, with their files.
pub async fn held_by<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Vec<(String, String)>> {
    use entity::Column;
    let rows = entity::Entity::find().select_only().columns([Column::EntityRef, Column::Location]);
    Ok(rows.filter(Column::SourceId.eq(id)).into_tuple().all(db).await?)
}

/// How many documents of one source declare an entity well.
pub async fn count_good<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<u64> {
    use source_document::Column;
    let good =
        source_document::Entity::find().filter(Column::SourceId.eq(id)).filter(Column::Status.eq(Status::Ok.as_str()));
    Ok(good.count(db).await?)
}

/// How many documents of one source there are.
pub async fn count_documents<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<u64> {
    Ok(source_document::Entity::find().filter(source_document::Column::SourceId.eq(id)).count(db).await?)
}

/// One reading of a source.
pub type Pass = pass::Model;

/// Begins the log entry of a pass.
pub async fn insert_pass(
    txn: &DatabaseTransaction,
    id: i64,
    started_at: DateTime<Utc>,
    trigger: &str,
) -> DbResult<i64> {
    let row = pass::ActiveModel {
        id: NotSet,
        source_id: Set(id),
        started_at: Set(started_at),
        finished_at: Set(None),
        trigger: Set(trigger.to_owned()),
        outcome: Set(None),
        revision: Set(None),
        documents: Set(0),
        created: Set(0),
        updated: Set(0),
        unchanged: Set(0),
        removed: Set(0),
        errors: Set(0),
        failure: Set(None),
    };
    Ok(pass::Entity::insert(row).exec_with_returning(txn).await?.id)
}

pub async fn update_pass(txn: &DatabaseTransaction, row: Pass) -> DbResult<()> {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};
    pass::Entity::update(row.into_active_model().reset_all()).exec(txn).await?;
    Ok(())
}

/// Passes newest first; one more than the page, to know whether there are more.
pub async fn passes<C: ConnectionTrait>(db: &C, id: i64, before: Option<i64>, limit: u64) -> DbResult<Vec<Pass>> {
    let mut rows =
        pass::Entity::find().filter(pass::Column::SourceId.eq(id)).order_by_desc(pass::Column::Id).limit(limit);
    if let Some(before) = before {
        rows = rows.filter(pass::Column::Id.lt(before));
    }
    Ok(rows.all(db).await?)
}

pub async fn count_passes<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<u64> {
    Ok(pass::Entity::find().filter(pass::Column::SourceId.eq(id)).count(db).await?)
}

/// The newest pass of each source.
pub async fn last_passes<C: ConnectionTrait>(db: &C) -> DbResult<HashMap<i64, Pass>> {
    let newest = Query::select()
        .expr(Expr::col(pass::Column::Id).max())
        .from(pass::Entity)
        .group_by_col(pass::Column::SourceId)
        .to_owned();
    let rows = pass::Entity::find().filter(pass::Column::Id.in_subquery(newest)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.source_id, row)).collect())
}

/// Ends the log entries of passes that were cut off, except `keep`.
pub async fn close_passes(txn: &DatabaseTransaction, id: i64, now: DateTime<Utc>) -> DbResult<()> {
    pass::Entity::update_many()
        .col_expr(pass::Column::FinishedAt, Expr::value(now))
        .col_expr(pass::Column::Outcome, Expr::value("failed"))
        .col_expr(pass::Column::Failure, Expr::value("the pass was cut off; the next one went on"))
        .filter(pass::Column::SourceId.eq(id))
        .filter(pass::Column::FinishedAt.is_null())
        .exec(txn)
        .await?;
    Ok(())
}

/// Keeps the newest passes of a source.
pub async fn prune_passes(txn: &DatabaseTransaction, id: i64, keep: u64) -> DbResult<()> {
    let oldest = pass::Entity::find()
        .select_only()
        .column(pass::Column::Id)
        .filter(pass::Column::SourceId.eq(id))
        .order_by_desc(pass::Column::Id)
        .offset(keep)
        .limit(1);
    if let Some(oldest) = oldest.into_tuple::<i64>().one(txn).await? {
        pass::Entity::delete_many()
            .filter(pass::Column::SourceId.eq(id))
            .filter(pass::Column::Id.lte(oldest))
            .exec(txn)
            .await?;
    }
    Ok(())
}

/// Records a delivery; false when it was seen before.
pub async fn insert_delivery(txn: &DatabaseTransaction, id: i64, delivery: &str, now: DateTime<Utc>) -> DbResult<bool> {
    use webhook_delivery::Column;
    let row =
        webhook_delivery::ActiveModel { source_id: Set(id), delivery: Set(delivery.to_owned()), received_at: Set(now) };
    let inserted = webhook_delivery::Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::SourceId, Column::Delivery]).do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(inserted > 0)
}

/// Forgets deliveries from before a time.
pub async fn delete_deliveries_before(txn: &DatabaseTransaction, time: DateTime<Utc>) -> DbResult<()> {
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::ReceivedAt.lt(time)).exec(txn).await?;
    Ok(())
}

fn document(row: source_document::Model) -> DbResult<(i64, DocumentRow)> {
    let source_document::Model { source_id, path, document_index, line, entity_ref, status, faults, draft, .. } = row;
    let status = match status.as_str() {
        "ok" => Status::Ok,
        "conflict" => Status::Conflict,
        "refused" => Status::Refused,
        "unreadable" => Status::Unreadable,
        _ => Status::Invalid,
    };
    let faults = serde_json::from_str(&faults).map_err(|error| damaged(&format!("faults of `{path}`"), &error))?;
    let (document_index, line) = (document_index.unsigned_abs(), line.unsigned_abs());
    let draft = draft.map(|draft| serde_json::from_str(&draft)).transpose();
    let draft = draft.map_err(|error| damaged(&format!("draft of `{path}`"), &error))?;
    Ok((source_id, DocumentRow { path, document_index, line, entity_ref, status, faults, draft }))
}

fn read(row: source::Model) -> DbResult<Source> {
    let source::Model {
        id,
        uid,
        source_type,
        target,
        branch,
        globs,
        origin,
        trusted,
        interval_seconds,
        credential,
        webhook_secret,
        state,
        failure,
        revision,
        read_at,
        next_pass_at,
        etag,
        created_at,
    } = row;
    let place = format!("source {id}");
    Ok(Source {
        id,
        uid,
        source_type: from_word(&source_type, &place)?,
        target,
        branch,
        globs: serde_json::from_str(&globs).map_err(|error| damaged(&place, &error))?,
        origin: from_word(&origin, &place)?,
        trusted,
        interval_seconds: interval_seconds.unsigned_abs(),
        credential,
        webhook_secret,
        state: from_word(&state, &place)?,
        failure,
        revision,
        read_at,
        next_pass_at,
        etag,
        created_at,
    })
}

fn active(source: &Source) -> DbResult<source::ActiveModel> {
    let Source {
        id,
        uid,
        source_type,
        target,
        branch,
        globs,
        origin,
        trusted,
        interval_seconds,
        credential,
        webhook_secret,
        state,
        failure,
        revision,
        read_at,
        next_pass_at,
        etag,
        created_at,
    } = source.clone();
    Ok(source::ActiveModel {
        id: Set(id),
        uid: Set(uid),
        source_type: Set(source_type.as_str().to_owned()),
        target: Set(target),
        branch: Set(branch),
        globs: Set(json(&globs)?),
        origin: Set(word(&origin)?),
        trusted: Set(trusted),
        interval_seconds: Set(small(interval_seconds)),
        credential: Set(credential),
        webhook_secret: Set(webhook_secret),
        state: Set(word(&state)?),
        failure: Set(failure),
        revision: Set(revision),
        read_at: Set(read_at),
        next_pass_at: Set(next_pass_at),
        etag: Set(etag),
        created_at: Set(created_at),
    })
}

fn json<T: serde::Serialize>(value: &T) -> DbResult<String> {
    serde_json::to_string(value).map_err(|error| DbError::Unsupported(error.to_string()))
}

/// The word that stands for a value of an enum without fields.
fn word<T: serde::Serialize>(value: &T) -> DbResult<String> {
    Ok(json(value)?.trim_matches('"').to_owned())
}

fn from_word<T: serde::de::DeserializeOwned>(text: &str, place: &str) -> DbResult<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| damaged(place, &error))
}

fn damaged(what: &str, error: &dyn std::fmt::Display) -> DbError {
    DbError::Unsupported(format!("the row of {what} is damaged: {error}"))
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
