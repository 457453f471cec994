//! A sorted map in chunks: a clone costs one pointer, a change copies one chunk.

use std::sync::{Arc, OnceLock};

use super::packed::Packed;

/// Entries of a chunk, at most.
const CHUNK: usize = 128;
/// Room for entries to come, when a chunk must grow.
const SLACK: usize = 8;
/// A batch is merged if the map is at most so many times larger.
const MERGE: usize = 16;

type SharedChunk<K, V> = Arc<Chunk<K, V>>;

#[derive(Debug)]
pub(super) struct Chunk<K, V> {
    pub entries: Vec<(K, V)>,
    /// The texts of the keys, once somebody has searched them.
    pub packed: OnceLock<Box<Packed>>,
}

impl<K, V> Chunk<K, V> {
    fn new(entries: Vec<(K, V)>) -> SharedChunk<K, V> {
        Arc::new(Self { entries, packed: OnceLock::new() })
    }
}

impl<K: Clone, V: Clone> Clone for Chunk<K, V> {
    /// To be changed, so without what was derived from the entries.
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), packed: OnceLock::new() }
    }
}

/// Sorted by key; chunks are never empty.
#[derive(Debug, Clone)]
pub(super) struct SortedMap<K, V> {
    chunks: Chunks<K, V>,
}

/// Most maps hold a few entries: they do without the outer list.
#[derive(Debug, Clone)]
enum Chunks<K, V> {
    None,
    One(SharedChunk<K, V>),
    Many(Arc<Vec<SharedChunk<K, V>>>),
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Chunks::None }
    }
}

/// Chunk and entry. May stand behind the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(usize, usize);

