//! Which parts of a text match a query, and which passage of it to quote.

use portal_core::search::wire::Segment;

use super::edits::prefix_distance;
use super::query::{Part, Query};
use super::words;

/// Characters of a quoted passage, about.
const PASSAGE: usize = 180;

/// Finds the words of one query in texts.
#[derive(Debug, Clone, Copy)]
pub struct Highlighter<'q> {
    query: &'q Query,
    /// For each word of the query, whether misspellings count.
    corrected: &'q [bool],
}

/// A part of a text that matches a word of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    from: usize,
    to: usize,
    /// Index of the query's word; beyond them, the query as a whole.
    part: usize,
}

/// The best passage of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Passage {
    pub segments: Vec<Segment>,
    /// How many words of the query it has.
    pub words: usize,
    /// Of a long text, the line it is from, from 0.
    pub line: usize,
}

impl<'q> Highlighter<'q> {
    pub fn new(query: &'q Query, corrected: &'q [bool]) -> Self {
        Self { query, corrected }
    }

    /// A short text, whole. In names and titles any word of the query may be
    /// the beginning of a word.
    pub fn whole(&self, text: &str, is_name: bool) -> Passage {
        let marks = self.marks(text, is_name);
        Passage { words: distinct(&marks), segments: segments(text, 0..text.len(), &marks), line: 0 }
    }

    /// The passage of a text that has most of the query, cut at words, with
    /// `…` where it was cut.
    pub fn passage(&self, text: &str) -> Passage {
        let marks = self.marks(text, false);
        if text.chars().count() <= PASSAGE {
            return Passage { words: distinct(&marks), segments: segments(text, 0..text.len(), &marks), line: 0 };
        }
        let best = (0..marks.len())
            .map(|first| {
                let within = marks[first..].iter().take_while(|mark| mark.to - marks[first].from <= PASSAGE);
                (first, distinct(&within.copied().collect::<Vec<_>>()))
            })
            .max_by_key(|(first, words)| (*words, std::cmp::Reverse(*first)));
        let start = match best {
            // A little of what comes before, to read into it.
            Some((first, _)) => cut_before(text, marks[first].from.saturating_sub(PASSAGE / 4)),
            None => 0,
        };
        let end = cut_after(text, start + PASSAGE);
        let inside: Vec<Mark> = marks.into_iter().filter(|mark| mark.from >= start && mark.to <= end).collect();
        let mut segments = segments(text, start..end, &inside);
        if start > 0 {
            segments.insert(0, plain("… "));
        }
        if end < text.len() {
            segments.push(plain(" …"));
        }
        Passage { words: distinct(&inside), segments: merged(segments), line: 0 }
    }

    /// The best passage of one line of a long text.
    pub fn line(&self, text: &str) -> Passage {
        let mut best: Option<(usize, &str, usize)> = None;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| self.may_match(line)) {
            let words = distinct(&self.marks(line, false));
            if best.is_none_or(|(_, _, most)| words > most) {
                best = Some((number, line, words));
            }
        }
        best.map(|(number, line, _)| Passage { line: number, ..self.passage(line) }).unwrap_or_default()
    }

    /// Whether a line has the letters of a word of the query: finding words in
    /// a whole API definition takes longer than the search itself.
    fn may_match(&self, line: &str) -> bool {
        let parts = self.query.parts.iter().map(|part| part.text.as_str());
        let mut wanted = parts.chain([self.query.whole.as_str()]).filter(|text| !text.is_empty());
        !line.is_ascii() || wanted.any(|text| contains(line.as_bytes(), text.as_bytes()))
    }

    fn marks(&self, text: &str, is_name: bool) -> Vec<Mark> {
        let mut marks = Vec::new();
        for word in words::words(text) {
            let slice = &text[word.from..word.to];
            for (index, part) in self.query.parts.iter().enumerate() {
                let prefix = part.open || is_name;
                if let Some(length) = self.matched(part, index, &word.text, prefix) {
                    marks.push(Mark { from: word.from, to: word.from + bytes_of(slice, length), part: index });
                }
            }
            let several = self.query.parts.len() > 1;
            if several && word.text.starts_with(&self.query.whole) {
                let length = self.query.whole.chars().count();
                let part = self.query.parts.len();
                marks.push(Mark { from: word.from, to: word.from + bytes_of(slice, length), part });
            }
        }
        marks.sort_by_key(|mark| (mark.from, mark.to));
        marks
    }

    /// How many characters of a word match a word of the query.
    fn matched(&self, part: &Part, index: usize, word: &str, prefix: bool) -> Option<usize> {
        let length = part.text.chars().count();
        if word == part.text || (prefix && word.starts_with(&part.text)) {
            return Some(length);
        }
        if !self.corrected.get(index).copied().unwrap_or(false) {
            return None;
        }
        let (edits, end) = prefix_distance(&part.text, word);
        let letters = word.chars().count();
        if edits <= 1 && part.open {
            // The word itself, when the typing went past its beginning.
            return Some(if letters.abs_diff(length) <= 1 { letters } else { end });
        }
        (super::edits::distance(&part.text, word) <= 1).then_some(letters)
    }
}

