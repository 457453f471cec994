//! The `job` table: enqueue, claim, heartbeat, finish.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, UpdateMany,
};

use crate::db::entity::job::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, Db, DbError, DbResult, Priority};

/// Work to be done at or after `run_at`.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub queue: &'static str,
    /// Read by the queue's worker.
    pub payload: String,
    pub run_at: DateTime<Utc>,
    /// A job with this key that has not finished yet makes this one superfluous.
    pub idempotency_key: Option<String>,
}

/// A job that this process holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: i64,
    pub queue: String,
    pub payload: String,
    pub attempts: i32,
    fencing_token: i64,
}

/// Puts a job into its queue. A twin that waits already is brought forward.
pub async fn enqueue(txn: &DatabaseTransaction, job: NewJob, now: DateTime<Utc>) -> DbResult<()> {
    let NewJob { queue, payload, run_at, idempotency_key } = job;
    let twin = idempotency_key.clone();
    let row = ActiveModel {
        queue: Set(queue.to_owned()),
        payload: Set(payload),
        run_at: Set(run_at),
        attempts: Set(0),
        lease_owner: Set(None),
        lease_until: Set(None),
        fencing_token: Set(0),
        idempotency_key: Set(idempotency_key),
        last_error: Set(None),
        created_at: Set(now),
        ..Default::default()
    };
    let insert = Entity::insert(row)
        .on_conflict(OnConflict::column(Column::IdempotencyKey).do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    if let (0, Some(key)) = (insert, twin) {
        Entity::update_many()
            .col_expr(Column::RunAt, Expr::value(run_at))
            .filter(Column::IdempotencyKey.eq(key))
            .filter(Column::LeaseUntil.is_null())
            .filter(Column::RunAt.gt(run_at))
            .exec(txn)
            .await?;
    }
    Ok(())
}

/// Gives the job that waits for, or runs, a key another payload: whoever works
/// it off sees that before it ends. False when there is no such job (any more).
pub async fn retarget(txn: &DatabaseTransaction, key: &str, payload: &str) -> DbResult<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::Payload, Expr::value(payload))
        .filter(Column::IdempotencyKey.eq(key))
        .exec(txn)
        .await?;
    Ok(updated.rows_affected > 0)
}

/// The payload of a job as it is now.
pub async fn payload<C: ConnectionTrait>(db: &C, job_id: i64) -> DbResult<Option<String>> {
    let payload = Entity::find_by_id(job_id).select_only().column(Column::Payload);
    Ok(payload.into_tuple().one(db).await?)
}

/// The keys of all jobs of a queue.
pub async fn keys<C: ConnectionTrait>(db: &C, queue: &str) -> DbResult<HashSet<String>> {
    let keys = Entity::find().select_only().column(Column::IdempotencyKey).filter(Column::Queue.eq(queue));
    let keys = keys.filter(Column::IdempotencyKey.is_not_null());
    Ok(keys.into_tuple::<String>().all(db).await?.into_iter().collect())
}

/// Takes the oldest due jobs of a queue, at most so many; the claims hold for `lease` without a
/// heartbeat.
pub async fn claim(
    db: &Db,
    queue: &'static str,
    owner: &str,
    most: u64,
    now: DateTime<Utc>,
    lease: Duration,
) -> DbResult<Vec<Claimed>> {
    let owner = owner.to_owned();
    db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            let mut due = Query::select()
                .column(Column::Id)
                .from(Entity)
                .and_where(Expr::col(Column::Queue).eq(queue))
                .and_where(is_due(now))
                .order_by(Column::RunAt, sea_orm::Order::Asc)
                .limit(most)
                .to_owned();
            if txn.get_database_backend() == DbBackend::Postgres {
                due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            }
            let claimed = Entity::update_many()
                .col_expr(Column::LeaseOwner, Expr::value(owner))
                .col_expr(Column::LeaseUntil, Expr::value(now + lease))
                .col_expr(Column::FencingToken, Expr::col(Column::FencingToken).add(1))
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .filter(Expr::col(Column::Id).in_subquery(due))
                .exec_with_returning(txn)
                .await?;
            Ok::<_, DbError>(claimed.into_iter().map(Claimed::from).collect())
        })
    })
    .await
}

