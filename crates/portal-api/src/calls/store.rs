//! Queries on calls.

use chrono::{DateTime, Utc};
use portal_core::actions::wire::{CallbackLink, CallbackReport};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _,
    QueryFilter, QueryOrder,
};

use crate::db::entity::run_call;
use crate::db::{DatabaseTransaction, DbError, DbResult};

pub use run_call::Model as CallRow;

/// A call that is about to be made.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub run_id: i64,
    pub position: i32,
    pub turn: i32,
    pub signing_key: String,
    pub at: DateTime<Utc>,
    pub deadline: DateTime<Utc>,
}

/// The call of this turn that is open, or else a new one.
pub async fn open(txn: &DatabaseTransaction, new: NewCall) -> DbResult<CallRow> {
    let NewCall { run_id, position, turn, signing_key, at, deadline } = new;
    let before = last(txn, run_id, position, turn).await?;
    if let Some(row) = before.clone().filter(|row| row.ended_at.is_none()) {
        return Ok(row);
    }
    let row = run_call::ActiveModel {
        run_id: Set(run_id),
        position: Set(position),
        turn: Set(turn),
        generation: Set(before.map_or(0, |row| row.generation + 1)),
        signing_key: Set(signing_key),
        result: Set(None),
        progress: Set(None),
        links: Set("[]".to_owned()),
        handle: Set(None),
        created_at: Set(at),
        deadline: Set(deadline),
        ended_at: Set(None),
        ..Default::default()
    };
    Ok(row.insert(txn).await?)
}

/// The last call of a turn.
pub async fn last<C: ConnectionTrait>(db: &C, run_id: i64, position: i32, turn: i32) -> DbResult<Option<CallRow>> {
    let calls = run_call::Entity::find()
        .filter(run_call::Column::RunId.eq(run_id))
        .filter(run_call::Column::Position.eq(position))
        .filter(run_call::Column::Turn.eq(turn));
    Ok(calls.order_by_desc(run_call::Column::Generation).one(db).await?)
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<CallRow>> {
    Ok(run_call::Entity::find_by_id(id).one(db).await?)
}

/// Those of some runs, in the order of their steps.
pub async fn of_runs<C: ConnectionTrait>(db: &C, ids: &[i64]) -> DbResult<Vec<CallRow>> {
    let calls = run_call::Entity::find().filter(run_call::Column::RunId.is_in(ids.to_vec()));
    Ok(calls.order_by_asc(run_call::Column::Id).all(db).await?)
}

/// A step that failed asks anew when it is tried again.
pub async fn close(txn: &DatabaseTransaction, run_id: i64, position: i32, at: DateTime<Utc>) -> DbResult<()> {
    let update = run_call::Entity::update_many()
        .col_expr(run_call::Column::EndedAt, Expr::value(at))
        .filter(run_call::Column::RunId.eq(run_id))
        .filter(run_call::Column::Position.eq(position))
        .filter(run_call::Column::EndedAt.is_null());
    update.exec(txn).await?;
    Ok(())
}

/// Keeps what a report says; its result too, where it is the last.
pub async fn report(txn: &DatabaseTransaction, row: CallRow, report: &CallbackReport, is_last: bool) -> DbResult<()> {
    let text = |value: serde_json::Result<String>| value.map_err(|error| DbError::Unsupported(error.to_string()));
    let mut links: Vec<CallbackLink> = serde_json::from_str(&row.links).unwrap_or_default();
    links.extend(report.links.iter().filter(|link| !links.contains(link)).cloned().collect::<Vec<_>>());
    links.truncate(20);
    let mut after = row.clone();
    after.links = text(serde_json::to_string(&links))?;
    after.progress = report.progress.map(i32::from).or(row.progress);
    if is_last {
        after.result = Some(text(serde_json::to_string(report))?);
    }
    if after != row {
        after.into_active_model().reset_all().update(txn).await?;
    }
    Ok(())
}

/// Keeps what a call is known by over there.
pub async fn keep(txn: &DatabaseTransaction, id: i64, handle: &str) -> DbResult<()> {
    let update = run_call::Entity::update_many().col_expr(run_call::Column::Handle, Expr::value(handle));
    update.filter(run_call::Column::Id.eq(id)).exec(txn).await?;
    Ok(())
}

pub async fn delete(txn: &DatabaseTransaction, run_ids: &[i64]) -> DbResult<()> {
    run_call::Entity::delete_many().filter(run_call::Column::RunId.is_in(run_ids.to_vec())).exec(txn).await?;
    Ok(())
}
