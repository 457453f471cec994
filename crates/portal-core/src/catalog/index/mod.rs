//! The catalog in memory: who has which value, in which order, related to whom.
//!
//! A row is an entity's integer primary key, so that rows mean the same on
//! every replica. Everything is copy-on-write: a clone is a snapshot that later
//! changes leave alone. Documents are not here; they stay in the database.

mod facets;
mod graph;
mod impact;
mod packed;
mod page;
mod pages;
mod posting;
mod relation_types;
mod row;
mod search_keys;
mod select;
mod sorted;
mod stated;
mod text;
mod update;

#[cfg(test)]
mod model;

use std::sync::{Arc, Mutex};

pub use facets::{Facets, Values};
pub use graph::{Direction, GraphQuery};
pub use page::Page;
use pages::Pages;
use relation_types::RelationTypes;
pub use roaring::RoaringBitmap;
use row::{Field, Node, Row};
pub(crate) use search_keys::scalar_text;
use sorted::SortedMap;
use text::{Pool, Text};

use super::query::FullText;
use super::relations::Relation;
use super::wire::EntityLink;
use super::{Entity, EntityRef};

/// The key that sorts by the last change of an entity. It is of the row and not of the
/// document, so that nothing can be filtered by it.
pub const CHANGED: &str = "changed_at";

/// The rows that a caller may see. Applied before anything is counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Visibility {
    All,
    Rows(Arc<RoaringBitmap>),
}

impl Visibility {
    pub fn admits(&self, row: u32) -> bool {
        match self {
            Self::All => true,
            Self::Rows(rows) => rows.contains(row),
        }
    }
}

/// One change of the catalog, as the change feed brings it.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    Upsert {
        id: u32,
        uid: String,
        /// The change that it is as of; a list can be in that order, see [`CHANGED`].
        changed_seq: i64,
        entity: Entity,
        relations: Vec<Relation>,
    },
    Remove {
        id: u32,
    },
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

/// The index, and a snapshot of it: clones share everything.
#[derive(Debug, Clone)]
pub struct CatalogIndex {
    pool: Pool,
    /// Number of the field of each key.
    keys: SortedMap<Text, u32>,
    fields: Pages<Field>,
    field_count: u32,
    rows: Pages<Arc<Row>>,
    all: Arc<RoaringBitmap>,
    /// By canonical reference.
    nodes: SortedMap<Text, Node>,
    relation_types: Arc<RelationTypes>,
    memo: Memo,
}

/// Answers that hold until the next change and that many requests share.
type Memo = Arc<Mutex<Answers>>;

#[derive(Debug, Default)]
struct Answers {
    /// Rows that contain a text, which the pages of a list repeat.
    texts: Vec<(FullText, Arc<RoaringBitmap>)>,
}

/// Fields that every row has or many questions need, at fixed numbers.
mod known {
    pub(super) const KEYS: [&str; 7] = [
        "kind",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.type",
        "spec.lifecycle",
        "relations.ownedby",
    ];
    pub(super) const KIND: u32 = 0;
    pub(super) const NAME: u32 = 1;
    pub(super) const NAMESPACE: u32 = 2;
    pub(super) const UID: u32 = 3;
    pub(super) const TYPE: u32 = 4;
    pub(super) const LIFECYCLE: u32 = 5;
}

impl Default for CatalogIndex {
    fn default() -> Self {
        let mut index = Self {
            pool: Pool::default(),
            keys: SortedMap::default(),
            fields: Pages::default(),
            field_count: 0,
            rows: Pages::default(),
            all: Arc::default(),
            nodes: SortedMap::default(),
            relation_types: Arc::default(),
            memo: Arc::default(),
        };
        for key in known::KEYS {
            index.field_number(key);
        }
        index
    }
}

