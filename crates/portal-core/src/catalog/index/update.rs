//! Applying changes: the difference between what a row was and becomes is all
//! that is touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::posting::Posting;
use super::row::{Node, Row};
use super::search_keys::{self, Pair};
use super::text::Text;
use super::{CatalogIndex, RowChange};
use crate::catalog::relations::Relation;
use crate::catalog::{Entity, EntityRef};

/// Fields and values of a row while it is built.
type Pairs = Vec<(u32, Option<Text>)>;

impl CatalogIndex {
    /// Applies changes in order. Snapshots taken before do not see them.
    ///
    /// A relation counts if the entity is one of its ends. An entity whose kind
    /// or name is missing is taken out, because nothing can name it.
    pub fn apply(&mut self, changes: Vec<RowChange>) {
        for change in changes {
            match change {
                RowChange::Upsert { id, uid, entity, relations } => match entity.entity_ref() {
                    Some(entity_ref) => self.upsert(id, &uid, &entity, &entity_ref, &relations),
                    None => self.remove(id),
                },
                RowChange::Remove { id } => self.remove(id),
            }
        }
        self.pool.sweep();
        self.memo = Arc::default();
    }

    fn upsert(&mut self, id: u32, uid: &str, entity: &Entity, entity_ref: &EntityRef, relations: &[Relation]) {
        let reference = self.pool.intern(&entity_ref.to_string());
        if self.rows.get(id).is_some_and(|row| row.reference != reference) {
            self.remove(id);
        }
        // Another row of the same name gives way: a reference names one row.
        if let Some(other) = self.nodes.get(&reference).and_then(|node| node.row).filter(|other| *other != id) {
            self.remove(other);
        }
        let old = self.rows.slot(id).take();
        let (pairs, item_fields) = self.pairs(entity, uid);
        let old_pairs = old.as_deref().map(pairs_of).unwrap_or_default();
        self.change_values(id, &old_pairs, &pairs, &item_fields);
        if old.is_none() {
            Arc::make_mut(&mut self.all).insert(id);
            self.attach(&reference, id);
        }
        let (declared, others) = self.declared(entity_ref, relations);
        self.change_edges(&reference, old.as_deref(), &declared, &others);
        let (fields, values): (Vec<u32>, Vec<Option<Text>>) = pairs.into_iter().unzip();
        let row = Row {
            reference,
            title: self.pool.intern(entity.display_title()),
            fields: fields.into(),
            values: values.into(),
            declared: declared.into(),
            others: others.into(),
        };
        *self.rows.slot(id) = Some(Arc::new(row));
    }

    fn remove(&mut self, id: u32) {
        if self.rows.get(id).is_none() {
            return;
        }
        let Some(row) = self.rows.slot(id).take() else { return };
        self.change_values(id, &pairs_of(&row), &[], &BTreeSet::new());
        self.change_edges(&row.reference, Some(&row), &[], &[]);
        self.detach(&row.reference, id);
        Arc::make_mut(&mut self.all).remove(id);
    }

    /// Fields and values of an entity, sorted, and the fields whose values are
    /// all strings inside a list.
    fn pairs(&mut self, entity: &Entity, uid: &str) -> (Pairs, BTreeSet<u32>) {
        let mut found = search_keys::pairs(entity, uid);
        let items: BTreeSet<String> = found.iter().filter(|pair| pair.item).map(|pair| pair.key.clone()).collect();
        let mixed: BTreeSet<String> =
            found.iter().filter(|pair| !pair.item && items.contains(&pair.key)).map(|pair| pair.key.clone()).collect();
        if !mixed.is_empty() {
            // Only here are the keys of list items stored.
            let extra: Vec<Pair> = found
                .iter()
                .filter(|pair| pair.item && mixed.contains(&pair.key))
                .filter_map(|pair| {
                    let key = format!("{}.{}", pair.key, pair.value.as_deref()?.to_lowercase());
                    Some(Pair { key, value: Some("true".to_owned()), item: false })
                })
                .filter(|pair| !search_keys::too_long(&pair.key))
                .collect();
            found.extend(extra);
        }
        let item_fields = items.iter().filter(|key| !mixed.contains(*key)).map(|key| self.field_number(key)).collect();
        let mut pairs: Pairs = found
            .into_iter()
            .map(|pair| (self.field_number(&pair.key), pair.value.map(|value| self.pool.intern(&value))))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        (pairs, item_fields)
    }

    fn change_values(
        &mut self,
        id: u32,
        old: &[(u32, Option<Text>)],
        new: &[(u32, Option<Text>)],
        items: &BTreeSet<u32>,
    ) {
        let (mut old_rest, mut new_rest) = (old, new);
        loop {
            let field = match (old_rest.first(), new_rest.first()) {
                (Some(old), Some(new)) => old.0.min(new.0),
                (Some(one), None) | (None, Some(one)) => one.0,
                (None, None) => return,
            };
            let before = take_field(&mut old_rest, field);
            let after = take_field(&mut new_rest, field);
            let is_item = items.contains(&field);
            let known_item = self.fields.get(field).is_some_and(|field| field.items.contains(id));
            if before == after && is_item == known_item {
                continue;
            }
            let field = self.fields.slot(field).get_or_insert_default();
            for (_, value) in before.iter().filter(|pair| !after.contains(pair)) {
                if let Some(value) = value {
                    field.values.update(value, |rows| rows.remove(id), |rows| !rows.is_empty());
                }
            }
            for (_, value) in after.iter().filter(|pair| !before.contains(pair)) {
                if let Some(value) = value {
                    field.values.update(value, |rows| rows.insert(id), |_| true);
                }
            }
            let matchable = after.iter().filter(|(_, value)| value.is_some()).count();
            set(&mut field.exists, id, !after.is_empty());
            set(&mut field.nulls, id, !after.is_empty() && matchable == 0);
            set(&mut field.several, id, matchable > 1);
            set(&mut field.items, id, is_item);
        }
    }

