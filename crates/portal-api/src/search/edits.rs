//! Distances between words.

/// Edits between two words: characters inserted, deleted, replaced, or two
/// neighbours swapped.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    last_row(a, &b).last().copied().unwrap_or_default()
}

/// Edits between `a` and the beginning of `b` that is nearest to it, and how
/// many characters that beginning has.
pub fn prefix_distance(a: &str, b: &str) -> (usize, usize) {
    let b: Vec<char> = b.chars().collect();
    let row = last_row(a, &b);
    let length = a.chars().count();
    // Of equally near beginnings, the one as long as what was typed.
    let nearest = row.iter().enumerate().min_by_key(|(end, edits)| (**edits, end.abs_diff(length)));
    nearest.map_or((0, 0), |(end, edits)| (*edits, end))
}

/// Edits between `a` and each beginning of `b`, the empty one first.
fn last_row(a: &str, b: &[char]) -> Vec<usize> {
    let a: Vec<char> = a.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, whole: usize, prefix: (usize, usize)) {
        assert_eq!((distance(a, b), prefix_distance(a, b)), (whole, prefix), "{a} {b}");
    }

    #[test]
    fn edits_are_counted() {
        check("card", "card", 0, (0, 4));
        check("crad", "card", 1, (1, 4));
        check("bookng", "booking", 1, (1, 7));
        check("bokk", "booking", 4, (1, 4));
        check("", "abc", 3, (0, 0));
        check("abc", "", 3, (3, 0));
        check("größe", "grösse", 2, (2, 5));
    }
}
