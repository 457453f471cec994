//! Pages of an ordered list, from a place in it, both ways.

use roaring::RoaringBitmap;

use super::row::Field;
use super::text::Text;
use super::{CHANGED, CatalogIndex, Visibility};
use crate::catalog::query::{Missing, Order, Position, Query, SortKey};

/// A page of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<u32>,
    /// Entities that match, on all pages.
    pub total: u64,
    pub has_next: bool,
    pub has_previous: bool,
    /// Places of the first and the last row, to build cursors from.
    pub first: Option<SortKey>,
    pub last: Option<SortKey>,
}

/// A row and the value by which it sorts.
type Place<'a> = (Option<&'a [u8]>, u32);

impl CatalogIndex {
    pub fn page(&self, query: &Query, visibility: &Visibility) -> Page {
        let Query { selection, order, missing, position, limit } = query;
        let mut rows = self.selected(selection, visibility);
        let sorting = order.as_ref().map(|order| Sorting::new(self, order, visibility));
        if let Some(sorting) = sorting.as_ref().filter(|_| *missing == Missing::Excluded) {
            *rows.to_mut() &= &sorting.having;
        }
        let total = rows.len();
        if *limit == 0 || total == 0 {
            let has_previous = matches!(position, Position::Offset(offset) if *offset > 0) && total > 0;
            return Page { total, has_previous, ..Page::default() };
        }
        let list = List { rows: &rows, sorting };
        // One more than asked tells whether there is another page.
        let (mut places, backwards) = match position {
            Position::Offset(offset) => (list.walk(None, false, *offset, limit + 1), false),
            Position::After(key) => (list.walk(Some(key), false, 0, limit + 1), false),
            Position::Before(key) => (list.walk(Some(key), true, 0, limit + 1), true),
        };
        let more = places.len() > *limit;
        places.truncate(*limit);
        if backwards {
            places.reverse();
        }
        let key = |place: &Place<'_>| SortKey {
            value: place.0.and_then(|value| std::str::from_utf8(value).ok()).map(str::to_owned),
            row: place.1,
        };
        let (first, last) = (places.first().map(key), places.last().map(key));
        let beyond = |key: &Option<SortKey>, backwards| {
            key.as_ref().is_some_and(|key| !list.walk(Some(key), backwards, 0, 1).is_empty())
        };
        let (has_previous, has_next) = match position {
            Position::Offset(0) => (false, more),
            Position::Offset(_) => (true, more),
            Position::After(_) => (beyond(&first, true) || places.is_empty(), more),
            Position::Before(_) => (more, beyond(&last, false) || places.is_empty()),
        };
        Page { rows: places.into_iter().map(|(_, row)| row).collect(), total, has_next, has_previous, first, last }
    }
}

impl CatalogIndex {
    /// Rows sorted by several keys at once, those without a value last; ties
    /// keep the order of arrival.
    pub fn ordered(&self, rows: &RoaringBitmap, orders: &[Order], visibility: &Visibility) -> Vec<u32> {
        let mut sorted: Vec<u32> = rows.iter().collect();
        // From the last key to the first, each sort keeping what it cannot tell apart.
        for order in orders.iter().rev() {
            let sorting = Sorting::new(self, order, visibility);
            sorted.sort_by_cached_key(|row| {
                let value = sorting.value(*row);
                let directed = if sorting.descending { Err(std::cmp::Reverse(value)) } else { Ok(value) };
                (value.is_none(), directed)
            });
        }
        sorted
    }
}

/// How a list is sorted: by the values of one key.
struct Sorting<'a> {
    index: &'a CatalogIndex,
    visibility: &'a Visibility,
    /// Some values are not the caller's to know.
    restricted: bool,
    /// By the last change, which every row has.
    by_change: bool,
    number: Option<u32>,
    field: Option<&'a Field>,
    descending: bool,
    /// Rows that have the key.
    having: RoaringBitmap,
    /// Rows that have it as the item of a list, with the value `true`.
    items: RoaringBitmap,
}