impl CatalogIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// An index of one entity, at row 0: what a rule would say of it. It is empty where the
    /// entity has no kind or name.
    pub fn alone(entity: Entity, relations: Vec<Relation>) -> Self {
        let mut index = Self::new();
        index.apply(vec![RowChange::Upsert { id: 0, uid: String::new(), changed_seq: 0, entity, relations }]);
        index
    }

    /// Names pairs of relation types (as declared, then seen from the other
    /// end) beside the built-in ones.
    pub fn declare_pairs(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        let types = Arc::make_mut(&mut self.relation_types);
        for (outgoing, incoming) in pairs {
            types.declare(outgoing, incoming);
        }
    }

    /// Number of entities.
    pub fn len(&self) -> usize {
        usize::try_from(self.all.len()).unwrap_or(usize::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The rows that a caller may see.
    pub fn visible(&self, visibility: &Visibility) -> Arc<RoaringBitmap> {
        match visibility {
            Visibility::All => Arc::clone(&self.all),
            Visibility::Rows(rows) => Arc::new(&*self.all & &**rows),
        }
    }

    pub fn row(&self, entity_ref: &EntityRef) -> Option<u32> {
        self.node(&entity_ref.to_string())?.1.row
    }

    /// The row of a canonical reference, without parsing it.
    pub fn row_of(&self, canonical: &str) -> Option<u32> {
        self.node(canonical)?.1.row
    }

    pub fn row_by_uid(&self, uid: &str) -> Option<u32> {
        let uid = uid.to_lowercase();
        self.equal(known::UID, &uid).next().and_then(|(_, rows)| rows.bitmap().min())
    }

    pub fn entity_ref(&self, row: u32) -> Option<EntityRef> {
        self.canonical(row)?.parse().ok()
    }

    /// The reference of a row as text.
    pub fn canonical(&self, row: u32) -> Option<&str> {
        Some(self.rows.get(row)?.reference.lower_str())
    }

    pub fn summary(&self, number: u32) -> Option<RowSummary> {
        let row = self.rows.get(number)?;
        let entity_ref: EntityRef = row.reference.lower_str().parse().ok()?;
        let value = |field| row.values_of(field).iter().flatten().next().map(|text| text.original().to_owned());
        Some(RowSummary {
            uid: value(known::UID).unwrap_or_default(),
            kind: value(known::KIND).unwrap_or_else(|| entity_ref.kind().to_owned()),
            namespace: value(known::NAMESPACE).unwrap_or_else(|| entity_ref.namespace().to_owned()),
            name: value(known::NAME).unwrap_or_else(|| entity_ref.name().to_owned()),
            title: row.title.original().to_owned(),
            subtype: value(known::TYPE),
            lifecycle: value(known::LIFECYCLE),
            owner: self.first_target(&row.reference, "ownedBy", |_| true),
            system: self.first_target(&row.reference, "partOf", |target| target.starts_with("system:")),
            entity_ref,
        })
    }

    /// The link that shows this reference, dangling or not. A row that the
    /// caller may not see looks like a dangling one.
    pub fn link(&self, entity_ref: &EntityRef, visibility: &Visibility) -> EntityLink {
        self.link_of(&entity_ref.to_string(), visibility)
    }

    /// The link of a canonical reference.
    pub fn link_of(&self, canonical: &str, visibility: &Visibility) -> EntityLink {
        let row = self.row_of(canonical).filter(|row| visibility.admits(*row)).and_then(|row| self.rows.get(row));
        let Some(row) = row else {
            let name = canonical.rsplit_once('/').map_or(canonical, |(_, name)| name);
            return EntityLink {
                entity_ref: canonical.to_owned(),
                title: name.to_owned(),
                subtype: None,
                exists: false,
            };
        };
        let subtype = row.values_of(known::TYPE).iter().flatten().next().map(|text| text.original().to_owned());
        EntityLink { entity_ref: canonical.to_owned(), title: row.title.original().to_owned(), subtype, exists: true }
    }

    /// Relations of a row, its own and those that others declare, as far as the
    /// caller may know of them; sorted by type, then target.
    pub fn relations(&self, row: u32, visibility: &Visibility) -> Vec<(String, EntityRef)> {
        let edges = self.edges(row, visibility);
        edges.into_iter().filter_map(|(relation, target)| Some((relation.to_owned(), target.parse().ok()?))).collect()
    }

    /// The same, as canonical texts that the index holds.
    pub fn edges(&self, row: u32, visibility: &Visibility) -> Vec<(&str, &str)> {
        let Some(from) = self.rows.get(row).map(|row| &row.reference) else { return Vec::new() };
        let mut edges: Vec<_> = self
            .nodes
            .get(from)
            .into_iter()
            .flat_map(|node| node.edges.iter())
            .filter(|((relation, target), _)| self.is_stated(from, *relation, target, visibility))
            .map(|((relation, target), _)| (self.relation_types.name(*relation), target.lower_str()))
            .collect();
        edges.sort_unstable();
        edges
    }

    fn first_target(&self, reference: &Text, relation: &str, accept: impl Fn(&str) -> bool) -> Option<EntityRef> {
        let number = self.relation_types.number(relation)?;
        let node = self.nodes.get(reference)?;
        node.targets(number).map(Text::lower_str).find(|target| accept(target))?.parse().ok()
    }

    fn node(&self, canonical: &str) -> Option<&(Text, Node)> {
        let wanted = canonical.as_bytes();
        let at = self.nodes.seek(|text| text.lower() < wanted);
        self.nodes.forwards(at).next().filter(|(text, _)| text.lower() == wanted)
    }

    fn find_field(&self, key: &str) -> Option<u32> {
        let wanted = key.as_bytes();
        let at = self.keys.seek(|text| text.lower() < wanted);
        self.keys.forwards(at).next().filter(|(text, _)| text.lower() == wanted).map(|(_, number)| *number)
    }

    fn field_number(&mut self, key: &str) -> u32 {
        if let Some(number) = self.find_field(key) {
            return number;
        }
        let number = self.field_count;
        self.field_count += 1;
        let name = self.pool.intern(key);
        self.keys.update(&name, |slot| *slot = number, |_| true);
        *self.fields.slot(number) = Some(Field::default());
        number
    }

    fn relation_number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.relation_types.number(name) {
            return number;
        }
        let field = self.field_number(&format!("relations.{}", name.to_lowercase()));
        Arc::make_mut(&mut self.relation_types).add(name, field)
    }
}
