//! The writer task: group commit.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::DbError;

/// Closures in one commit, at most. With 500 rows each this bounds how long an
/// interactive write waits.
const BATCH: usize = 64;

/// What a transaction on PostgreSQL begins with.
///
/// The lock is the order of commits, and with it that of the change feed: no two replicas
/// write at the same time, as on SQLite. It is taken before anything else, since whoever
/// took it after a row would wait for somebody who waits for that row. A process that is
/// stopped in the middle of a transaction would hold it, and every replica, until it goes on.
const ORDERED: &str = "SET LOCAL idle_in_transaction_session_timeout = '10s'; SELECT pg_advisory_xact_lock(7166181)";

/// Who goes first when writes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A person or script waits for the answer.
    Interactive,
    /// Ingestion, roll-ups, bookkeeping.
    Background,
}

/// One queued closure. It returns a callback that is called after the commit
/// (or its failure) and answers the caller.
type Job = Box<dyn for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Outcome> + Send>;

/// What a closure did, before the commit is known.
struct Outcome {
    /// False: its savepoint is rolled back.
    keep: bool,
    /// Tells the caller, given the result of the commit.
    answer: Box<dyn FnOnce(Result<(), DbError>) + Send>,
}

#[derive(Clone)]
pub(super) struct Writer {
    connection: DatabaseConnection,
    interactive: mpsc::Sender<Job>,
    background: mpsc::Sender<Job>,
    commits: watch::Receiver<u64>,
}

impl Writer {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (interactive, first) = mpsc::channel(256);
        let (background, second) = mpsc::channel(64);
        let (counter, commits) = watch::channel(0);
        tokio::spawn(serve(connection.clone(), first, second, counter));
        Self { connection, interactive, background, commits }
    }

    /// Changes after every commit of this process.
    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) async fn run<T, E, F>(&self, priority: Priority, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |txn| {
            async move {
                let result = work(txn).await;
                let keep = result.is_ok();
                let answer = move |commit: Result<(), DbError>| {
                    let answer = match (result, commit) {
                        (Ok(_), Err(error)) => Err(E::from(error)),
                        (result, _) => result,
                    };
                    // The caller may have gone away; the write stands all the same.
                    let _ = sender.send(answer);
                };
                Outcome { keep, answer: Box::new(answer) }
            }
            .boxed()
        });
        let queue = match priority {
            Priority::Interactive => &self.interactive,
            Priority::Background => &self.background,
        };
        queue.send(job).await.map_err(|_| E::from(DbError::Stopped))?;
        receiver.await.map_err(|_| E::from(DbError::Stopped))?
    }

    /// Waits until the queue is empty and closes the connection.
    pub(super) async fn stop(self) {
        let Self { connection, interactive, background, .. } = self;
        drop((interactive, background));
        let _ = connection.close().await;
    }
}

async fn serve(
    connection: DatabaseConnection,
    mut first: mpsc::Receiver<Job>,
    mut second: mpsc::Receiver<Job>,
    commits: watch::Sender<u64>,
) {
    loop {
        let job = tokio::select! {
            biased;
            Some(job) = first.recv() => job,
            Some(job) = second.recv() => job,
            else => return,
        };
        let mut jobs = vec![job];
        while jobs.len() < BATCH {
            match first.try_recv().or_else(|_| second.try_recv()) {
                Ok(job) => jobs.push(job),
                Err(_) => break,
            }
        }
        commit(&connection, jobs).await;
        commits.send_modify(|count| *count += 1);
    }
}

/// Runs the jobs in one transaction and answers each after the commit.
async fn commit(connection: &DatabaseConnection, jobs: Vec<Job>) {
    let txn = match begin(connection).await {
        Ok(txn) => txn,
        Err(error) => {
            // Dropping the jobs closes their channels; callers see `Stopped`,
            // which is transient, and the cause is in the log.
            tracing::error!(error = %error, "could not begin a transaction");
            return;
        }
    };
    let mut answers = Vec::with_capacity(jobs.len());
    let alone = jobs.len() == 1;
    for job in jobs {
        match run(&txn, job, alone).await {
            Ok(outcome) => answers.push(outcome),
            Err(error) => {
                // The savepoint could not be made, released or rolled back: the
                // connection is broken and takes the whole batch with it.
                let error = DbError::from(error);
                let _ = txn.rollback().await;
                for outcome in answers {
                    (outcome.answer)(Err(error.clone()));
                }
                return;
            }
        }
    }
    let result =
        if alone && answers.iter().all(|outcome| !outcome.keep) { txn.rollback().await } else { txn.commit().await };
    let result = result.map_err(DbError::from);
    if let Err(error) = &result {
        tracing::error!(error = %error, "could not commit");
    }
    for outcome in answers {
        (outcome.answer)(result.clone());
    }
}

/// Begins with the write lock held, so that a batch never fails half-way for
/// another process; retries while one holds it.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let mut tries = 0;
    loop {
        match connection.begin_with_options(options).await {
            Err(error) if tries < 2 => {
                tries += 1;
                tracing::warn!(error = %error, tries, "retrying to begin a transaction");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error),
            Ok(txn) => {
                if txn.get_database_backend() == DbBackend::Postgres {
                    txn.execute_unprepared(ORDERED).await?;
                }
                return Ok(txn);
            }
        }
    }
}

tokio::task_local! {
    /// Set while a closure runs.
    static WRITING: ();
}

/// Whether this is called from inside a closure that writes.
pub(super) fn is_writing() -> bool {
    WRITING.try_with(|()| ()).is_ok()
}

/// A lone job needs no savepoint: its failure rolls the transaction back.
async fn run(txn: &DatabaseTransaction, job: Job, alone: bool) -> Result<Outcome, DbErr> {
    if alone {
        return Ok(WRITING.scope((), job(txn)).await);
    }
    let savepoint = txn.begin().await?;
    let outcome = WRITING.scope((), job(&savepoint)).await;
    if outcome.keep {
        savepoint.commit().await?
    } else {
        savepoint.rollback().await?
    }
    Ok(outcome)
}
