//! Applying changes: the difference between what a row was and becomes is all
//! that is touched.

use std::collections::{BTreeMap, HashMap, HashSet};
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

/// What a batch does to the shared maps, collected so that each map is passed
/// over once.
#[derive(Default)]
struct Batch {
    /// By field: the value, and the row that gets or loses it.
    values: BTreeMap<u32, Vec<ValueChange>>,
    nodes: Vec<(Text, NodeChange)>,
    /// Rows that the batch gives to references.
    attached: HashMap<Text, u32>,
    removed: HashSet<u32>,
}

type ValueChange = (Text, (u32, bool));

enum NodeChange {
    Attach(u32),
    Detach,
    Edge { relation: u32, target: Text, add: bool },
}

/// A row gets or loses a target of a relation, and then has that many: none,
/// one, several.
struct Flip {
    row: u32,
    relation: u32,
    target: Text,
    add: bool,
    targets: usize,
}

/// A sequence, which is never negative, as digits that sort as it does.
fn hex(seq: i64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        let value = seq.unsigned_abs() >> (4 * place) & 0xf;
        *digit = b"0123456789abcdef"[value as usize];
    }
    digits
}

impl CatalogIndex {
    /// Applies changes in order. Snapshots taken before do not see them.
    ///
    /// A relation counts if the entity is one of its ends. An entity whose kind
    /// or name is missing is taken out, because nothing can name it.
    pub fn apply(&mut self, changes: Vec<RowChange>) {
        let mut batch = Batch::default();
        for change in changes {
            match change {
                RowChange::Upsert { id, uid, changed_seq, entity, relations } => match entity.entity_ref() {
                    Some(entity_ref) => {
                        let as_of = (uid.as_str(), changed_seq);
                        self.upsert(id, as_of, &entity, &entity_ref, &relations, &mut batch);
                    }
                    None => self.remove(id, &mut batch),
                },
                RowChange::Remove { id } => self.remove(id, &mut batch),
            }
        }
        self.flush(&mut batch);
        self.pool.sweep();
        self.memo = Arc::default();
    }

    fn upsert(
        &mut self,
        id: u32,
        (uid, changed_seq): (&str, i64),
        entity: &Entity,
        entity_ref: &EntityRef,
        relations: &[Relation],
        batch: &mut Batch,
    ) {
        let reference = self.pool.intern(&entity_ref.to_string());
        if self.rows.get(id).is_some_and(|row| row.reference != reference) {
            self.evict(id, batch);
        }
        if self.rows.get(id).is_none() {
            if batch.removed.contains(&id) {
                self.flush(batch);
            }
            // Another row of the same name gives way: a reference names one row.
            let pending = batch.attached.get(&reference).copied();
            let other = pending.or_else(|| self.nodes.get(&reference).and_then(|node| node.row));
            if let Some(other) = other.filter(|other| *other != id) {
                self.evict(other, batch);
            }
        }
        let old = self.rows.slot(id).take();
        let (pairs, item_fields) = self.pairs(entity, uid);
        let old_pairs = old.as_deref().map(pairs_of).unwrap_or_default();
        self.change_values(id, &old_pairs, &pairs, &item_fields, batch);
        if old.is_none() {
            Arc::make_mut(&mut self.all).insert(id);
            batch.attached.insert(reference.clone(), id);
            batch.nodes.push((reference.clone(), NodeChange::Attach(id)));
        }
        let (declared, others) = self.declared(entity_ref, relations);
        change_edges(&reference, old.as_deref(), &declared, &others, batch);
        let (fields, values): (Vec<u32>, Vec<Option<Text>>) = pairs.into_iter().unzip();
        let row = Row {
            reference,
            title: self.pool.intern(entity.display_title()),
            changed: hex(changed_seq),
            fields: fields.into(),
            values: values.into(),
            declared: declared.into(),
            others: others.into(),
        };
        *self.rows.slot(id) = Some(Arc::new(row));
    }

    fn remove(&mut self, id: u32, batch: &mut Batch) {
        if self.rows.get(id).is_none() {
            return;
        }
        let Some(row) = self.rows.slot(id).take() else { return };
        self.change_values(id, &pairs_of(&row), &[], &[], batch);
        change_edges(&row.reference, Some(&row), &[], &[], batch);
        batch.attached.remove(&row.reference);
        batch.removed.insert(id);
        batch.nodes.push((row.reference.clone(), NodeChange::Detach));
        Arc::make_mut(&mut self.all).remove(id);
    }

    /// Takes a row out whose number or reference another entity needs, which
    /// the order of a batch cannot express.
    fn evict(&mut self, id: u32, batch: &mut Batch) {
        self.remove(id, batch);
        self.flush(batch);
    }

    fn flush(&mut self, batch: &mut Batch) {
        let Batch { mut values, mut nodes, .. } = std::mem::take(batch);
        nodes.sort_by(|(left, _), (right, _)| left.cmp(right));
        let mut flips: Vec<Flip> = Vec::new();
        self.nodes.apply_sorted(
            nodes,
            |_, node, change| change_node(node, change, &mut flips),
            |node| node.row.is_some() || !node.edges.is_empty(),
        );
        for Flip { row, relation, target, add, targets } in flips {
            let Some(number) = self.relation_types.field(relation) else { continue };
            let field = self.fields.slot(number).get_or_insert_default();
            set(&mut field.exists, row, targets > 0);
            set(&mut field.several, row, targets > 1);
            values.entry(number).or_default().push((target, (row, add)));
        }
        for (number, mut changes) in values {
            // Stable: what happens to one value stays in order.
            changes.sort_by(|(left, _), (right, _)| left.cmp(right));
            let field = self.fields.slot(number).get_or_insert_default();
            let change = |_: &Text, rows: &mut Posting, (row, add)| set(rows, row, add);
            field.values.apply_sorted(changes, change, |rows| !rows.is_empty());
        }
    }

