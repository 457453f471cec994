//! Texts one behind the other, so that a substring is looked for in one run
//! over a few kilobytes and not in a hundred places of the heap.

use memchr::memmem::Finder;

use super::sorted::SortedMap;
use super::text::Text;

/// Stands between two texts; no byte of UTF-8 has this value, so that nothing
/// is found across them.
const END: u8 = 0xff;

/// The lower-cased keys of one chunk.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Box<[u8]>,
    /// Where each text ends, behind its [`END`].
    ends: Box<[u32]>,
}

impl Packed {
    fn new<'a>(texts: impl Iterator<Item = &'a Text> + Clone) -> Self {
        let length = texts.clone().map(|text| text.lower().len() + 1).sum();
        let mut bytes = Vec::with_capacity(length);
        let ends = texts.map(|text| {
            bytes.extend_from_slice(text.lower());
            bytes.push(END);
            u32::try_from(bytes.len()).unwrap_or(u32::MAX)
        });
        let ends = ends.collect();
        Self { bytes: bytes.into(), ends }
    }

    /// Numbers of the texts that contain the needle, ascending.
    fn containing(&self, needle: &Finder<'_>) -> impl Iterator<Item = usize> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = from + needle.find(self.bytes.get(from..)?)?;
            let number = self.ends.partition_point(|end| *end as usize <= at);
            from = *self.ends.get(number)? as usize;
            Some(number)
        })
    }
}

impl<V: Clone> SortedMap<Text, V> {
    /// Entries whose key contains the needle, which must not be empty and is
    /// in lower case.
    pub(super) fn containing(&self, needle: &Finder<'_>) -> impl Iterator<Item = &(Text, V)> {
        self.slice().iter().flat_map(move |chunk| {
            let texts = || Box::new(Packed::new(chunk.entries.iter().map(|(text, _)| text)));
            let packed = chunk.packed.get_or_init(texts);
            packed.containing(needle).filter_map(|number| chunk.entries.get(number))
        })
    }
}
