//! The way out of a fault, in a few words.

/// ``did you mean `x`?`` for the candidate that was probably meant.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate nearest to a word, when it is near enough to be a slip.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Longer words cannot be slips of any field, and distance costs their product.
    if word.len() > 64 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// A text that has the wanted format: what is not allowed becomes `-`.
pub(crate) fn reshaped(text: &str, lower: bool, fits: fn(&str) -> bool) -> Option<String> {
    if looks_templated(text) {
        return Some("this looks like a template: validate the file that it renders".to_owned());
    }
    let text = if lower { text.to_lowercase() } else { text.to_owned() };
    let mut shaped = String::new();
    for character in text.chars().take(200) {
        if character.is_ascii_alphanumeric() || (!lower && matches!(character, '_' | '.')) {
            shaped.push(character);
        } else if !shaped.ends_with('-') {
            shaped.push('-');
        }
    }
    shaped.truncate(63);
    let shaped = shaped.trim_matches(|edge: char| !edge.is_ascii_alphanumeric());
    fits(shaped).then(|| format!("`{shaped}` would do"))
}

pub(crate) fn looks_templated(text: &str) -> bool {
    text.contains("{{") || text.contains("${") || text.contains("{%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_what_was_meant() {
        let fields = ["type", "lifecycle", "owner", "system"];
        for (slip, meant) in
            [("lifecyle", "lifecycle"), ("Owner", "owner"), ("onwer", "owner"), ("tpye", "type"), ("systems", "system")]
        {
            assert_eq!(closest(slip, fields), Some(meant), "{slip}");
        }
        for word in ["", "x", "description", "foo", &"o".repeat(100)] {
            assert_eq!(closest(word, fields), None, "{word}");
        }
    }

    #[test]
    fn names_are_reshaped_only_when_that_helps() {
        let fits = super::super::formats::is_name;
        assert_eq!(reshaped("a/b", false, fits).as_deref(), Some("`a-b` would do"));
        assert_eq!(reshaped("größe", false, fits).as_deref(), Some("`gr-e` would do"));
        assert_eq!(reshaped("äöü", false, fits), None);
        assert!(reshaped("${{ values.name }}", false, fits).is_some_and(|hint| hint.contains("template")));
    }
}