/// Those of these queues of which anything is due, without taking the write lock.
pub async fn due(db: &Db, queues: &[&'static str], now: DateTime<Utc>) -> DbResult<HashSet<&'static str>> {
    let first = |queue: &str| {
        Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Expr::col(Column::Queue).eq(queue))
            .and_where(is_due(now))
            .limit(1)
            .to_owned()
    };
    if queues.is_empty() {
        return Ok(HashSet::new());
    }
    // One question for each, of which the first row of an index is the answer, however many wait.
    let mut look = Query::select();
    for queue in queues {
        look.expr_as(Expr::exists(first(queue)), Alias::new(*queue));
    }
    let Some(found) = db.reader().query_one(&look).await? else { return Ok(HashSet::new()) };
    let mut due = HashSet::new();
    for queue in queues {
        if found.try_get::<bool>("", queue)? {
            due.insert(*queue);
        }
    }
    Ok(due)
}

fn is_due(now: DateTime<Utc>) -> Expr {
    let is_free = Expr::col(Column::LeaseUntil).is_null().or(Expr::col(Column::LeaseUntil).lt(now));
    Expr::col(Column::RunAt).lte(now).and(is_free)
}

/// Prolongs the lease; false when it was lost, and the work must stop.
pub async fn heartbeat(db: &Db, job: &Claimed, now: DateTime<Utc>, lease: Duration) -> DbResult<bool> {
    let (id, token) = (job.id, job.fencing_token);
    db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let updated = Entity::update_many()
                .col_expr(Column::LeaseUntil, Expr::value(now + lease))
                .filter(Column::Id.eq(id))
                .filter(Column::FencingToken.eq(token))
                .exec(txn)
                .await?;
            Ok::<_, DbError>(updated.rows_affected == 1)
        })
    })
    .await
}

/// Whether the lease still holds, inside a transaction that depends on it:
/// nobody takes the job over before that ends.
pub async fn holds(txn: &DatabaseTransaction, job: &Claimed) -> DbResult<bool> {
    let mine = Entity::find().filter(Column::Id.eq(job.id)).filter(Column::FencingToken.eq(job.fencing_token));
    let locked = if txn.get_database_backend() == DbBackend::Postgres { mine.lock_exclusive() } else { mine };
    Ok(locked.one(txn).await?.is_some())
}

/// Ends a job of which the payload `done` was worked off. When it was given
/// another in the meantime, the job goes back into the queue. Nothing happens
/// when the lease was lost.
pub async fn complete(txn: &DatabaseTransaction, job: &Claimed, done: &str, now: DateTime<Utc>) -> DbResult<()> {
    let mine = Entity::delete_many().filter(Column::Id.eq(job.id)).filter(Column::FencingToken.eq(job.fencing_token));
    if mine.filter(Column::Payload.eq(done)).exec(txn).await?.rows_affected == 0 {
        release(job)
            .col_expr(Column::RunAt, Expr::value(now))
            .col_expr(Column::Attempts, Expr::value(0))
            .exec(txn)
            .await?;
    }
    Ok(())
}

/// Removes a job whatever became of it, unless the lease was lost.
pub async fn give_up(txn: &DatabaseTransaction, job: &Claimed) -> DbResult<()> {
    let mine = Entity::delete_many().filter(Column::Id.eq(job.id)).filter(Column::FencingToken.eq(job.fencing_token));
    mine.exec(txn).await?;
    Ok(())
}

/// Gives a job back, to be tried again at `run_at`.
pub async fn retry(txn: &DatabaseTransaction, job: &Claimed, error: &str, run_at: DateTime<Utc>) -> DbResult<()> {
    let released = release(job).col_expr(Column::LastError, Expr::value(error));
    released.col_expr(Column::RunAt, Expr::value(run_at)).exec(txn).await?;
    Ok(())
}

/// Ends the lease, if it is still this one.
fn release(job: &Claimed) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::Id.eq(job.id))
        .filter(Column::FencingToken.eq(job.fencing_token))
}

impl From<Model> for Claimed {
    fn from(row: Model) -> Self {
        let Model { id, queue, payload, attempts, fencing_token, .. } = row;
        Self { id, queue, payload, attempts, fencing_token }
    }
}
