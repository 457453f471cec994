//! What in the page an event is about.

use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{Element, Event};

/// The element that an event hit, or the nearest around it, that matches.
pub(crate) fn closest(event: &Event, selector: &str) -> Option<Element> {
    target(event)?.closest(selector).ok().flatten()
}

/// Whether an event belongs to a field: single letters are shortcuts only
/// outside of what one types into.
pub(crate) fn is_typing(event: &Event) -> bool {
    target(event).is_some_and(|target| target.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}
