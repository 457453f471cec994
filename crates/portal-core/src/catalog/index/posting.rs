//! Sets of rows: a bitmap for many, an array for few.
//!
//! Most values of a catalog belong to one row, and a bitmap of one row costs
//! hundreds of bytes.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use roaring::RoaringBitmap;
use triomphe::ThinArc;

/// Rows in an array, at most. Up to here it is smaller than a bitmap, and
/// faster to go through.
const FEW: usize = 64;
/// Rows up to which those of a bitmap are counted one by one: beyond, it keeps
/// words of bits, which are counted faster as such.
const SPARSE: u64 = 4096;

/// A set of rows, sorted.
#[derive(Debug, Clone, Default)]
pub(super) enum Posting {
    #[default]
    Empty,
    One(u32),
    Few(ThinArc<(), u32>),
    Many(Arc<RoaringBitmap>),
}

impl Posting {
    pub(super) fn insert(&mut self, row: u32) {
        match self {
            Self::Empty => *self = Self::One(row),
            Self::One(one) if *one == row => {}
            Self::One(one) => *self = few(&[(*one).min(row), (*one).max(row)]),
            Self::Few(rows) => {
                let Err(at) = rows.slice.binary_search(&row) else { return };
                if rows.slice.len() == FEW {
                    let mut bitmap: RoaringBitmap = rows.slice.iter().copied().collect();
                    bitmap.insert(row);
                    *self = Self::Many(Arc::new(bitmap));
                } else {
                    let mut grown = rows.slice.to_vec();
                    grown.insert(at, row);
                    *self = few(&grown);
                }
            }
            Self::Many(bitmap) => {
                if !bitmap.contains(row) {
                    Arc::make_mut(bitmap).insert(row);
                }
            }
        }
    }

    pub(super) fn remove(&mut self, row: u32) {
        if !self.contains(row) {
            return;
        }
        match self {
            Self::Empty => {}
            Self::One(_) => *self = Self::Empty,
            Self::Few(rows) => {
                let rest: Vec<u32> = rows.slice.iter().copied().filter(|other| *other != row).collect();
                *self = few(&rest);
            }
            Self::Many(bitmap) => {
                let bitmap = Arc::make_mut(bitmap);
                bitmap.remove(row);
                // Half of `FEW`, so that a set at the limit does not flip back and forth.
                if bitmap.len() <= FEW as u64 / 2 {
                    let rest: Vec<u32> = bitmap.iter().collect();
                    *self = few(&rest);
                }
            }
        }
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        match self {
            Self::Empty => false,
            Self::One(one) => *one == row,
            Self::Few(rows) => rows.slice.contains(&row),
            Self::Many(bitmap) => bitmap.contains(row),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Many(bitmap) => bitmap.len(),
            small => small.small().len() as u64,
        }
    }

    /// How many of the counted rows are in it.
    pub(super) fn count_in(&self, rows: &Counted<'_>) -> u64 {
        match self {
            Self::Many(bitmap) if bitmap.len() > SPARSE => bitmap.intersection_len(rows.rows),
            Self::Many(bitmap) => {
                let bits = rows.bits();
                bitmap.iter().filter(|row| is_set(bits, *row)).count() as u64
            }
            small => {
                let bits = rows.bits();
                small.small().iter().filter(|row| is_set(bits, **row)).count() as u64
            }
        }
    }

    /// Those of `rows` that are in it, in order.
    pub(super) fn within(&self, rows: &RoaringBitmap) -> Vec<u32> {
        match self {
            Self::Many(bitmap) => (&**bitmap & rows).iter().collect(),
            small => small.small().iter().copied().filter(|row| rows.contains(*row)).collect(),
        }
    }

    pub(super) fn bitmap(&self) -> Cow<'_, RoaringBitmap> {
        match self {
            Self::Many(bitmap) => Cow::Borrowed(bitmap),
            small => Cow::Owned(small.small().iter().copied().collect()),
        }
    }

    pub(super) fn add_to(&self, rows: &mut RoaringBitmap) {
        match self {
            Self::Many(bitmap) => *rows |= &**bitmap,
            small => rows.extend(small.small().iter().copied()),
        }
    }

    fn small(&self) -> &[u32] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Few(rows) => &rows.slice,
            Self::Empty | Self::Many(_) => &[],
        }
    }
}

/// Rows that many postings are counted in: a bitmap would search for each row
/// anew, here it is a look at a bit.
pub(super) struct Counted<'a> {
    rows: &'a RoaringBitmap,
    /// Made with the first posting that is counted.
    bits: OnceCell<Vec<u64>>,
}

impl<'a> Counted<'a> {
    pub(super) fn new(rows: &'a RoaringBitmap) -> Self {
        Self { rows, bits: OnceCell::new() }
    }

    pub(super) fn rows(&self) -> &'a RoaringBitmap {
        self.rows
    }

    fn bits(&self) -> &[u64] {
        self.bits.get_or_init(|| {
            let words = self.rows.max().map_or(0, |last| last as usize / 64 + 1);
            let mut bits = vec![0; words];
            for row in self.rows {
                bits[row as usize / 64] |= 1 << (row % 64);
            }
            bits
        })
    }
}

fn is_set(bits: &[u64], row: u32) -> bool {
    bits.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

fn few(rows: &[u32]) -> Posting {
    match rows {
        [] => Posting::Empty,
        [one] => Posting::One(*one),
        rows => Posting::Few(ThinArc::from_header_and_slice((), rows)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_posting_is_a_set(operations in proptest::collection::vec((any::<bool>(), 0_u32..160), 0..400)) {
            let (mut posting, mut model) = (Posting::default(), BTreeSet::new());
            for (insert, row) in operations {
                if insert {
                    posting.insert(row);
                    model.insert(row);
                } else {
                    posting.remove(row);
                    model.remove(&row);
                }
                prop_assert_eq!(posting.len(), model.len() as u64);
                prop_assert_eq!(posting.is_empty(), model.is_empty());
                prop_assert!(posting.bitmap().iter().eq(model.iter().copied()));
                for some in [(0..160).step_by(3).collect(), RoaringBitmap::from([3, 900])] {
                    let common = model.iter().filter(|row| some.contains(**row)).count() as u64;
                    prop_assert_eq!(posting.count_in(&Counted::new(&some)), common);
                }
            }
        }
    }
}