    /// Fields and values of an entity, sorted, and the fields whose values are
    /// all strings inside a list.
    fn pairs(&mut self, entity: &Entity, uid: &str) -> (Pairs, Vec<u32>) {
        let mut found = search_keys::pairs(entity, uid);
        let mut fields: Vec<(u32, bool)> = found.iter().map(|pair| (self.field_number(&pair.key), pair.item)).collect();
        let mut pairs: Pairs = fields
            .iter()
            .zip(&found)
            .map(|((field, _), pair)| (*field, pair.value.as_deref().map(|value| self.pool.intern(value))))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        let is_mixed = |field: u32| fields.contains(&(field, true)) && fields.contains(&(field, false));
        let mixed: Vec<u32> = fields.iter().map(|(field, _)| *field).filter(|field| is_mixed(*field)).collect();
        if !mixed.is_empty() {
            // Only here are the keys of list items stored.
            found.retain(|pair| pair.item);
            for Pair { key, value, .. } in found {
                if !mixed.contains(&self.field_number(&key)) {
                    continue;
                }
                let key = format!("{key}.{}", value.as_deref().unwrap_or_default().to_lowercase());
                if value.is_some() && !search_keys::too_long(&key) {
                    pairs.push((self.field_number(&key), Some(self.pool.intern("true"))));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let items = fields.iter().filter(|(field, item)| *item && !mixed.contains(field)).map(|(field, _)| *field);
        (pairs, items.collect())
    }

    fn change_values(
        &mut self,
        id: u32,
        old: &[(u32, Option<Text>)],
        new: &[(u32, Option<Text>)],
        items: &[u32],
        batch: &mut Batch,
    ) {
        let (mut old_rest, mut new_rest) = (old, new);
        loop {
            let number = match (old_rest.first(), new_rest.first()) {
                (Some(old), Some(new)) => old.0.min(new.0),
                (Some(one), None) | (None, Some(one)) => one.0,
                (None, None) => return,
            };
            let before = take_field(&mut old_rest, number);
            let after = take_field(&mut new_rest, number);
            let is_item = items.contains(&number);
            let known_item = self.fields.get(number).is_some_and(|field| field.items.contains(id));
            if before == after && is_item == known_item {
                continue;
            }
            let lost = before.iter().filter(|pair| !after.contains(pair)).map(|(_, value)| (value, false));
            let gained = after.iter().filter(|pair| !before.contains(pair)).map(|(_, value)| (value, true));
            let changes = lost.chain(gained).filter_map(|(value, add)| Some((value.clone()?, (id, add))));
            batch.values.entry(number).or_default().extend(changes);
            let field = self.fields.slot(number).get_or_insert_default();
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
}

fn change_edges(reference: &Text, old: Option<&Row>, declared: &[(u32, bool)], others: &[Text], batch: &mut Batch) {
    let new: Vec<_> = declared.iter().zip(others).collect();
    let old: Vec<_> = old.map(|row| row.declared.iter().zip(&row.others).collect()).unwrap_or_default();
    let lost = old.iter().filter(|edge| new.binary_search(edge).is_err()).map(|edge| (edge, false));
    let gained = new.iter().filter(|edge| old.binary_search(edge).is_err()).map(|edge| (edge, true));
    for (edge, add) in lost.chain(gained) {
        let (&(relation, own), other) = *edge;
        let (source, target) = if own { (reference, other) } else { (other, reference) };
        batch.nodes.push((source.clone(), NodeChange::Edge { relation, target: target.clone(), add }));
    }
}

fn change_node(node: &mut Node, change: NodeChange, flips: &mut Vec<Flip>) {
    match change {
        // The node may have edges from documents that came before.
        NodeChange::Attach(row) => {
            node.row = Some(row);
            for ((relation, target), _) in node.edges.iter() {
                let targets = node.targets(*relation).take(2).count();
                flips.push(Flip { row, relation: *relation, target: target.clone(), add: true, targets });
            }
        }
        // It keeps the edges that others declare.
        NodeChange::Detach => {
            let Some(row) = node.row.take() else { return };
            for ((relation, target), _) in node.edges.iter() {
                flips.push(Flip { row, relation: *relation, target: target.clone(), add: false, targets: 0 });
            }
        }
        NodeChange::Edge { relation, target, add } => {
            let key = (relation, target.clone());
            let known = node.edges.get(&key).is_some();
            let count = |count: &mut u32| *count = if add { *count + 1 } else { count.saturating_sub(1) };
            node.edges.update(&key, count, |count| *count > 0);
            let flipped = known != node.edges.get(&key).is_some();
            if let Some(row) = node.row.filter(|_| flipped) {
                let targets = node.targets(relation).take(2).count();
                flips.push(Flip { row, relation, target, add, targets });
            }
        }
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
