//! What a person typed, as words to look for.
//!
//! There is no query language: every text is a query, and none is an error.

use std::ops::Range;

use super::words::{self, squash};

/// Bytes of a query that are read.
const MAX_QUERY: usize = 400;
/// Words of a query that are looked for.
const MAX_PARTS: usize = 12;
/// Words that are looked for but need not be there, unless they are all there is.
const FILLERS: [&str; 24] = [
    "a", "an", "and", "are", "as", "at", "by", "do", "for", "from", "how", "i", "in", "is", "of", "on", "or", "the",
    "to", "what", "where", "which", "who", "with",
];

/// A query, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What was typed, as far as it is read.
    pub text: String,
    pub parts: Vec<Part>,
    /// All words as one: the name that may have been meant.
    pub whole: String,
}

/// One word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    /// Where it stands in the query.
    pub place: Range<usize>,
    /// It may be the beginning of a word: the last one, still being typed.
    pub open: bool,
    /// A hit must have it.
    pub required: bool,
}

impl Query {
    pub fn read(text: &str) -> Self {
        let text = text[..text.floor_char_boundary(MAX_QUERY)].trim();
        let mut parts: Vec<Part> = Vec::new();
        let words = words::parts(text);
        let last = words.len().min(MAX_PARTS).saturating_sub(1);
        for (index, word) in words.into_iter().take(MAX_PARTS).enumerate() {
            let open = index == last;
            if let Some(same) = parts.iter_mut().find(|part| part.text == word.text) {
                same.open |= open;
                continue;
            }
            let required = open || !FILLERS.contains(&word.text.as_str());
            parts.push(Part { text: word.text, place: word.from..word.to, open, required });
        }
        Self { text: text.to_owned(), parts, whole: squash(text) }
    }

    /// The query with one word replaced.
    pub fn with(&self, part: &Part, replacement: &str) -> String {
        let mut text = self.text.clone();
        text.replace_range(part.place.clone(), replacement);
        text
    }
}

impl Part {
    /// Whether a misspelling of it is looked for: short words have too many
    /// neighbours.
    pub fn tolerates_typo(&self) -> bool {
        self.text.chars().count() >= 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let query = Query::read(text);
        let parts: Vec<String> = query
            .parts
            .iter()
            .map(|part| {
                let (optional, open) = (if part.required { "" } else { "?" }, if part.open { "*" } else { "" });
                format!("{}{open}{optional}", part.text)
            })
            .collect();
        assert_eq!(parts.join(" "), expected, "{text}");
    }

    #[test]
    fn the_last_word_is_open_and_fillers_are_optional() {
        check("Rate Card", "rate card*");
        check("how to book a shipment", "how? to? book a? shipment*");
        check("the", "the*");
        check("booking-api booking", "booking* api");
        check("  \"AND (OR) name:x* ~2 ", "and? or? name x 2*");
        check("", "");
        check("-- !", "");
    }

    #[test]
    fn long_queries_are_cut() {
        assert_eq!(Query::read(&"ab cd ef ".repeat(1_000)).parts.len(), 3);
        let numbers: String = (0..1_000).map(|n| format!("{n} ")).collect();
        assert_eq!(Query::read(&numbers).parts.len(), MAX_PARTS);
    }

    #[test]
    fn a_word_can_be_replaced() {
        let query = Query::read("rate crad, importer");
        assert_eq!(query.with(&query.parts[1], "card"), "rate card, importer");
    }
}
