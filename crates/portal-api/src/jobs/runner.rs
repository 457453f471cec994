//! The loop that works a queue off: claim, heartbeat while it runs, finish.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::queue::{self, Claimed};
use crate::db::Priority;
use crate::state::App;

/// What a worker makes of a job: the payload that it has worked off. It may be
/// called again for the same job.
pub type Work = fn(App, Claimed) -> BoxFuture<'static, Result<String, String>>;

/// Jobs that are claimed together.
const AT_ONCE: usize = 8;
/// Attempts after which a job is given up.
const ATTEMPTS: i32 = 10;

/// Works `queue` off with at most `concurrency` jobs at once, until `stop`.
pub async fn run(app: App, queue: &'static str, concurrency: usize, work: Work, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(concurrency));
    let mut due = app.due.of(queue);
    loop {
        let Ok(first) = permits.clone().acquire_owned().await else { return };
        let mut free = vec![first];
        while let (true, Ok(another)) = (free.len() < AT_ONCE, permits.clone().try_acquire_owned()) {
            free.push(another);
        }
        let (seen, now) = (due.number(), app.clock.now());
        let jobs = queue::claim(&app.db, queue, &app.instance, free.len() as u64, now, lease(&app)).await;
        let jobs = jobs.unwrap_or_else(|error| {
            tracing::warn!(queue, error = %error, "could not claim jobs");
            Vec::new()
        });
        let is_all = jobs.len() < free.len();
        for (job, permit) in jobs.into_iter().zip(free) {
            let app = app.clone();
            tokio::spawn(async move {
                execute(&app, job, work).await;
                drop(permit);
            });
        }
        if is_all {
            tokio::select! {
                () = stop.cancelled() => return,
                () = due.wait(seen) => {}
            }
        }
    }
}

/// How long a claim holds without a heartbeat.
fn lease(app: &App) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(app.config.limits.lease_seconds).unwrap_or(30).clamp(3, 3600))
}

/// Prolongs the lease of a job until it is lost.
async fn hold(app: &App, job: &Claimed) {
    let mut beat = tokio::time::interval(Duration::from_millis(1000 * app.config.limits.lease_seconds.max(3) / 3));
    beat.tick().await;
    loop {
        beat.tick().await;
        match queue::heartbeat(&app.db, job, app.clock.now(), lease(app)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(job.id, error = %error, "could not prolong a lease"),
        }
    }
}

async fn execute(app: &App, job: Claimed, work: Work) {
    // Both go on at the same time: a job that stands still while its lease is prolonged would
    // keep the connection that it reads from.
    let result = tokio::select! {
        result = work(app.clone(), job.clone()) => result,
        () = hold(app, &job) => return tracing::warn!(job.id, "lost the lease of job {}; stopping", job.id),
    };
    let now = app.clock.now();
    let (id, attempts) = (job.id, job.attempts);
    let finished = app
        .db
        .write(Priority::Background, move |txn| {
            Box::pin(async move {
                match result {
                    Err(error) if attempts < ATTEMPTS => {
                        let wait = chrono::Duration::seconds(1 << attempts.clamp(0, 9));
                        tracing::warn!(job.id = id, attempts, error, "a job failed and will be tried again");
                        queue::retry(txn, &job, &error, now + wait).await
                    }
                    Err(error) => {
                        tracing::error!(job.id = id, attempts, error, "a job failed for good");
                        queue::give_up(txn, &job).await
                    }
                    Ok(done) => queue::complete(txn, &job, &done, now).await,
                }
            })
        })
        .await;
    if let Err(error) = finished {
        tracing::warn!(job.id = id, error = %error, "could not finish a job; its lease will run out");
    }
}