    /// What a document declares: sorted, each once.
    fn declared(&mut self, entity_ref: &EntityRef, relations: &[Relation]) -> (Vec<(u32, bool)>, Vec<Text>) {
        let mut declared: Vec<(u32, bool, Text)> = Vec::with_capacity(relations.len());
        for Relation { source, relation, target } in relations {
            let other = match (source == entity_ref, target == entity_ref) {
                (true, _) => target,
                (false, true) => source,
                (false, false) => continue,
            };
            let number = self.relation_number(relation);
            declared.push((number, source == entity_ref, self.pool.intern(&other.to_string())));
        }
        declared.sort_unstable();
        declared.dedup();
        declared.into_iter().map(|(relation, own, other)| ((relation, own), other)).unzip()
    }

    fn change_edges(&mut self, reference: &Text, old: Option<&Row>, declared: &[(u32, bool)], others: &[Text]) {
        let new: Vec<_> = declared.iter().zip(others).collect();
        let old: Vec<_> = old.map(|row| row.declared.iter().zip(&row.others).collect()).unwrap_or_default();
        for ((relation, own), other) in old.iter().filter(|edge| new.binary_search(edge).is_err()) {
            let (source, target) = if *own { (reference, *other) } else { (*other, reference) };
            self.change_edge(source, *relation, target, false);
        }
        for ((relation, own), other) in new.iter().filter(|edge| old.binary_search(edge).is_err()) {
            let (source, target) = if *own { (reference, *other) } else { (*other, reference) };
            self.change_edge(source, *relation, target, true);
        }
    }

    /// Counts one declaration of an edge, or one less.
    fn change_edge(&mut self, source: &Text, relation: u32, target: &Text, add: bool) {
        let (mut row, mut flipped, mut targets) = (None, false, 0);
        let change = |node: &mut Node| {
            let key = (relation, target.clone());
            let known = node.edges.get(&key).is_some();
            let count = |count: &mut u32| *count = if add { *count + 1 } else { count.saturating_sub(1) };
            node.edges.update(&key, count, |count| *count > 0);
            flipped = known != node.edges.get(&key).is_some();
            (row, targets) = (node.row, node.targets(relation).take(2).count());
        };
        self.nodes.update(source, change, |node| node.row.is_some() || !node.edges.is_empty());
        if let Some(row) = row.filter(|_| flipped) {
            self.change_relation_value(row, relation, target, add, targets);
        }
    }

    /// Makes a row known to the node of its reference, which may have edges
    /// from documents that came before.
    fn attach(&mut self, reference: &Text, id: u32) {
        let mut edges = Vec::new();
        let change = |node: &mut Node| {
            node.row = Some(id);
            edges = node.edges.iter().map(|(edge, _)| edge.clone()).collect();
        };
        self.nodes.update(reference, change, |_| true);
        for (relation, target) in &edges {
            let targets = edges.iter().filter(|(other, _)| other == relation).take(2).count();
            self.change_relation_value(id, *relation, target, true, targets);
        }
    }

    /// Leaves the edges that others declare.
    fn detach(&mut self, reference: &Text, id: u32) {
        let mut edges = Vec::new();
        let change = |node: &mut Node| {
            node.row = None;
            edges = node.edges.iter().map(|(edge, _)| edge.clone()).collect();
        };
        self.nodes.update(reference, change, |node| !node.edges.is_empty());
        for (relation, target) in &edges {
            self.change_relation_value(id, *relation, target, false, 0);
        }
    }

    /// Keeps the field `relations.<type>` in step with the edges of a row,
    /// which now has that many (none, one, several) targets.
    fn change_relation_value(&mut self, id: u32, relation: u32, target: &Text, add: bool, targets: usize) {
        let Some(number) = self.relation_types.field(relation) else { return };
        let field = self.fields.slot(number).get_or_insert_default();
        if add {
            field.values.update(target, |rows| rows.insert(id), |_| true);
        } else {
            field.values.update(target, |rows| rows.remove(id), |rows| !rows.is_empty());
        }
        set(&mut field.exists, id, targets > 0);
        set(&mut field.several, id, targets > 1);
    }
}

fn set(posting: &mut Posting, row: u32, present: bool) {
    if present {
        posting.insert(row);
    } else {
        posting.remove(row);
    }
}

fn pairs_of(row: &Row) -> Pairs {
    row.fields.iter().copied().zip(row.values.iter().cloned()).collect()
}

/// Takes the pairs of one field off the front.
fn take_field<'a>(rest: &mut &'a [(u32, Option<Text>)], field: u32) -> &'a [(u32, Option<Text>)] {
    let (head, tail) = rest.split_at(rest.partition_point(|(other, _)| *other == field));
    *rest = tail;
    head
}
