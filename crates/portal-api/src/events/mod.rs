//! What was used, by whom, with which outcome: the rows that analytics reads.
//!
//! Recording never delays or fails the work it describes: rows are queued in
//! memory and written in batches; on overload the newest are dropped and counted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use portal_core::access::ActorId;
use tokio::sync::mpsc;

use crate::db::{Db, Priority};

pub mod store;

const QUEUE: usize = 10_000;
/// Rows of one statement.
const BATCH: usize = 1000;
/// Between two batches. What is written now and then disturbs fewer of the requests
/// that are answered beside it.
const PAUSE: Duration = Duration::from_millis(900);

/// One use of the portal.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: DateTime<Utc>,
    pub actor: ActorId,
    /// `ui`, `api`, `backstage`, `cli`.
    pub surface: &'static str,
    /// `view`, `search`, `click`, `list`, …
    pub verb: &'static str,
    /// An entity reference, a query, a route.
    pub object: String,
    /// `ok` or a problem's code.
    pub outcome: &'static str,
    pub duration_ms: i32,
    /// Place of a clicked hit, from 1.
    pub rank: Option<i32>,
    pub result_count: Option<i32>,
}

/// Where events are left.
#[derive(Clone)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// Starts the task that writes what is recorded.
    pub fn start(db: Db) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(write(db, receiver));
        Self(sender)
    }

    /// Leaves an event to be written within a second.
    pub fn record(&self, mut event: Event) {
        // What somebody typed may hold what a database does not store.
        event.object.retain(|letter| letter != '\0');
        if self.0.try_send(event).is_err() {
            crate::metrics::count("portal_events_dropped_total");
        }
    }
}

async fn write(db: Db, mut queue: mpsc::Receiver<Event>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let events = std::mem::take(&mut batch);
        let written =
            db.write(Priority::Background, move |txn| Box::pin(async move { store::insert(txn, events).await })).await;
        if let Err(error) = written {
            tracing::warn!(error = %error, "could not write events");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
