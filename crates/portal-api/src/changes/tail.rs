//! Following the feed. It is read once for all who follow it: whenever something was committed
//! here, PostgreSQL notifies of another replica, or a clock ticks, in case both are missed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Change, store};
use crate::db::{Db, DbResult};

const BATCH: u64 = 1000;
/// Changes that are kept for followers who are not that quick.
const RECENT: usize = 500;
const POLL: Duration = Duration::from_millis(500);

/// The feed, as far as it has grown.
#[derive(Clone)]
pub struct Feed {
    db: Db,
    recent: watch::Receiver<Recent>,
}

/// The end of the feed: everything after `after`.
#[derive(Clone)]
struct Recent {
    after: i64,
    changes: Arc<[Arc<Change>]>,
}

impl Recent {
    fn last(&self) -> i64 {
        self.changes.last().map_or(self.after, |change| change.seq)
    }

    /// What comes after `seq`; nothing where that is not all of it.
    fn since(&self, seq: i64) -> Option<&[Arc<Change>]> {
        (self.after <= seq).then(|| &self.changes[self.changes.partition_point(|change| change.seq <= seq)..])
    }

    fn grown(&self, new: Vec<Change>) -> Self {
        let count = self.changes.len() + new.len();
        let gone = count.saturating_sub(RECENT);
        let mut changes = self.changes.iter().cloned().chain(new.into_iter().map(Arc::new));
        let after = gone.checked_sub(1).and_then(|gone| changes.nth(gone)).map_or(self.after, |change| change.seq);
        Self { after, changes: changes.collect() }
    }
}

impl Feed {
    /// Reads the feed until `stop`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn start(db: &Db, stop: CancellationToken) -> DbResult<Self> {
        let after = store::last_seq(db.reader()).await?;
        let (sender, recent) = watch::channel(Recent { after, changes: Arc::new([]) });
        tokio::spawn(read(db.clone(), sender, stop));
        Ok(Self { db: db.clone(), recent })
    }

    /// Calls `apply` with every batch of changes after `seq`, in order, until `stop`.
    pub async fn follow<F>(mut self, mut seq: i64, stop: CancellationToken, mut apply: F)
    where
        F: FnMut(Vec<Arc<Change>>) -> BoxFuture<'static, ()> + Send,
    {
        while !stop.is_cancelled() {
            let recent = self.recent.borrow_and_update().clone();
            if recent.last() <= seq {
                tokio::select! {
                    changed = self.recent.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                continue;
            }
            let changes = match recent.since(seq) {
                Some(changes) => changes.to_vec(),
                None => match store::after(self.db.reader(), seq, BATCH).await {
                    Ok(changes) => changes.into_iter().map(Arc::new).collect(),
                    Err(error) => {
                        unread(&error);
                        tokio::time::sleep(POLL).await;
                        continue;
                    }
                },
            };
            // What is not there any more is not waited for.
            seq = changes.last().map_or(recent.last(), |change| change.seq);
            if !changes.is_empty() {
                apply(changes).await;
            }
        }
    }
}

fn unread(error: &crate::db::DbError) {
    tracing::warn!(error = %error, "cannot read the change feed; trying again");
}

async fn read(db: Db, sender: watch::Sender<Recent>, stop: CancellationToken) {
    let mut grown = wake(&db, &stop);
    while !stop.is_cancelled() {
        let seq = sender.borrow().last();
        match store::after(db.reader(), seq, BATCH).await {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => {
                let is_all = (changes.len() as u64) < BATCH;
                sender.send_modify(|recent| *recent = recent.grown(changes));
                if !is_all {
                    continue;
                }
            }
            Err(error) => {
                unread(&error);
                tokio::time::sleep(POLL).await;
            }
        }
        tokio::select! {
            changed = grown.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Changes when the feed may have grown; on PostgreSQL also by other replicas.
fn wake(db: &Db, stop: &CancellationToken) -> watch::Receiver<u64> {
    let mut commits = db.commits();
    if !db.is_postgres() {
        return commits;
    }
    let (sender, receiver) = watch::channel(0);
    let (local, stopped) = (sender.clone(), stop.clone());
    tokio::spawn(async move {
        while stopped.run_until_cancelled(commits.changed()).await.is_some_and(|changed| changed.is_ok()) {
            local.send_modify(|count| *count += 1);
        }
    });
    tokio::spawn(listen(db.clone(), sender, stop.clone()));
    receiver
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

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use portal_core::access::ActorId;

    use super::*;

    fn change(seq: i64) -> Change {
        Change {
            seq,
            at: Utc::now(),
            actor: ActorId(String::new()),
            cause: String::new(),
            subject: String::new(),
            operation: String::new(),
            document: None,
        }
    }

    #[test]
    fn the_end_of_the_feed_has_no_gap() {
        let seqs = |recent: &Recent, seq| {
            recent.since(seq).map(|changes| changes.iter().map(|change| change.seq).collect::<Vec<_>>())
        };
        let mut recent = Recent { after: 10, changes: Arc::new([]) };
        assert_eq!((recent.last(), seqs(&recent, 10), seqs(&recent, 9)), (10, Some(vec![]), None));
        recent = recent.grown(vec![change(12), change(13)]);
        assert_eq!(recent.last(), 13);
        assert_eq!(seqs(&recent, 10), Some(vec![12, 13]));
        assert_eq!(seqs(&recent, 12), Some(vec![13]));
        assert_eq!(seqs(&recent, 20), Some(vec![]));
        let many = i64::try_from(RECENT).unwrap();
        recent = recent.grown((14..14 + many).map(change).collect());
        assert_eq!((recent.changes.len(), recent.after), (RECENT, 13));
        assert_eq!((seqs(&recent, 12), seqs(&recent, 13).map(|all| all.len())), (None, Some(RECENT)));
        recent = recent.grown(vec![change(1000)]);
        assert_eq!((recent.changes.len(), recent.after, recent.last()), (RECENT, 14, 1000));
    }
}
