//! When sources are read: the queue of passes, the schedule that fills it, and
//! what is cleaned up now and then.
//!
//! A source has at most one job, named by [`key`]. Asking again while it runs
//! leaves `next_pass_at` behind, which whoever runs it looks at before it ends.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::ingest::{self, settle};
use super::{Trigger, store};
use crate::catalog::{service as catalog_service, store as catalog_store};
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::state::App;

const PASSES: &str = "source_pass";
const RETIREMENTS: &str = "source_retirement";
const SWEEPS: &str = "catalog_sweep";
/// How often the schedule looks for sources that are due.
const TICK: Duration = Duration::from_secs(1);
/// How often orphans and old deliveries are swept out.
const SWEEP: Duration = Duration::from_secs(3600);
/// Rows of one write.
const ROWS: usize = 250;

/// Names the one job of a source.
pub fn key(source_id: i64) -> String {
    format!("{PASSES}:{source_id}")
}

/// Asks for a pass now.
pub async fn ask(txn: &DatabaseTransaction, source_id: i64, trigger: Trigger, now: DateTime<Utc>) -> DbResult<()> {
    enqueue(txn, source_id, trigger, now).await?;
    store::set_next_pass(txn, source_id, now).await
}

async fn enqueue(txn: &DatabaseTransaction, source_id: i64, trigger: Trigger, now: DateTime<Utc>) -> DbResult<()> {
    // Two requests differ, so that the second is seen by whoever works off the first.
    let payload = format!("{source_id} {} {}", trigger.as_str(), Uuid::new_v4().simple());
    let idempotency_key = Some(key(source_id));
    let job = NewJob { queue: PASSES, payload: payload.clone(), run_at: now, idempotency_key };
    loop {
        queue::enqueue(txn, job.clone(), now).await?;
        // A job that another process ended in this moment makes room for a new one.
        if trigger == Trigger::Schedule || queue::retarget(txn, &key(source_id), &payload).await? {
            return Ok(());
        }
    }
}

/// The source and the trigger in a payload.
fn asked(payload: &str) -> (i64, Trigger) {
    let mut parts = payload.split(' ');
    let mut next = || parts.next().unwrap_or_default();
    (next().parse().unwrap_or_default(), Trigger::parse(next()))
}

/// Asks for the entities of a removed source to be orphaned.
pub async fn retire(txn: &DatabaseTransaction, source_id: i64, now: DateTime<Utc>) -> DbResult<()> {
    let idempotency_key = Some(format!("{RETIREMENTS}:{source_id}"));
    let job = NewJob { queue: RETIREMENTS, payload: source_id.to_string(), run_at: now, idempotency_key };
    queue::enqueue(txn, job, now).await
}

/// Starts the workers and the schedule; they end when the portal stops.
pub fn start(app: &App) {
    let stop = || app.stop.clone();
    let concurrency = app.sources.settings.concurrency;
    tokio::spawn(runner::run(app.clone(), PASSES, concurrency, read_source, stop()));
    tokio::spawn(runner::run(app.clone(), RETIREMENTS, 1, retire_source, stop()));
    tokio::spawn(runner::run(app.clone(), SWEEPS, 1, sweep, stop()));
    let scheduled = app.clone();
    tokio::spawn(async move {
        let stop = scheduled.stop.clone();
        let _ = stop.run_until_cancelled(schedule(scheduled)).await;
    });
}

async fn schedule(app: App) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut swept: Option<tokio::time::Instant> = None;
    loop {
        tick.tick().await;
        let sweeps = swept.is_none_or(|swept| swept.elapsed() >= SWEEP);
        match enqueue_due(&app, sweeps).await {
            Ok(()) if sweeps => swept = Some(tokio::time::Instant::now()),
            Ok(()) => {}
            Err(error) => tracing::warn!(error = %error, "could not look for sources that are due"),
        }
    }
}

