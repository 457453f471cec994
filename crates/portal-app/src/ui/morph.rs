//! Turns an element of the page into another one in place. `page.js` does it:
//! thousands of small calls that each cost more on their way out of the wasm than
//! they take.

use leptos::tachys::renderer::types::Element;

/// The element that now stands where `old` stood, as `html` describes it.
#[cfg(feature = "hydrate")]
pub(super) fn morph(old: &Element, html: &str) -> Element {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        fn morph(old: &Element, html: &str) -> Element;
    }
    morph(old, html)
}

/// The server has no page to change.
#[cfg(not(feature = "hydrate"))]
pub(super) fn morph(old: &Element, _html: &str) -> Element {
    old.clone()
}
