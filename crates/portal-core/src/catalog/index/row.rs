//! A row, a field of many rows, and a node of the relation graph.

use super::posting::Posting;
use super::sorted::SortedMap;
use super::text::Text;

/// What the index keeps of an entity.
#[derive(Debug)]
pub(super) struct Row {
    /// Canonical reference.
    pub reference: Text,
    pub title: Text,
    /// Its last change as 16 hexadecimal digits, which sort as the number does.
    pub changed: [u8; 16],
    /// Fields and values side by side, sorted by field, then value; a value of
    /// `None` is null or too long to match. Relations are in the node.
    pub fields: Box<[u32]>,
    pub values: Box<[Option<Text>]>,
    /// Relations that its document declares, to take them back: type, and
    /// whether the entity itself is the source.
    pub declared: Box<[(u32, bool)]>,
    /// The other end of each.
    pub others: Box<[Text]>,
}

impl Row {
    /// Whether its document states a relation: as the source (`own`) to the other
    /// end, or from the other end to itself.
    pub(super) fn states(&self, relation: u32, own: bool, other: &Text) -> bool {
        let start = self.declared.partition_point(|edge| *edge < (relation, own));
        let count = self.declared[start..].partition_point(|edge| *edge == (relation, own));
        self.others[start..start + count].binary_search(other).is_ok()
    }

    /// Values of a field, in order.
    pub(super) fn values_of(&self, field: u32) -> &[Option<Text>] {
        let start = self.fields.partition_point(|other| *other < field);
        let count = self.fields[start..].partition_point(|other| *other == field);
        &self.values[start..start + count]
    }
}

/// Who has which value of one key.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    /// Rows that have the key.
    pub exists: Posting,
    /// Of these, rows without any value that can be matched.
    pub nulls: Posting,
    /// Of these, rows with several values, which sort by one of them.
    pub several: Posting,
    /// Of these, rows whose values are all strings inside a list, so that
    /// `key.value` is a key as well.
    pub items: Posting,
    /// Rows by value.
    pub values: SortedMap<Text, Posting>,
}

/// A reference that something relates to, existing or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub row: Option<u32>,
    /// Type and target, with how many documents declare it.
    pub edges: SortedMap<(u32, Text), u32>,
}

impl Node {
    /// Targets of one type, in order.
    pub(super) fn targets(&self, relation: u32) -> impl Iterator<Item = &Text> {
        self.edges
            .forwards(self.edges.seek(|(other, _)| *other < relation))
            .take_while(move |((other, _), _)| *other == relation)
            .map(|((_, target), _)| target)
    }
}
