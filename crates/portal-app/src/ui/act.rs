//! Buttons that ask the API for one thing, wherever in the page they stand.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{Element, HtmlElement, MouseEvent};
use maud::html;
use portal_core::access::Verb;

use super::{Content, Toasts, closest, denied, effect};
use crate::api::{Api, Live, Method, send, use_api};

/// On a button that waits for the click that confirms, until the focus leaves it:
/// what it said before.
const ARMED: &str = "data-armed";

/// What a button asks for.
pub(crate) struct Act {
    pub method: Method,
    pub path: String,
    /// What the caller must be allowed to.
    pub needs: Verb,
    pub label: &'static str,
    /// What it is done to, for whoever hears the button alone.
    pub about: String,
    /// What the button says before it is clicked for good; asked nothing when empty.
    pub confirm: &'static str,
    /// What is said when it is done.
    pub done: String,
}

pub(crate) fn act_button(act: Act) -> Content {
    let Act { method, path, needs, label, about, confirm, done } = act;
    let (disabled, reason) = denied(needs);
    let variant = (!confirm.is_empty()).then_some("danger-quiet");
    Content::from(html! {
        button class="button needs-script" data-size="sm" data-variant=[variant] type="button"
            data-act=(path) data-method=(method.as_str()) data-confirm=(confirm) data-done=(done)
            aria-disabled=[disabled] title=[reason] {
                (label)
                @if !about.is_empty() { span class="visually-hidden" { " " (about) } }
            }
    })
}

/// Listens once, for all pages.
pub(crate) fn provide_acting() {
    let (api, toasts, live) = (use_api(), expect_context::<Toasts>(), expect_context::<Live>());
    effect(move |_| {
        let api = api.clone();
        let handle = window_event_listener(leptos::ev::click, move |event| act(&api, toasts, live, &event));
        let leaving = window_event_listener(leptos::ev::focusout, |event| {
            if let Some(button) = closest(&event, "[data-armed]") {
                disarm(&button);
            }
        });
        on_cleanup(move || {
            handle.remove();
            leaving.remove();
        });
    });
}

fn arm(button: &Element, confirm: &str) {
    let _ = button.set_attribute(ARMED, &button.inner_html());
    button.set_text_content(Some(confirm));
    // Not every browser moves the focus to a button that is clicked.
    if let Some(button) = button.dyn_ref::<HtmlElement>() {
        let _ = button.focus();
    }
}

fn disarm(button: &Element) {
    if let Some(label) = button.get_attribute(ARMED) {
        let _ = button.remove_attribute(ARMED);
        button.set_inner_html(&label);
    }
}

fn act(api: &Api, toasts: Toasts, live: Live, event: &MouseEvent) {
    let Some(button) = closest(event, "[data-act]").filter(|button| !button.has_attribute("aria-busy")) else { return };
    // The second half of a double click confirms nothing.
    if event.detail() > 1 {
        return;
    }
    let attribute = |name: &str| button.get_attribute(name).unwrap_or_default();
    let (path, done, confirm) = (attribute("data-act"), attribute("data-done"), attribute("data-confirm"));
    if !confirm.is_empty() && !button.has_attribute(ARMED) {
        return arm(&button, &confirm);
    }
    let method = if attribute("data-method") == Method::Delete.as_str() { Method::Delete } else { Method::Post };
    let _ = button.set_attribute("aria-busy", "true");
    let api = api.clone();
    spawn_local(async move {
        let answer = send::<serde_json::Value>(&api, method, path, None::<&()>, None).await;
        let _ = button.remove_attribute("aria-busy");
        disarm(&button);
        match answer {
            Ok(answer) => {
                // A test that was made and not passed is an answer too.
                match answer.as_ref().and_then(|answer| answer["fault"].as_str()) {
                    Some(fault) => toasts.failure(fault.to_owned()),
                    None => toasts.success(done),
                }
                live.entities_changed();
            }
            Err(failure) => toasts.failure(failure.detail),
        }
    });
}
