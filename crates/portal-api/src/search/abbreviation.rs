//! Names that an abbreviation may stand for, `bkapi` for `booking-api`: offered where no
//! name has the letters as words.

use portal_core::catalog::index::CatalogIndex;
use portal_core::search::wire::Segment;
use roaring::RoaringBitmap;

/// Shorter ones stand for too much, longer ones are no abbreviations.
const LETTERS: std::ops::RangeInclusive<usize> = 2..=16;

/// The rows whose names an abbreviation fits best, the best first.
pub fn expansions(text: &str, index: &CatalogIndex, rows: &RoaringBitmap, limit: usize) -> Vec<u32> {
    let wanted: Vec<char> = letters(text).collect();
    if !LETTERS.contains(&wanted.len()) {
        return Vec::new();
    }
    let name_of = |row| index.canonical(row)?.rsplit('/').next();
    let fits = |row| {
        let name = name_of(row)?;
        let (first, last) = fit(name, &wanted)?;
        Some((last - first, first, name.len(), row))
    };
    let mut found: Vec<_> = rows.iter().filter_map(fits).collect();
    found.sort_unstable();
    found.into_iter().take(limit).map(|(.., row)| row).collect()
}

/// A title with the letters of an abbreviation marked; whole where they are not in it.
pub fn marked(title: &str, text: &str) -> Vec<Segment> {
    let wanted: Vec<char> = letters(text).collect();
    let lower = title.to_lowercase();
    let start = fit(&lower, &wanted).filter(|_| lower.len() == title.len());
    let mut next = 0;
    let mut segments: Vec<Segment> = Vec::new();
    for (at, letter) in title.char_indices() {
        let is_wanted = || wanted.get(next).is_some_and(|wanted| letter.to_lowercase().eq([*wanted]));
        let mark = start.is_some_and(|(first, _)| at >= first) && is_wanted();
        next += usize::from(mark);
        match segments.last_mut().filter(|segment| segment.mark == mark) {
            Some(segment) => segment.text.push(letter),
            None => segments.push(Segment { text: letter.to_string(), mark }),
        }
    }
    segments
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric())
}

/// Where the letters begin and end that stand in a text in this order, the first of them at the
/// beginning of a word; of several places the closest.
fn fit(text: &str, wanted: &[char]) -> Option<(usize, usize)> {
    let mut before = None;
    let mut best: Option<(usize, usize)> = None;
    for (at, letter) in text.char_indices() {
        let begins = before.is_none_or(|before: char| !before.is_alphanumeric());
        before = Some(letter);
        if begins
            && wanted.first() == Some(&letter)
            && let Some(last) = end(&text[at..], wanted)
            && best.is_none_or(|(first, known)| last < known - first)
        {
            best = Some((at, at + last));
        }
    }
    best
}

/// Where the last of the letters stands.
fn end(text: &str, wanted: &[char]) -> Option<usize> {
    let mut signs = text.char_indices();
    let mut last = None;
    for wanted in wanted {
        last = Some(signs.find(|(_, letter)| letter == wanted)?.0);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, wanted: &str) -> Option<(usize, usize)> {
        fit(text, &wanted.chars().collect::<Vec<_>>())
    }

    #[test]
    fn letters_stand_in_order_and_begin_a_word() {
        assert_eq!(place("booking-api", "bkapi"), Some((0, 10)));
        assert_eq!(place("old-booking-api", "boapi"), Some((4, 14)));
        assert_eq!(place("booking-api", "ookapi"), None);
        assert_eq!(place("booking-api", "bkapx"), None);
        // The closest of several.
        assert_eq!(place("big-bang-api", "bapi"), Some((4, 11)));
    }

    #[test]
    fn the_letters_of_the_title_are_marked() {
        let shown = |title, text| {
            let pieces = marked(title, text).into_iter();
            pieces.map(|Segment { text, mark }| if mark { format!("[{text}]") } else { text }).collect::<String>()
        };
        assert_eq!(shown("Booking API", "bkapi"), "[B]oo[k]ing [API]");
        assert_eq!(shown("Reservations", "bkapi"), "Reservations");
    }
}
