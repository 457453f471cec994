//! Letters that stand in a text in their order, as those of an abbreviation do: `bkapi` in
//! `booking-api`. What counts as the same letter is the caller's to say: the browser does
//! not carry the tables of Unicode.

use super::wire::Segment;

/// Where the letters begin and end that stand in a text in this order, the first of them at the
/// beginning of a word; of several places the closest. Both are offsets in bytes.
pub fn fit(text: &str, wanted: &[char], same: impl Fn(char, char) -> bool) -> Option<(usize, usize)> {
    let mut begins = true;
    let mut best: Option<(usize, usize)> = None;
    for (at, letter) in text.char_indices() {
        let is_first = begins && wanted.first().is_some_and(|wanted| same(letter, *wanted));
        begins = is_separator(letter);
        if is_first
            && let Some(last) = end(&text[at..], wanted, &same)
            && best.is_none_or(|(first, known)| last < known - first)
        {
            best = Some((at, at + last));
        }
    }
    best
}

/// The text with the letters marked that [`fit`] finds; whole where there are none.
pub fn marked(text: &str, wanted: &[char], same: impl Fn(char, char) -> bool) -> Vec<Segment> {
    let start = fit(text, wanted, &same);
    let mut next = 0;
    let mut segments: Vec<Segment> = Vec::new();
    for (at, letter) in text.char_indices() {
        let is_wanted = || wanted.get(next).is_some_and(|wanted| same(letter, *wanted));
        let mark = start.is_some_and(|(first, _)| at >= first) && is_wanted();
        next += usize::from(mark);
        match segments.last_mut().filter(|segment| segment.mark == mark) {
            Some(segment) => segment.text.push(letter),
            None => segments.push(Segment { text: letter.to_string(), mark }),
        }
    }
    segments
}

/// Whether words end here.
pub fn is_separator(sign: char) -> bool {
    sign.is_ascii() && !sign.is_ascii_alphanumeric()
}

/// Where the last of the letters stands.
fn end(text: &str, wanted: &[char], same: impl Fn(char, char) -> bool) -> Option<usize> {
    let mut signs = text.char_indices();
    let mut last = None;
    for wanted in wanted {
        last = Some(signs.find(|(_, letter)| same(*letter, *wanted))?.0);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, wanted: &str) -> Option<(usize, usize)> {
        fit(text, &wanted.chars().collect::<Vec<_>>(), |one, other| one == other)
    }

    #[test]
    fn letters_stand_in_order_and_begin_a_word() {
        assert_eq!(place("booking-api", "bkapi"), Some((0, 10)));
        assert_eq!(place("old-booking-api", "boapi"), Some((4, 14)));
        assert_eq!(place("booking-api", "ookapi"), None);
        assert_eq!(place("booking-api", "bkapx"), None);
        assert_eq!(place("booking-api", ""), None);
        // The closest of several.
        assert_eq!(place("big-bang-api", "bapi"), Some((4, 11)));
    }
}
