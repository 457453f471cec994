//! What changed in the catalog lately.

use leptos::prelude::AnyView;
use maud::html;
use portal_core::catalog::wire::{ChangeList, ChangeView};

use crate::api::Load;
use crate::catalog::{kind_name, kind_of, operation_label};
use crate::paths;
use crate::ui::{Content, Erase, ago, failed, small_icon};

/// Fields that are named, of one change.
const FIELDS: usize = 3;
/// Entities that are named, of those that changed together.
const NAMED: usize = 3;
/// Lines, at most.
const LINES: usize = 12;

pub(super) fn changes_region(load: Load) -> Option<AnyView> {
    Some(match load.read::<ChangeList>()? {
        Err(failure) => failed("The changes", &failure, load),
        Ok((list, now_ms)) => changes("changes", "What changed", &list, now_ms).erase(),
    })
}

/// What changed of what one follows; nothing when nothing did.
pub(super) fn followed_region(load: Load) -> Option<AnyView> {
    let (list, now_ms) = load.read::<ChangeList>()?.ok()?;
    (!list.items.is_empty()).then(|| changes("followed", "What you follow", &list, now_ms).erase())
}

fn changes(id: &str, heading: &str, list: &ChangeList, now_ms: i64) -> Content {
    let items = &list.items;
    // What one reading of a source brings is one piece of news.
    let together = |a: &ChangeView, b: &ChangeView| {
        a.operation == b.operation && a.cause == b.cause && (a.at - b.at).num_seconds().abs() < 60
    };
    let groups: Vec<&[ChangeView]> = items.chunk_by(together).take(LINES).collect();
    Content::from(html! {
        section class="card" aria-labelledby=(id) {
            header class="card-head" { h2 id=(id) { (heading) } }
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
    let items = &list.items;
    let Some(first) = group.first() else { return Content::from(html! {}) };
    let (what, symbol, tone) = operation_label(&first.operation);
    let more = group.len().saturating_sub(NAMED);
    // The list ends somewhere, and what came together may go on.
    let is_cut = list.next_cursor.is_some() && group.as_ptr_range().end == items.as_ptr_range().end;
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                @for (place, view) in group.iter().take(NAMED).enumerate() {
                    @if place > 0 { ", " }
                    (name(view, items))
                }
                @if more > 0 { " and " @if is_cut { "at least " } (more) " more" }
                div class="meta" { (what) }
            }
            (ago(first.at, now_ms))
        }
    })
}

/// The name of what changed, as a link while it is there, which its newest change tells.
fn name(view: &ChangeView, items: &[ChangeView]) -> Content {
    let entity_ref = view.subject.strip_prefix("entity:").unwrap_or(&view.subject);
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref);
    let newest = items.iter().find(|other| other.subject == view.subject).unwrap_or(view);
    let is_gone = newest.operation == "delete";
    Content::from(html! {
        @if is_gone { (name) } @else { a href=(paths::entity(entity_ref)) { (name) } }
    })
}

fn change(view: &ChangeView, items: &[ChangeView], now_ms: i64) -> Content {
    let entity_ref = view.subject.strip_prefix("entity:").unwrap_or(&view.subject);
    let (what, symbol, tone) = operation_label(&view.operation);
    let fields: Vec<&str> = view.diff.iter().map(|field| field.pointer.trim_start_matches('/')).collect();
    let more = fields.len().saturating_sub(FIELDS);
    let named = fields.iter().take(FIELDS).copied().collect::<Vec<_>>().join(", ");
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (name(view, items))
                div class="meta" {
                    (kind_name(kind_of(entity_ref))) " · " (what)
                    @if !named.is_empty() { ": " (named) }
                    @if more > 0 { " and " (more) " more" }
                }
            }
            (ago(view.at, now_ms))
        }
    })
}