/// Puts every source that is due into the queue.
pub async fn enqueue_due(app: &App, sweeps: bool) -> DbResult<()> {
    let now = app.clock.now();
    let due = store::due(app.db.reader(), now).await?;
    if due.is_empty() && !sweeps {
        return Ok(());
    }
    app.db
        .write(Priority::Background, move |txn| {
            Box::pin(async move {
                for id in due {
                    enqueue(txn, id, Trigger::Schedule, now).await?;
                }
                if sweeps {
                    let idempotency_key = Some(SWEEPS.to_owned());
                    let job = NewJob { queue: SWEEPS, payload: String::new(), run_at: now, idempotency_key };
                    queue::enqueue(txn, job, now).await?;
                }
                Ok::<_, DbError>(())
            })
        })
        .await
}

fn read_source(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        let result = read_until_quiet(&app, &job).await;
        if let Err(ingest::PassError::Db(error)) = &result {
            tell(&app, &job, error.to_string()).await;
        }
        result.map_err(|error| error.to_string())
    })
}

/// Shows that a pass could not be written; it is tried again.
async fn tell(app: &App, job: &Claimed, reason: String) {
    let ((id, _), at) = (asked(&job.payload), app.clock.now());
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            store::close_passes(txn, id, at).await?;
            store::set_failure(txn, id, &format!("what was read could not be stored: {reason}")).await
        })
    });
    let told: DbResult<()> = work.await;
    if let Err(error) = told {
        tracing::warn!(source.id = id, error = %error, "could not record that a pass failed");
    }
}

/// Reads a source, and again when that was asked for in the meantime. Returns
/// the payload that it served last.
async fn read_until_quiet(app: &App, job: &Claimed) -> Result<String, ingest::PassError> {
    loop {
        // In this order: whoever asks after the time was taken is served by the
        // next round, whoever asked before has left its trigger here.
        let at = app.clock.now();
        let payload = queue::payload(app.db.reader(), job.id).await?.unwrap_or_else(|| job.payload.clone());
        let (id, trigger) = asked(&payload);
        // A source that was removed while its job waited needs no pass.
        let Some(source) = store::find(app.db.reader(), id).await? else { return Ok(payload) };
        ingest::run(app, job, source, trigger, at).await?;
        let again = store::find(app.db.reader(), id).await?.and_then(|source| source.next_pass_at);
        if again.is_none_or(|at| at > app.clock.now()) {
            return Ok(payload);
        }
    }
}

fn retire_source(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move { orphan_all(&app, &job).await.map(|()| job.payload).map_err(|error| error.to_string()) })
}

/// Orphans what a removed source declared.
async fn orphan_all(app: &App, job: &Claimed) -> DbResult<()> {
    let id: i64 = job.payload.parse().unwrap_or_default();
    let refs = catalog_store::refs_of_source(app.db.reader(), id).await?;
    for chunk in refs.chunks(ROWS) {
        let chunk = chunk.to_vec();
        let at = app.clock.now();
        let writing = Writing::system(format!("source:{id}"), at);
        app.db
            .write(Priority::Background, move |txn| {
                Box::pin(async move {
                    catalog_service::orphan(txn, &writing, &chunk).await?;
                    settle::wake_claimants(txn, &chunk, at).await
                })
            })
            .await?;
    }
    Ok(())
}

fn sweep(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move { sweep_now(&app).await.map(|()| job.payload).map_err(|error| error.to_string()) })
}

/// Removes orphans whose grace period is over, and forgets old deliveries.
pub async fn sweep_now(app: &App) -> DbResult<()> {
    let now = app.clock.now();
    let grace = app.sources.settings.orphan_grace();
    loop {
        let refs = catalog_store::orphans_before(app.db.reader(), now - grace, ROWS as u64).await?;
        if refs.is_empty() {
            break;
        }
        let writing = Writing::system("orphan_grace", now);
        app.db
            .write(Priority::Background, move |txn| {
                Box::pin(async move { catalog_service::remove(txn, &writing, &refs).await })
            })
            .await?;
    }
    app.db
        .write(Priority::Background, move |txn| {
            Box::pin(async move { store::delete_deliveries_before(txn, now - TimeDelta::days(7)).await })
        })
        .await
}