impl<K: Ord + Clone, V: Clone> SortedMap<K, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.slice().is_empty()
    }

    /// Number of entries; walks the chunks.
    pub(super) fn len(&self) -> usize {
        self.slice().iter().map(|chunk| chunk.entries.len()).sum()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let at = self.seek(|other| other < key);
        self.entry(at).filter(|(found, _)| found == key).map(|(_, value)| value)
    }

    /// Changes the value of a key, which starts as the default; a value that
    /// `keep` refuses afterwards is taken out.
    pub(super) fn update(&mut self, key: &K, change: impl FnOnce(&mut V), keep: impl FnOnce(&V) -> bool)
    where
        V: Default,
    {
        let At(chunk, entry) = self.seek(|other| other < key);
        let known = self.entry(At(chunk, entry)).is_some_and(|(found, _)| found == key);
        if known {
            let entries = self.chunk_mut(chunk);
            change(&mut entries[entry].1);
            if !keep(&entries[entry].1) {
                entries.remove(entry);
                if entries.is_empty() {
                    self.remove_chunk(chunk);
                }
            }
            return;
        }
        let mut value = V::default();
        change(&mut value);
        if keep(&value) {
            self.insert_at(chunk, entry, (key.clone(), value));
        }
    }

    /// Applies operations that are sorted by key, those of one key together.
    /// Many at once are merged, which costs a pass over the map but no search.
    pub(super) fn apply_sorted<T>(
        &mut self,
        operations: Vec<(K, T)>,
        mut change: impl FnMut(&K, &mut V, T),
        keep: impl Fn(&V) -> bool,
    ) where
        V: Default,
    {
        let mut operations = operations.into_iter().peekable();
        if operations.len().saturating_mul(MERGE) < self.slice().len().saturating_mul(CHUNK) {
            while let Some((key, operation)) = operations.next() {
                let mut group = vec![operation];
                while let Some((_, operation)) = operations.next_if(|(other, _)| *other == key) {
                    group.push(operation);
                }
                let all = |value: &mut V| group.into_iter().for_each(|operation| change(&key, value, operation));
                self.update(&key, all, &keep);
            }
            return;
        }
        let mut merged = Builder { chunks: Vec::new(), open: Vec::with_capacity(CHUNK) };
        let mut finish = |key: K, mut value: V, operations: &mut std::iter::Peekable<std::vec::IntoIter<(K, T)>>| {
            let mut changed = false;
            while let Some((_, operation)) = operations.next_if(|(other, _)| *other == key) {
                change(&key, &mut value, operation);
                changed = true;
            }
            if !changed || keep(&value) {
                merged.push((key, value));
            }
        };
        for chunk in std::mem::take(self).into_chunks() {
            for (key, value) in Arc::unwrap_or_clone(chunk).entries {
                while let Some((other, _)) = operations.peek().filter(|(other, _)| *other < key) {
                    finish(other.clone(), V::default(), &mut operations);
                }
                finish(key, value, &mut operations);
            }
        }
        while let Some((other, _)) = operations.peek() {
            finish(other.clone(), V::default(), &mut operations);
        }
        *self = merged.build();
    }

    /// The first place whose key is not `before` some point.
    pub(super) fn seek(&self, before: impl Fn(&K) -> bool) -> At {
        let chunks = self.slice();
        // The last chunk whose first key is before the point holds the place,
        // or ends at it.
        let chunk =
            chunks.partition_point(|chunk| chunk.entries.first().is_some_and(|(key, _)| before(key))).saturating_sub(1);
        let Some(Chunk { entries, .. }) = chunks.get(chunk).map(|chunk| &**chunk) else { return At(0, 0) };
        let entry = entries.partition_point(|(key, _)| before(key));
        if entry == entries.len() && chunk + 1 < chunks.len() { At(chunk + 1, 0) } else { At(chunk, entry) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.slice().iter().flat_map(|chunk| &chunk.entries)
    }

    /// Entries at and after a place, in order.
    pub(super) fn forwards(&self, At(chunk, entry): At) -> impl Iterator<Item = &(K, V)> {
        let chunks = self.slice();
        let head = chunks.get(chunk).and_then(|chunk| chunk.entries.get(entry..)).unwrap_or_default();
        let tail = chunks.get(chunk + 1..).unwrap_or_default();
        head.iter().chain(tail.iter().flat_map(|chunk| &chunk.entries))
    }

    /// Entries before a place, in reverse order.
    pub(super) fn backwards(&self, At(chunk, entry): At) -> impl Iterator<Item = &(K, V)> {
        let chunks = self.slice();
        let head = chunks.get(chunk).and_then(|chunk| chunk.entries.get(..entry)).unwrap_or_default();
        let tail = chunks.get(..chunk).unwrap_or_default();
        head.iter().rev().chain(tail.iter().rev().flat_map(|chunk| chunk.entries.iter().rev()))
    }

    /// The place behind the last entry.
    pub(super) fn end(&self) -> At {
        match self.slice() {
            [] => At(0, 0),
            chunks => At(chunks.len() - 1, chunks[chunks.len() - 1].entries.len()),
        }
    }

    fn entry(&self, At(chunk, entry): At) -> Option<&(K, V)> {
        self.slice().get(chunk)?.entries.get(entry)
    }

    pub(super) fn slice(&self) -> &[SharedChunk<K, V>] {
        match &self.chunks {
            Chunks::None => &[],
            Chunks::One(chunk) => std::slice::from_ref(chunk),
            Chunks::Many(chunks) => chunks,
        }
    }

    fn chunk_mut(&mut self, index: usize) -> &mut Vec<(K, V)> {
        let chunk = match &mut self.chunks {
            Chunks::None => unreachable!("an empty map has no chunk to change"),
            Chunks::One(chunk) => Arc::make_mut(chunk),
            Chunks::Many(chunks) => Arc::make_mut(&mut Arc::make_mut(chunks)[index]),
        };
        chunk.packed.take();
        &mut chunk.entries
    }

    fn insert_at(&mut self, chunk: usize, entry: usize, item: (K, V)) {
        if self.is_empty() {
            self.chunks = Chunks::One(Chunk::new(vec![item]));
            return;
        }
        let last = chunk + 1 == self.slice().len();
        let entries = self.chunk_mut(chunk);
        if entries.len() < CHUNK {
            if entries.len() == entries.capacity() {
                let slack = if entries.len() < SLACK { 1 } else { SLACK };
                entries.reserve_exact(slack);
            }
            entries.insert(entry, item);
            return;
        }
        // Keys that arrive in order fill their chunks to the end.
        let split = if last && entry == CHUNK { CHUNK } else { CHUNK / 2 };
        let mut right = entries.split_off(split);
        if entry <= split && split < CHUNK {
            entries.insert(entry, item);
        } else {
            right.insert(entry - split, item);
        }
        entries.shrink_to_fit();
        right.shrink_to_fit();
        self.chunks = match std::mem::replace(&mut self.chunks, Chunks::None) {
            Chunks::Many(mut chunks) => {
                Arc::make_mut(&mut chunks).insert(chunk + 1, Chunk::new(right));
                Chunks::Many(chunks)
            }
            Chunks::One(left) => Chunks::Many(Arc::new(vec![left, Chunk::new(right)])),
            Chunks::None => Chunks::One(Chunk::new(right)),
        };
    }

    fn remove_chunk(&mut self, index: usize) {
        self.chunks = match std::mem::replace(&mut self.chunks, Chunks::None) {
            Chunks::Many(mut chunks) => {
                let list = Arc::make_mut(&mut chunks);
                list.remove(index);
                match list.as_slice() {
                    [] => Chunks::None,
                    [only] => Chunks::One(only.clone()),
                    _ => Chunks::Many(chunks),
                }
            }
            Chunks::One(_) | Chunks::None => Chunks::None,
        };
    }
}

