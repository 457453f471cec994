//! Cursors of `by-query`, before their base64: the query and a place in it.

use super::Query;

/// A list and a place in it, to go on from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    pub query: Query,
}

/// The text is not a cursor that this portal gave out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed cursor, {0}")]
pub struct CursorError(pub String);
