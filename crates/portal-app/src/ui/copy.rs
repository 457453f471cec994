//! Buttons that copy: every element with `data-copy` puts its value on the
//! clipboard, wherever in the page it stands.

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use leptos::web_sys::{Element, MouseEvent};

use super::Toasts;

/// Listens once, for all pages.
pub(crate) fn provide_copying() {
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::click, move |event| copy(toasts, &event));
        on_cleanup(move || handle.remove());
    });
}

fn copy(toasts: Toasts, event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-copy]").ok().flatten()) else { return };
    let text = button.get_attribute("data-copy").unwrap_or_default();
    let clipboard = window().navigator().clipboard();
    // Browsers offer the clipboard to secure pages only.
    if AsRef::<JsValue>::as_ref(&clipboard).is_undefined() {
        toasts.failure(format!("The browser does not let this page copy. The text is {text}"));
    } else {
        let _ = clipboard.write_text(&text);
        toasts.success(format!("Copied {text}"));
    }
}
