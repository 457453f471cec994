//! Whether a key belongs to a field.

use leptos::ev::KeyboardEvent;
use wasm_bindgen::JsCast as _;

/// Single letters are shortcuts only outside of what one types into.
pub(crate) fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
}
