//! The database: connections, the one way to write, and migrations.
//!
//! All writes of a process go through [`Db::write`]. A writer task runs the
//! closures that wait, each in a savepoint, in one transaction, commits, and
//! only then answers them: a commit costs an `fsync`, and this way it is shared.
//! On SQLite this also is the one writer that the file allows; on PostgreSQL
//! an advisory lock, taken when a transaction begins, keeps the order of commits
//! and with it that of the change feed.

mod connect;
pub mod entity;
mod error;
pub mod idempotency;
pub mod like;
pub mod migration;
mod writer;

use std::time::Duration;

pub use connect::DatabaseUrl;
pub use error::{DbError, DbResult};
use sea_orm::sqlx::postgres::PgListener;
pub use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use sea_orm::{DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;
pub use writer::Priority;
use writer::Writer;

/// Tries again for some seconds while the database is in passing trouble: what a process does
/// first meets others that begin.
///
/// # Errors
/// The last failure.
pub async fn patiently<T, F: Future<Output = DbResult<T>>>(mut work: impl FnMut() -> F) -> DbResult<T> {
    let mut pause = Duration::from_millis(100);
    loop {
        match work().await {
            Err(error) if error.is_transient() && pause < Duration::from_secs(5) => {
                tracing::warn!(error = %error, "the database is in trouble; trying again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
}

/// A text as every database takes it: PostgreSQL has no place for NUL in one.
pub fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: DatabaseConnection,
    writer: Writer,
}

impl Db {
    /// Connects, checks that the database keeps its promises, and brings the
    /// schema up to date.
    ///
    /// # Errors
    /// The database does not answer, is older than what we rely on, or its
    /// schema is newer than this program.
    pub async fn open(url: &DatabaseUrl) -> DbResult<Self> {
        let db = Self::connect(url).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// Connects without touching the schema.
    ///
    /// # Errors
    /// The database does not answer or is older than what we rely on.
    pub async fn connect(url: &DatabaseUrl) -> DbResult<Self> {
        let (readers, writer) = connect::open(url).await?;
        Ok(Self { readers, writer: Writer::start(writer) })
    }

    /// Applies the migrations that are missing, under a lock that other
    /// replicas wait for.
    ///
    /// # Errors
    /// A migration failed; the schema is as it was before that migration.
    pub async fn migrate(&self) -> DbResult<()> {
        let connection = self.writer.connection();
        if connection.get_database_backend() == DbBackend::Postgres {
            // A session lock needs one session: hold it in a transaction of its own.
            let guard = sea_orm::TransactionTrait::begin(&self.readers).await?;
            guard
                .execute_raw(Statement::from_string(
                    DbBackend::Postgres,
                    "SELECT pg_advisory_xact_lock(7166180)".to_owned(),
                ))
                .await?;
            migration::Migrator::up(connection, None).await?;
            guard.commit().await?;
        } else {
            migration::Migrator::up(connection, None).await?;
        }
        Ok(())
    }

    /// Where reads go. Never write through it, and never read through it while writing: those
    /// who hold the connections may wait for the write.
    pub fn reader(&self) -> &DatabaseConnection {
        debug_assert!(!writer::is_writing(), "a closure that writes reads from its own transaction");
        &self.readers
    }

    pub fn backend(&self) -> DbBackend {
        self.readers.get_database_backend()
    }

    /// Runs `work` in a transaction and returns after the commit is durable.
    ///
    /// The closure does no other IO, reads from its own transaction and touches at most 500
    /// rows, because other writers wait for it. It may run once only; an error rolls back
    /// what it did and nothing else.
    ///
    /// # Errors
    /// What the closure returned, or a failure of the database.
    pub async fn write<T, E, F>(&self, priority: Priority, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> futures::future::BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.writer.run(priority, work).await
    }

    /// Changes after every commit of this process, to wake who tails the feed.
    pub fn commits(&self) -> tokio::sync::watch::Receiver<u64> {
        self.writer.commits()
    }

    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// Calls `wake` on every notification of a PostgreSQL channel, until the
    /// connection is lost.
    ///
    /// # Errors
    /// The connection could not be opened.
    pub async fn listen(&self, channel: &str, wake: impl Fn()) -> DbResult<()> {
        let pool = self.readers.get_postgres_connection_pool();
        let failed = |error: sea_orm::sqlx::Error| DbErr::Custom(error.to_string());
        let mut listener = PgListener::connect_with(pool).await.map_err(failed)?;
        listener.listen(channel).await.map_err(failed)?;
        while listener.recv().await.is_ok() {
            wake();
        }
        Ok(())
    }

    /// Whether the database answers within a second.
    pub async fn is_reachable(&self) -> bool {
        let ping = self.readers.query_one_raw(Statement::from_string(self.backend(), "SELECT 1".to_owned()));
        matches!(tokio::time::timeout(Duration::from_secs(1), ping).await, Ok(Ok(_)))
    }

    /// Waits for writes under way and closes every connection.
    pub async fn close(self) {
        self.writer.stop().await;
        let _ = self.readers.close().await;
    }
}
