//! The page on which a source is added.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use portal_core::sources::wire::{SourcePreview, SourceType, SourceView};

use super::badge::source_name;
use super::form::SourceForm;
use super::preview::preview_region;
use crate::api::{Failure, Method, field_of, send, use_api};
use crate::paths;
use crate::ui::{Erase, TextField, Toasts, effect, icon, text_field};

/// Fields that show their own errors.
const FIELDS: [&str; 6] = ["target", "branch", "globs", "interval_seconds", "credential", "webhook_secret"];

#[component]
pub(crate) fn NewSourcePage() -> impl IntoView {
    let form = SourceForm::new();
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let (preview, proposal) = (RwSignal::new(None::<SourcePreview>), RwSignal::new(String::new()));
    let (api, toasts, navigate) = (use_api(), expect_context::<Toasts>(), use_navigate());
    let looking = RwSignal::new(false);
    // What was seen is of what was asked for then.
    effect(move |_| {
        form.target.track();
        form.source_type.track();
        preview.set(None);
    });
    let look = {
        let api = api.clone();
        move |_| {
            if looking.get_untracked() {
                return;
            }
            failure.set(None);
            let create = match form.create() {
                Ok(create) => create,
                Err(fault) => return show(failure, fault),
            };
            looking.set(true);
            let api = api.clone();
            spawn_local(async move {
                let path = paths::API_SOURCE_PREVIEW.to_owned();
                let answer = send::<SourcePreview>(&api, Method::Post, path, Some(&create), None).await;
                looking.set(false);
                match answer {
                    Ok(seen) => {
                        let text = seen.as_ref().and_then(|seen| seen.proposal.as_ref());
                        proposal.set(text.map(|proposal| proposal.text.clone()).unwrap_or_default());
                        preview.set(seen);
                        request_animation_frame(|| focus("#preview"));
                    }
                    Err(fault) => {
                        preview.set(None);
                        show(failure, fault);
                    }
                }
            });
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        failure.set(None);
        let create = match form.create() {
            Ok(create) => create,
            Err(fault) => return show(failure, fault),
        };
        busy.set(true);
        let (api, navigate) = (api.clone(), navigate.clone());
        spawn_local(async move {
            let path = paths::API_SOURCES.to_owned();
            let added = send::<SourceView>(&api, Method::Post, path, Some(&create), None).await;
            busy.set(false);
            match added {
                Ok(Some(source)) => {
                    toasts.success(format!("Added {}", source_name(&source)));
                    navigate(&paths::source(source.id), NavigateOptions::default());
                }
                Ok(None) => navigate(paths::SOURCES, NavigateOptions::default()),
                Err(fault) => show(failure, fault),
            }
        });
    };
    view! {
        <Title text="Add source" />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Add source"</h1>
                <p class="sub">
                    "A source declares entities in YAML, as catalog-info.yaml does for Backstage. It is read at once, and then again and again."
                </p>
            </div>
        </header>
        <div class="callout needs-no-script">
            {icon("info")}
            <p>
                "This form needs JavaScript. Without it, sources can be added by " <code>"POST /api/v1/sources"</code>
                " or on the command line."
            </p>
        </div>
        <form class="source-form" on:submit=submit novalidate>
            {type_choice(form)}
            {fields(form, failure)}
            {trust(form)}
            {move || form_error(failure)}
            <p class="muted">
                "No descriptor at hand? " <a href=paths::VALIDATE>"Write one and have it checked"</a> ", or look at a repository without one."
            </p>
            <div class="form-foot">
                <button
                    class="button"
                    type="submit"
                    data-variant="primary"
                    aria-busy=move || busy.get().then_some("true")
                >
                    {icon("plus")}
                    "Add source"
                </button>
                <button
                    class="button needs-script"
                    type="button"
                    on:click=look
                    aria-busy=move || looking.get().then_some("true")
                >
                    {icon("eye")}
                    "Preview"
                </button>
                <a class="button" data-variant="quiet" href=paths::SOURCES>
                    "Cancel"
                </a>
            </div>
        </form>
        {move || preview_region(preview, proposal)}
    }
    .erase()
}

/// Shows a failure and moves to the first field that has one.
fn show(failure: RwSignal<Option<Failure>>, fault: Failure) {
    failure.set(Some(fault));
    request_animation_frame(|| focus(".source-form [aria-invalid=true]"));
}

fn focus(selector: &str) {
    use wasm_bindgen::JsCast;
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

fn type_choice(form: SourceForm) -> AnyView {
    let card = |source_type: SourceType, name: &'static str, note: &'static str| {
        view! {
            <label class="choice-card">
                <input
                    type="radio"
                    name="type"
                    value=source_type.as_str()
                    prop:checked=move || form.source_type.get() == source_type
                    checked=source_type == SourceType::Git
                    on:change=move |_| form.source_type.set(source_type)
                />
                <b>{name}</b>
                <span>{note}</span>
            </label>
        }
        .erase()
    };
    view! {
        <fieldset class="field">
            <legend>"What to read"</legend>
            <div class="choice-cards">
                {card(SourceType::Git, "Git repository", "Every catalog-info.yaml of a branch; pushes can be read at once.")}
                {card(SourceType::Path, "Files on the server", "A file, a folder or a pattern, as the portal sees them.")}
                {card(SourceType::Http, "Document on the web", "One YAML or JSON document behind a URL.")}
            </div>
        </fieldset>
    }
    .erase()
}

fn fields(form: SourceForm, failure: RwSignal<Option<Failure>>) -> AnyView {
    let kind = form.source_type;
    let error = move |name: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at(name))))
    };
    let field = move |name: &'static str, label: &'static str, hint: &'static str, value: RwSignal<String>| {
        let field = TextField { name, label, hint: Signal::stored(hint), optional: true };
        text_field(field, value, error(name))
    };
    let target_hint = Signal::derive(move || match kind.get() {
        SourceType::Git => "Address of the repository, e.g. https://git.example.com/team/repo.git",
        SourceType::Path => "Path or pattern on the server, e.g. /srv/catalog/**/catalog-info.yaml",
        SourceType::Http | SourceType::Sample => "Address of the document, e.g. https://example.com/catalog.yaml",
    });
    let target = TextField { name: "target", label: "Target", hint: target_hint, optional: false };
    let git = move || {
        (kind.get() == SourceType::Git).then(|| {
            view! {
                {field("branch", "Branch or tag", "The default of the repository when empty.", form.branch)}
                {field("globs", "Files", "Patterns, separated by commas; **/catalog-info.yaml when empty.", form.globs)}
            }
            .erase()
        })
    };
    let secret = move || {
        (kind.get() == SourceType::Git).then(|| {
            field(
                "webhook_secret",
                "Secret of the webhook",
                "Where it is kept: env:NAME or file:PATH. Pushes are read at once when it is set.",
                form.webhook_secret,
            )
        })
    };
    let credential = move || {
        (kind.get() != SourceType::Path).then(|| {
            field(
                "credential",
                "Credential",
                "Where it is kept: env:NAME or file:PATH. The portal never stores it.",
                form.credential,
            )
        })
    };
    view! {
        {text_field(target, form.target, error("target"))}
        {git}
        {field("interval_seconds", "Read every", "Minutes between full passes, 1 to 1440.", form.interval)}
        {credential}
        {secret}
    }
    .erase()
}

