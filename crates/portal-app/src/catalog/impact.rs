//! Who breaks if an entity does, by owner.

use leptos::prelude::AnyView;
use maud::html;
use portal_core::catalog::wire::{Impact, ImpactedEntity, ImpactedOwner};

use super::kinds::kind_name;
use super::links::{entity_link, kind_of, owner_link};
use crate::api::Load;
use crate::ui::{Content, Erase, counted, empty, failed, number, skeleton_rows};

/// Kinds on which nothing runs.
pub(super) fn has_impact(kind: &str) -> bool {
    !matches!(kind, "user" | "group" | "location")
}

pub(super) fn impact_region(load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<Impact>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(failure) => failed("The impact", &failure, load),
        Ok((impact, _)) => content(&impact).erase(),
    })
}

fn content(impact: &Impact) -> Content {
    if impact.total == 0 {
        return empty(
            "check",
            "Nothing in the catalog breaks with it".to_owned(),
            "Entities that name it under dependsOn or consumesApis, and its own parts and APIs, would stand here.",
            "",
        );
    }
    let owners = impact.owners.iter().filter(|owned| owned.owner.is_some()).count();
    let summary = format!(
        "If this fails, {} of {} {} with it, {} of them directly.",
        counted(impact.total, "entity", "entities"),
        counted(owners as u64, "owner", "owners"),
        if impact.total == 1 { "fails" } else { "fail" },
        number(impact.direct)
    );
    let omitted = (impact.omitted > 0).then(|| {
        Content::from(html! {
            p class="missing" { (format!("{} more, further away, are counted but not shown.", number(impact.omitted))) }
        })
    });
    let cards = impact.owners.iter().enumerate().map(|(place, owned)| card(place, owned)).collect::<Vec<Content>>();
    Content::from(html! {
        div class="stack" {
            p { (summary) }
            @for card in &cards { (card) }
            @if let Some(omitted) = &omitted { (omitted) }
        }
    })
}

fn card(place: usize, owned: &ImpactedOwner) -> Content {
    let id = format!("owner-{place}");
    let rows = owned.entities.iter().map(row).collect::<Vec<Content>>();
    let table = (!rows.is_empty()).then(|| {
        Content::from(html! {
            div class="table-wrap" {
                table class="table" {
                    thead {
                        tr {
                            th scope="col" { "Entity" }
                            th scope="col" class="p2" { "Because it" }
                            th scope="col" class="num col-steps" { "Steps" }
                        }
                    }
                    tbody { @for row in &rows { (row) } }
                }
            }
        })
    });
    Content::from(html! {
        section class="card" aria-labelledby=(&id) {
            header class="card-head" {
                h2 id=(&id) { (owner_link(owned.owner.as_ref())) }
                div class="push muted num" { (counted(owned.total, "entity", "entities")) }
            }
            @if let Some(table) = &table { (table) }
        }
    })
}

fn row(entity: &ImpactedEntity) -> Content {
    let ImpactedEntity { link, steps, via, relation } = entity;
    let because = because(relation);
    let what = link.subtype.clone().unwrap_or_else(|| kind_name(kind_of(&link.entity_ref)));
    Content::from(html! {
        tr {
            td {
                div class="cell" {
                    (entity_link(link))
                    span class="muted" { (what) }
                }
                span class="sub" { (because) " " (via.title.clone()) }
            }
            td class="p2" {
                div class="cell" {
                    span class="muted" { (because) }
                    (entity_link(via))
                }
            }
            td class="num" { (steps) }
        }
    })
}

/// Why an entity fails with the one before it, by the relation from there.
fn because(relation: &str) -> &'static str {
    match relation {
        "apiConsumedBy" => "consumes",
        "providesApi" => "is provided by",
        "hasPart" => "is part of",
        _ => "depends on",
    }
}
