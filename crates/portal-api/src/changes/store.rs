//! Queries on the change feed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use portal_core::access::ActorId;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};

use super::{Change, NewChange, Writing, entity_subject};
use crate::db::entity::change::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, DbResult, like};
use crate::{access, audit, notifications, runs};

/// Rows of one INSERT; seven columns each stay far below SQLite's limit of variables.
const CHUNK: usize = 200;
/// Channel on which PostgreSQL wakes the readers of the feed.
pub const CHANNEL: &str = "portal_changes";

/// Returns the first free sequence, and wakes the readers at the commit.
///
/// Transactions that write have an order (see [`crate::db`]), so that a reader who has seen
/// sequence N has seen everything before it. Call it just before writing.
pub async fn reserve(txn: &DatabaseTransaction) -> DbResult<i64> {
    if txn.get_database_backend() == DbBackend::Postgres {
        let notify = format!("SELECT pg_notify('{CHANNEL}', '')");
        txn.execute_raw(Statement::from_string(DbBackend::Postgres, notify)).await?;
    }
    Ok(last_seq(txn).await? + 1)
}

/// Appends to the feed; returns the sequence of the first of them, the others follow.
pub async fn append(txn: &DatabaseTransaction, writing: &Writing, changes: Vec<NewChange>) -> DbResult<i64> {
    let first = reserve(txn).await?;
    append_from(txn, first, writing, changes).await?;
    Ok(first)
}

/// Appends after [`reserve`], with the sequences from `first` on.
pub async fn append_from(
    txn: &DatabaseTransaction,
    first: i64,
    writing: &Writing,
    changes: Vec<NewChange>,
) -> DbResult<()> {
    if let (Some(by), Some(change)) = (&writing.by, changes.first()) {
        audit::store::append_reserved(txn, by, writing.at, logged(first, change, changes.len())).await?;
    }
    let mut rows = (first..).zip(changes).map(|(seq, change)| {
        let NewChange { subject, operation, document } = change;
        ActiveModel {
            seq: Set(seq),
            at: Set(writing.at),
            actor: Set(writing.actor.0.clone()),
            cause: Set(writing.cause.clone()),
            subject: Set(subject),
            operation: Set(operation.to_owned()),
            document: Set(document),
        }
    });
    loop {
        let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        Entity::insert_many(chunk).exec_without_returning(txn).await?;
    }
}

/// One line for all that is written together: what was done first, and where the
/// feed shows the rest.
fn logged(first: i64, change: &NewChange, count: usize) -> audit::Entry {
    let (about, target) = change.subject.split_once(':').unwrap_or(("change", &change.subject));
    let detail = serde_json::json!({ "first_seq": first, "changes": count });
    audit::Entry::done(format!("{about}.{}", change.operation), target, detail)
}

/// The newest sequence, 0 when nothing was ever written.
pub async fn last_seq<C: ConnectionTrait>(db: &C) -> DbResult<i64> {
    let newest = Entity::find().select_only().column(Column::Seq).order_by_desc(Column::Seq).limit(1);
    Ok(newest.into_tuple::<i64>().one(db).await?.unwrap_or(0))
}

