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

    pub(super) fn selected<'a>(&'a self, selection: &Selection, visibility: &'a Visibility) -> Rows<'a> {
        let rows = match visibility {
            Visibility::All => Cow::Borrowed(&*self.all),
            Visibility::Rows(visible) => Cow::Owned(&*self.all & &**visible),
        };
        self.among(rows, selection, visibility)
    }

    /// Those of `rows` that match.
    fn among<'a>(&'a self, mut rows: Rows<'a>, selection: &Selection, visibility: &'a Visibility) -> Rows<'a> {
        let Selection { within, filter, predicate, full_text } = selection;
        if let Some(within) = within {
            *rows.to_mut() &= &**within;
        }
        if !filter.any.is_empty() {
            rows = intersect(rows, self.filter(filter, visibility));
        }
        if let Some(predicate) = predicate {
            rows = intersect(rows, self.predicate(predicate, visibility));
        }
        if let Some(full_text) = full_text {
            rows = self.containing(full_text, rows, visibility);
        }
        rows
    }

    /// Whether one row matches; its visibility is the caller's concern.
    pub fn matches(&self, row: u32, selection: &Selection) -> bool {
        let one = Cow::Owned(RoaringBitmap::from_iter([row]));
        !self.among(one, selection, &Visibility::All).is_empty()
    }

    fn filter<'a>(&'a self, filter: &Filter, visibility: &'a Visibility) -> Rows<'a> {
        unite(filter.any.iter().map(|clause| self.clause(clause, visibility)))
    }

    fn clause<'a>(&'a self, clause: &Clause, visibility: &'a Visibility) -> Rows<'a> {
        let conditions = clause.all.iter().map(|condition| self.condition(condition, visibility));
        conditions.reduce(intersect).unwrap_or(Cow::Borrowed(&self.all))
    }

    fn condition<'a>(&'a self, Condition { key, values }: &Condition, visibility: &'a Visibility) -> Rows<'a> {
        match values {
            None => self.having(key, visibility),
            Some(values) => self.one_of(key, values, visibility),
        }
    }

    fn predicate<'a>(&'a self, predicate: &Predicate, visibility: &'a Visibility) -> Rows<'a> {
        match predicate {
            Predicate::All(parts) => {
                let parts = parts.iter().map(|part| self.predicate(part, visibility));
                parts.reduce(intersect).unwrap_or(Cow::Borrowed(&self.all))
            }
            Predicate::Any(parts) => unite(parts.iter().map(|part| self.predicate(part, visibility))),
            Predicate::Not(part) => self.complement(&self.predicate(part, visibility)),
            Predicate::Exists { key, exists: true } => self.having(key, visibility),
            Predicate::Exists { key, exists: false } => self.complement(&self.having(key, visibility)),
            Predicate::In { key, values } => self.one_of(key, values, visibility),
            Predicate::Is { key, values } => self.spelled(key, values),
            Predicate::HasPrefix { key, prefix } => self.with_prefix(key, prefix, visibility),
            Predicate::Contains { key, value } => self.one_of(key, std::slice::from_ref(value), visibility),
            Predicate::Relation { relation, targets } => {
                let key = format!("relations.{relation}");
                match targets {
                    None => self.having(&key, visibility),
                    Some(targets) => self.one_of(&key, targets, visibility),
                }
            }
        }
    }

    fn complement(&self, rows: &RoaringBitmap) -> Rows<'static> {
        Cow::Owned(&*self.all - rows)
    }

    /// Rows that have a key.
    pub(super) fn having<'a>(&'a self, key: &str, visibility: &'a Visibility) -> Rows<'a> {
        let number = self.find_field(key);
        let stored = number.and_then(|number| {
            let rows = self.fields.get(number)?.exists.bitmap();
            Some(match self.restriction(number, visibility) {
                Some(restriction) => Cow::Owned(restriction.having(&rows)),
                None => rows,
            })
        });
        unite(stored.into_iter().chain(self.item_rows(key)))
    }

    fn one_of<'a>(&'a self, key: &str, values: &[String], visibility: &'a Visibility) -> Rows<'a> {
        let number = self.find_field(key);
        let restriction = number.and_then(|number| self.restriction(number, visibility));
        let mut found: Vec<Rows<'a>> = Vec::new();
        for value in values {
            let equal = number.into_iter().flat_map(|number| self.equal(number, value));
            found.extend(equal.map(|(target, rows)| match restriction {
                Some(restriction) => restriction.rows(target, rows),
                None => rows.bitmap(),
            }));
        }
        let items = if values.iter().any(|value| value == "true") { self.item_rows(key) } else { None };
        unite(found.into_iter().chain(items))
    }

    /// Rows of documents with a value spelled like this.
    fn spelled(&self, key: &str, values: &[String]) -> Rows<'_> {
        let mut rows = RoaringBitmap::new();
        let Some(number) = self.find_field(key) else { return Cow::Owned(rows) };
        for value in values {
            let lower = value.to_lowercase();
            self.equal(number, &lower)
                .filter(|(text, _)| text.original() == value)
                .for_each(|(_, posting)| posting.add_to(&mut rows));
        }
        Cow::Owned(rows)
    }

    fn with_prefix<'a>(&'a self, key: &str, prefix: &str, visibility: &'a Visibility) -> Rows<'a> {
        let mut rows = RoaringBitmap::new();
        let number = self.find_field(key);
        let restriction = number.and_then(|number| self.restriction(number, visibility));
        if let Some(field) = number.and_then(|number| self.fields.get(number)) {
            let at = field.values.seek(|text| text.lower() < prefix.as_bytes());
            let matching =
                field.values.forwards(at).take_while(|(text, _)| text.lower().starts_with(prefix.as_bytes()));
            matching.for_each(|(target, posting)| match restriction {
                Some(restriction) => rows |= &*restriction.rows(target, posting),
                None => posting.add_to(&mut rows),
            });
        }
        if "true".starts_with(prefix) {
            self.item_rows(key).into_iter().for_each(|items| rows |= &*items);
        }
        Cow::Owned(rows)
    }

    /// Those of `rows` with a value that contains the term.
    fn containing<'a>(&'a self, full_text: &FullText, rows: Rows<'a>, visibility: &Visibility) -> Rows<'a> {
        let term = full_text.term.trim().to_lowercase();
        if term.is_empty() {
            return rows;
        }
        let wanted = FullText { term, fields: full_text.fields.iter().map(|field| field.to_lowercase()).collect() };
        let fields: Vec<_> = wanted.fields.iter().map(|key| (key, self.find_field(key))).collect();
        let restricted = fields
            .iter()
            .any(|(_, number)| number.is_some_and(|number| self.restriction(number, visibility).is_some()));
        let known = {
            let memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
            memo.texts.iter().find(|(known, _)| *known == wanted).map(|(_, found)| Arc::clone(found))
        };
        if let Some(found) = known.filter(|_| !restricted) {
            return Cow::Owned(&*found & &*rows);
        }
        // Few candidates are looked at one by one.
        if restricted || rows.len() * 8 < self.all.len() {
            let finder = memmem::Finder::new(wanted.term.as_bytes());
            let matches = |row: &u32| {
                fields.iter().any(|(key, number)| {
                    let mut found = false;
                    self.each_value(*row, *number, visibility, |text| found |= finder.find(text.lower()).is_some());
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

    /// Calls `each` with every value that a row has of a stored field, as far as
    /// the caller may know of it.
    pub(super) fn each_value<'a>(
        &'a self,
        row: u32,
        number: Option<u32>,
        visibility: &Visibility,
        mut each: impl FnMut(&'a Text),
    ) {
        let (Some(row), Some(number)) = (self.rows.get(row), number) else { return };
        row.values_of(number).iter().flatten().for_each(&mut each);
        if let Some(relation) = self.relation_types.of_field(number)
            && let Some(node) = self.nodes.get(&row.reference)
        {
            let stated = |target: &&Text| self.is_stated(&row.reference, relation, target, visibility);
            node.targets(relation).filter(stated).for_each(each);
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