impl<'a> Sorting<'a> {
    fn new(index: &'a CatalogIndex, order: &Order, visibility: &'a Visibility) -> Self {
        let number = index.find_field(&order.field);
        let by_change = order.field == CHANGED;
        let having = if by_change { (*index.all).clone() } else { index.having(&order.field, visibility).into_owned() };
        Self {
            index,
            visibility,
            restricted: number.is_some_and(|number| index.restriction(number, visibility).is_some()),
            by_change,
            number,
            field: number.and_then(|number| index.fields.get(number)),
            descending: order.descending,
            having,
            items: index.item_rows(&order.field).map(std::borrow::Cow::into_owned).unwrap_or_default(),
        }
    }

    /// The value by which a row sorts: its first in the direction of the order.
    fn value(&self, row: u32) -> Option<&'a [u8]> {
        if self.by_change {
            return self.index.rows.get(row).map(|row| &row.changed[..]);
        }
        let mut found: Option<&'a [u8]> = self.items.contains(row).then_some(b"true");
        self.index.each_value(row, self.number, self.visibility, |text: &'a Text| {
            let value = text.lower();
            let better = found.is_none_or(|found| if self.descending { value > found } else { value < found });
            if better {
                found = Some(value);
            }
        });
        found
    }
}

/// The rows of a list and their order.
struct List<'r, 'a> {
    rows: &'r RoaringBitmap,
    sorting: Option<Sorting<'a>>,
}

