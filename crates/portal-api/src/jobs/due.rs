//! Which queues have something to do: one look for all of them after each commit of this process,
//! and every second for what others enqueued and what has become due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::queue;
use crate::clock::Clock;
use crate::db::Db;

const POLL: Duration = Duration::from_secs(1);

/// The newest look.
#[derive(Clone)]
pub struct Due(watch::Receiver<Look>);

#[derive(Default)]
struct Look {
    number: u64,
    /// Unknown where the database did not answer.
    queues: Option<HashSet<String>>,
}

impl Due {
    /// Looks until `stop`.
    pub fn start(db: &Db, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        let (looks, newest) = watch::channel(Look::default());
        let db = db.clone();
        tokio::spawn(async move {
            let mut commits = db.commits();
            loop {
                commits.mark_unchanged();
                let queues = queue::due(&db, clock.now()).await;
                let queues = queues.map_err(|error| tracing::warn!(error = %error, "could not look for jobs")).ok();
                looks.send_modify(|look| *look = Look { number: look.number + 1, queues });
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = commits.changed() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        });
        Self(newest)
    }

    /// Counts looks.
    pub fn number(&self) -> u64 {
        self.0.borrow().number
    }

    /// Waits for a look after that one which finds something in this queue, or could not tell.
    pub async fn wait(&mut self, after: u64, queue: &str) {
        let finds = |look: &Look| look.queues.as_ref().is_none_or(|queues| queues.contains(queue));
        if self.0.wait_for(|look| look.number > after && finds(look)).await.is_err() {
            // Nobody looks any more: the process ends.
            std::future::pending::<()>().await;
        }
    }
}
