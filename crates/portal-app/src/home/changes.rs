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

pub(super) fn changes_region(load: Load) -> Option<AnyView> {
    Some(match load.read::<ChangeList>()? {
        Err(failure) => failed("The changes", &failure, load),
        Ok((list, now_ms)) => changes(&list.items, now_ms).erase(),
    })
}

fn changes(items: &[ChangeView], now_ms: i64) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="changes" {
            header class="card-head" { h2 id="changes" { "What changed" } }
            @if items.is_empty() {
                p class="card-body muted" { "Nothing has changed yet." }
            } @else {
                div class="card-body" data-flush {
                    ol class="timeline" {
                        @for item in items { (change(item, now_ms)) }
                    }
                }
            }
        }
    })
}

fn change(view: &ChangeView, now_ms: i64) -> Content {
    let entity_ref = view.subject.strip_prefix("entity:").unwrap_or(&view.subject);
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref);
    let (what, symbol, tone) = operation_label(&view.operation);
    let fields: Vec<&str> = view.diff.iter().map(|field| field.pointer.trim_start_matches('/')).collect();
    let more = fields.len().saturating_sub(FIELDS);
    let named = fields.iter().take(FIELDS).copied().collect::<Vec<_>>().join(", ");
    Content::from(html! {
        li {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                @if view.operation == "delete" { (name) } @else { a href=(paths::entity(entity_ref)) { (name) } }
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
