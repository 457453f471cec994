//! Queries on the audit log, and its chain.

use chrono::{DateTime, SubsecRound, Utc};
use portal_core::access::wire::AuditView;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::Digest as _;

use super::{By, Entry};
use crate::changes;
use crate::db::entity::audit::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, DbResult};

/// Rows that [`verify`] reads at once.
const STEP: u64 = 1000;

/// Adds a row. Appends to the change feed and to the log wait for each other, so
/// that each row finds the one before it.
pub async fn append(txn: &DatabaseTransaction, by: &By, at: DateTime<Utc>, entry: Entry) -> DbResult<()> {
    changes::store::reserve(txn).await?;
    append_reserved(txn, by, at, entry).await
}

/// Adds a row after [`changes::store::reserve`].
pub async fn append_reserved(txn: &DatabaseTransaction, by: &By, at: DateTime<Utc>, entry: Entry) -> DbResult<()> {
    let last = Entity::find().order_by_desc(Column::Seq).one(txn).await?;
    let (seq, before) = last.map_or((1, String::new()), |row| (row.seq + 1, row.hash));
    let Entry { action, target, outcome, detail } = entry;
    let mut row = Model {
        seq,
        // What the database keeps of it.
        at: at.trunc_subsecs(6),
        actor: by.actor.clone(),
        name: by.name.clone(),
        action,
        target,
        outcome: outcome.as_str().to_owned(),
        request_id: by.request_id.clone(),
        address: by.address.clone(),
        detail: detail.to_string(),
        hash: String::new(),
    };
    row.hash = hash(&before, &row);
    let row = ActiveModel {
        seq: Set(row.seq),
        at: Set(row.at),
        actor: Set(row.actor),
        name: Set(row.name),
        action: Set(row.action),
        target: Set(row.target),
        outcome: Set(row.outcome),
        request_id: Set(row.request_id),
        address: Set(row.address),
        detail: Set(row.detail),
        hash: Set(row.hash),
    };
    Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// SHA-256 over the hash before and each field with its length, so that no text
/// can be moved from one field into the next.
fn hash(before: &str, row: &Model) -> String {
    let Model { seq, at, actor, name, action, target, outcome, request_id, address, detail, hash: _ } = row;
    let (seq, at) = (seq.to_string(), at.timestamp_micros().to_string());
    let mut hasher = sha2::Sha256::new();
    for field in [before, &seq, &at, actor, name, action, target, outcome, request_id, address, detail] {
        hasher.update(field.len().to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Which rows to show.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Id or name.
    pub actor: Option<String>,
    /// The beginning of the action.
    pub action: Option<String>,
    pub outcome: Option<String>,
    /// A part of the target.
    pub target: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

fn filtered(filter: &AuditFilter) -> sea_orm::Select<Entity> {
    let AuditFilter { actor, action, outcome, target, since, until } = filter;
    let mut select = Entity::find();
    if let Some(actor) = actor {
        select = select.filter(sea_orm::Condition::any().add(Column::Actor.eq(actor)).add(Column::Name.eq(actor)));
    }
    if let Some(action) = action {
        select = select.filter(Column::Action.starts_with(action));
    }
    if let Some(outcome) = outcome {
        select = select.filter(Column::Outcome.eq(outcome));
    }
    if let Some(target) = target {
        select = select.filter(Column::Target.contains(target));
    }
    if let Some(since) = since {
        select = select.filter(Column::At.gte(*since));
    }
    if let Some(until) = until {
        select = select.filter(Column::At.lte(*until));
    }
    select
}

/// Rows newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<AuditView>> {
    let mut select = filtered(filter).order_by_desc(Column::Seq).limit(limit);
    if let Some(before) = before {
        select = select.filter(Column::Seq.lt(before));
    }
    Ok(select.all(db).await?.into_iter().map(view).collect())
}

pub async fn count<C: ConnectionTrait>(db: &C, filter: &AuditFilter) -> DbResult<u64> {
    Ok(filtered(filter).count(db).await?)
}

fn view(row: Model) -> AuditView {
    let Model { seq, at, actor, name, action, target, outcome, request_id, address, detail, hash } = row;
    let detail = serde_json::from_str(&detail).unwrap_or_default();
    AuditView { seq, at, actor, name, action, target, outcome, request_id, address, detail, hash }
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every row follows from the one before. The newest hash, kept elsewhere,
    /// shows later that none of them was cut off.
    Whole { rows: u64, newest: String },
    /// The row with this number was changed, or one before it is missing.
    Broken { seq: i64 },
}

/// Checks the chain from its beginning.
pub async fn verify<C: ConnectionTrait>(db: &C) -> DbResult<Verdict> {
    let (mut rows, mut seq, mut newest) = (0, 0, String::new());
    loop {
        let step = Entity::find().filter(Column::Seq.gt(seq)).order_by_asc(Column::Seq).limit(STEP).all(db).await?;
        if step.is_empty() {
            return Ok(Verdict::Whole { rows, newest });
        }
        for row in step {
            if row.seq != seq + 1 || row.hash != hash(&newest, &row) {
                return Ok(Verdict::Broken { seq: row.seq });
            }
            (seq, newest) = (row.seq, row.hash);
            rows += 1;
        }
    }
}
