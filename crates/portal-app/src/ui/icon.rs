//! Icons: symbols of the one sprite, `public/icons.svg`.

use leptos::prelude::*;

use super::Erase;

/// An icon of 16 px beside a word that says the same.
pub(crate) fn icon(name: &str) -> AnyView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#i-{name}")></use>
        </svg>
    }
    .erase()
}

/// An icon of 14 px.
pub(crate) fn small_icon(name: &str) -> AnyView {
    view! {
        <svg class="icon" data-size="sm" aria-hidden="true">
            <use href=format!("/icons.svg#i-{name}")></use>
        </svg>
    }
    .erase()
}
