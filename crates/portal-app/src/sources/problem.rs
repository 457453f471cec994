//! One error of a document, with the offending line and its neighbours.

use maud::html;
use portal_core::catalog::wire::Fault;
use portal_core::sources::wire::{ExcerptLine, SourceErrorView};

use crate::api::sentence;
use crate::paths;
use crate::ui::{Content, icon, with_code};

/// `with_entity` links to the entity that the document declares.
pub(crate) fn problem(error: &SourceErrorView, with_entity: bool) -> Content {
    let SourceErrorView { file, document, entity_ref, stale, fault, excerpt, .. } = error;
    let consequence = match (entity_ref, stale) {
        (Some(_), true) => "keeps its last good version, marked stale.",
        (Some(_), false) => "is not in the catalog by this document.",
        (None, true) => "Its last good version is kept, marked stale.",
        (None, false) => "The document is left out.",
    };
    let subject = entity_ref.as_ref().map(|entity_ref| {
        if with_entity && *stale {
            Content::from(html! {
                a class="underlined" href=(paths::entity(entity_ref)) {
                    code { (entity_ref.clone()) }
                }
                " "
            })
        } else {
            Content::from(html! {
                code { (entity_ref.clone()) }
                " "
            })
        }
    });
    let consequence = Content::from(html! {
        @if let Some(subject) = &subject { (subject) }
        (consequence)
    });
    problem_at(file, *document, fault, excerpt, &consequence)
}

/// A fault at its place; `consequence` says what it means for the catalog.
pub(crate) fn problem_at(
    file: &str,
    document: u32,
    fault: &Fault,
    excerpt: &[ExcerptLine],
    consequence: &Content,
) -> Content {
    let place = format!("{file}:{}:{}", fault.line, fault.column);
    let part = (document > 0).then(|| format!("Document {} of the file. ", document + 1));
    let frame = (!excerpt.is_empty()).then(|| frame(&place, excerpt, fault.line, fault.column, &fault.message));
    let message = excerpt.is_empty().then(|| {
        Content::from(html! {
            p { (with_code(&sentence(&fault.message))) }
        })
    });
    let hint = fault.hint.as_ref().map(|hint| {
        Content::from(html! {
            p class="hint-line" {
                (icon("info"))
                (with_code(&sentence(hint)))
            }
        })
    });
    Content::from(html! {
        article class="problem" {
            div class="problem-head" data-tone="danger" {
                (icon("fail"))
                div {
                    h3 {
                        span class="mono" { (place) }
                    }
                    p class="muted" {
                        @if let Some(part) = &part { (part) }
                        (consequence)
                    }
                    @if let Some(message) = &message { (message) }
                }
            }
            @if let Some(frame) = &frame { (frame) }
            @if let Some(hint) = &hint { (hint) }
        }
    })
}

fn frame(place: &str, excerpt: &[ExcerptLine], line: u32, column: u32, message: &str) -> Content {
    let lines = excerpt
        .iter()
        .map(|ExcerptLine { line: number, text }| {
            let here = *number == line;
            let caret = here.then(|| {
                let indent = " ".repeat(usize::try_from(column.saturating_sub(1).min(200)).unwrap_or(0));
                Content::from(html! {
                    li {
                        span class="ln" {}
                        span class="src caret" { (format!("{indent}^ {message}")) }
                    }
                })
            });
            Content::from(html! {
                li data-mark[here] {
                    span class="ln" { (*number) }
                    span class="src" { (text.clone()) }
                }
                @if let Some(caret) = &caret { (caret) }
            })
        })
        .collect::<Vec<Content>>();
    Content::from(html! {
        div class="frame" tabindex="0" role="region" aria-label=(format!("Lines around {place}")) {
            ol {
                @for line in &lines { (line) }
            }
        }
    })
}
