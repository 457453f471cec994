//! Icons: symbols of the one sprite, `public/icons.svg`.

use maud::html;

use super::{Content, symbol};

/// An icon of 16 px beside a word that says the same.
pub(crate) fn icon(name: &str) -> Content {
    Content::from(html! {
        svg class="icon" aria-hidden="true" {
            use href=(symbol(name)) {}
        }
    })
}

/// An icon of 14 px.
pub(crate) fn small_icon(name: &str) -> Content {
    Content::from(html! {
        svg class="icon" data-size="sm" aria-hidden="true" {
            use href=(symbol(name)) {}
        }
    })
}
