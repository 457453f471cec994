//! How text becomes words, for documents and queries alike.
//!
//! Names in a catalog are compounds: `booking-api`, `shipmentEstimator`,
//! `platform.core`. They are split at separators and at changes of case, and
//! also kept whole without their separators (`bookingapi`), so that each way
//! of writing finds the others. Everything is lower-cased and folded to ASCII
//! where that exists. There is no stemming: most words here are names.

use tantivy::tokenizer::{AsciiFoldingFilter, RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// Bytes of a word, at most. Longer runs are hashes and encoded data.
const MAX_WORD: usize = 64;
/// Characters up to which every beginning of a name is a term of its own.
pub const MAX_PREFIX: usize = 20;
/// Precedes the beginnings of a whole name, to tell them from those of its parts.
pub const ANCHOR: char = '^';

/// A word of a text, folded, and the bytes of the text it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub from: usize,
    pub to: usize,
}

/// The words of a text; of a compound, its parts.
pub fn parts(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for run in runs(text) {
        split_case(text, run, &mut words);
    }
    words
}

/// The words of a text; of a compound, its parts and then the whole.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    // Where the compound began, in the text and in `words`.
    let mut compound: Option<(std::ops::Range<usize>, usize)> = None;
    for run in runs(text) {
        match &mut compound {
            Some((range, _)) if joins(&text[range.end..run.start]) => range.end = run.end,
            _ => {
                close_compound(text, compound.take(), &mut words);
                compound = Some((run.clone(), words.len()));
            }
        }
        split_case(text, run, &mut words);
    }
    close_compound(text, compound, &mut words);
    words
}

/// A text as one word without any separators: `Booking API` → `bookingapi`.
pub fn squash(text: &str) -> String {
    parts(text).into_iter().map(|word| word.text).collect()
}

fn close_compound(text: &str, compound: Option<(std::ops::Range<usize>, usize)>, words: &mut Vec<Word>) {
    let Some((range, first)) = compound else { return };
    if words.len() - first < 2 || range.len() > MAX_WORD || text[range.clone()].chars().all(is_ideograph) {
        return;
    }
    let whole = words[first..].iter().map(|word| word.text.as_str()).collect();
    words.push(Word { text: whole, from: range.start, to: range.end });
}

/// Runs of letters and digits, with the marks that combine with them.
fn runs(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let length = text[start..].find(|c: char| !c.is_alphanumeric() && !is_combining(c));
        at = length.map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

fn joins(between: &str) -> bool {
    matches!(between, "-" | "_" | "." | ":" | "/")
}

/// Splits a run where the case changes (`shipmentEstimator`, `HTTPServer`, but
/// not the plural `APIs`), and ideographs one by one.
fn split_case(text: &str, run: std::ops::Range<usize>, words: &mut Vec<Word>) {
    let slice = &text[run.clone()];
    if slice.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return push_word(text, run, words);
    }
    let chars: Vec<(usize, char)> = slice.char_indices().collect();
    let mut start = 0;
    for index in 1..chars.len() {
        let (previous, (at, current)) = (chars[index - 1].1, chars[index]);
        let next = chars.get(index + 1).map(|(_, next)| *next);
        let after = chars.get(index + 2).map(|(_, after)| *after);
        let hump = current.is_uppercase() && (previous.is_lowercase() || previous.is_ascii_digit());
        let plural = next == Some('s') && !after.is_some_and(char::is_lowercase);
        let acronym_ends =
            previous.is_uppercase() && current.is_uppercase() && next.is_some_and(char::is_lowercase) && !plural;
        if hump || acronym_ends || is_ideograph(previous) || is_ideograph(current) {
            push_word(text, run.start + start..run.start + at, words);
            start = at;
        }
    }
    push_word(text, run.start + start..run.end, words);
}

fn push_word(text: &str, range: std::ops::Range<usize>, words: &mut Vec<Word>) {
    if range.is_empty() || range.len() > MAX_WORD {
        return;
    }
    let folded = fold(&text[range.clone()]);
    if !folded.is_empty() {
        words.push(Word { text: folded, from: range.start, to: range.end });
    }
}

fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let lower: String = word.to_lowercase().chars().filter(|c| !is_combining(*c)).collect();
    let mut analyzer = TextAnalyzer::builder(RawTokenizer::default()).filter(AsciiFoldingFilter).build();
    let mut stream = analyzer.token_stream(&lower);
    if stream.advance() { stream.token().text.to_lowercase() } else { String::new() }
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Scripts that are written without spaces: a character is a word.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// What a field of the index makes of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysis {
    /// Parts and wholes.
    Words,
    /// Parts only.
    Parts,
    /// Every beginning of every part and whole, and, after [`ANCHOR`], of the
    /// text as one word.
    Prefixes,
    /// The text as one word.
    Squash,
}

impl Analysis {
    /// The name under which the tokenizer is registered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "portal_words",
            Self::Parts => "portal_parts",
            Self::Prefixes => "portal_prefixes",
            Self::Squash => "portal_squash",
        }
    }

    fn terms(self, text: &str) -> Vec<Word> {
        match self {
            Self::Words => words(text),
            Self::Parts => parts(text),
            Self::Prefixes => prefixes(text),
            Self::Squash => {
                let whole = squash(text);
                if whole.is_empty() { Vec::new() } else { vec![Word { text: whole, from: 0, to: text.len() }] }
            }
        }
    }
}

fn prefixes(text: &str) -> Vec<Word> {
    let words = words(text);
    let whole = format!("{ANCHOR}{}", squash(text));
    let mut seen = std::collections::BTreeSet::new();
    for (word, anchored) in words.iter().map(|word| (word.text.as_str(), 0)).chain([(whole.as_str(), 1)]) {
        let ends = word.char_indices().map(|(at, c)| at + c.len_utf8()).skip(anchored);
        seen.extend(ends.take(MAX_PREFIX).map(|end| word[..end].to_owned()));
    }
    seen.into_iter().map(|text| Word { text, from: 0, to: 0 }).collect()
}

impl Tokenizer for Analysis {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms { terms: self.terms(text).into_iter(), token: Token::default(), position: 0 }
    }
}

/// The terms of one text.
#[derive(Debug)]
pub struct Terms {
    terms: std::vec::IntoIter<Word>,
    token: Token,
    position: usize,
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some(Word { text, from, to }) = self.terms.next() else { return false };
        self.token = Token { offset_from: from, offset_to: to, position: self.position, text, position_length: 1 };
        self.position += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }

    #[test]
    fn compounds_are_split_and_kept_whole() {
        check("booking-api", "booking api bookingapi");
        check("shipmentEstimator", "shipment estimator shipmentestimator");
        check("platform.core", "platform core platformcore");
        check("HTTPServer2Go", "http server2 go httpserver2go");
        check("component:default/rate_card", "component default rate card componentdefaultratecard");
        check("rate cards, in CSV.", "rate cards in csv");
        check("our APIs", "our apis");
        check("OpenAPIs", "open apis openapis");
        check("GET /rate-cards/{id}", "get rate cards ratecards id");
    }

    #[test]
    fn letters_are_folded() {
        check("Zürich Straße ÅNGSTRÖM", "zurich strasse angstrom");
        check("cafe\u{301}", "cafe");
        check("検索api", "検 索 api 検索api");
        check("Поиск", "поиск");
    }

    #[test]
    fn text_without_words_has_none() {
        check("", "");
        check(" -- ::/ \u{301}", "");
        check(&"x".repeat(65), "");
    }

    #[test]
    fn every_beginning_of_a_name_is_a_term() {
        let terms: Vec<String> = prefixes("ab-c").into_iter().map(|word| word.text).collect();
        assert_eq!(terms, ["^a", "^ab", "^abc", "a", "ab", "abc", "c"]);
    }

    proptest! {
        #[test]
        fn words_are_slices_of_the_text(text in "\\PC{0,80}") {
            for word in words(&text) {
                prop_assert!(text.is_char_boundary(word.from) && text.is_char_boundary(word.to));
                prop_assert!(word.from < word.to && !word.text.is_empty());
            }
            let _ = (prefixes(&text), squash(&text));
        }
    }
}
