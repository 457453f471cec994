//! The definition of an API, as its author wrote it.

use maud::html;
use portal_core::catalog::Entity;

use crate::ui::{Content, empty};

pub(super) fn definition(entity: &Entity) -> Content {
    let Some(text) = entity.spec_str("definition") else {
        return empty(
            "api",
            "No definition".to_owned(),
            "A definition stands in spec.definition of the descriptor, or is read by $text from a file beside it.",
            "",
        );
    };
    let kind = entity.spec_str("type").unwrap_or("text").to_owned();
    let lines = text.lines().count();
    Content::from(html! {
        section class="card" aria-labelledby="definition" {
            header class="card-head" {
                h2 id="definition" { "Definition" }
                div class="push" { (format!("{kind}, {lines} lines")) }
            }
            pre class="listing" tabindex="0" aria-label="Definition" { (text.to_owned()) }
        }
    })
}
