//! The definition of an API: its operations, one of them in full, or the text
//! as its author wrote it.

use leptos::prelude::AnyView;
use leptos::prelude::*;
use maud::{PreEscaped, html};
use portal_core::definition::wire::{Definition, DefinitionSection, OperationLink};

use super::entity_page::{Place, Tab, View};
use super::operation::{operation, rows_table};
use super::try_it::{Trial, try_it};
use crate::api::{Failure, Load};
use crate::paths;
use crate::ui::{Content, Erase, counted, empty, failed, skeleton_rows, with_code};

/// Where the API answers what the place asks for.
pub(super) fn definition_path(place: &Place) -> String {
    let path = format!("{}/definition", paths::api_entity(&place.entity_ref));
    let operation = place.operation.as_deref().map(|id| ("operation", id));
    let text = (place.view == View::Text).then_some(("text", "true"));
    paths::with_query(&path, operation.into_iter().chain(text))
}

/// The address of an operation, or of the overview.
fn href(entity_ref: &str, operation: Option<&str>) -> String {
    let operation = operation.map(|id| ("operation", id));
    paths::with_query(&paths::entity(entity_ref), [("tab", Tab::Definition.name())].into_iter().chain(operation))
}

pub(super) fn definition_region(place: &Place, load: Load, trial: Trial) -> Option<AnyView> {
    let entity_ref = &place.entity_ref;
    let Some(answer) = load.read_current::<Definition>() else { return Some(skeleton_rows(6)) };
    let definition = match answer {
        Ok((definition, _)) => definition,
        Err(Failure { status: 404, detail, .. }) => return Some(missing(entity_ref, place, &detail).erase()),
        Err(failure) => return Some(failed("The definition", &failure, load)),
    };
    if let Some(text) = &definition.text {
        return Some(written(entity_ref, &definition, text).erase());
    }
    let Some(detail) = &definition.operation else { return Some(overview(entity_ref, &definition).erase()) };
    let here = Some(detail.link.id.as_str());
    let menu = Content::from(html! {
        details class="docs-menu" { summary { "Operations" } nav aria-label="Operations" { (list(entity_ref, &definition, here)) } }
    });
    let side = Content::from(html! {
        nav class="docs-nav" aria-label="Operations" {
            p { a href=(href(entity_ref, None)) { (name(&definition)) } }
            (list(entity_ref, &definition, here))
        }
    });
    let link = |id: &str| href(entity_ref, Some(id));
    let attempt = detail.call.as_ref().map(|call| try_it(entity_ref, &detail.link.id, call, trial));
    let (head, parts) = operation(detail, &link);
    let view = view! {
        <div class="docs definition" data-nav="">
            {menu} {side} <div class="stack">{head} {attempt} {parts}</div>
        </div>
    };
    Some(view.erase())
}

fn missing(entity_ref: &str, place: &Place, detail: &str) -> Content {
    let all = place.operation.is_some().then(|| {
        Content::from(html! {
            a class="button" data-variant="quiet" href=(href(entity_ref, None)) { "All operations" }
        })
    });
    let title = if place.operation.is_some() { "No such operation" } else { "No definition" };
    let actions = all.unwrap_or_else(|| Content::from(html! { span {} }));
    Content::from(html! {
        div class="card" { (empty("api", title.to_owned(), with_code(detail), actions)) }
    })
}

fn name(definition: &Definition) -> String {
    match (&definition.title, &definition.version) {
        (Some(title), Some(version)) => format!("{title} {version}"),
        (Some(title), None) => title.clone(),
        _ => "Overview".to_owned(),
    }
}

/// The text as it was written.
fn written(entity_ref: &str, definition: &Definition, text: &str) -> Content {
    let what = format!("{}, {}", definition.specification, counted(text.lines().count() as u64, "line", "lines"));
    Content::from(html! {
        section class="card" aria-labelledby="definition" {
            header class="card-head" {
                h2 id="definition" { "Definition" }
                div class="push" {
                    (what)
                    @if !definition.sections.is_empty() {
                        a href=(href(entity_ref, None)) { "Readable" }
                    }
                }
            }
            pre class="listing" tabindex="0" aria-label="Definition" { (text) }
        }
    })
}

fn overview(entity_ref: &str, definition: &Definition) -> Content {
    let Definition { specification, description, servers, security, sections, faults, .. } = definition;
    let pairs = [("tab", Tab::Definition.name()), ("view", "text")];
    let text = paths::with_query(&paths::entity(entity_ref), pairs);
    Content::from(html! {
        div class="stack" {
            section class="card docs-page definition-about" aria-labelledby="definition" {
                h2 id="definition" { (name(definition)) }
                p class="facts-strip" { span { (specification) } a href=(text) { "As written" } }
                @if let Some(description) = description { div class="prose" { (PreEscaped(description)) } }
                @if !servers.is_empty() {
                    h3 { "Servers" }
                    ul class="definition-servers" {
                        @for server in servers {
                            li { code class="breakable" { (server.url) } @if let Some(words) = &server.description { span class="muted" { (words) } } }
                        }
                    }
                }
                @if !security.is_empty() { h3 { "Authentication" } (rows_table("Authentication", security, &|id| href(entity_ref, Some(id)))) }
            }
            @if !faults.is_empty() {
                div class="callout" data-tone="warning" {
                    (crate::ui::icon("alert"))
                    div {
                        p class="title" { "Some of it could not be read" }
                        @for fault in faults {
                            p { @if fault.line > 0 { "Line " (fault.line) ": " } (with_code(&fault.message)) }
                        }
                    }
                }
            }
            @for (at, section) in sections.iter().enumerate() { (card(entity_ref, at, section)) }
        }
    })
}

fn card(entity_ref: &str, at: usize, section: &DefinitionSection) -> Content {
    let DefinitionSection { title, description, operations } = section;
    let id = format!("section-{at}");
    Content::from(html! {
        section class="card" aria-labelledby=(id) {
            header class="card-head" { h2 id=(id) { (title) } span class="count" { (operations.len()) } }
            @if let Some(description) = description { div class="prose definition-words" { (PreEscaped(description)) } }
            ul class="list operations" data-compact {
                @for link in operations {
                    li {
                        a class="operation" href=(href(entity_ref, Some(&link.id))) { (named(link)) }
                        @if let Some(summary) = &link.summary { span class="muted truncate" title=(summary) { (summary) } }
                    }
                }
            }
        }
    })
}

fn list(entity_ref: &str, definition: &Definition, here: Option<&str>) -> Content {
    Content::from(html! {
        ul {
            @for section in &definition.sections {
                li {
                    span { (section.title) }
                    ul {
                        @for link in &section.operations {
                            li {
                                a class="operation" href=(href(entity_ref, Some(&link.id))) title=[link.summary.as_ref()]
                                    aria-current=[(here == Some(&link.id)).then_some("page")] { (named(link)) }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The verb and the name of an operation.
pub(super) fn named(link: &OperationLink) -> Content {
    Content::from(html! {
        span class="operation-name" data-deprecated=[link.deprecated.then_some("")] {
            span class="verb" data-verb=(link.verb) { (link.verb) }
            " "
            code { (link.name) }
            @if link.deprecated { span class="visually-hidden" { " deprecated" } }
        }
    })
}
