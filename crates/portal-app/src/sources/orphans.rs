//! Entities that no source declares any more: kept for a while, to be kept for
//! good or removed.

use leptos::prelude::AnyView;
use maud::html;
use portal_core::access::Verb;
use portal_core::catalog::wire::{EntityList, EntityView};

use crate::api::{Load, Method};
use crate::catalog::{kind_icon, kind_of};
use crate::paths;
use crate::ui::{Act, Content, Erase, act_button, ago, counted, day, icon};

/// Where the API answers them.
pub(super) fn orphans_path() -> String {
    let filter = "metadata.annotations.backstage.io/orphan=true";
    paths::with_query(paths::API_ENTITIES, [("filter", filter), ("fields", "metadata.title"), ("limit", "20")])
}

/// What can be done about an orphan.
pub(crate) fn orphan_acts(entity_ref: &str) -> Content {
    let path = paths::api_entity(entity_ref);
    let keep = Act {
        method: Method::Post,
        path: format!("{path}/restore"),
        needs: Verb::WriteCatalog,
        label: "Keep",
        about: entity_ref.to_owned(),
        confirm: "",
        done: format!("{entity_ref} stays, and is now changed by the API"),
    };
    let remove = Act {
        method: Method::Delete,
        path,
        needs: Verb::WriteCatalog,
        label: "Remove",
        about: entity_ref.to_owned(),
        confirm: "Remove for good",
        done: format!("Removed {entity_ref}; its history stays"),
    };
    Content::from(html! { (act_button(keep)) (act_button(remove)) })
}

/// Nothing where there are none.
pub(super) fn orphans_region(load: Load) -> Option<AnyView> {
    let (list, now_ms) = load.read::<EntityList>()?.ok()?;
    let shown = list.items.len() as u64;
    (shown > 0).then(|| {
        Content::from(html! {
            section class="card" aria-labelledby="orphans" {
                header class="card-head" {
                    h2 id="orphans" { "Orphans " span class="count" { (list.total) } }
                    div class="push" { "No source declares them any more" }
                }
                ul class="list" data-compact {
                    @for view in &list.items { (orphan(view, now_ms)) }
                    @if list.total > shown { li class="muted" { (counted(list.total - shown, "more", "more")) } }
                }
            }
        })
        .erase()
    })
}

fn orphan(view: &EntityView, now_ms: i64) -> Content {
    let EntityView { entity_ref, provenance, .. } = view;
    Content::from(html! {
        li class="orphan" data-key=(entity_ref) {
            (icon(kind_icon(kind_of(entity_ref), None)))
            a href=(paths::entity(entity_ref)) { (entity_ref) }
            span class="muted truncate" {
                "last in " code { (provenance.location) }
                @if let Some(since) = provenance.orphan_since { ", orphan since " (ago(since, now_ms)) }
                @if let Some(until) = provenance.orphan_until { ", removed on " (day(until)) }
            }
            div class="actions" { (orphan_acts(entity_ref)) }
        }
    })
}
