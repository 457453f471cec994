//! Values with counts.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

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
        let number = self.find_field(&key);
        let mut values: Vec<FacetValue> = Vec::new();
        let with_title = key.starts_with("relations.");
        let mut push = |text: &Text, count: u64| {
            let value = text.original().to_owned();
            let title = with_title.then(|| self.link_of(&value, &Visibility::Rows(std::sync::Arc::clone(&self.all))));
            let title = title.filter(|link| link.exists).map(|link| link.title);
            values.push(FacetValue { value, count, title });
        };
        if let Some(field) = number.and_then(|number| self.fields.get(number)) {
            let whole = rows.len() == self.all.len();
            // Counting value by value costs a look at each; when there are
            // fewer rows than values, the rows are asked instead.
            if !whole && rows.len() * 4 < field.values.len() as u64 {
                let mut counts: BTreeMap<&Text, u64> = BTreeMap::new();
                for row in rows {
                    self.each_value(row, number, |text| *counts.entry(text).or_default() += 1);
                }
                counts.into_iter().for_each(|(text, count)| push(text, count));
            } else {
                let counts = field
                    .values
                    .iter()
                    .map(|(text, posting)| (text, if whole { posting.len() } else { posting.count_in(rows) }));
                counts.filter(|(_, count)| *count > 0).for_each(|(text, count)| push(text, count));
            }
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
}
