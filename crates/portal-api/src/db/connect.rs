//! Opening connections: SQLite files and PostgreSQL servers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use super::{DbError, DbResult};

/// Before this version, two connections that reset the write-ahead log at once
/// could lose commits.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
const OLDEST_POSTGRES: u32 = 13;

/// Which database to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, made when it is absent.
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// Another scheme; the message says which are known.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(PathBuf::from(path.trim_start_matches("//"))));
        }
        Err("the database URL must start with `sqlite:` or `postgres://`".to_owned())
    }

    /// The file inside a data folder.
    pub fn in_data_dir(data_dir: &Path) -> Self {
        Self::Sqlite(data_dir.join("portal.db"))
    }
}

/// Opens the readers and the one connection that writes.
pub(super) async fn open(url: &DatabaseUrl) -> DbResult<(DatabaseConnection, DatabaseConnection)> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let writer = Database::connect(sqlite_options(path, 1)).await?;
            let readers = Database::connect(sqlite_options(path, 8)).await?;
            check_sqlite(&writer).await?;
            Ok((readers, writer))
        }
        DatabaseUrl::Postgres(url) => {
            let writer = Database::connect(postgres_options(url, 1)).await?;
            let readers = Database::connect(postgres_options(url, 10)).await?;
            check_postgres(&writer).await?;
            Ok((readers, writer))
        }
    }
}

fn sqlite_options(path: &Path, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    let file = path.to_owned();
    // In kibibytes, of each connection. The one that writes keeps the upper
    // pages of its indexes; of many readers each needs little beside the
    // system's own cache.
    let cache = if connections == 1 { "-16000" } else { "-2000" };
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        // The URL above cannot carry a path with `?` or `%`, so the path is set again.
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                .pragma("cache_size", cache)
                .statement_cache_capacity(200)
        });
    options
}

fn postgres_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(connections)
        .min_connections(1)
        .connect_timeout(Duration::from_secs(5))
        .acquire_timeout(Duration::from_secs(5))
        .sqlx_logging(false);
    options
}

async fn check_sqlite(connection: &DatabaseConnection) -> DbResult<()> {
    let version = text(connection, "SELECT sqlite_version()").await?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE {
        return Err(DbError::Unsupported(format!("SQLite {version} can lose commits; 3.51.3 or newer is needed")));
    }
    let journal = text(connection, "SELECT journal_mode FROM pragma_journal_mode").await?;
    let synchronous = text(connection, "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous").await?;
    if journal != "wal" || synchronous != "2" {
        return Err(DbError::Unsupported(format!(
            "the database must run with journal_mode=wal and synchronous=FULL, found {journal} and {synchronous}; is the file on a network share?"
        )));
    }
    Ok(())
}

async fn check_postgres(connection: &DatabaseConnection) -> DbResult<()> {
    let version = text(connection, "SELECT current_setting('server_version_num')").await?;
    if version.parse::<u32>().unwrap_or(0) / 10_000 < OLDEST_POSTGRES {
        return Err(DbError::Unsupported(format!("PostgreSQL {OLDEST_POSTGRES} or newer is needed, found {version}")));
    }
    // An acknowledged write must survive a crash of the server.
    connection
        .execute_raw(Statement::from_string(DbBackend::Postgres, "SET synchronous_commit = on".to_owned()))
        .await?;
    Ok(())
}

async fn text(connection: &DatabaseConnection, query: &str) -> DbResult<String> {
    let statement = Statement::from_string(connection.get_database_backend(), query.to_owned());
    let row = connection.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index::<String>(0)).transpose()?.unwrap_or_default())
}
