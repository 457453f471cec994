//! One change in words.

use maud::html;
use portal_core::catalog::wire::ChangeView;

use crate::catalog::{kind_name, kind_of, operation_label};
use crate::paths;
use crate::ui::Content;

/// Changes that came together: what one reading of a source brings is one piece of news.
pub(super) fn together(items: &[ChangeView]) -> impl Iterator<Item = &[ChangeView]> {
    items.chunk_by(|a, b| a.operation == b.operation && a.cause == b.cause && (a.at - b.at).num_seconds().abs() < 60)
}

pub(super) fn entity_ref(view: &ChangeView) -> &str {
    view.subject.strip_prefix("entity:").unwrap_or(&view.subject)
}

/// The name of what changed, as a link while it is there, which its newest change tells.
pub(super) fn name(view: &ChangeView, items: &[ChangeView]) -> Content {
    let entity_ref = entity_ref(view);
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref);
    let newest = items.iter().find(|other| other.subject == view.subject).unwrap_or(view);
    let is_gone = newest.operation == "delete";
    Content::from(html! {
        @if is_gone { (name) } @else { a href=(paths::entity(entity_ref)) { (name) } }
    })
}

/// `API · Changed: spec/owner, spec/lifecycle and 2 more`, with so many fields named.
pub(super) fn in_words(view: &ChangeView, fields: usize) -> Content {
    let (what, ..) = operation_label(&view.operation);
    Content::from(html! { (kind_name(kind_of(entity_ref(view)))) " · " (what) (named_fields(view, fields)) })
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
