//! From a question to rows: bitmap algebra over the postings.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

use memchr::memmem;
use roaring::RoaringBitmap;

use super::posting::Posting;
use super::row::Field;
use super::search_keys::too_long;
use super::text::Text;
use super::{CatalogIndex, Visibility};
use crate::catalog::query::{Clause, Condition, Filter, FullText, Predicate, Selection};

type Rows<'a> = Cow<'a, RoaringBitmap>;

/// Substring searches that are remembered.
const MEMO: usize = 32;

impl CatalogIndex {
    /// Rows that match and are visible.
    pub fn select(&self, selection: &Selection, visibility: &Visibility) -> RoaringBitmap {
        self.selected(selection, visibility).into_owned()
    }

    pub(super) fn selected(&self, selection: &Selection, visibility: &Visibility) -> Rows<'_> {
        let Selection { filter, predicate, full_text } = selection;
        let mut rows: Rows<'_> = Cow::Borrowed(&self.all);
        if let Visibility::Rows(visible) = visibility {
            rows = Cow::Owned(&*rows & &**visible);
        }
        if !filter.any.is_empty() {
            rows = intersect(rows, self.filter(filter));
        }
        if let Some(predicate) = predicate {
            rows = intersect(rows, self.predicate(predicate));
        }
        if let Some(full_text) = full_text {
            rows = self.containing(full_text, rows);
        }
        rows
    }

    /// Whether one row matches; its visibility is the caller's concern.
    pub fn matches(&self, row: u32, selection: &Selection) -> bool {
        let one = Visibility::Rows(Arc::new(RoaringBitmap::from_iter([row])));
        !self.selected(selection, &one).is_empty()
    }

    fn filter(&self, filter: &Filter) -> Rows<'_> {
        unite(filter.any.iter().map(|clause| self.clause(clause)))
    }

    fn clause(&self, clause: &Clause) -> Rows<'_> {
        let conditions = clause.all.iter().map(|condition| self.condition(condition));
        conditions.reduce(intersect).unwrap_or(Cow::Borrowed(&self.all))
    }

    fn condition(&self, Condition { key, values }: &Condition) -> Rows<'_> {
        match values {
            None => self.having(key),
            Some(values) => self.one_of(key, values),
        }
    }

    fn predicate(&self, predicate: &Predicate) -> Rows<'_> {
        match predicate {
            Predicate::All(parts) => {
                let parts = parts.iter().map(|part| self.predicate(part));
                parts.reduce(intersect).unwrap_or(Cow::Borrowed(&self.all))
            }
            Predicate::Any(parts) => unite(parts.iter().map(|part| self.predicate(part))),
            Predicate::Not(part) => self.complement(&self.predicate(part)),
            Predicate::Exists { key, exists: true } => self.having(key),
            Predicate::Exists { key, exists: false } => self.complement(&self.having(key)),
            Predicate::In { key, values } => self.one_of(key, values),
            Predicate::HasPrefix { key, prefix } => self.with_prefix(key, prefix),
            Predicate::Contains { key, value } => self.one_of(key, std::slice::from_ref(value)),
            Predicate::Relation { relation, targets } => {
                let key = format!("relations.{relation}");
                match targets {
                    None => self.having(&key),
                    Some(targets) => self.one_of(&key, targets),
                }
            }
        }
    }

    fn complement(&self, rows: &RoaringBitmap) -> Rows<'static> {
        Cow::Owned(&*self.all - rows)
    }

    /// Rows that have a key.
    pub(super) fn having(&self, key: &str) -> Rows<'_> {
        let stored = self.field(key).map(|field| field.exists.bitmap());
        unite(stored.into_iter().chain(self.item_rows(key)))
    }

    fn one_of(&self, key: &str, values: &[String]) -> Rows<'_> {
        let number = self.find_field(key);
        let stored = values.iter().flat_map(|value| {
            number.into_iter().flat_map(|number| self.equal(number, value)).map(|(_, rows)| rows.bitmap())
        });
        let items = if values.iter().any(|value| value == "true") { self.item_rows(key) } else { None };
        unite(stored.chain(items))
    }

    fn with_prefix(&self, key: &str, prefix: &str) -> Rows<'_> {
        let mut rows = RoaringBitmap::new();
        if let Some(field) = self.field(key) {
            let at = field.values.seek(|text| text.lower() < prefix.as_bytes());
            let matching =
                field.values.forwards(at).take_while(|(text, _)| text.lower().starts_with(prefix.as_bytes()));
            matching.for_each(|(_, posting)| posting.add_to(&mut rows));
        }
        if "true".starts_with(prefix) {
            self.item_rows(key).into_iter().for_each(|items| rows |= &*items);
        }
        Cow::Owned(rows)
    }

    /// Those of `rows` with a value that contains the term.
    fn containing<'a>(&'a self, full_text: &FullText, rows: Rows<'a>) -> Rows<'a> {
        let term = full_text.term.trim().to_lowercase();
        if term.is_empty() {
            return rows;
        }
        let wanted = FullText { term, fields: full_text.fields.iter().map(|field| field.to_lowercase()).collect() };
        let known = {
            let memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
            memo.texts.iter().find(|(known, _)| *known == wanted).map(|(_, found)| Arc::clone(found))
        };
        if let Some(found) = known {
            return Cow::Owned(&*found & &*rows);
        }
        // Few candidates are looked at one by one.
        if rows.len() * 8 < self.all.len() {
            let finder = memmem::Finder::new(wanted.term.as_bytes());
            let fields: Vec<_> = wanted.fields.iter().map(|key| (key, self.find_field(key))).collect();
            let matches = |row: &u32| {
                fields.iter().any(|(key, number)| {
                    let mut found = false;
                    self.each_value(*row, *number, |text| found |= finder.find(text.lower()).is_some());
                    found
                        || ("true".contains(&wanted.term)
                            && self.item_rows(key).is_some_and(|items| items.contains(*row)))
                })
            };
            return Cow::Owned(rows.iter().filter(matches).collect());
        }
        let found = Arc::new(self.scan(&wanted));
        let selected = &*found & &*rows;
        let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        if memo.texts.len() >= MEMO {
            memo.texts.remove(0);
        }
        memo.texts.push((wanted, found));
        Cow::Owned(selected)
    }

    fn scan(&self, FullText { term, fields }: &FullText) -> RoaringBitmap {
        let finder = memmem::Finder::new(term.as_bytes());
        let mut rows = Vec::new();
        let mut found = RoaringBitmap::new();
        for key in fields {
            if let Some(field) = self.field(key) {
                for (_, posting) in field.values.containing(&finder) {
                    // One bitmap from many single rows is built fastest at once.
                    match posting {
                        Posting::One(row) => rows.push(*row),
                        posting => posting.add_to(&mut found),
                    }
                }
            }
            if "true".contains(term.as_str()) {
                self.item_rows(key).into_iter().for_each(|items| found |= &*items);
            }
        }
        rows.sort_unstable();
        found.extend(rows);
        found
    }

    /// Rows with the key `path.item` because of a string inside the list `path`.
    pub(super) fn item_rows(&self, key: &str) -> Option<Rows<'_>> {
        if too_long(key) {
            return None;
        }
        let found = key.match_indices('.').filter_map(|(dot, _)| {
            let field = self.field(&key[..dot]).filter(|field| !field.items.is_empty())?;
            let rows = unite(equal(field, &key[dot + 1..]).map(|(_, rows)| rows.bitmap()));
            let rows = intersect(rows, field.items.bitmap());
            (!rows.is_empty()).then_some(rows)
        });
        found.reduce(|left, right| Cow::Owned(&*left | &*right))
    }

    pub(super) fn field(&self, key: &str) -> Option<&Field> {
        self.fields.get(self.find_field(key)?)
    }

    /// The spellings of a lower-cased value, with their rows.
    pub(super) fn equal(&self, number: u32, value: &str) -> impl Iterator<Item = &(Text, Posting)> {
        self.fields.get(number).into_iter().flat_map(move |field| equal(field, value))
    }

    /// Calls `each` with every value that a row has of a stored field.
    pub(super) fn each_value<'a>(&'a self, row: u32, number: Option<u32>, mut each: impl FnMut(&'a Text)) {
        let (Some(row), Some(number)) = (self.rows.get(row), number) else { return };
        row.values_of(number).iter().flatten().for_each(&mut each);
        if let Some(relation) = self.relation_types.of_field(number)
            && let Some(node) = self.nodes.get(&row.reference)
        {
            node.targets(relation).for_each(each);
        }
    }
}

fn equal<'a>(field: &'a Field, value: &str) -> impl Iterator<Item = &'a (Text, Posting)> + use<'a> {
    let wanted = value.as_bytes();
    let at = field.values.seek(|text| text.lower() < wanted);
    // Spellings of one value are neighbours; usually there is one.
    let count = field.values.forwards(at).take_while(|(text, _)| text.lower() == wanted).count();
    field.values.forwards(at).take(count)
}

fn intersect<'a>(left: Rows<'a>, right: Rows<'a>) -> Rows<'a> {
    match (left, right) {
        (Cow::Owned(mut left), right) => {
            left &= &*right;
            Cow::Owned(left)
        }
        (left, Cow::Owned(mut right)) => {
            right &= &*left;
            Cow::Owned(right)
        }
        (left, right) => Cow::Owned(&*left & &*right),
    }
}

fn unite<'a>(mut sets: impl Iterator<Item = Rows<'a>>) -> Rows<'a> {
    let Some(first) = sets.next() else { return Cow::Owned(RoaringBitmap::new()) };
    sets.fold(first, |left, right| {
        let mut left = left.into_owned();
        left |= &*right;
        Cow::Owned(left)
    })
}