/// Whether a text has another one in it, in any case of ASCII letters.
fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}

fn distinct(marks: &[Mark]) -> usize {
    let mut parts: Vec<usize> = marks.iter().map(|mark| mark.part).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.len()
}

/// Bytes of the first `length` letters and digits of a text, and of what
/// stands between them.
fn bytes_of(text: &str, length: usize) -> usize {
    let mut letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric()).skip(length);
    let end = letters.next().map_or(text.len(), |(at, _)| at);
    // Not the separators after the last of them.
    text[..end].trim_end_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace()).len()
}

/// Cuts a text into marked and unmarked segments. Marks that only a separator
/// divides are one.
fn segments(text: &str, range: std::ops::Range<usize>, marks: &[Mark]) -> Vec<Segment> {
    let mut spans: Vec<std::ops::Range<usize>> = Vec::new();
    for mark in marks {
        match spans.last_mut() {
            Some(last) if mark.from <= last.end || is_separator(&text[last.end..mark.from]) => {
                last.end = last.end.max(mark.to);
            }
            _ => spans.push(mark.from..mark.to),
        }
    }
    let mut segments = Vec::new();
    let mut at = range.start;
    for span in spans {
        if at < span.start {
            segments.push(plain(&text[at..span.start]));
        }
        segments.push(Segment { text: text[span.clone()].to_owned(), mark: true });
        at = span.end;
    }
    if at < range.end {
        segments.push(plain(&text[at..range.end]));
    }
    segments
}

fn is_separator(between: &str) -> bool {
    matches!(between, " " | "-" | "_" | "." | ":" | "/")
}

fn plain(text: &str) -> Segment {
    Segment { text: text.to_owned(), mark: false }
}

/// Joins neighbours of the same sort.
fn merged(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments {
        match joined.last_mut() {
            Some(last) if last.mark == segment.mark => last.text.push_str(&segment.text),
            _ => joined.push(segment),
        }
    }
    joined
}

/// The beginning of the word after a place, unless that is far.
fn cut_before(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    if at == 0 {
        return 0;
    }
    let space = text[at..].find(char::is_whitespace).filter(|space| *space < PASSAGE / 4);
    space.map_or(at, |space| at + space + text[at + space..].chars().next().map_or(0, char::len_utf8))
}

/// The end of the word before a place, unless that is far.
fn cut_after(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let at = text.floor_char_boundary(at);
    text[..at].rfind(char::is_whitespace).filter(|space| at - space < PASSAGE / 4).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Marks in brackets.
    fn show(segments: &[Segment]) -> String {
        let mark = |segment: &Segment| if segment.mark { format!("[{}]", segment.text) } else { segment.text.clone() };
        segments.iter().map(mark).collect()
    }

    #[track_caller]
    fn check(query: &str, text: &str, expected: &str) {
        let query = Query::read(query);
        let corrected = vec![true; query.parts.len()];
        let found = Highlighter::new(&query, &corrected).whole(text, true);
        assert_eq!(show(&found.segments), expected);
    }

    #[test]
    fn matches_are_marked_as_the_author_wrote_them() {
        check("rate card", "rate-card-importer", "[rate-card]-importer");
        check("rota", "Rotate database password", "[Rota]te database password");
        check("bookingapi", "Booking-API of Kestrel", "[Booking-API] of Kestrel");
        check("booking ap", "bookingapi", "[bookingap]i");
        check("rate crad", "rate cards", "[rate cards]");
        check("zuri", "Zürich depot", "[Züri]ch depot");
        check("estimator", "shipmentEstimator", "shipment[Estimator]");
        check("nothing", "elsewhere", "elsewhere");
    }

    #[test]
    fn a_long_text_is_quoted_where_it_matches() {
        let text = format!(
            "{} prices every open quote against the rate card. {}",
            "Before. ".repeat(60),
            "After. ".repeat(60)
        );
        let query = Query::read("rate card");
        let found = Highlighter::new(&query, &[false, false]).passage(&text);
        let shown = show(&found.segments);
        assert!(shown.starts_with("… ") && shown.ends_with(" …"), "{shown}");
        assert!(shown.contains("the [rate card]. After."), "{shown}");
        assert!(shown.chars().count() < 2 * PASSAGE, "{shown}");
        assert_eq!(found.words, 2);
    }

    #[test]
    fn the_line_with_most_words_is_quoted() {
        let query = Query::read("rate card");
        let found = Highlighter::new(&query, &[]).line("GET /rates\nGET /rate-cards — one card\nPOST /cards");
        assert_eq!(show(&found.segments), "GET /[rate-card]s — one [card]");
    }

    proptest! {
        #[test]
        fn segments_add_up_to_the_text(query in "\\PC{0,20}", text in "\\PC{0,400}") {
            let query = Query::read(&query);
            let corrected = vec![true; query.parts.len()];
            let highlighter = Highlighter::new(&query, &corrected);
            let whole: String = highlighter.whole(&text, true).segments.iter().map(|s| s.text.as_str()).collect();
            prop_assert_eq!(whole, text.clone());
            let _ = (highlighter.passage(&text), highlighter.line(&text));
        }
    }
}
