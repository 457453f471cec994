//! Which relations a caller may know of: those that a document states which they
//! may see. To them the catalog is as it would be without the other documents.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use super::posting::Posting;
use super::text::Text;
use super::{CatalogIndex, Visibility};

/// What restricts the knowledge of one field: it is a relation, and some entities are hidden.
#[derive(Clone, Copy)]
pub(super) struct Restriction<'a> {
    index: &'a CatalogIndex,
    visible: &'a RoaringBitmap,
    relation: u32,
}

impl CatalogIndex {
    /// Nothing for whoever sees all, and for fields of documents, which come and go
    /// with their rows.
    pub(super) fn restriction<'a>(&'a self, field: u32, visibility: &'a Visibility) -> Option<Restriction<'a>> {
        let Visibility::Rows(visible) = visibility else { return None };
        Some(Restriction { index: self, visible, relation: self.relation_types.of_field(field)? })
    }

    /// Whether a document that the caller may see states that one relates to the other.
    pub(super) fn is_stated(&self, from: &Text, relation: u32, target: &Text, visibility: &Visibility) -> bool {
        match visibility {
            Visibility::All => true,
            Visibility::Rows(visible) => Restriction { index: self, visible, relation }.is_stated(from, target),
        }
    }
}

impl<'a> Restriction<'a> {
    /// The rows with this target, of those that the caller may see.
    pub(super) fn rows(self, target: &Text, posting: &'a Posting) -> Cow<'a, RoaringBitmap> {
        if !self.hides(target) {
            return posting.bitmap();
        }
        Cow::Owned(posting.bitmap().iter().filter(|row| self.states(*row, true, target)).collect())
    }

    /// Those of the rows with any target.
    pub(super) fn having(self, rows: &RoaringBitmap) -> RoaringBitmap {
        let has = |row: &u32| {
            let reference = self.index.rows.get(*row).map(|row| &row.reference);
            let node = reference.and_then(|reference| Some((reference, self.index.nodes.get(reference)?)));
            node.is_some_and(|(from, node)| node.targets(self.relation).any(|target| self.is_stated(from, target)))
        };
        (rows & self.visible).iter().filter(has).collect()
    }

    pub(super) fn is_stated(self, from: &Text, target: &Text) -> bool {
        self.is_stated_by(from, true, target) || self.is_stated_by(target, false, from)
    }

    fn is_stated_by(self, reference: &Text, own: bool, other: &Text) -> bool {
        let row = self.index.nodes.get(reference).and_then(|node| node.row);
        row.is_some_and(|row| self.visible.contains(row) && self.states(row, own, other))
    }

    fn states(self, row: u32, own: bool, other: &Text) -> bool {
        self.index.rows.get(row).is_some_and(|row| row.states(self.relation, own, other))
    }

    fn hides(self, target: &Text) -> bool {
        let row = self.index.nodes.get(target).and_then(|node| node.row);
        row.is_some_and(|row| !self.visible.contains(row))
    }
}
