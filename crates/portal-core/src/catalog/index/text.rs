//! Interned text: one allocation per distinct value, eight bytes per use.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use triomphe::ThinArc;

/// A value in lower case, by which it is found and sorted, with the author's
/// spelling beside it when that differs.
///
/// Layout: length of the lower-cased part as four bytes, that part, then the
/// author's spelling unless it is the same.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(ThinArc<(), u8>);

const HEADER: usize = 4;

impl Text {
    /// As bytes: they sort like the text, and need no validation.
    pub(super) fn lower(&self) -> &[u8] {
        let bytes = &self.0.slice;
        bytes.get(HEADER..HEADER + length(bytes)).unwrap_or_default()
    }

    pub(super) fn lower_str(&self) -> &str {
        std::str::from_utf8(self.lower()).unwrap_or_default()
    }

    /// As its author wrote it.
    pub(super) fn original(&self) -> &str {
        let bytes = &self.0.slice;
        let original = bytes.get(HEADER + length(bytes)..).unwrap_or_default();
        if original.is_empty() { self.lower_str() } else { std::str::from_utf8(original).unwrap_or_default() }
    }
}

fn length(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize)
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let tail = |text: &Self| HEADER + text.lower().len();
        self.lower().cmp(other.lower()).then_with(|| self.0.slice[tail(self)..].cmp(&other.0.slice[tail(other)..]))
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.slice.hash(state);
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0.slice
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.original().fmt(f)
    }
}

/// The texts in use. Only writers look into it; snapshots share it, because a
/// text never changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Texts>>);

#[derive(Debug, Default)]
struct Texts {
    texts: HashSet<Text>,
    /// Size at which texts that nobody uses any more are looked for.
    sweep_at: usize,
    scratch: Vec<u8>,
}

impl Pool {
    /// The text of `original`, shared with everybody who has the same.
    pub(super) fn intern(&self, original: &str) -> Text {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = std::mem::take(&mut pool.scratch);
        scratch.clear();
        scratch.extend_from_slice(&[0; HEADER]);
        if original.is_ascii() {
            scratch.extend(original.bytes().map(|byte| byte.to_ascii_lowercase()));
        } else {
            scratch.extend_from_slice(original.to_lowercase().as_bytes());
        }
        let length = scratch.len() - HEADER;
        scratch[..HEADER].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        if &scratch[HEADER..] != original.as_bytes() {
            scratch.extend_from_slice(original.as_bytes());
        }
        let text = match pool.texts.get(scratch.as_slice()) {
            Some(text) => text.clone(),
            None => {
                let text = Text(ThinArc::from_header_and_slice((), &scratch));
                pool.texts.insert(text.clone());
                text
            }
        };
        pool.scratch = scratch;
        text
    }

    /// Forgets texts that only the pool holds, once there may be many.
    pub(super) fn sweep(&self) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.texts.len() < pool.sweep_at {
            return;
        }
        pool.texts.retain(|text| ThinArc::strong_count(&text.0) > 1);
        pool.sweep_at = (pool.texts.len() * 2).max(4096);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shared_found_in_lower_case_and_shown_as_written() {
        let pool = Pool::default();
        let (first, second) = (pool.intern("Booking API"), pool.intern("Booking API"));
        assert!(std::ptr::eq(first.lower(), second.lower()));
        assert_eq!((first.lower_str(), first.original()), ("booking api", "Booking API"));
        assert_ne!(first, pool.intern("booking api"));
        assert_eq!(pool.intern("ÄÖ").lower_str(), "äö");
        assert_eq!(pool.intern("").original(), "");
    }

    #[test]
    fn texts_sort_by_lower_case_then_spelling() {
        let pool = Pool::default();
        let mut texts = ["b", "B", "a", "C", ""].map(|text| pool.intern(text));
        texts.sort();
        assert_eq!(texts.each_ref().map(|text| text.original()), ["", "a", "b", "B", "C"]);
    }

    #[test]
    fn unused_texts_are_forgotten() {
        let pool = Pool::default();
        let kept = pool.intern("kept");
        for number in 0..10_000 {
            pool.intern(&number.to_string());
        }
        pool.sweep();
        assert_eq!(pool.0.lock().unwrap().texts.len(), 1);
        assert_eq!(pool.intern("kept"), kept);
    }
}
