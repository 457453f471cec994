//! Buttons that ask the API for one thing, wherever in the page they stand.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::MouseEvent;
use maud::html;
use portal_core::access::Verb;

use super::{Content, Toasts, closest, denied, effect};
use crate::api::{Api, Live, Method, send, use_api};

/// How long a button waits for the click that confirms.
const PATIENCE: Duration = Duration::from_secs(5);

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
        on_cleanup(move || handle.remove());
    });
}

fn act(api: &Api, toasts: Toasts, live: Live, event: &MouseEvent) {
    let Some(button) = closest(event, "[data-act]").filter(|button| !button.has_attribute("aria-busy")) else { return };
    // The second half of a double click confirms nothing.
    if event.detail() > 1 {
        return;
    }
    let attribute = |name: &str| button.get_attribute(name).unwrap_or_default();
    let (path, done, confirm) = (attribute("data-act"), attribute("data-done"), attribute("data-confirm"));
    if !confirm.is_empty() && !button.has_attribute("data-armed") {
        let label = button.inner_html();
        button.set_text_content(Some(&confirm));
        let _ = button.set_attribute("data-armed", "");
        set_timeout(
            move || {
                let _ = button.remove_attribute("data-armed");
                button.set_inner_html(&label);
            },
            PATIENCE,
        );
        return;
    }
    let method = if attribute("data-method") == Method::Delete.as_str() { Method::Delete } else { Method::Post };
    let _ = button.remove_attribute("data-armed");
    let _ = button.set_attribute("aria-busy", "true");
    let api = api.clone();
    spawn_local(async move {
        let answer = send::<serde_json::Value>(&api, method, path, None::<&()>, None).await;
        let _ = button.remove_attribute("aria-busy");
        match answer {
            Ok(_) => {
                toasts.success(done);
                live.entities_changed();
            }
            Err(failure) => toasts.failure(failure.detail),
        }
    });
}
