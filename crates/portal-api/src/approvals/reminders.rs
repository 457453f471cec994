//! Reminders of what waits for somebody to agree: when half of the time is over, and again
//! when half of what is left is, but at most once a day.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use portal_core::access::ActorId;
use portal_core::actions::wire::ApprovalState;

use super::store::{self, ApprovalRow};
use super::telling;
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::state::App;

const QUEUE: &str = "remind";
const AT_MOST_ONCE_IN: TimeDelta = TimeDelta::days(1);

/// Starts the worker; it ends when the portal stops.
pub fn start(app: &App) {
    tokio::spawn(runner::run(app.clone(), QUEUE, 1, work, app.stop.clone()));
}

/// Asks for the first reminder of an approval.
///
/// # Errors
/// The database.
pub async fn first(txn: &DatabaseTransaction, row: &ApprovalRow, now: DateTime<Utc>) -> DbResult<()> {
    let at = row.created_at + (row.expires_at - row.created_at) / 2;
    ask(txn, row.id, 1, at, now).await
}

async fn ask(txn: &DatabaseTransaction, id: i64, number: u32, at: DateTime<Utc>, now: DateTime<Utc>) -> DbResult<()> {
    let key = format!("{QUEUE}:{id}:{number}");
    let job = NewJob { queue: QUEUE, payload: format!("{id} {number}"), run_at: at, idempotency_key: Some(key) };
    queue::enqueue(txn, job, now).await
}

/// When the next one is due; nothing where it would be too late.
fn next(now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = now + ((expires_at - now) / 2).max(AT_MOST_ONCE_IN);
    (at < expires_at).then_some(at)
}

fn work(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        let (id, number) = job.payload.split_once(' ').unwrap_or((&job.payload, "1"));
        let (id, number) = (id.parse().unwrap_or_default(), number.parse().unwrap_or(1));
        remind(&app, id, number).await.map(|()| job.payload).map_err(|error| error.to_string())
    })
}

async fn remind(app: &App, id: i64, number: u32) -> DbResult<()> {
    let writing = Writing { actor: ActorId::system(), cause: format!("reminder:{id}"), at: app.clock.now(), by: None };
    let working = app.clone();
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            let now = writing.at;
            let Some(row) = store::find(txn, id).await? else { return Ok(()) };
            if store::state_of(&row) != ApprovalState::Pending || row.expires_at <= now {
                return Ok(());
            }
            let Some(asked) = store::ask_of(&row) else { return Ok(()) };
            telling::remind(&working, txn, &writing, &row, &asked, number).await?;
            if let Some(at) = next(now, row.expires_at) {
                ask(txn, id, number + 1, at, now).await?;
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
    fn reminders_come_at_most_once_a_day_and_never_too_late() {
        let expires = DateTime::UNIX_EPOCH + TimeDelta::days(7);
        let mut at = DateTime::UNIX_EPOCH + TimeDelta::hours(84);
        let mut hours = Vec::new();
        while let Some(then) = next(at, expires) {
            hours.push((then - DateTime::UNIX_EPOCH).num_hours());
            at = then;
        }
        assert_eq!(hours, [126, 150]);
        assert_eq!(next(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::hours(12)), None);
    }
}
