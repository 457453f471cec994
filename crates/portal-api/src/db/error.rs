//! Failures of the database, in the words of a caller.

use sea_orm::DbErr;

pub type DbResult<T> = Result<T, DbError>;

/// What went wrong with the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    #[error("database: {0}")]
    Query(#[from] std::sync::Arc<DbErr>),
    /// A unique constraint, under the name that both databases share.
    #[error("`{0}` is taken")]
    Unique(String),
    #[error("the database writer has stopped")]
    Stopped,
    #[error("{0}")]
    Unsupported(String),
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        if let Some(sea_orm::SqlErr::UniqueConstraintViolation(message)) = error.sql_err() {
            return Self::Unique(constraint_name(&message));
        }
        Self::Query(std::sync::Arc::new(error))
    }
}

impl DbError {
    /// Whether trying again later may help: the database is locked, restarting
    /// or out of reach, or chose this write to end a deadlock of several replicas.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Query(error) => matches!(**error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) || is_busy(error),
            Self::Stopped => true,
            Self::Unique(_) | Self::Unsupported(_) => false,
        }
    }
}

fn is_busy(error: &DbErr) -> bool {
    let text = error.to_string();
    let known = [
        "database is locked",
        "terminating connection",
        "connection closed",
        "error communicating with database",
        "deadlock detected",
    ];
    known.iter().any(|part| text.contains(part))
}

/// SQLite answers `UNIQUE constraint failed: table.a, table.b`, PostgreSQL names
/// the constraint; both become `table_a_b_key`, which is how migrations name it.
fn constraint_name(message: &str) -> String {
    if let Some(columns) = message.split("UNIQUE constraint failed: ").nth(1) {
        let mut table = "";
        let mut names = Vec::new();
        for column in columns.split(", ") {
            if let Some((owner, name)) = column.trim().split_once('.') {
                table = owner;
                names.push(name);
            }
        }
        return format!("{table}_{}_key", names.join("_"));
    }
    message.split('"').nth(1).unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_a_mistake_is_not() {
        let of = |text: &str| DbError::from(DbErr::Custom(text.to_owned())).is_transient();
        assert!(of("Query Error: error communicating with database: expected to read 5 bytes, got 0 bytes at EOF"));
        assert!(of("Execution Error: error returned from database: deadlock detected at line 1147"));
        assert!(!of("no such column: nmae"));
    }

    #[test]
    fn both_databases_give_one_name() {
        assert_eq!(constraint_name("error: UNIQUE constraint failed: entity.entity_ref"), "entity_entity_ref_key");
        assert_eq!(
            constraint_name("duplicate key value violates unique constraint \"entity_entity_ref_key\""),
            "entity_entity_ref_key"
        );
    }
}
