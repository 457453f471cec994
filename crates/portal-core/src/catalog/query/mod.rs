//! Questions to the catalog, as typed values: filters, predicates, orders,
//! positions in a list. Parsed here for every front end, answered by
//! [`crate::catalog::index`].
//!
//! Source of the semantics: `filter`, `query`, `orderField` and
//! `fullTextFilter` of Backstage's catalog backend 4.0.

use serde::{Deserialize, Serialize};

mod cursor;
mod filter;
mod order;
mod predicate;

pub use cursor::{Cursor, CursorError};
pub use filter::{Clause, Condition, Filter, FilterError};
pub use order::{Order, OrderError};
pub use predicate::{Predicate, PredicateError};

/// Backstage neither stores nor matches keys and values longer than this, in
/// UTF-16 code units.
pub const MAX_LENGTH: usize = 200;

/// Which entities are asked for; the parts are ANDed, an empty one asks for all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Only these rows, which something else has found.
    pub within: Option<Within>,
    pub filter: Filter,
    pub predicate: Option<Predicate>,
    pub full_text: Option<FullText>,
}

/// Rows to choose from.
pub type Within = std::sync::Arc<roaring::RoaringBitmap>;

/// A substring that one of the fields must contain, in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullText {
    pub term: String,
    /// Dotted paths, e.g. `metadata.name`.
    pub fields: Vec<String>,
}

impl FullText {
    /// What the catalog page's search box looks at.
    pub fn of_catalog(term: &str) -> Self {
        let fields = ["metadata.name", "metadata.title", "metadata.description", "spec.profile.displayname"];
        Self { term: term.to_owned(), fields: fields.map(str::to_owned).to_vec() }
    }
}

/// Where entities go that lack the field of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// After all others, in both directions.
    #[default]
    Last,
    /// Out of the list and its total, as Backstage's `by-query` does.
    Excluded,
}

/// A page to answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub selection: Selection,
    /// By row, the order of arrival, when absent.
    pub order: Option<Order>,
    pub missing: Missing,
    pub position: Position,
    /// 0 asks for the total only.
    pub limit: usize,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// After that many entities.
    Offset(usize),
    /// After the entity with this key, in the direction of the order.
    After(SortKey),
    /// The page that ends just before the entity with this key.
    Before(SortKey),
}

impl Default for Position {
    fn default() -> Self {
        Self::Offset(0)
    }
}

/// Place of an entity in an ordered list: its lower-cased value of the order's
/// field (`None` when it has none), then its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    pub value: Option<String>,
    pub row: u32,
}
