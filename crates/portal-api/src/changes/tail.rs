//! Following the feed: woken by commits of this process, by PostgreSQL's
//! notifications, and by a clock in case both are missed.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Change, store};
use crate::db::Db;

const BATCH: u64 = 1000;
const POLL: Duration = Duration::from_millis(500);

/// Tells that the feed may have grown.
#[derive(Clone)]
pub struct Wake(watch::Receiver<u64>);

impl Wake {
    /// Starts listening; on PostgreSQL to other replicas as well.
    pub fn start(db: &Db, stop: CancellationToken) -> Self {
        if !db.is_postgres() {
            return Self(db.commits());
        }
        let (sender, receiver) = watch::channel(0);
        let local = sender.clone();
        let mut commits = db.commits();
        let stopped = stop.clone();
        tokio::spawn(async move {
            while stopped.run_until_cancelled(commits.changed()).await.is_some_and(|changed| changed.is_ok()) {
                local.send_modify(|count| *count += 1);
            }
        });
        tokio::spawn(listen(db.clone(), sender, stop));
        Self(receiver)
    }

    /// Returns when there may be something new, at the latest after half a second.
    async fn wait(&mut self) {
        tokio::select! {
            changed = self.0.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Keeps a listener open; polling covers the time without one.
async fn listen(db: Db, sender: watch::Sender<u64>, stop: CancellationToken) {
    let follow = async {
        loop {
            if let Err(error) = db.listen(store::CHANNEL, || sender.send_modify(|count| *count += 1)).await {
                tracing::warn!(error = %error, "cannot listen for changes; polling instead");
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    };
    stop.run_until_cancelled(follow).await;
}

/// Calls `apply` with every batch of changes after `seq`, in order, until `stop`.
pub async fn follow<F>(db: Db, mut wake: Wake, mut seq: i64, stop: CancellationToken, mut apply: F)
where
    F: FnMut(Vec<Change>) -> BoxFuture<'static, ()> + Send,
{
    while !stop.is_cancelled() {
        match store::after(db.reader(), seq, BATCH).await {
            Ok(changes) => {
                if let Some(last) = changes.last() {
                    seq = last.seq;
                    apply(changes).await;
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "cannot read the change feed; trying again");
                tokio::time::sleep(POLL).await;
            }
        }
        tokio::select! {
            () = wake.wait() => {}
            () = stop.cancelled() => return,
        }
    }
}
