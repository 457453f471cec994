//! One change in words, and several that are one piece of news.

use std::collections::BTreeSet;

use maud::{Markup, html};
use portal_core::catalog::wire::{ChangeList, ChangeView};

use crate::catalog::{kind_name, kind_of, operation_label};
use crate::paths;
use crate::ui::{Content, number};

/// Changes that came together: what one reading of a source brings, and what happened to
/// one thing again and again.
pub(super) fn together(items: &[ChangeView]) -> impl Iterator<Item = &[ChangeView]> {
    items.chunk_by(|a, b| {
        let is_again = a.subject == b.subject && a.actor == b.actor;
        let is_one = a.cause == b.cause && (a.at - b.at).num_seconds().abs() < 60;
        a.operation == b.operation && (is_again || is_one)
    })
}

/// The newest change of each entity, in the order of the changes.
pub(super) fn distinct(group: &[ChangeView]) -> Vec<&ChangeView> {
    let mut known = BTreeSet::new();
    group.iter().filter(|view| known.insert(view.subject.as_str())).collect()
}

/// Whether changes that came together may go on where the list ends.
fn is_cut(group: &[ChangeView], list: &ChangeList) -> bool {
    list.next_cursor.is_some() && group.as_ptr_range().end == list.items.as_ptr_range().end
}

/// `a, b and 3 more`, of which so many are named.
pub(super) fn names(things: &[&ChangeView], named: usize, group: &[ChangeView], list: &ChangeList) -> Markup {
    let more = things.len().saturating_sub(named);
    html! {
        @for (place, view) in things.iter().take(named).enumerate() {
            @if place > 0 { ", " }
            (name(view, &list.items))
        }
        @if more > 0 { " and " @if is_cut(group, list) { "at least " } (number(more as u64)) " more" }
    }
}

pub(super) fn entity_ref(view: &ChangeView) -> &str {
    view.subject.strip_prefix("entity:").unwrap_or(&view.subject)
}

/// The title of what changed, as a link while it is there, which its newest change tells.
pub(super) fn name(view: &ChangeView, items: &[ChangeView]) -> Content {
    let entity_ref = entity_ref(view);
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref);
    let name = view.title.as_deref().unwrap_or(name);
    let newest = items.iter().find(|other| other.subject == view.subject).unwrap_or(view);
    let is_gone = newest.operation == "delete";
    Content::from(html! {
        @if is_gone { (name) } @else { a href=(paths::entity(entity_ref)) title=(entity_ref) { (name) } }
    })
}

/// `API · Changed: spec/owner, spec/lifecycle and 2 more`, with so many fields named.
pub(super) fn in_words(view: &ChangeView, fields: usize) -> Content {
    let (what, ..) = operation_label(&view.operation);
    Content::from(html! { (kind_name(kind_of(entity_ref(view)))) " · " (what) (named_fields(view, fields)) })
}

/// `API · Changed 10 times`.
pub(super) fn again(group: &[ChangeView], view: &ChangeView) -> Content {
    let (what, ..) = operation_label(&view.operation);
    Content::from(html! {
        (kind_name(kind_of(entity_ref(view)))) " · " (what) " " (number(group.len() as u64)) " times"
    })
}

/// `API: spec/owner`: the same of one of many, of which is said what happened.
pub(super) fn in_short(view: &ChangeView, fields: usize) -> Content {
    Content::from(html! { (kind_name(kind_of(entity_ref(view)))) (named_fields(view, fields)) })
}

fn named_fields(view: &ChangeView, fields: usize) -> Content {
    let named = view.diff.iter().take(fields).map(|field| field.pointer.trim_start_matches('/'));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = view.diff.len().saturating_sub(fields);
    Content::from(html! {
        @if !named.is_empty() { ": " (named) }
        @if more > 0 { " and " (more) " more" }
    })
}
