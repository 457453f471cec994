//! Values with counts.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::posting::{Counted, Posting};
use super::text::Text;
use super::{CatalogIndex, Visibility};
use crate::catalog::query::{Filter, Selection};
use crate::catalog::wire::FacetValue;

/// Values of each key asked for; their titles are the caller's to fill in.
pub type Facets = BTreeMap<String, Vec<FacetValue>>;

/// Which values of a facet are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// All, sorted by value.
    All,
    /// At most so many: the most frequent, those first.
    Frequent(usize),
}

/// Values with counts, while they are counted.
type Counts<'a> = Vec<(&'a str, u64)>;

impl CatalogIndex {
    /// Values with counts among `rows`, for each key.
    pub fn facets(&self, keys: &[String], rows: &RoaringBitmap, values: Values, visibility: &Visibility) -> Facets {
        let rows = Counted::new(rows);
        keys.iter().map(|key| (key.clone(), self.facet(key, &rows, values, visibility))).collect()
    }

    /// Facets of a selection, where a facet's own filter does not narrow its
    /// own counts.
    pub fn facets_sideways(
        &self,
        keys: &[String],
        selection: &Selection,
        visibility: &Visibility,
        values: Values,
    ) -> Facets {
        let selected = self.selected(selection, visibility);
        let counted = Counted::new(&selected);
        let facet = |key: &String| {
            let filter: Filter = selection.filter.without(&key.to_lowercase());
            if filter == selection.filter {
                return self.facet(key, &counted, values, visibility);
            }
            let widened = Selection { filter, ..selection.clone() };
            self.facet(key, &Counted::new(&self.selected(&widened, visibility)), values, visibility)
        };
        keys.iter().map(|key| (key.clone(), facet(key))).collect()
    }

    fn facet(&self, key: &str, rows: &Counted<'_>, values: Values, visibility: &Visibility) -> Vec<FacetValue> {
        let key = key.to_lowercase();
        let mut counts =
            self.find_field(&key).map_or_else(Vec::new, |number| self.stored_facet(number, rows, visibility));
        let items = self.item_rows(&key).map_or(0, |items| items.intersection_len(rows.rows()));
        if items > 0 {
            match counts.iter_mut().find(|(value, _)| *value == "true") {
                Some((_, count)) => *count += items,
                None => {
                    let place = counts.partition_point(|(value, _)| value.to_lowercase().as_str() < "true");
                    counts.insert(place, ("true", items));
                }
            }
        }
        if let Values::Frequent(most) = values {
            let by_count = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
            if counts.len() > most {
                if most > 0 {
                    counts.select_nth_unstable_by(most - 1, by_count);
                }
                counts.truncate(most);
            }
            counts.sort_unstable_by(by_count);
        }
        let shown = |(value, count): (&str, u64)| FacetValue { value: value.to_owned(), count, title: None };
        counts.into_iter().map(shown).collect()
    }

    fn stored_facet(&self, number: u32, counted: &Counted<'_>, visibility: &Visibility) -> Counts<'_> {
        let Some(field) = self.fields.get(number) else { return Vec::new() };
        let rows = counted.rows();
        let whole = rows.len() == self.all.len();
        // Counting value by value costs a look at each; when there are fewer
        // rows than values, the rows are asked instead.
        if !whole && rows.len() * 4 < field.values.len() as u64 {
            let mut counts: BTreeMap<&Text, u64> = BTreeMap::new();
            for row in rows {
                self.each_value(row, Some(number), visibility, |text| *counts.entry(text).or_default() += 1);
            }
            return counts.into_iter().map(|(text, count)| (text.original(), count)).collect();
        }
        let restriction = self.restriction(number, visibility);
        let count = |text: &Text, posting: &Posting| match restriction {
            _ if whole => posting.len(),
            Some(restriction) => restriction.rows(text, posting).intersection_len(rows),
            None => posting.count_in(counted),
        };
        field
            .values
            .iter()
            .map(|(text, posting)| (text, count(text, posting)))
            .filter(|(_, count)| *count > 0)
            .map(|(text, count)| (text.original(), count))
            .collect()
    }
}
