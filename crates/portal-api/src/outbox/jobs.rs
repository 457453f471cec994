//! The jobs that send messages: one a message, in a queue of its channel, so that a channel
//! that hangs delays no other.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use portal_core::outbox::MessageState;

use super::send::{Fault, Letter, send};
use super::store::{self, MessageRow};
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::state::App;

/// The queue of a channel begins so; its name follows.
const QUEUE: &str = "outbox";
/// Messages of one channel that are under way at once.
const IN_FLIGHT: usize = 4;
/// How often a message is tried.
const ATTEMPTS: i32 = 8;
/// Seconds until the second attempt; each time four times as many, up to an hour.
const FIRST: u64 = 10;
const LONGEST: u64 = 3600;
/// Longest time for which a channel is left alone, whatever it asks for.
const PATIENCE: u64 = 24 * 3600;
/// How often messages are looked for that nobody sends.
const LOST: Duration = Duration::from_secs(60);
/// After which time a message counts as one.
const OVERDUE: TimeDelta = TimeDelta::minutes(10);

/// Starts the workers; they end when the portal stops.
pub fn start(app: &App) {
    for channel in &app.config.channels {
        tokio::spawn(runner::run(app.clone(), queue_of(&channel.name), IN_FLIGHT, work, app.stop.clone()));
    }
    let (stop, watched) = (app.stop.clone(), app.clone());
    tokio::spawn(async move { stop.run_until_cancelled(watch(watched)).await });
}

/// The queue of a channel. There are as many as there are names in the configuration, and
/// they are kept as long as the process.
fn queue_of(channel: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let name = format!("{QUEUE}:{channel}");
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_with(HashSet::new);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let name: &'static str = Box::leak(name.into_boxed_str());
    names.insert(name);
    name
}

/// Asks for a message to be sent at its time.
pub async fn ask(txn: &DatabaseTransaction, row: &MessageRow, now: DateTime<Utc>) -> DbResult<()> {
    // Each time has a job of its own: one that is under way is not overlooked.
    let key = format!("{QUEUE}:{}:{}", row.id, row.next_at.timestamp_millis());
    let queue = queue_of(&row.channel);
    let job = NewJob { queue, payload: row.id.to_string(), run_at: row.next_at, idempotency_key: Some(key) };
    queue::enqueue(txn, job, now).await
}

fn work(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        let id = job.payload.parse().unwrap_or_default();
        deliver(&app, id).await.map(|()| job.payload).map_err(|error| error.to_string())
    })
}

/// Tries a message once, and writes down what came of it.
async fn deliver(app: &App, id: i64) -> DbResult<()> {
    let Some(row) = store::find(app.db.reader(), id).await? else { return Ok(()) };
    if store::state_of(&row) != MessageState::Pending || row.next_at > app.clock.now() {
        return Ok(());
    }
    let result = match app.config.channels.iter().find(|channel| channel.name == row.channel) {
        Some(channel) => send(app, channel, Letter::of(&row)).await,
        None => Err(Fault::last(no_channel(&row.channel))),
    };
    let now = app.clock.now();
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            match result {
                Ok(()) => store::sent(txn, &row, now).await,
                Err(fault) if fault.is_final || row.attempts + 1 >= ATTEMPTS => {
                    tracing::warn!(
                        message.id = row.id,
                        channel = row.channel,
                        error = fault.message,
                        "gave up a message"
                    );
                    store::give_up(txn, &row, &fault.message).await
                }
                Err(fault) => {
                    let next_at = now + wait(row.attempts, fault.after);
                    if store::put_off(txn, &row, &fault.message, next_at).await? {
                        ask(txn, &MessageRow { next_at, ..row }, now).await?;
                    }
                    Ok(())
                }
            }
        })
    });
    work.await
}

fn no_channel(name: &str) -> String {
    format!("there is no channel `{name}` any more")
}

/// How long to wait after so many attempts before this one: longer each time, never less
/// than was asked for, and not for all messages the same.
fn wait(before: i32, asked: Option<Duration>) -> TimeDelta {
    let most = FIRST.saturating_mul(1 << (2 * before.clamp(0, 10))).min(LONGEST) as f64;
    let spread = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    let own = most * (0.5 + spread / 2.0);
    let asked = asked.map_or(0.0, |asked| asked.as_secs().min(PATIENCE) as f64 + 5.0 * spread);
    TimeDelta::milliseconds((own.max(asked) * 1000.0) as i64)
}

/// Finds messages that nobody sends: their job was given up while the database was in
/// trouble, or their channel is not configured any more.
async fn watch(app: App) {
    let mut tick = tokio::time::interval(LOST);
    loop {
        tick.tick().await;
        if let Err(error) = ask_for_lost(&app).await {
            tracing::warn!(error = %error, "could not look for messages that nobody sends");
        }
    }
}

async fn ask_for_lost(app: &App) -> DbResult<()> {
    let now = app.clock.now();
    let lost = store::overdue(app.db.reader(), now - OVERDUE, 100).await?;
    if lost.is_empty() {
        return Ok(());
    }
    let channels: HashSet<String> = app.config.channels.iter().map(|channel| channel.name.clone()).collect();
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            for row in lost {
                if channels.contains(&row.channel) {
                    ask(txn, &row, now).await?;
                } else {
                    store::give_up(txn, &row, &no_channel(&row.channel)).await?;
                }
            }
            Ok::<_, DbError>(())
        })
    });
    work.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_never_shorter_than_was_asked_for() {
        for (before, least, most) in [(0, 5, 10), (1, 20, 40), (2, 80, 160), (3, 320, 640), (6, 1800, 3600)] {
            let seconds = wait(before, None).num_seconds();
            assert!((least..=most).contains(&seconds), "{before}: {seconds}");
        }
        let asked = wait(0, Some(Duration::from_secs(90))).num_milliseconds();
        assert!((90_000..=100_000).contains(&asked), "{asked}");
        assert!(wait(0, Some(Duration::from_secs(u64::MAX))) <= TimeDelta::hours(25));
    }
}
