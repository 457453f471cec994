//! The newest changes, as home shows them.

use maud::html;
use portal_core::catalog::wire::{ChangeList, ChangeView};

use super::line::{again, distinct, in_words, name, names, together};
use crate::catalog::operation_label;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, small_icon};

/// Changes that are asked for; those that came together share a line.
const CHANGES: &str = "100";
/// Fields that are named, of one change.
const FIELDS: usize = 3;
/// Entities that are named, of those that changed together.
const NAMED: usize = 3;
/// Lines, at most.
const LINES: usize = 12;

/// What changed of what one follows, where something did, and what changed.
pub(crate) async fn cards(asking: &Asking<'_>, follows: bool) -> Result<Content, Refusal> {
    let usual = [("about", "entity"), ("compact", "true"), ("limit", CHANGES)];
    let all: ChangeList = asking.get(&paths::with_query(paths::API_CHANGES, usual)).await?;
    let followed = match follows {
        true => {
            let pairs = usual.into_iter().chain([("followed", "true")]);
            asking.get(&paths::with_query(paths::API_CHANGES, pairs)).await?
        }
        false => ChangeList { items: Vec::new(), next_cursor: None, total: 0 },
    };
    let now = asking.now_ms();
    Ok(Content::from(html! {
        div class="stack" {
            @if !followed.items.is_empty() {
                (card("followed", "What you follow", &followed, &paths::with_query(paths::CHANGES, [("followed", "true")]), now))
            }
            (card("changes", "What changed", &all, paths::CHANGES, now))
        }
    }))
}

fn card(id: &str, heading: &str, list: &ChangeList, whole: &str, now_ms: i64) -> Content {
    let items = &list.items;
    let groups: Vec<&[ChangeView]> = together(items).take(LINES).collect();
    Content::from(html! {
        section class="card" aria-labelledby=(id) {
            header class="card-head" {
                h2 id=(id) { (heading) }
                @if !items.is_empty() { div class="push" { a href=(whole) { "All of it" } } }
            }
            @if items.is_empty() {
                p class="card-body muted" { "Nothing has changed yet." }
            } @else {
                div class="card-body" data-flush {
                    ol class="timeline" {
                        @for group in &groups {
                            @if let [only] = group { (change(only, items, now_ms)) } @else { (several(group, list, now_ms)) }
                        }
                    }
                }
            }
        }
    })
}

/// Changes of the same kind that came together.
fn several(group: &[ChangeView], list: &ChangeList, now_ms: i64) -> Content {
    let Some(first) = group.first() else { return Content::from(html! {}) };
    let (what, symbol, tone) = operation_label(&first.operation);
    let things = distinct(group);
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (names(&things, NAMED, group, list))
                div class="meta" { @if let [only] = *things { (again(group, only)) } @else { (what) } }
            }
            (ago(first.at, now_ms))
        }
    })
}

fn change(view: &ChangeView, items: &[ChangeView], now_ms: i64) -> Content {
    let (_, symbol, tone) = operation_label(&view.operation);
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (name(view, items))
                div class="meta" { (in_words(view, FIELDS)) }
            }
            (ago(view.at, now_ms))
        }
    })
}
