//! Forgets what is old: runs, their logs, notifications.

use std::time::Duration;

use chrono::TimeDelta;

use super::store;
use crate::config::RunsConfig;
use crate::db::{DbResult, Priority};
use crate::notifications;
use crate::outbox;
use crate::state::App;

const ONCE_IN: Duration = Duration::from_secs(3600);
/// Runs of one transaction, so that nobody waits for it.
const SLICE: u64 = 100;

/// Starts looking once an hour; ends when the portal stops.
pub fn start(app: &App) {
    let (stop, watched) = (app.stop.clone(), app.clone());
    tokio::spawn(async move { stop.run_until_cancelled(watch(watched)).await });
}

async fn watch(app: App) {
    let mut tick = tokio::time::interval(ONCE_IN);
    loop {
        tick.tick().await;
        if let Err(error) = forget(&app).await {
            tracing::warn!(error = %error, "could not remove old runs");
        }
    }
}

/// Removes what is older than the configuration keeps.
///
/// # Errors
/// The database.
pub async fn forget(app: &App) -> DbResult<()> {
    let RunsConfig { keep_days, keep_notifications_days } = app.config.runs;
    let now = app.clock.now();
    let days = |days: u32| now - TimeDelta::days(i64::from(days));
    if keep_days > 0 {
        let before = days(keep_days);
        loop {
            let gone = store::ended_before(app.db.reader(), before, SLICE).await?;
            let silent = store::logged_before(app.db.reader(), before, SLICE).await?;
            if gone.is_empty() && silent.is_empty() {
                break;
            }
            let work = app.db.write(Priority::Background, move |txn| {
                Box::pin(async move {
                    store::delete(txn, &gone).await?;
                    store::delete_logs(txn, &silent).await
                })
            });
            work.await?;
        }
    }
    if keep_notifications_days > 0 {
        let before = days(keep_notifications_days);
        let work = app.db.write(Priority::Background, move |txn| {
            Box::pin(async move {
                notifications::store::delete_before(txn, before).await?;
                outbox::store::delete_before(txn, before).await
            })
        });
        work.await?;
    }
    Ok(())
}
