//! Trying an operation: a form for its values, and what the API answered.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{Element, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, SubmitEvent};
use maud::html;
use portal_core::access::Verb;
use portal_core::definition::wire::{Call, CallAnswer, CallParameter, CallRequest, CallValue};

use crate::api::{Failure, Method, send, sentence, use_api};
use crate::paths;
use crate::ui::{Content, Erase, denied, icon, number, with_code};

/// The last attempt and its answer, by entity and operation. They belong to the
/// page, so that a live update of the definition does not take them away.
#[derive(Clone, Copy)]
pub(super) struct Trial {
    answer: RwSignal<Option<(String, Result<CallAnswer, Failure>)>>,
    /// What is under way.
    busy: RwSignal<Option<String>>,
}

impl Trial {
    pub fn new() -> Self {
        Self { answer: RwSignal::new(None), busy: RwSignal::new(None) }
    }
}

pub(super) fn try_it(entity_ref: &str, operation: &str, call: &Call, trial: Trial) -> AnyView {
    let api = use_api();
    let path = format!("{}/definition/call", paths::api_entity(entity_ref));
    let id = operation.to_owned();
    let here = StoredValue::new(format!("{entity_ref}#{operation}"));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = event.current_target().map(|node| node.unchecked_into::<Element>()) else { return };
        let here = here.get_value();
        if trial.busy.with_untracked(|busy| busy.as_ref() == Some(&here)) {
            return;
        }
        trial.busy.set(Some(here.clone()));
        let (api, path, request) = (api.clone(), path.clone(), filled(&form, &id));
        spawn_local(async move {
            let answer = send::<CallAnswer>(&api, Method::Post, path, Some(&request), None).await;
            // Another operation may have been sent since.
            if trial.busy.try_with_untracked(|busy| busy.as_ref() == Some(&here)).unwrap_or_default() {
                trial.busy.set(None);
                trial.answer.set(answer.transpose().map(|answer| (here, answer)));
            }
        });
    };
    let busy = move || trial.busy.with(|busy| *busy == here.try_get_value()).then_some("true");
    let shown = move |part: fn(&Result<CallAnswer, Failure>) -> Option<Content>| {
        trial.answer.with(|answer| {
            answer
                .as_ref()
                .filter(|(of, _)| here.try_get_value().as_ref() == Some(of))
                .and_then(|(_, answer)| part(answer))
        })
    };
    let (disabled, reason) = denied(Verb::CallApi);
    view! {
        <section class="card try needs-script" aria-labelledby="try">
            <header class="card-head">
                <h3 id="try">"Try it"</h3>
                <div class="push muted">"The portal sends it; nothing is kept"</div>
            </header>
            <form on:submit=submit autocomplete="off">
                {fields(call)}
                <button class="button" type="submit" data-variant="primary" aria-busy=busy aria-disabled=disabled title=reason>
                    {format!("Send {}", call.method)}
                </button>
            </form>
            <div aria-live="polite">{move || shown(outcome)}</div>
            {move || shown(details)}
        </section>
    }
    .erase()
}

fn fields(call: &Call) -> Content {
    let Call { servers, parameters, body, .. } = call;
    Content::from(html! {
        div class="try-fields" {
            div class="field" {
                label for="try-server" { "Server" }
                select class="select" id="try-server" data-place="server" {
                    @for server in servers { option value=(server) { (server) } }
                }
            }
            @for (at, CallParameter { name, place, required, secret, example, options }) in parameters.iter().enumerate() {
                @let id = format!("try-{at}");
                div class="field" {
                    label for=(id) {
                        code { (name) } " "
                        span class="muted" { (place) @if *required { ", required" } }
                    }
                    input class="input" id=(id) name=(name) data-place=(place) type=(if *secret { "password" } else { "text" })
                        autocomplete="off" spellcheck="false" list=[(!options.is_empty()).then(|| format!("{id}-options"))]
                        value=[example.as_ref().filter(|_| *required && !secret)]
                        placeholder=[example.as_ref().filter(|_| !required && !secret)];
                    @if !options.is_empty() {
                        datalist id={ (id) "-options" } { @for option in options { option value=(option) {} } }
                    }
                }
            }
            @if let Some(body) = body {
                div class="field try-body" {
                    label for="try-body" { "Body " span class="muted" { (body.media_type) } }
                    textarea class="input" id="try-body" data-place="body" rows="8" spellcheck="false" { (body.example.as_deref().unwrap_or_default()) }
                }
            }
        }
    })
}

/// What the form says; what is left empty is not sent.
fn filled(form: &Element, operation: &str) -> CallRequest {
    let mut request = CallRequest { operation: operation.to_owned(), server: None, parameters: Vec::new(), body: None };
    let Ok(controls) = form.query_selector_all("[data-place]") else { return request };
    for at in 0..controls.length() {
        let Some(control) = controls.get(at).map(|node| node.unchecked_into::<Element>()) else { continue };
        let Some(value) = value_of(&control).filter(|value| !value.is_empty()) else { continue };
        let attribute = |name: &str| control.get_attribute(name).unwrap_or_default();
        match attribute("data-place").as_str() {
            "server" => request.server = Some(value),
            "body" => request.body = Some(value),
            place => request.parameters.push(CallValue { name: attribute("name"), place: place.to_owned(), value }),
        }
    }
    request
}

fn value_of(control: &Element) -> Option<String> {
    let input = control.dyn_ref::<HtmlInputElement>().map(HtmlInputElement::value);
    let select = || control.dyn_ref::<HtmlSelectElement>().map(HtmlSelectElement::value);
    let text = || control.dyn_ref::<HtmlTextAreaElement>().map(HtmlTextAreaElement::value);
    input.or_else(select).or_else(text)
}

/// What is said at once: whether it went well.
#[expect(clippy::unnecessary_wraps, reason = "one of two parts, of which the other may be missing")]
fn outcome(answer: &Result<CallAnswer, Failure>) -> Option<Content> {
    let CallAnswer { method, url, status, reason, duration_ms, size, truncated, .. } = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            return Some(Content::from(html! {
                div class="try-answer" {
                    p class="form-error" { (icon("fail")) (with_code(&failure.detail)) }
                    @if failure.errors.len() > 1 {
                        ul { @for error in &failure.errors { li { (sentence(&error.message)) } } }
                    }
                }
            }));
        }
    };
    let (tone, symbol) = match status {
        200..300 => ("success", "pass"),
        300..400 => ("info", "info"),
        _ => ("danger", "fail"),
    };
    Some(Content::from(html! {
        div class="try-answer" {
            p class="facts-strip" {
                span class="chip" data-tone=(tone) { (icon(symbol)) (status) " " (reason) }
                span { (number(*duration_ms)) " ms" }
                span { (number(*size)) " bytes" @if *truncated { ", cut off" } }
            }
            p { code class="breakable" { (method) " " (url) } }
        }
    }))
}

/// What can be read afterwards: headers and body.
fn details(answer: &Result<CallAnswer, Failure>) -> Option<Content> {
    let CallAnswer { headers, body, .. } = answer.as_ref().ok()?;
    Some(Content::from(html! {
        div class="try-answer" {
            details {
                summary { (headers.len()) " headers" }
                dl class="kv" { @for header in headers { dt { (header.name) } dd { code class="breakable" { (header.value) } } } }
            }
            @match body.as_deref() {
                Some("") => p class="missing" { "No body" },
                Some(body) => pre class="listing" tabindex="0" aria-label="Body of the answer" { (body) },
                None => p class="missing" { "The body is not text" },
            }
        }
    }))
}
