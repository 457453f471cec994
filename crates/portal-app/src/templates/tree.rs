//! The files that a run would write: as a tree, and one of them with its content.

use maud::html;
use portal_core::templates::wire::{DryRunFile, FileChange};
use similar::{ChangeTag, TextDiff};

use crate::paths;
use crate::ui::{Content, counted, icon};

/// Lines of a file that are shown.
const LINES: usize = 400;

pub(super) fn tree(files: &[DryRunFile], chosen: usize, path: &str, query: &[(String, String)]) -> Content {
    let mut rows = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let parts: Vec<&str> = file.path.split('/').collect();
        let (name, folders) = parts.split_last().unwrap_or((&"", &[]));
        let same = open.iter().zip(folders).take_while(|(left, right)| left == right).count();
        for (depth, folder) in folders.iter().enumerate().skip(same) {
            rows.push((depth, (*folder).to_owned(), None));
        }
        open = folders.to_vec();
        rows.push((folders.len(), (*name).to_owned(), Some(index)));
    }
    let link = |index: usize| {
        let pairs = query.iter().filter(|(key, _)| key != "file").map(|(key, value)| (key.as_str(), value.as_str()));
        let number = index.to_string();
        paths::with_query(path, pairs.chain([("file", number.as_str())]))
    };
    Content::from(html! {
        ul class="tree" aria-label="Files" {
            @for (depth, name, index) in rows {
                li {
                    @match index {
                        None => { span class="dir" data-depth=(depth.min(9)) { (icon("folder")) (name) "/" } },
                        Some(index) => {
                            a href=(link(index)) data-depth=(depth.min(9)) aria-current=[(index == chosen).then_some("true")] {
                                (icon("file")) span class="truncate" { (name) }
                                (stat(&files[index]))
                            }
                        },
                    }
                }
            }
        }
    })
}

/// How many lines come and go.
fn stat(file: &DryRunFile) -> Content {
    let (added, removed) = match (file.change, &file.text, &file.before) {
        (Some(FileChange::Unchanged), ..) => return Content::from(html! { span class="diff-stat muted" { "same" } }),
        (_, Some(text), Some(before)) => {
            let diff = TextDiff::from_lines(before.as_str(), text.as_str());
            let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
            (count(ChangeTag::Insert), count(ChangeTag::Delete))
        }
        (_, Some(text), None) => (text.lines().count(), 0),
        _ => (0, 0),
    };
    Content::from(html! {
        span class="diff-stat" {
            @if added > 0 { span class="add" { "+" (added) } }
            @if removed > 0 { " " span class="del" { "−" (removed) } }
        }
    })
}

/// A line of a difference: `add`, `del` or nothing, its number, its text; a gap is a
/// number of lines that are the same.
enum Line<'t> {
    Text(&'static str, usize, &'t str),
    Gap(usize),
}

fn lines<'t>(before: Option<&'t str>, text: &'t str) -> Vec<Line<'t>> {
    let Some(before) = before else {
        return text.lines().enumerate().map(|(index, line)| Line::Text("add", index + 1, line)).collect();
    };
    let diff = TextDiff::from_lines(before, text);
    let mut all = Vec::new();
    let mut seen = 0;
    for group in diff.grouped_ops(3) {
        let start = group.first().map_or(0, |op| op.new_range().start);
        if start > seen {
            all.push(Line::Gap(start - seen));
        }
        seen = group.last().map_or(seen, |op| op.new_range().end);
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let op = match change.tag() {
                ChangeTag::Insert => "add",
                ChangeTag::Delete => "del",
                ChangeTag::Equal => "same",
            };
            let index = change.new_index().or(change.old_index()).unwrap_or(0);
            all.push(Line::Text(op, index + 1, change.value().trim_end_matches('\n')));
        }
    }
    let rest = text.lines().count().saturating_sub(seen);
    if rest > 0 {
        all.push(Line::Gap(rest));
    }
    all
}

pub(super) fn content(file: &DryRunFile) -> Content {
    let is_same = file.change == Some(FileChange::Unchanged);
    let before = if is_same { file.text.as_deref() } else { file.before.as_deref() };
    let lines = file.text.as_deref().map(|text| lines(before, text));
    let count = lines.as_ref().map_or(0, Vec::len);
    let sign = |op: &str| match op {
        "add" => "+",
        "del" => "−",
        _ => "",
    };
    Content::from(html! {
        div class="diff" tabindex="0" role="region" aria-label=(file.path) {
            div class="diff-head" {
                span class="mono" { (file.path) }
                span class="push muted" {
                    @match file.change {
                        Some(FileChange::Added) => { "new, " },
                        Some(FileChange::Changed) => { "changed, " },
                        Some(FileChange::Unchanged) => { "as it is, " },
                        None => {},
                    }
                    @match &file.text { Some(text) => { (counted(text.lines().count() as u64, "line", "lines")) }, None => { (file.bytes) " bytes" } }
                    @if file.executable { ", can be run" }
                }
            }
            @match lines {
                Some(lines) => {
                    ol {
                        @for line in lines.iter().take(LINES) {
                            @match line {
                                Line::Text(op, number, text) => {
                                    li data-op=(op) { span class="ln" { (number) } span class="sign" { (sign(op)) } span class="src" { (text) } }
                                },
                                Line::Gap(count) => {
                                    li data-op="skip" { span class="ln" {} span class="sign" {} span class="src" { (counted(*count as u64, "line is", "lines are")) " the same" } }
                                },
                            }
                        }
                    }
                    @if count > LINES { p class="muted diff-more" { (count - LINES) " lines more" } }
                },
                None => { p class="muted diff-more" { "Not text; it is copied as it is." } },
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_is_around_it() {
        let before: String = (1..=20).map(|line| format!("line {line}\n")).collect();
        let text = before.replace("line 10\n", "line ten\n");
        let shown: Vec<String> = lines(Some(&before), &text)
            .iter()
            .map(|line| match line {
                Line::Text(op, number, text) => format!("{op} {number} {text}"),
                Line::Gap(count) => format!("gap {count}"),
            })
            .collect();
        let wanted = [
            "gap 6",
            "same 7 line 7",
            "same 8 line 8",
            "same 9 line 9",
            "del 10 line 10",
            "add 10 line ten",
            "same 11 line 11",
            "same 12 line 12",
            "same 13 line 13",
            "gap 7",
        ];
        assert_eq!(shown, wanted);
        assert_eq!(lines(Some(&before), &before).len(), 1);
    }
}
