//! Queries on triggers: what they wait for, what they have answered to, and how far the
//! change feed was looked at.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::entity::{trigger_cursor, trigger_event, trigger_state};
use crate::db::{DatabaseTransaction, DbResult};

pub use trigger_state::Model as TriggerRow;

/// The only row of the cursor.
const CURSOR: i32 = 1;

/// The last change that was answered to; `None` before there ever was one.
pub async fn cursor<C: ConnectionTrait>(db: &C) -> DbResult<Option<i64>> {
    Ok(trigger_cursor::Entity::find_by_id(CURSOR).one(db).await?.map(|row| row.seq))
}

pub async fn begin(txn: &DatabaseTransaction, seq: i64) -> DbResult<()> {
    let row = trigger_cursor::ActiveModel { id: Set(CURSOR), seq: Set(seq) };
    let once = OnConflict::column(trigger_cursor::Column::Id).do_nothing().to_owned();
    trigger_cursor::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await?;
    Ok(())
}

/// Takes a change to be answered to; false when somebody else has.
pub async fn advance(txn: &DatabaseTransaction, seq: i64) -> DbResult<bool> {
    let update = trigger_cursor::Entity::update_many()
        .col_expr(trigger_cursor::Column::Seq, Expr::value(seq))
        .filter(trigger_cursor::Column::Id.eq(CURSOR))
        .filter(trigger_cursor::Column::Seq.lt(seq));
    Ok(update.exec(txn).await?.rows_affected == 1)
}

pub async fn find<C: ConnectionTrait>(db: &C, action_ref: &str, position: i32) -> DbResult<Option<TriggerRow>> {
    Ok(trigger_state::Entity::find_by_id((action_ref.to_owned(), position)).one(db).await?)
}

/// Those of one action, in the order of its file.
pub async fn of_action<C: ConnectionTrait>(db: &C, action_ref: &str) -> DbResult<Vec<TriggerRow>> {
    let rows = trigger_state::Entity::find().filter(trigger_state::Column::ActionRef.eq(action_ref));
    Ok(rows.order_by_asc(trigger_state::Column::Position).all(db).await?)
}

/// All of these kinds.
pub async fn of_kinds<C: ConnectionTrait>(db: &C, kinds: &[&str]) -> DbResult<Vec<TriggerRow>> {
    let rows = trigger_state::Entity::find().filter(trigger_state::Column::Kind.is_in(kinds.to_vec()));
    let rows = rows.order_by_asc(trigger_state::Column::ActionRef).order_by_asc(trigger_state::Column::Position);
    Ok(rows.all(db).await?)
}

/// The actions that have any.
pub async fn actions<C: ConnectionTrait>(db: &C) -> DbResult<Vec<String>> {
    let refs = trigger_state::Entity::find().select_only().column(trigger_state::Column::ActionRef).distinct();
    Ok(refs.into_tuple().all(db).await?)
}

/// Schedules whose time has come.
pub async fn due<C: ConnectionTrait>(db: &C, now: DateTime<Utc>, limit: u64) -> DbResult<Vec<TriggerRow>> {
    let due = trigger_state::Entity::find().filter(trigger_state::Column::NextAt.lte(now));
    Ok(due.order_by_asc(trigger_state::Column::NextAt).limit(limit).all(db).await?)
}

/// Puts the triggers of an action in the place of those that it had.
pub async fn replace(txn: &DatabaseTransaction, action_ref: &str, rows: Vec<TriggerRow>) -> DbResult<()> {
    let old = trigger_state::Entity::delete_many().filter(trigger_state::Column::ActionRef.eq(action_ref));
    old.exec(txn).await?;
    if !rows.is_empty() {
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        trigger_state::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// Moves a schedule from one time to the next; false when somebody else has.
pub async fn reschedule(
    txn: &DatabaseTransaction,
    row: &TriggerRow,
    due: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
) -> DbResult<bool> {
    let update = trigger_state::Entity::update_many()
        .col_expr(trigger_state::Column::NextAt, Expr::value(next))
        .filter(trigger_state::Column::ActionRef.eq(&row.action_ref))
        .filter(trigger_state::Column::Position.eq(row.position))
        .filter(trigger_state::Column::NextAt.eq(due));
    Ok(update.exec(txn).await?.rows_affected == 1)
}

/// Notes what a trigger last did: a run, or why there was none.
pub async fn note(
    txn: &DatabaseTransaction,
    action_ref: &str,
    position: i32,
    outcome: Result<i64, String>,
    at: DateTime<Utc>,
) -> DbResult<()> {
    let Some(row) = find(txn, action_ref, position).await? else { return Ok(()) };
    let after = match outcome {
        Ok(run) => {
            TriggerRow { last_run: Some(run), last_at: Some(at), last_problem: None, problem_at: None, ..row.clone() }
        }
        Err(reason) => TriggerRow { last_problem: Some(reason), problem_at: Some(at), ..row.clone() },
    };
    if after != row {
        after.into_active_model().reset_all().update(txn).await?;
    }
    Ok(())
}

/// The run that an event has led to, if it has come before.
pub async fn run_of<C: ConnectionTrait>(db: &C, key: &str) -> DbResult<Option<i64>> {
    Ok(trigger_event::Entity::find_by_id(key.to_owned()).one(db).await?.and_then(|row| row.run_id))
}

/// Notes the run of an event. The key is there once, whatever else happens.
pub async fn answered(
    txn: &DatabaseTransaction,
    key: String,
    (action_ref, position): (&str, i32),
    run_id: i64,
    at: DateTime<Utc>,
) -> DbResult<()> {
    let row = trigger_event::ActiveModel {
        key: Set(key),
        action_ref: Set(action_ref.to_owned()),
        position: Set(position),
        run_id: Set(Some(run_id)),
        at: Set(at),
    };
    trigger_event::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Runs that a trigger has started since a moment.
pub async fn started_since<C: ConnectionTrait>(
    db: &C,
    action_ref: &str,
    position: i32,
    since: DateTime<Utc>,
) -> DbResult<u64> {
    let started = trigger_event::Entity::find()
        .filter(trigger_event::Column::ActionRef.eq(action_ref))
        .filter(trigger_event::Column::Position.eq(position))
        .filter(trigger_event::Column::At.gt(since));
    Ok(started.count(db).await?)
}

/// Whether anything is older than a moment.
pub async fn has_before<C: ConnectionTrait>(db: &C, before: DateTime<Utc>) -> DbResult<bool> {
    let old = trigger_event::Entity::find().filter(trigger_event::Column::At.lt(before)).limit(1);
    Ok(old.one(db).await?.is_some())
}

/// Forgets what is older.
pub async fn delete_before(txn: &DatabaseTransaction, before: DateTime<Utc>) -> DbResult<()> {
    trigger_event::Entity::delete_many().filter(trigger_event::Column::At.lt(before)).exec(txn).await?;
    Ok(())
}
