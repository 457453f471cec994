//! Documents that name what was looked for in vain, and have errors: why it is not there.

use maud::html;
use portal_core::sources::wire::{SourceErrorList, SourceErrorView};

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
    // Names have no spaces, and whoever looks for one may write them.
    let name = words.trim().replace(' ', "-");
    let errors =
        match asking.ask::<SourceErrorList>(&paths::with_query(paths::API_SOURCE_ERRORS, [("q", &*name)])).await? {
            Ok(list) => list.items,
            // Too short to tell anything, or not for the caller.
            Err(_) => Vec::new(),
        };
    if errors.is_empty() {
        return Ok(Content::from(html! { div hidden {} }));
    }
    let more = errors.len().saturating_sub(SHOWN);
    Ok(Content::from(html! {
        section class="callout" data-tone="warning" aria-labelledby="unread" {
            (icon("alert"))
            div class="stack" data-gap="2" {
                h2 class="title" id="unread" { "A document that names “" (words) "” has an error" }
                ul class="stack" data-gap="2" { @for error in errors.iter().take(SHOWN) { (line(error)) } }
                @if more > 0 { p class="muted" { "and " (more) " more" } }
            }
        }
    }))
}

fn line(error: &SourceErrorView) -> Content {
    let SourceErrorView { source_id, file, entity_ref, fault, .. } = error;
    Content::from(html! {
        li {
            @if let Some(entity_ref) = entity_ref { code { (entity_ref) } ": " }
            (with_code(&sentence(&fault.message)))
            div class="muted" {
                a class="underlined mono" href=(paths::source(*source_id)) { (file) ":" (fault.line) }
                @if let Some(hint) = &fault.hint { " " (with_code(&sentence(hint))) }
            }
        }
    })
}