impl<'a> List<'_, 'a> {
    /// The places after a key (or from the start), or before it when walking
    /// backwards, nearest first.
    fn walk(&self, from: Option<&SortKey>, backwards: bool, skip: usize, count: usize) -> Vec<Place<'a>> {
        let Some(sorting) = &self.sorting else {
            return self.by_row(self.rows, from.map(|key| key.row), backwards, skip, count);
        };
        let from: Option<Place<'_>> = from.map(|key| (key.value.as_deref().map(str::as_bytes), key.row));
        let candidates = self.rows.len();
        let values = sorting.field.map_or(0, |field| field.values.len() as u64);
        // Walking the values in order passes by those of other rows; with few
        // rows, or keys that are no stored field, sorting them is cheaper.
        let steps = values.saturating_mul((skip + count) as u64) / candidates.max(1);
        if sorting.by_change
            || sorting.restricted
            || !sorting.items.is_empty()
            || candidates <= steps.saturating_mul(2)
            || candidates <= 64
        {
            self.sorted(sorting, from, backwards, skip, count)
        } else {
            self.walked(sorting, from, backwards, skip, count)
        }
    }

    fn by_row<'p>(
        &self,
        rows: &RoaringBitmap,
        from: Option<u32>,
        backwards: bool,
        skip: usize,
        count: usize,
    ) -> Vec<Place<'p>> {
        let places = |row: u32| (None, row);
        if backwards {
            rows.range(..from.unwrap_or(u32::MAX)).rev().skip(skip).take(count).map(places).collect()
        } else {
            let start = from.map_or(Some(0), |row| row.checked_add(1));
            let Some(start) = start else { return Vec::new() };
            let start = if from.is_none() && skip > 0 {
                match u32::try_from(skip).ok().and_then(|skip| rows.select(skip)) {
                    Some(start) => start,
                    None => return Vec::new(),
                }
            } else {
                start
            };
            rows.range(start..).take(count).map(places).collect()
        }
    }

    /// Sorts all candidates beyond the key and takes the nearest.
    fn sorted(
        &self,
        sorting: &Sorting<'a>,
        from: Option<Place<'_>>,
        backwards: bool,
        skip: usize,
        count: usize,
    ) -> Vec<Place<'a>> {
        let compare = |left: &Place<'_>, right: &Place<'_>| {
            let order = compare(left, right, sorting.descending);
            if backwards { order.reverse() } else { order }
        };
        let mut places: Vec<Place<'a>> = self
            .rows
            .iter()
            .map(|row| (sorting.value(row), row))
            .filter(|place| from.as_ref().is_none_or(|from| compare(place, from).is_gt()))
            .collect();
        let wanted = skip.saturating_add(count);
        if places.len() > wanted {
            places.select_nth_unstable_by(wanted, compare);
            places.truncate(wanted);
        }
        places.sort_unstable_by(compare);
        places.drain(..skip.min(places.len()));
        places
    }

    /// Walks the values in order, then the rows without one.
    fn walked(
        &self,
        sorting: &Sorting<'a>,
        from: Option<Place<'_>>,
        backwards: bool,
        skip: usize,
        count: usize,
    ) -> Vec<Place<'a>> {
        let mut places = Collector { places: Vec::new(), skip, count };
        let descending = sorting.descending != backwards;
        let missing_first = backwards;
        let from_missing = matches!(from, Some((None, _)));
        if missing_first && (from.is_none() || from_missing) {
            self.walk_missing(sorting, from, descending, &mut places);
        }
        if !from_missing || missing_first {
            let from_value = from.and_then(|(value, row)| Some((value?, row)));
            self.walk_values(sorting, from_value, descending, &mut places);
        }
        if !missing_first {
            self.walk_missing(sorting, from.filter(|_| from_missing), descending, &mut places);
        }
        places.places
    }

    fn walk_missing(
        &self,
        sorting: &Sorting<'a>,
        from: Option<Place<'_>>,
        descending: bool,
        places: &mut Collector<'a>,
    ) {
        if places.is_full() {
            return;
        }
        let mut missing = self.rows - &sorting.having;
        if let Some(field) = sorting.field {
            missing |= &*field.nulls.bitmap() & self.rows;
        }
        let from = from.map(|(_, row)| row);
        if descending {
            let before = from.map_or(u64::from(u32::MAX) + 1, u64::from);
            let rows = missing.iter().rev().filter(|row| u64::from(*row) < before);
            rows.map(|row| (None, row)).all(|place| places.push(place));
        } else {
            let rows = missing.iter().filter(|row| from.is_none_or(|from| *row > from));
            rows.map(|row| (None, row)).all(|place| places.push(place));
        }
    }

    fn walk_values(
        &self,
        sorting: &Sorting<'a>,
        from: Option<(&[u8], u32)>,
        descending: bool,
        places: &mut Collector<'a>,
    ) {
        let Some(field) = sorting.field else { return };
        let start = match from {
            None if descending => field.values.end(),
            None => field.values.seek(|_| false),
            // The key's own value takes part: other rows may share it.
            Some((value, _)) if descending => field.values.seek(|text| text.lower() <= value),
            Some((value, _)) => field.values.seek(|text| text.lower() < value),
        };
        let mut entries: Box<dyn Iterator<Item = &'a (Text, super::posting::Posting)>> =
            if descending { Box::new(field.values.backwards(start)) } else { Box::new(field.values.forwards(start)) };
        let mut next = entries.next();
        while let Some((text, posting)) = next {
            if places.is_full() {
                return;
            }
            let value = text.lower();
            let mut rows = posting.within(self.rows);
            next = entries.next();
            // Spellings of the same value are one group.
            while let Some((other, posting)) = next.filter(|(other, _)| other.lower() == value) {
                let _ = other;
                rows.extend(posting.within(self.rows));
                rows.sort_unstable();
                rows.dedup();
                next = entries.next();
            }
            let after = from.filter(|(from, _)| *from == value).map(|(_, row)| row);
            let counts = |row: &u32| !field.several.contains(*row) || sorting.value(*row) == Some(value);
            let beyond = |row: &u32| after.is_none_or(|after| if descending { *row < after } else { *row > after });
            let keep = |row: &u32| beyond(row) && counts(row);
            if descending {
                rows.into_iter().rev().filter(keep).all(|row| places.push((Some(value), row)));
            } else {
                rows.into_iter().filter(keep).all(|row| places.push((Some(value), row)));
            }
        }
    }
}

/// Takes places after some have been skipped, until there are enough.
struct Collector<'a> {
    places: Vec<Place<'a>>,
    skip: usize,
    count: usize,
}

impl<'a> Collector<'a> {
    /// False once it needs no more.
    fn push(&mut self, place: Place<'a>) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.is_full() {
            self.places.push(place);
        }
        !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.places.len() >= self.count
    }
}

/// The order of a list: values, then rows; rows without a value are last in
/// both directions.
fn compare(left: &Place<'_>, right: &Place<'_>, descending: bool) -> std::cmp::Ordering {
    let directed = |order: std::cmp::Ordering| if descending { order.reverse() } else { order };
    match (left.0, right.0) {
        (Some(one), Some(other)) => directed(one.cmp(other)).then_with(|| directed(left.1.cmp(&right.1))),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => directed(left.1.cmp(&right.1)),
    }
}