impl<K, V> SortedMap<K, V> {
    fn into_chunks(self) -> Vec<SharedChunk<K, V>> {
        match self.chunks {
            Chunks::None => Vec::new(),
            Chunks::One(chunk) => vec![chunk],
            Chunks::Many(chunks) => chunks.iter().cloned().collect(),
        }
    }
}

/// Builds a map from entries in order.
struct Builder<K, V> {
    chunks: Vec<SharedChunk<K, V>>,
    open: Vec<(K, V)>,
}

impl<K, V> Builder<K, V> {
    fn push(&mut self, entry: (K, V)) {
        // Not to the brim, so that the next insertions need no split.
        if self.open.len() == CHUNK * 3 / 4 {
            self.close();
        }
        self.open.push(entry);
    }

    fn close(&mut self) {
        let mut full = std::mem::replace(&mut self.open, Vec::with_capacity(CHUNK * 3 / 4));
        full.shrink_to_fit();
        self.chunks.push(Chunk::new(full));
    }

    fn build(mut self) -> SortedMap<K, V> {
        if !self.open.is_empty() {
            self.close();
        }
        let chunks = match self.chunks.len() {
            0 => Chunks::None,
            1 => self.chunks.pop().map_or(Chunks::None, Chunks::One),
            _ => Chunks::Many(Arc::new(self.chunks)),
        };
        SortedMap { chunks }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_map(
            operations in proptest::collection::vec((0_u8..3, 0_u32..700), 0..1500),
            ascending in 0_u32..600,
            batch in proptest::collection::vec((0_u32..700, any::<bool>()), 0..200),
            point in 0_u32..700,
        ) {
            let (mut map, mut model) = (SortedMap::<u32, u32>::default(), BTreeMap::new());
            for key in 0..ascending {
                map.update(&key, |value| *value += 1, |_| true);
                *model.entry(key).or_insert(0) += 1;
            }
            let (snapshot, before) = (map.clone(), model.clone());
            for (operation, key) in operations {
                if operation == 0 {
                    map.update(&key, |value| *value += 1, |_| true);
                    *model.entry(key).or_insert(0) += 1;
                } else {
                    map.update(&key, |_| {}, |_| false);
                    model.remove(&key);
                }
            }
            prop_assert_eq!(map.len(), model.len());
            prop_assert!(map.iter().map(|(key, value)| (key, value)).eq(&model));
            let mut sorted = batch;
            sorted.sort_by_key(|(key, _)| *key);
            for (key, add) in &sorted {
                if *add { *model.entry(*key).or_insert(0) += 1; } else { model.remove(key); }
            }
            let change = |_: &u32, value: &mut u32, add| *value = if add { *value + 1 } else { 0 };
            map.apply_sorted(sorted, change, |value| *value > 0);
            prop_assert!(map.iter().map(|(key, value)| (key, value)).eq(&model));
            let at = map.seek(|key| *key < point);
            prop_assert!(map.forwards(at).map(|(key, value)| (key, value)).eq(model.range(point..)));
            prop_assert!(map.backwards(at).map(|(key, value)| (key, value)).eq(model.range(..point).rev()));
            prop_assert!(map.backwards(map.end()).map(|(key, _)| key).eq(model.keys().rev()));
            prop_assert_eq!(map.get(&point), model.get(&point));
            prop_assert!(snapshot.iter().map(|(key, value)| (key, value)).eq(&before));
        }
    }
}
