//! What differs between two texts, line by line, as `diff -u` says it.

/// A run of changed lines with what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk<'t> {
    /// First line before, from 1; 0 when there is none.
    pub before: usize,
    /// First line after, from 1; 0 when there is none.
    pub after: usize,
    pub lines: Vec<Line<'t>>,
}

/// A line of a hunk, without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'t> {
    Kept(&'t str),
    Removed(&'t str),
    Added(&'t str),
}

/// Comparisons that finding the longest common part may take; past that, what
/// differs counts as replaced.
const COMPARISONS: usize = 4_000_000;

/// The differences between two texts, with up to `context` lines around each.
pub fn hunks<'t>(before: &'t str, after: &'t str, context: usize) -> Vec<Hunk<'t>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let all = script(&old, &new);
    let changed: Vec<usize> =
        all.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Kept(_))).map(|(at, _)| at).collect();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for at in changed {
        let (from, to) = (at.saturating_sub(context), (at + context + 1).min(all.len()));
        match spans.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => spans.push((from, to)),
        }
    }
    spans.into_iter().map(|(from, to)| hunk(&all, from, to)).collect()
}

/// The differences as a patch, as `diff -u` writes it.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    let hunks = hunks(before, after, 3);
    if hunks.is_empty() {
        return String::new();
    }
    let mut out = format!("--- a/{path}\n+++ b/{path}\n");
    for Hunk { before, after, lines } in hunks {
        let old = lines.iter().filter(|line| !matches!(line, Line::Added(_))).count();
        let new = lines.iter().filter(|line| !matches!(line, Line::Removed(_))).count();
        out.push_str(&format!("@@ -{before},{old} +{after},{new} @@\n"));
        for line in lines {
            let (sign, text) = match line {
                Line::Kept(text) => (' ', text),
                Line::Removed(text) => ('-', text),
                Line::Added(text) => ('+', text),
            };
            out.push(sign);
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

fn hunk<'t>(all: &[Line<'t>], from: usize, to: usize) -> Hunk<'t> {
    let count = |lines: &[Line], out: fn(&Line) -> bool| lines.iter().filter(|line| !out(line)).count();
    let start = |out: fn(&Line) -> bool| match (count(&all[..from], out), count(&all[from..to], out)) {
        (skipped, 0) => skipped,
        (skipped, _) => skipped + 1,
    };
    let before = start(|line| matches!(line, Line::Added(_)));
    let after = start(|line| matches!(line, Line::Removed(_)));
    Hunk { before, after, lines: all[from..to].to_vec() }
}

/// Every line of both texts in order: a longest common subsequence is kept.
fn script<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[same..], &new[same..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let mut lines: Vec<Line> = old[..same].iter().map(|text| Line::Kept(text)).collect();
    middle(&mut lines, old_middle, new_middle);
    lines.extend(old_rest[old_middle.len()..].iter().map(|text| Line::Kept(text)));
    lines
}

fn middle<'t>(lines: &mut Vec<Line<'t>>, old: &[&'t str], new: &[&'t str]) {
    let (mut at, mut to) = (0, 0);
    if old.len() * new.len() <= COMPARISONS {
        // Length of the longest common part of what is left, for each pair of places.
        let width = new.len() + 1;
        let mut common = vec![0_u32; (old.len() + 1) * width];
        for row in (0..old.len()).rev() {
            for column in (0..new.len()).rev() {
                common[row * width + column] = match old[row] == new[column] {
                    true => common[(row + 1) * width + column + 1] + 1,
                    false => common[(row + 1) * width + column].max(common[row * width + column + 1]),
                };
            }
        }
        while at < old.len() && to < new.len() {
            if old[at] == new[to] {
                lines.push(Line::Kept(old[at]));
                (at, to) = (at + 1, to + 1);
            } else if common[(at + 1) * width + to] >= common[at * width + to + 1] {
                lines.push(Line::Removed(old[at]));
                at += 1;
            } else {
                lines.push(Line::Added(new[to]));
                to += 1;
            }
        }
    }
    lines.extend(old[at..].iter().map(|text| Line::Removed(text)));
    lines.extend(new[to..].iter().map(|text| Line::Added(text)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_stands_between_what_surrounds_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\ni\n";
        let expected = "--- a/x.yaml\n+++ b/x.yaml\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n";
        assert_eq!(unified("x.yaml", before, after), expected);
    }

    #[test]
    fn texts_that_are_alike_have_no_patch() {
        assert_eq!(unified("x", "a\nb\n", "a\nb\n"), "");
        assert_eq!(unified("x", "", "a\n"), "--- a/x\n+++ b/x\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(unified("x", "a\n", ""), "--- a/x\n+++ b/x\n@@ -1,1 +0,0 @@\n-a\n");
    }

    #[test]
    fn changes_far_apart_are_two_hunks() {
        let before: String = (0..40).map(|line| format!("{line}\n")).collect();
        let after = before.replace("\n5\n", "\nfive\n").replace("\n30\n", "\n");
        let found = hunks(&before, &after, 3);
        assert_eq!(found.iter().map(|hunk| (hunk.before, hunk.after)).collect::<Vec<_>>(), [(3, 3), (28, 28)]);
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", ""]), 0..12)
            .prop_map(|lines| lines.into_iter().map(|line| format!("{line}\n")).collect())
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_off(before in text(), after in text()) {
            let all = hunks(&before, &after, 100);
            let lines = all.iter().flat_map(|hunk| hunk.lines.iter().copied());
            let side = |left: bool| -> String {
                lines.clone().filter_map(|line| match line {
                    Line::Kept(text) => Some(text),
                    Line::Removed(text) if left => Some(text),
                    Line::Added(text) if !left => Some(text),
                    _ => None,
                }).map(|line| format!("{line}\n")).collect()
            };
            if before != after {
                prop_assert_eq!(side(true), before.clone());
                prop_assert_eq!(side(false), after.clone());
            }
        }
    }
}
