//! The head of the page of an entity: name, state, facts, warnings.

use maud::html;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::EntityView;
use portal_core::personal::wire::Mark;

use super::docs::has_docs;
use super::entity_page::{Place, Tab};
use super::impact::has_impact;
use super::kinds::{has_owner, kind_icon, kind_name};
use super::links::{kind_of, owner_link};
use super::organisation::has_organisation;
use crate::paths;
use crate::personal::mark_button;
use crate::sources::orphan_acts;
use crate::ui::{Content, ago, day, icon, safe_url, small_icon};

pub(super) fn header(view: &EntityView, entity: &Entity, marks: &[Mark]) -> Content {
    let kind = kind_of(&view.entity_ref);
    let subtype = entity.spec_str("type");
    let description = match entity.description() {
        Some(description) => Content::from(html! {
            p class="sub" { (description.to_owned()) }
        }),
        None => Content::from(html! {
            p class="sub" {
                span class="missing" { "No description" }
            }
        }),
    };
    let owner = has_owner(kind).then(|| {
        Content::from(html! {
            span { (owner_link(view.owner.as_ref())) }
        })
    });
    let system = view.system.as_ref().map(|system| {
        let link = if system.exists {
            Content::from(html! {
                a href=(paths::entity(&system.entity_ref)) { (system.title.clone()) }
            })
        } else {
            Content::from(html! {
                span class="missing" {
                    (system.title.clone())
                    ", not found"
                }
            })
        };
        Content::from(html! {
            span {
                (small_icon("system"))
                (link)
            }
        })
    });
    let what = subtype.map_or_else(|| kind_name(kind), |subtype| format!("{} · {subtype}", kind_name(kind)));
    Content::from(html! {
        header class="page-head" {
            div class="lead" {
                h1 tabindex="-1" {
                    span class="entity-mark" { (icon(kind_icon(kind, subtype))) }
                    span class="name" { (entity.display_title().to_owned()) }
                    @if let Some(chip) = lifecycle_chip(entity) { (chip) }
                }
                (description)
                div class="facts-strip" {
                    span { (what) }
                    @if let Some(owner) = &owner { (owner) }
                    @if let Some(system) = &system { (system) }
                }
            }
            div class="page-actions" {
                @for mark in Mark::ALL { (mark_button(mark, &view.entity_ref, marks.contains(&mark))) }
                @if has_actions(kind) { a class="button" href=(paths::actions_for(&view.entity_ref)) data-hotkey="e" { (icon("action")) "Actions" } }
                button class="button needs-script" type="button" data-copy=(view.entity_ref) data-hotkey="c" {
                    (icon("copy"))
                    "Copy reference"
                }
                @if let Some(url) = repository(entity) {
                    a class="button" href=(url) rel="external noreferrer" data-hotkey="r" {
                        (icon("external"))
                        "Open repository"
                    }
                }
            }
        }
    })
}

/// Whether something may be done to an entity of a kind.
fn has_actions(kind: &str) -> bool {
    !matches!(kind, "action" | "template" | "location")
}

/// The one state that deserves a box.
fn lifecycle_chip(entity: &Entity) -> Option<Content> {
    let lifecycle = entity.spec_str("lifecycle")?;
    let (tone, symbol) = match lifecycle {
        "production" => ("neutral", "check"),
        "deprecated" => ("warning", "flag"),
        "experimental" => ("info", "clock"),
        _ => ("neutral", "info"),
    };
    let chip = Content::from(html! {
        span class="chip" data-tone=(tone) {
            (icon(symbol))
            (lifecycle.to_owned())
        }
    });
    Some(chip)
}

/// Where the code is, when the entity says so in one of the usual places.
fn repository(entity: &Entity) -> Option<String> {
    let location = entity.annotation("backstage.io/source-location").and_then(|text| text.strip_prefix("url:"));
    safe_url(location.or_else(|| entity.annotation("backstage.io/view-url"))?)
}

