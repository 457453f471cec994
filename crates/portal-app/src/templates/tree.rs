//! The files that a run would write: as a tree, and one of them with its content.

use maud::html;
use portal_core::templates::wire::DryRunFile;

use crate::paths;
use crate::ui::{Content, icon};

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
                                span class="diff-stat" { span class="add" { @if let Some(text) = &files[index].text { "+" (text.lines().count()) } } }
                            }
                        },
                    }
                }
            }
        }
    })
}

pub(super) fn content(file: &DryRunFile) -> Content {
    let lines = file.text.as_deref().map(|text| text.lines().collect::<Vec<_>>());
    let count = lines.as_ref().map_or(0, Vec::len);
    Content::from(html! {
        div class="diff" tabindex="0" role="region" aria-label=(file.path) {
            div class="diff-head" {
                span class="mono" { (file.path) }
                span class="push muted" {
                    @if lines.is_some() { (count) " lines" } @else { (file.bytes) " bytes" }
                    @if file.executable { ", can be run" }
                }
            }
            @match lines {
                Some(lines) => {
                    ol {
                        @for (index, line) in lines.iter().take(LINES).enumerate() {
                            li data-op="add" {
                                span class="ln" { (index + 1) } span class="sign" { "+" } span class="src" { (line) }
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
