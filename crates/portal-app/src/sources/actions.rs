//! What one can do with a source.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use portal_core::access::Verb;
use portal_core::sources::wire::{SourceOrigin, SourceType, SourceView};

use super::badge::source_name;
use crate::api::{Live, Load, Method, send, use_api};
use crate::paths;
use crate::ui::{Erase, Toasts, denied, icon, number};

/// A button that reads the source now.
pub(super) fn refresh_button(source: &SourceView, load: Load) -> AnyView {
    let (id, name) = (source.id, source_name(source));
    let read = read_now(load);
    let (disabled, reason) = denied(Verb::AddSources);
    view! {
        <button
            class="button needs-script"
            type="button"
            aria-disabled=disabled
            title=reason
            on:click=move |_| read(id, name.clone())
        >
            {icon("refresh")}
            "Read now"
        </button>
    }
    .erase()
}

/// Asks for a pass over a source; its result arrives with the live updates.
pub(super) fn read_now(load: Load) -> impl Fn(i64, String) + Clone + 'static {
    let (api, toasts) = (use_api(), expect_context::<Toasts>());
    move |id, name| {
        let api = api.clone();
        spawn_local(async move {
            let path = format!("{}/refresh", paths::api_source(id));
            match send::<serde_json::Value>(&api, Method::Post, path, None::<&()>, None).await {
                Ok(_) => toasts.success(format!("Reading {name}")),
                Err(failure) => toasts.failure(failure.detail),
            }
            load.refresh();
        });
    }
}

/// A switch that trusts the source, or no longer does; what it declares is
/// then judged anew.
pub(super) fn trust_switch(source: &SourceView, load: Load) -> AnyView {
    let (api, toasts) = (use_api(), expect_context::<Toasts>());
    let (path, etag) = (paths::api_source(source.id), source.etag.clone());
    let trusted = source.trusted;
    let change = move |event: leptos::ev::Targeted<leptos::ev::Event, web_sys::HtmlInputElement>| {
        let wanted = event.target().checked();
        let (api, path, etag) = (api.clone(), path.clone(), etag.clone());
        spawn_local(async move {
            let body = serde_json::json!({ "trusted": wanted });
            match send::<serde_json::Value>(&api, Method::Patch, path, Some(&body), Some(etag)).await {
                Ok(_) if wanted => toasts.success("It is trusted now, and read again".to_owned()),
                Ok(_) => toasts.success("It is no longer trusted, and read again".to_owned()),
                Err(failure) => toasts.failure(failure.detail),
            }
            load.refresh();
        });
    };
    let (disabled, reason) = denied(Verb::WriteSources);
    view! {
        <input
            class="switch needs-script"
            type="checkbox"
            role="switch"
            aria-disabled=disabled
            title=reason
            aria-labelledby="trusted"
            checked=trusted
            prop:checked=trusted
            on:change:target=change
        />
    }
    .erase()
}

/// A button that removes the source, after a question.
pub(super) fn remove_button(source: &SourceView, then: impl Fn() + Clone + 'static) -> AnyView {
    let name = source_name(source);
    // The sample is there to be thrown away.
    if source.origin == SourceOrigin::Config && source.source_type != SourceType::Sample {
        return view! {
            <button
                class="button"
                type="button"
                data-variant="danger-quiet"
                aria-disabled="true"
                aria-describedby="remove-reason"
            >
                "Remove"
            </button>
            <p class="reason" id="remove-reason">
                {icon("info")}
                "It is set on the command line or in portal.toml; remove it there."
            </p>
        }
        .erase();
    }
    let dialog = NodeRef::<Dialog>::new();
    let (api, toasts, live) = (use_api(), expect_context::<Toasts>(), expect_context::<Live>());
    let busy = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let (path, etag) = (paths::api_source(source.id), source.etag.clone());
    let named = name.clone();
    let remove = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refused.set(None);
        let (api, path, etag, name, then) = (api.clone(), path.clone(), etag.clone(), named.clone(), then.clone());
        live.hold(true);
        spawn_local(async move {
            let removed = send::<serde_json::Value>(&api, Method::Delete, path, None::<&()>, Some(etag)).await;
            busy.set(false);
            match removed {
                Ok(_) => {
                    close(dialog);
                    toasts.success(format!("Removed {name}"));
                    then();
                }
                Err(failure) => {
                    live.hold(false);
                    refused.set(Some(failure.detail));
                }
            }
        });
    };
    let entities = match source.entity_count {
        0 => "It declares no entities.".to_owned(),
        1 => "The entity that it declares becomes an orphan, unless another source declares it too.".to_owned(),
        count => format!(
            "The {} entities that it declares become orphans, unless another source declares them too.",
            number(count)
        ),
    };
    let (disabled, reason) = denied(Verb::WriteSources);
    view! {
        <button
            class="button needs-script"
            type="button"
            data-variant="danger-quiet"
            aria-disabled=disabled
            title=reason
            on:click=move |_| {
                if let Some(dialog) = dialog.get_untracked() {
                    let _ = dialog.show_modal();
                }
            }
        >
            "Remove"
        </button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="remove-title">
            <div class="dialog-head">
                <h2 id="remove-title">"Remove this source?"</h2>
            </div>
            <div class="dialog-body">
                <p>
                    <code class="breakable">{name}</code>
                    " will not be read any more."
                </p>
                <p class="muted">{entities} " Adding the source again restores them."</p>
                {move || refused.get().map(|reason| view! { <p class="form-error" role="alert">{icon("fail")} {reason}</p> })}
            </div>
            <div class="dialog-foot">
                <button class="button" type="button" on:click=move |_| close(dialog)>
                    "Keep"
                </button>
                <button
                    class="button"
                    type="button"
                    data-variant="danger"
                    aria-busy=move || busy.get().then_some("true")
                    on:click=remove
                >
                    "Remove source"
                </button>
            </div>
        </dialog>
    }
    .erase()
}

fn close(dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.try_get_untracked().flatten() {
        dialog.close();
    }
}
