//! Values with counts.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use roaring::RoaringBitmap;

use super::row::Field;
use super::text::Text;
use super::{CatalogIndex, Visibility};
use crate::catalog::query::{Filter, Selection};
use crate::catalog::wire::FacetValue;

/// Values of each key asked for.
pub type Facets = BTreeMap<String, Vec<FacetValue>>;

impl CatalogIndex {
    /// Values with counts among `rows`, for each key, sorted by value. Targets
    /// of relations carry their titles.
    pub fn facets(&self, keys: &[String], rows: &RoaringBitmap) -> Facets {
        keys.iter().map(|key| (key.clone(), self.facet(key, rows))).collect()
    }

    /// Facets of a selection, where a facet's own filter does not narrow its
    /// own counts.
    pub fn facets_sideways(&self, keys: &[String], selection: &Selection, visibility: &Visibility) -> Facets {
        let selected = self.selected(selection, visibility);
        let facet = |key: &String| {
            let filter: Filter = selection.filter.without(&key.to_lowercase());
            if filter == selection.filter {
                return self.facet(key, &selected);
            }
            let widened = Selection { filter, ..selection.clone() };
            self.facet(key, &self.selected(&widened, visibility))
        };
        keys.iter().map(|key| (key.clone(), facet(key))).collect()
    }

    fn facet(&self, key: &str, rows: &RoaringBitmap) -> Vec<FacetValue> {
        let key = key.to_lowercase();
        let mut values: Vec<FacetValue> = Vec::new();
        if let Some(number) = self.find_field(&key) {
            self.stored_facet(number, rows, &mut values);
        }
        let items = self.item_rows(&key).map_or(0, |items| items.intersection_len(rows));
        if items > 0 {
            match values.iter_mut().find(|value| value.value == "true") {
                Some(value) => value.count += items,
                None => values.push(FacetValue { value: "true".to_owned(), count: items, title: None }),
            }
        }
        values
    }

    fn stored_facet(&self, number: u32, rows: &RoaringBitmap, values: &mut Vec<FacetValue>) {
        let Some(field) = self.fields.get(number) else { return };
        let is_relation = self.relation_types.of_field(number).is_some();
        let mut push = |text: &Text, count: u64, title: Option<&Text>| {
            let title = title.map(|title| title.original().to_owned());
            values.push(FacetValue { value: text.original().to_owned(), count, title });
        };
        let whole = rows.len() == self.all.len();
        // Counting value by value costs a look at each; when there are fewer
        // rows than values, the rows are asked instead.
        if !whole && rows.len() * 4 < field.values.len() as u64 {
            let mut counts: BTreeMap<&Text, u64> = BTreeMap::new();
            for row in rows {
                self.each_value(row, Some(number), |text| *counts.entry(text).or_default() += 1);
            }
            for (text, count) in counts {
                push(text, count, if is_relation { self.title_of(text) } else { None });
            }
            return;
        }
        let titles = if is_relation { self.titles(number, field) } else { Arc::default() };
        for (at, (text, posting)) in field.values.iter().enumerate() {
            let count = if whole { posting.len() } else { posting.count_in(rows) };
            if count > 0 {
                push(text, count, titles.get(at).and_then(Option::as_ref));
            }
        }
    }

    fn titles(&self, number: u32, field: &Field) -> Arc<Vec<Option<Text>>> {
        let known = self.memo.lock().unwrap_or_else(PoisonError::into_inner).titles.get(&number).cloned();
        known.unwrap_or_else(|| {
            let titles = field.values.iter().map(|(target, _)| self.title_of(target).cloned()).collect();
            let titles: Arc<Vec<Option<Text>>> = Arc::new(titles);
            let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
            memo.titles.insert(number, Arc::clone(&titles));
            titles
        })
    }

    fn title_of(&self, target: &Text) -> Option<&Text> {
        let row = self.nodes.get(target)?.row?;
        self.rows.get(row).map(|row| &row.title)
    }
}