/// The changes after `seq`, oldest first.
pub async fn after<C: ConnectionTrait>(db: &C, seq: i64, limit: u64) -> DbResult<Vec<Change>> {
    let rows = Entity::find().filter(Column::Seq.gt(seq)).order_by_asc(Column::Seq).limit(limit).all(db).await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// Which changes to show.
#[derive(Debug, Clone, Default)]
pub struct ChangeFilter {
    pub subject: Option<String>,
    /// What the subject is: `entity`, `source`, `kind`.
    pub about: Option<String>,
    pub actor: Option<String>,
    pub operation: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only these subjects.
    pub among: Option<Vec<String>>,
}

fn filtered(filter: &ChangeFilter) -> sea_orm::Select<Entity> {
    let ChangeFilter { subject, about, actor, operation, since, until, among } = filter;
    let mut select = Entity::find();
    if let Some(subject) = subject {
        select = select.filter(Column::Subject.eq(subject));
    }
    if let Some(about) = about {
        select = select.filter(Column::Subject.starts_with(format!("{about}:")));
    }
    if let Some(actor) = actor {
        select = select.filter(Column::Actor.eq(actor));
    }
    if let Some(operation) = operation {
        select = select.filter(Column::Operation.eq(operation));
    }
    if let Some(since) = since {
        select = select.filter(Column::At.gte(*since));
    }
    if let Some(until) = until {
        select = select.filter(Column::At.lte(*until));
    }
    // What people do for themselves is theirs, and accounts have a log of their own.
    if subject.is_none() {
        select = select.filter(Column::Subject.not_like("person:%"));
    }
    for private in [access::SUBJECT, notifications::SUBJECT, runs::SUBJECT] {
        select = select.filter(Column::Subject.not_like(format!("{private}%")));
    }
    if let Some(among) = among {
        select = select.filter(Column::Subject.is_in(among));
    }
    select
}

/// Changes newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &ChangeFilter,
    before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<Change>> {
    let mut select = filtered(filter).order_by_desc(Column::Seq).limit(limit);
    if let Some(before) = before {
        select = select.filter(Column::Seq.lt(before));
    }
    Ok(select.all(db).await?.into_iter().map(Change::from).collect())
}

pub async fn count<C: ConnectionTrait>(db: &C, filter: &ChangeFilter) -> DbResult<u64> {
    Ok(filtered(filter).count(db).await?)
}

/// How many changes of each subject there are.
pub async fn count_by_subject<C: ConnectionTrait>(db: &C, filter: &ChangeFilter) -> DbResult<Vec<(String, i64)>> {
    let counts = filtered(filter).select_only().column(Column::Subject).column_as(Column::Seq.count(), "count");
    Ok(counts.group_by(Column::Subject).into_tuple().all(db).await?)
}

/// When these subjects were made or changed, after a moment.
pub async fn updates<C: ConnectionTrait>(
    db: &C,
    subjects: Vec<String>,
    since: DateTime<Utc>,
) -> DbResult<Vec<(String, DateTime<Utc>)>> {
    let updates = Entity::find()
        .select_only()
        .columns([Column::Subject, Column::At])
        .filter(Column::Subject.is_in(subjects))
        .filter(Column::At.gt(since))
        .filter(Column::Operation.is_in(["create", "update"]));
    Ok(updates.into_tuple().all(db).await?)
}

/// The last state of a subject that has one, whatever became of it.
pub async fn last_document<C: ConnectionTrait>(db: &C, subject: &str) -> DbResult<Option<String>> {
    let newest = Entity::find()
        .filter(Column::Subject.eq(subject))
        .filter(Column::Document.is_not_null())
        .order_by_desc(Column::Seq)
        .limit(1);
    Ok(newest.one(db).await?.and_then(|row| row.document))
}

/// The entry of each subject just before the given sequence, for "before" in a diff.
pub async fn predecessors<C: ConnectionTrait>(db: &C, changes: &[Change]) -> DbResult<HashMap<i64, Change>> {
    let (of, earlier) = (Alias::new("of"), Alias::new("earlier"));
    let newest = Query::select()
        .expr(Expr::col((earlier.clone(), Column::Seq)).max())
        .from_as(Entity, earlier.clone())
        .and_where(Expr::col((earlier.clone(), Column::Subject)).eq(Expr::col((of.clone(), Column::Subject))))
        .and_where(Expr::col((earlier, Column::Seq)).lt(Expr::col((of.clone(), Column::Seq))))
        .to_owned();
    let seqs = Query::select()
        .expr(Expr::from(newest))
        .from_as(Entity, of.clone())
        .and_where(Expr::col((of, Column::Seq)).is_in(changes.iter().map(|change| change.seq)))
        .to_owned();
    let rows = Entity::find().filter(Expr::col((Alias::new("change"), Column::Seq)).in_subquery(seqs)).all(db).await?;
    let before = |change: &Change| {
        let earlier = rows.iter().filter(|row| row.subject == change.subject && row.seq < change.seq);
        Some((change.seq, earlier.max_by_key(|row| row.seq)?.clone().into()))
    };
    Ok(changes.iter().filter_map(before).collect())
}

/// The last entry of a subject at a time.
pub async fn at<C: ConnectionTrait>(db: &C, subject: &str, time: DateTime<Utc>) -> DbResult<Option<Change>> {
    let newest = Entity::find()
        .filter(Column::Subject.eq(subject))
        .filter(Column::At.lte(time))
        .order_by_desc(Column::Seq)
        .limit(1);
    Ok(newest.one(db).await?.map(Change::from))
}

/// Of which entities the past is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    All,
    /// Those whose document holds this text, in any case.
    Mentioning(&'a str),
    These(&'a [String]),
}

/// The last entry of these entities at a time, at most `limit`; entities that
/// were gone by then are left out.
pub async fn entities_at<C: ConnectionTrait>(
    db: &C,
    time: DateTime<Utc>,
    which: Which<'_>,
    limit: u64,
) -> DbResult<Vec<Change>> {
    let mut newest = Query::select()
        .expr(Expr::col(Column::Seq).max())
        .from(Entity)
        .and_where(Expr::col(Column::Subject).like("entity:%"))
        .and_where(Expr::col(Column::At).lte(time))
        .group_by_col(Column::Subject)
        .to_owned();
    if let Which::These(refs) = which {
        newest.and_where(Expr::col(Column::Subject).is_in(refs.iter().map(|entity_ref| entity_subject(entity_ref))));
    }
    let rows = Entity::find()
        .filter(Expr::col((Alias::new("change"), Column::Seq)).in_subquery(newest))
        .filter(Column::Document.is_not_null())
        .order_by_asc(Column::Seq)
        .limit(limit);
    let rows = match which {
        Which::Mentioning(text) => {
            rows.filter(Func::lower(Expr::col(Column::Document)).like(like::containing(text))).all(db).await?
        }
        Which::All | Which::These(_) => rows.all(db).await?,
    };
    Ok(rows.into_iter().map(Change::from).collect())
}

impl From<Model> for Change {
    fn from(row: Model) -> Self {
        let Model { seq, at, actor, cause, subject, operation, document } = row;
        Self { seq, at, actor: ActorId(actor), cause, subject, operation, document }
    }
}
