//! Buttons that copy: every element with `data-copy` puts its value on the
//! clipboard, wherever in the page it stands.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use leptos::web_sys::MouseEvent;

use super::{Toasts, closest, counted, effect};

/// Listens once, for all pages.
pub(crate) fn provide_copying() {
    let toasts = expect_context::<Toasts>();
    effect(move |_| {
        let handle = window_event_listener(leptos::ev::click, move |event| copy(toasts, &event));
        on_cleanup(move || handle.remove());
    });
}

fn copy(toasts: Toasts, event: &MouseEvent) {
    let Some(button) = closest(event, "[data-copy]") else { return };
    let text = button.get_attribute("data-copy").unwrap_or_default();
    let clipboard = window().navigator().clipboard();
    // Browsers offer the clipboard to secure pages only.
    if AsRef::<JsValue>::as_ref(&clipboard).is_undefined() {
        toasts.failure(format!("The browser does not let this page copy. The text is {text}"));
    } else {
        let _ = clipboard.write_text(&text);
        let what = if text.contains('\n') { counted(text.lines().count() as u64, "line", "lines") } else { text };
        toasts.success(format!("Copied {what}"));
    }
}
