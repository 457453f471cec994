//! Which queues have something to do: one look for all of them after each commit of this process,
//! and every second for what others enqueued and what has become due.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::queue;
use crate::clock::Clock;
use crate::db::Db;

const POLL: Duration = Duration::from_secs(1);

/// The newest look.
#[derive(Clone)]
pub struct Due {
    queues: Arc<Mutex<BTreeSet<&'static str>>>,
    newest: watch::Receiver<Look>,
}

#[derive(Default)]
struct Look {
    number: u64,
    /// Unknown where the database did not answer.
    queues: Option<HashSet<&'static str>>,
}

impl Due {
    /// Looks until `stop`.
    pub fn start(db: &Db, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        let (looks, newest) = watch::channel(Look::default());
        let due = Self { queues: Arc::default(), newest };
        let (db, watched) = (db.clone(), due.queues.clone());
        tokio::spawn(async move {
            let mut commits = db.commits();
            loop {
                commits.mark_unchanged();
                let all: Vec<&str> = watched.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
                let queues = queue::due(&db, &all, clock.now()).await;
                let queues = queues.map_err(|error| tracing::warn!(error = %error, "could not look for jobs")).ok();
                looks.send_modify(|look| *look = Look { number: look.number + 1, queues });
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = commits.changed() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        });
        due
    }

    /// Counts looks at a queue from now on.
    pub fn of(&self, queue: &'static str) -> DueQueue {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).insert(queue);
        DueQueue { queue, newest: self.newest.clone() }
    }
}

/// Whether one queue has something to do.
pub struct DueQueue {
    queue: &'static str,
    newest: watch::Receiver<Look>,
}

impl DueQueue {
    /// Counts looks.
    pub fn number(&self) -> u64 {
        self.newest.borrow().number
    }

    /// Waits for a look after that one which finds something, or could not tell.
    pub async fn wait(&mut self, after: u64) {
        let finds = |look: &Look| look.queues.as_ref().is_none_or(|queues| queues.contains(self.queue));
        if self.newest.wait_for(|look| look.number > after && finds(look)).await.is_err() {
            // Nobody looks any more: the process ends.
            std::future::pending::<()>().await;
        }
    }
}
