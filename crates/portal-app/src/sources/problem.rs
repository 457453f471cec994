//! One error of a document, with the offending line and its neighbours.

use leptos::prelude::*;
use portal_core::sources::wire::{ExcerptLine, SourceErrorView};

use crate::api::sentence;
use crate::paths;
use crate::ui::{Erase, icon};

/// `with_entity` links to the entity that the document declares.
pub(crate) fn problem(error: &SourceErrorView, with_entity: bool) -> AnyView {
    let SourceErrorView { file, document, entity_ref, stale, fault, excerpt, .. } = error;
    let place = format!("{file}:{}:{}", fault.line, fault.column);
    let part = (*document > 0).then(|| format!("Document {} of the file. ", document + 1));
    let consequence = match (entity_ref, stale) {
        (Some(_), true) => "keeps its last good version, marked stale.",
        (Some(_), false) => "is not in the catalog by this document.",
        (None, true) => "Its last good version is kept, marked stale.",
        (None, false) => "The document is left out.",
    };
    let subject = entity_ref.as_ref().map(|entity_ref| {
        if with_entity && *stale {
            view! {
                <a class="underlined" href=paths::entity(entity_ref)>
                    <code>{entity_ref.clone()}</code>
                </a>
                " "
            }
            .erase()
        } else {
            view! { <code>{entity_ref.clone()}</code> " " }.erase()
        }
    });
    let frame = (!excerpt.is_empty()).then(|| frame(&place, excerpt, fault.line, fault.column, &fault.message));
    let message = excerpt.is_empty().then(|| view! { <p>{sentence(&fault.message)}</p> });
    let hint = fault.hint.as_ref().map(|hint| {
        view! {
            <p class="hint-line">
                {icon("info")}
                <span>{sentence(hint)}</span>
            </p>
        }
    });
    view! {
        <article class="problem">
            <div class="problem-head" data-tone="danger">
                {icon("fail")}
                <div>
                    <h3>
                        <span class="mono">{place}</span>
                    </h3>
                    <p class="muted">{part} {subject} {consequence}</p>
                    {message}
                </div>
            </div>
            {frame}
            {hint}
        </article>
    }
    .erase()
}

fn frame(place: &str, excerpt: &[ExcerptLine], line: u32, column: u32, message: &str) -> AnyView {
    let lines = excerpt
        .iter()
        .map(|ExcerptLine { line: number, text }| {
            let here = *number == line;
            let caret = here.then(|| {
                let indent = " ".repeat(usize::try_from(column.saturating_sub(1).min(200)).unwrap_or(0));
                view! {
                    <li>
                        <span class="ln"></span>
                        <span class="src caret">{format!("{indent}^ {message}")}</span>
                    </li>
                }
            });
            view! {
                <li data-mark=here>
                    <span class="ln">{*number}</span>
                    <span class="src">{text.clone()}</span>
                </li>
                {caret}
            }
            .erase()
        })
        .collect_view();
    view! {
        <div class="frame" tabindex="0" role="region" aria-label=format!("Lines around {place}")>
            <ol>{lines}</ol>
        </div>
    }
    .erase()
}
