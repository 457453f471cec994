//! Names that an abbreviation may stand for, `bkapi` for `booking-api`: offered where no
//! name has the letters as words.

use portal_core::catalog::index::CatalogIndex;
use portal_core::search::letters;
use portal_core::search::wire::Segment;
use roaring::RoaringBitmap;

/// Shorter ones stand for too much, longer ones are no abbreviations.
const LETTERS: std::ops::RangeInclusive<usize> = 2..=16;

/// The rows whose names an abbreviation fits best, the best first.
pub fn expansions(text: &str, index: &CatalogIndex, rows: &RoaringBitmap, limit: usize) -> Vec<u32> {
    let wanted = wanted(text);
    if !LETTERS.contains(&wanted.len()) {
        return Vec::new();
    }
    let name_of = |row| index.canonical(row)?.rsplit('/').next();
    let fits = |row| {
        let name = name_of(row)?;
        let (first, last) = letters::fit(name, &wanted, is_same)?;
        Some((last - first, first, name.len(), row))
    };
    let mut found: Vec<_> = rows.iter().filter_map(fits).collect();
    found.sort_unstable();
    found.into_iter().take(limit).map(|(.., row)| row).collect()
}

/// A title with the letters of an abbreviation marked; whole where they are not in it.
pub fn marked(title: &str, text: &str) -> Vec<Segment> {
    letters::marked(title, &wanted(text), is_same)
}

fn wanted(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).collect()
}

fn is_same(letter: char, lower: char) -> bool {
    letter.to_lowercase().eq([lower])
}

#[cfg(test)]
mod tests {
    use super::*;

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
