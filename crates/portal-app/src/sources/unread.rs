//! Documents that name what was looked for in vain, and have errors: why it is not there.

use maud::html;
use portal_core::sources::wire::{SourceErrorList, SourceErrorView, SourceList};

use super::list_page::title as source_title;
use crate::access::Question;
use crate::api::sentence;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, icon, with_code};

/// Errors that are shown.
const SHOWN: usize = 3;

pub(crate) async fn unread(asking: &Asking<'_>) -> Result<Content, Refusal> {
    unread_of(asking, Question::of(asking.query).value("q")).await
}

/// What is wrong with documents that name this; nothing to see where all is well.
pub(crate) async fn unread_of(asking: &Asking<'_>, words: &str) -> Result<Content, Refusal> {
    let words = words.trim();
    let mut found = errors(asking, words).await;
    if found.is_none() && words.contains(' ') {
        // Names have no spaces, and whoever looks for one may write them.
        found = errors(asking, &words.replace(' ', "-")).await;
    }
    let Some(found) = found else { return Ok(Content::from(html! { div hidden {} })) };
    let sources: SourceList = asking.get(paths::API_SOURCES).await?;
    let more = found.items.len().saturating_sub(SHOWN);
    let (names, has) = match found.total {
        1 => ("A document names", "has an error"),
        _ => ("Documents name", "have errors"),
    };
    Ok(Content::from(html! {
        section class="callout" data-tone="warning" aria-labelledby="unread" {
            (icon("alert"))
            div class="stack" data-gap="2" {
                h2 class="title" id="unread" { (names) " “" (words) "” and " (has) }
                ul class="stack" data-gap="2" { @for error in found.items.iter().take(SHOWN) { (line(error, &sources)) } }
                @if more > 0 { p class="muted" { "and " (more) " more" } }
            }
        }
    }))
}

/// None where there are none, the text is too short to tell, or it is not for the caller.
async fn errors(asking: &Asking<'_>, name: &str) -> Option<SourceErrorList> {
    let question = paths::with_query(paths::API_SOURCE_ERRORS, [("q", name)]);
    asking.get::<SourceErrorList>(&question).await.ok().filter(|list| !list.items.is_empty())
}

fn line(error: &SourceErrorView, sources: &SourceList) -> Content {
    let SourceErrorView { source_id, file, entity_ref, fault, .. } = error;
    let source = sources.items.iter().find(|source| source.id == *source_id);
    Content::from(html! {
        li {
            @if let Some(entity_ref) = entity_ref { code { (entity_ref) } ": " }
            (with_code(&sentence(&fault.message)))
            div class="muted" {
                a class="underlined mono" href=(paths::source(*source_id)) { (file) ":" (fault.line) }
                @if let Some(source) = source { " in " (source_title(source)) }
                @if let Some(hint) = &fault.hint { ". " (with_code(&sentence(hint))) }
            }
        }
    })
}
