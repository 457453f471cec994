//! The documentation of an entity: navigation, page, table of contents.

use leptos::prelude::AnyView;
use maud::{PreEscaped, html};
use portal_core::catalog::Entity;
use portal_core::documentation::wire::{Documentation, DocumentationPage, NavItem, PageLink};
use portal_core::documentation::{TECHDOCS_REF, has_readme};

use crate::api::{Failure, Load};
use crate::paths;
use crate::ui::{Content, Erase, empty, failed, skeleton_rows, with_code};

/// Kinds that have documentation only when they say so.
pub(super) fn has_docs(kind: &str, entity: &Entity) -> bool {
    has_readme(kind) || entity.annotation(TECHDOCS_REF).is_some()
}

/// The address of a page, or of the first one.
pub(crate) fn docs_href(entity_ref: &str, page: Option<&str>) -> String {
    let page = page.map(|page| ("page", page));
    paths::with_query(&paths::entity(entity_ref), [("tab", "docs")].into_iter().chain(page))
}

/// Where the API answers it.
pub(super) fn docs_path(entity_ref: &str, page: Option<&str>) -> String {
    let path = format!("{}/documentation", paths::api_entity(entity_ref));
    paths::with_query(&path, page.map(|page| ("page", page)))
}

pub(super) fn docs_region(entity_ref: &str, load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<Documentation>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(Failure { status: 404, detail, .. }) => missing(entity_ref, &detail).erase(),
        Err(failure) => failed("The documentation", &failure, load),
        Ok((documentation, _)) => content(entity_ref, &documentation).erase(),
    })
}

fn missing(entity_ref: &str, detail: &str) -> Content {
    let first = docs_href(entity_ref, None);
    Content::from(html! {
        div class="card" {
            (empty(
                "doc",
                "No documentation here".to_owned(),
                with_code(detail),
                Content::from(html! {
                    a class="button" data-variant="quiet" href=(first) { "Open the first page" }
                }),
            ))
        }
    })
}

fn content(entity_ref: &str, documentation: &Documentation) -> Content {
    let Documentation { title, nav, page, faults, root, .. } = documentation;
    let DocumentationPage { title: heading, html: text, headings, previous, next, path } = page;
    let single = nav.len() < 2 && nav.iter().all(|item| item.items.is_empty());
    let nav = (!single).then(|| navigation(entity_ref, nav, path));
    let turn = |link: &Option<PageLink>, label: &str, rel: &str| {
        link.as_ref().map(|link| {
            Content::from(html! {
                a href=(docs_href(entity_ref, Some(&link.path))) rel=(rel) {
                    span class="muted" { (label) }
                    (link.title)
                }
            })
        })
    };
    let turns = [turn(previous, "Previous", "prev"), turn(next, "Next", "next")];
    Content::from(html! {
        div class="docs" data-nav=[nav.as_ref().map(|_| "")] {
            @if let Some(nav) = &nav {
                // Folded on a phone, where it would push the page away.
                details class="docs-menu" { summary { (title) } nav aria-label="Pages" { (nav) } }
                nav class="docs-nav" aria-label="Pages" { p { (title) } (nav) }
            }
            div class="stack" {
                article class="card docs-page" aria-labelledby="docs-title" {
                    h2 id="docs-title" { (heading) }
                    div class="prose" { (PreEscaped(text)) }
                }
                @if turns.iter().any(Option::is_some) {
                    nav class="docs-turn" aria-label="Turn the page" {
                        @for turn in turns.iter().flatten() { (turn) }
                    }
                }
                @for fault in faults {
                    p class="missing" { code { (fault.path) } ": " (fault.message) }
                }
                p class="muted" { "Read from " code { (if root.is_empty() { "." } else { root }) } }
            }
            @if headings.len() > 1 {
                nav class="docs-toc" aria-label="On this page" {
                    h2 { "On this page" }
                    ul {
                        @for heading in headings {
                            li data-level=(heading.level) { a href={ "#" (heading.id) } { (heading.text) } }
                        }
                    }
                }
            }
        }
    })
}

fn navigation(entity_ref: &str, items: &[NavItem], current: &str) -> Content {
    let entries = items.iter().map(|NavItem { title, page, url, items }| {
        let below = (!items.is_empty()).then(|| navigation(entity_ref, items, current));
        Content::from(html! {
            li {
                @if let Some(page) = page {
                    a href=(docs_href(entity_ref, Some(page))) aria-current=[(page == current).then_some("page")] { (title) }
                } @else if let Some(url) = url {
                    a href=(url) rel="external noreferrer" { (title) }
                } @else {
                    span { (title) }
                }
                @if let Some(below) = &below { (below) }
            }
        })
    });
    Content::from(html! {
        ul { @for entry in entries { (entry) } }
    })
}