pub(super) fn tabs(place: &Place, entity: &Entity, relations: usize, errors: usize) -> Content {
    let has_definition =
        kind_of(&place.entity_ref) == "api" || entity.spec().is_some_and(|spec| spec.contains_key("definition"));
    let items = Tab::ALL
        .into_iter()
        .filter(|tab| match tab {
            Tab::Definition => has_definition,
            Tab::Organisation => has_organisation(kind_of(&place.entity_ref)),
            Tab::Impact => has_impact(kind_of(&place.entity_ref)),
            Tab::Runs => kind_of(&place.entity_ref) != "location",
            Tab::Docs => has_docs(kind_of(&place.entity_ref), entity),
            _ => true,
        })
        .map(|tab| {
            let count = match tab {
                Tab::Graph => Some(relations),
                Tab::Source => Some(errors).filter(|errors| *errors > 0),
                _ => None,
            };
            let count = count.map(|count| Content::from(html! {
                span class="count" { (count) }
            }));
            Content::from(html! {
                li {
                    a class="tab" href=(place.href(tab)) aria-current=[(place.tab == tab).then_some("page")] data-noscroll {
                        (tab.label())
                        @if let Some(count) = &count { (count) }
                    }
                }
            })
        })
        .collect::<Vec<Content>>();
    Content::from(html! {
        nav class="tabs" aria-label="Views of this entity" {
            ul {
                @for item in &items { (item) }
            }
        }
    })
}

/// That what one sees is not what is.
pub(super) fn past_notice(place: &Place) -> Option<Content> {
    let as_of = place.as_of.as_ref().filter(|_| place.tab.knows_the_past())?;
    Some(Content::from(html! {
        div class="callout" data-tone="info" role="status" {
            (icon("clock"))
            div {
                p class="title" { "You see the past" }
                p { "This is how it was at " time datetime=(as_of) { (as_of.replace('T', " ").replace('Z', " UTC")) } "." }
            }
            div class="actions" {
                a class="button" data-size="sm" href=(place.tab.href(&place.entity_ref)) { "Back to now" }
            }
        }
    }))
}

/// What is wrong with where the entity comes from.
pub(super) fn callouts(view: &EntityView, errors: usize, now_ms: i64) -> Option<Content> {
    let provenance = &view.provenance;
    let source = Tab::Source.href(&view.entity_ref);
    let stale = provenance.stale.then(|| {
        Content::from(html! {
            div class="callout" data-tone="warning" {
                (icon("alert"))
                div {
                    p class="title" { "This is the last good version" }
                    p {
                        "Its document has errors since. What you see was read "
                        (ago(provenance.read_at, now_ms))
                        " and is kept until they are fixed."
                    }
                }
                div class="actions" {
                    a class="button" data-size="sm" href=(&source) { "See the errors" }
                }
            }
        })
    });
    let orphan = provenance.orphan_since.map(|since| {
        Content::from(html! {
            div class="callout" data-tone="warning" {
                (icon("alert"))
                div {
                    p class="title" { "No source declares this any more" }
                    p {
                        "It was last declared in "
                        code { (provenance.location.clone()) }
                        ", and is an orphan since "
                        (ago(since, now_ms))
                        ". Declare it again, or keep it as it is; else it is removed"
                        @if let Some(until) = provenance.orphan_until { " on " (day(until)) }
                        "."
                    }
                }
                div class="actions" { (orphan_acts(&view.entity_ref)) }
            }
        })
    });
    let faulty = (errors > 0 && !provenance.stale).then(|| {
        Content::from(html! {
            div class="callout" data-tone="danger" {
                (icon("fail"))
                div {
                    p class="title" { "The last reading found errors in its document" }
                }
                div class="actions" {
                    a class="button" data-size="sm" href=(source) { "See the errors" }
                }
            }
        })
    });
    let callouts: Vec<Content> = [stale, orphan, faulty].into_iter().flatten().collect();
    let all = || {
        Content::from(html! {
            div class="stack" {
                @for callout in &callouts { (callout) }
            }
        })
    };
    (!callouts.is_empty()).then(all)
}
