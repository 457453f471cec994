//! Stars and following: every button with `data-mark` sets or clears a mark,
//! wherever in the page it stands.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::MouseEvent;
use maud::html;
use portal_core::access::Verb;
use portal_core::personal::wire::Mark;

use crate::api::{Api, Failure, Live, Method, send, use_api};
use crate::paths;
use crate::ui::{Content, Toasts, closest, counted, denied, effect, icon};

/// A button that shows whether an entity is marked, and changes it.
pub(crate) fn mark_button(mark: Mark, entity_ref: &str, set: bool) -> Content {
    let (symbol, text) = match mark {
        Mark::Star => ("star", "Star"),
        Mark::Follow => ("bell", "Follow"),
    };
    let (disabled, reason) = denied(Verb::Personalise);
    Content::from(html! {
        button class="button needs-script" type="button" aria-disabled=[disabled] title=[reason] data-mark=(mark.as_str()) data-entity=(entity_ref) aria-pressed=(set) {
            (icon(symbol))
            (text)
        }
    })
}

/// Listens once, for all pages.
pub(crate) fn provide_marking() {
    let (api, toasts, live) = (use_api(), expect_context::<Toasts>(), expect_context::<Live>());
    effect(move |_| {
        let api = api.clone();
        let handle = window_event_listener(leptos::ev::click, move |event| change(&api, toasts, live, &event));
        on_cleanup(move || handle.remove());
    });
}

fn change(api: &Api, toasts: Toasts, live: Live, event: &MouseEvent) {
    let Some(button) = closest(event, "[data-mark]") else { return };
    let mark = button.get_attribute("data-mark").as_deref().and_then(Mark::parse);
    let Some((mark, entity_ref)) = mark.zip(button.get_attribute("data-entity")) else { return };
    // One after the other: what a second click means shows only then.
    if button.has_attribute("aria-busy") {
        return;
    }
    let _ = button.set_attribute("aria-busy", "true");
    let was_set = button.get_attribute("aria-pressed").as_deref() == Some("true");
    let api = api.clone();
    spawn_local(async move {
        let method = if was_set { Method::Delete } else { Method::Put };
        match send_mark(&api, method, mark, &entity_ref).await {
            Ok(()) => live.entities_changed(),
            Err(failure) => {
                let _ = button.remove_attribute("aria-busy");
                toasts.failure(failure.detail);
            }
        }
    });
}

async fn send_mark(api: &Api, method: Method, mark: Mark, entity_ref: &str) -> Result<(), Failure> {
    let path = paths::api_mark(mark.as_str(), entity_ref);
    send::<()>(api, method, path, None::<&()>, None).await.map(drop)
}

/// Marks many entities, one after the other.
pub(crate) fn mark_all(api: Api, toasts: Toasts, mark: Mark, entities: Vec<String>) {
    let live = expect_context::<Live>();
    spawn_local(async move {
        for entity_ref in &entities {
            if let Err(failure) = send_mark(&api, Method::Put, mark, entity_ref).await {
                return toasts.failure(failure.detail);
            }
        }
        let what = counted(entities.len() as u64, "entity", "entities");
        toasts.success(if mark == Mark::Star { format!("Starred {what}") } else { format!("Following {what}") });
        live.entities_changed();
    });
}