fn trust(form: SourceForm) -> AnyView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || form.trusted.get()
                on:change:target=move |event| form.trusted.set(event.target().checked())
            />
            <span>
                "Trust this source"
                <span class="note">"It may declare users and groups. Others may not: membership decides who owns what."</span>
            </span>
        </label>
    }
    .erase()
}

/// What no field can show.
fn form_error(failure: RwSignal<Option<Failure>>) -> Option<AnyView> {
    let failure = failure.get()?;
    let shown = |pointer: &str| FIELDS.contains(&field_of(pointer));
    let elsewhere: Vec<String> = failure
        .errors
        .iter()
        .filter(|error| !shown(&error.pointer))
        .map(|error| format!("{} {}", error.pointer, error.message))
        .collect();
    if elsewhere.is_empty() && !failure.errors.is_empty() {
        return None;
    }
    let request = (!failure.request_id.is_empty()).then(|| {
        view! {
            <p class="subtle">
                "Request " <code>{failure.request_id.clone()}</code>
            </p>
        }
    });
    let items = elsewhere.into_iter().map(|error| view! { <li>{error}</li> }).collect_view();
    let view = view! {
        <div class="callout" data-tone="danger" role="alert">
            {icon("fail")}
            <div>
                <p class="title">"The source was not added"</p>
                <p>{failure.detail}</p>
                <ul>{items}</ul>
                {request}
            </div>
        </div>
    };
    Some(view.erase())
}
