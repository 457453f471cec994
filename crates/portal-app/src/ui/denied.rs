//! What the caller may not do is shown all the same, so that they learn that it
//! exists and who could: it looks disabled, and a click says why.

use leptos::prelude::*;
use portal_core::access::Verb;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::MouseEvent;

use super::{Toasts, closest, effect};
use crate::document::refusal;

/// Value of `aria-disabled`, and of `title`, of what needs this verb.
pub(crate) fn denied(verb: Verb) -> (Option<&'static str>, Option<String>) {
    let reason = refusal(verb);
    (reason.is_some().then_some("true"), reason)
}

/// Listens once, for all pages, before every other listener.
pub(crate) fn provide_denying() {
    let toasts = expect_context::<Toasts>();
    effect(move |_| {
        let listener = Closure::<dyn FnMut(MouseEvent)>::new(move |event| refuse(toasts, &event));
        let callback = listener.as_ref().unchecked_ref();
        let _ = window().add_event_listener_with_callback_and_bool("click", callback, true);
        // The application lives as long as the page.
        listener.forget();
    });
}

fn refuse(toasts: Toasts, event: &MouseEvent) {
    if let Some(element) = closest(event, "[aria-disabled=true]") {
        event.prevent_default();
        event.stop_immediate_propagation();
        // Without a title the reason stands beside it.
        if let Some(reason) = element.get_attribute("title") {
            toasts.failure(reason);
        }
    }
}
