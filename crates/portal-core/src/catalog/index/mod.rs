//! The catalog in memory: who has which value, in which order, related to whom.
//!
//! A row is an entity's integer primary key, so that rows mean the same on
//! every replica. Everything is copy-on-write: a clone is a snapshot that later
//! changes leave alone. Documents are not here; they stay in the database.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use roaring::RoaringBitmap;

use super::query::{Query, Selection, SortKey};
use super::relations::Relation;
use super::wire::{EntityGraph, EntityLink, FacetValue};
use super::{Entity, EntityRef};

/// The rows that a caller may see. Applied before anything is counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Visibility {
    All,
    Rows(Arc<RoaringBitmap>),
}

/// One change of the catalog, as the change feed brings it.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    Upsert { id: u32, uid: String, entity: Entity, relations: Vec<Relation> },
    Remove { id: u32 },
}

/// A page of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<u32>,
    /// Entities that match, on all pages.
    pub total: u64,
    pub has_next: bool,
    pub has_previous: bool,
    /// Places of the first and the last row, to build cursors from.
    pub first: Option<SortKey>,
    pub last: Option<SortKey>,
}

/// What the index knows of a row without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSummary {
    pub entity_ref: EntityRef,
    pub uid: String,
    /// In the author's case.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub title: String,
    pub subtype: Option<String>,
    pub lifecycle: Option<String>,
    pub owner: Option<EntityRef>,
    pub system: Option<EntityRef>,
}

/// Which way relations are followed: as declared, against it, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    Out,
    In,
    #[default]
    Both,
}

/// The neighbourhood to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphQuery {
    pub root: EntityRef,
    pub depth: u32,
    pub direction: Direction,
    /// Types to follow; either name of a pair. All when empty.
    pub relations: Vec<String>,
    /// Kinds to show besides the root. All when empty.
    pub kinds: Vec<String>,
    /// Most nodes to answer, the root included.
    pub limit: usize,
}

/// The index, and a snapshot of it: clones share everything.
#[derive(Debug, Clone, Default)]
pub struct CatalogIndex {}

impl CatalogIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// Names pairs of relation types (as declared, its inverse) beside the built-in ones.
    pub fn declare_pairs(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        let _ = pairs.into_iter().count();
    }

    /// Applies changes in order. Snapshots taken before do not see them.
    pub fn apply(&mut self, changes: Vec<RowChange>) {
        let _ = changes;
    }

    /// Number of entities.
    pub fn len(&self) -> usize {
        0
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn row(&self, entity_ref: &EntityRef) -> Option<u32> {
        let _ = entity_ref;
        None
    }

    pub fn row_by_uid(&self, uid: &str) -> Option<u32> {
        let _ = uid;
        None
    }

    pub fn entity_ref(&self, row: u32) -> Option<EntityRef> {
        self.summary(row).map(|summary| summary.entity_ref)
    }

    pub fn summary(&self, row: u32) -> Option<RowSummary> {
        let _ = row;
        None
    }

    /// The link that shows this reference, dangling or not. A row that the
    /// caller may not see looks like a dangling one.
    pub fn link(&self, entity_ref: &EntityRef, visibility: &Visibility) -> EntityLink {
        let _ = visibility;
        EntityLink {
            entity_ref: entity_ref.to_string(),
            title: entity_ref.name().to_owned(),
            subtype: None,
            exists: false,
        }
    }

    /// Rows that match and are visible.
    pub fn select(&self, selection: &Selection, visibility: &Visibility) -> RoaringBitmap {
        let _ = (selection, visibility);
        RoaringBitmap::new()
    }

    pub fn page(&self, query: &Query, visibility: &Visibility) -> Page {
        let _ = (query, visibility);
        Page::default()
    }

    /// Values with counts among `rows`, for each key, sorted by value.
    pub fn facets(&self, keys: &[String], rows: &RoaringBitmap) -> BTreeMap<String, Vec<FacetValue>> {
        let _ = rows;
        keys.iter().map(|key| (key.clone(), Vec::new())).collect()
    }

    /// Facets of a selection, where a facet's own filter does not narrow its
    /// own counts.
    pub fn facets_sideways(
        &self,
        keys: &[String],
        selection: &Selection,
        visibility: &Visibility,
    ) -> BTreeMap<String, Vec<FacetValue>> {
        self.facets(keys, &self.select(selection, visibility))
    }

    /// Relations of a row, its own and those that others declare, sorted by
    /// type, then target.
    pub fn relations(&self, row: u32) -> Vec<(String, EntityRef)> {
        let _ = row;
        Vec::new()
    }

    /// The neighbourhood of an entity; its `seq` is the caller's to fill in.
    pub fn graph(&self, query: &GraphQuery, visibility: &Visibility) -> EntityGraph {
        let _ = visibility;
        EntityGraph { root: query.root.to_string(), nodes: Vec::new(), edges: Vec::new(), omitted: 0, seq: 0 }
    }
}
