//! Forms that stand in the HTML and send themselves to the API.
//!
//! A form with `data-send="/api/v1/tokens"` is sent as a JSON object of its
//! controls: a control without a value is left out, `data-type="number"` makes a
//! number, `data-type="list"` a list of all that are checked, `data-type="flag"` true or
//! false, `data-type="json"` what its value says; `secrets.token` stands in an object
//! `secrets`. A control that `data-send` names, as in `/api/v1/policies/{name}`, goes there.
//! Faults are shown beside the control that the API names. `data-method` is the method, `data-match`
//! the version that it changes, `data-done`
//! what is said afterwards, `data-goto` where it leads then (`/runs/{id}`), and `data-reveal` the field of the answer that is
//! shown once, e.g. the text of a token.

use leptos::prelude::*;
use leptos::task::spawn_local;
use maud::html;
use serde_json::{Map, Value};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{
    Element, Event, HtmlDialogElement, HtmlElement, HtmlFormElement, HtmlInputElement, HtmlSelectElement,
    HtmlTextAreaElement, NodeList, SubmitEvent,
};

use portal_core::percent;

use super::{Content, Toasts, effect, icon};
use crate::api::{Api, Failure, Live, Method, send, use_api};

/// Listens once, for all pages.
pub(crate) fn provide_forms() {
    let (api, toasts, live) = (use_api(), expect_context::<Toasts>(), expect_context::<Live>());
    effect(move |_| {
        // `page.js` hears the log of a run and asks for its page anew.
        let stale = window_event_listener_untyped("portal-stale", move |_| live.entities_changed());
        on_cleanup(move || stale.remove());
    });
    effect(move |_| {
        let api = api.clone();
        let handle = window_event_listener_untyped("submit", move |event| submit(&api, toasts, live, &event));
        on_cleanup(move || handle.remove());
    });
}

/// Shows what is shown once.
pub(crate) fn revealed() -> Content {
    Content::from(html! {
        dialog class="dialog" id="revealed" aria-labelledby="revealed-title" {
            div class="dialog-head" { h2 id="revealed-title" { "Copy it now" } }
            div class="dialog-body stack" {
                p { "It is shown this once; the portal does not keep it." }
                code class="revealed" {}
            }
            form class="dialog-foot" method="dialog" {
                button class="button" type="button" data-copy="" { (icon("copy")) "Copy" }
                button class="button" data-variant="primary" { "Done" }
            }
        }
    })
}

fn submit(api: &Api, toasts: Toasts, live: Live, event: &Event) {
    let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form.filter(|form| form.has_attribute("data-send")) else { return };
    // A button may send the form somewhere else, as forms do.
    let elsewhere = event.dyn_ref().and_then(SubmitEvent::submitter);
    if elsewhere.is_some_and(|button| button.has_attribute("formaction")) {
        return;
    }
    event.prevent_default();
    if form.has_attribute("aria-busy") {
        return;
    }
    let attribute = |name: &str| form.get_attribute(name).unwrap_or_default();
    let (mut path, done, reveal) = (attribute("data-send"), attribute("data-done"), attribute("data-reveal"));
    let method = match attribute("data-method").as_str() {
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        _ => Method::Post,
    };
    let body = Value::Object(fields(&form, &mut path));
    let version = form.get_attribute("data-match").map(|etag| format!("\"{etag}\""));
    let _ = form.set_attribute("aria-busy", "true");
    let api = api.clone();
    spawn_local(async move {
        let answer = send::<Value>(&api, method, path, Some(&body), version).await;
        let _ = form.remove_attribute("aria-busy");
        clear_faults(&form);
        match answer {
            Ok(answer) => {
                if let (Some(place), Some(answer)) = (form.get_attribute("data-goto"), &answer) {
                    return leave(&form, &place, answer);
                }
                form.reset();
                match answer.as_ref().and_then(|answer| answer[reveal.as_str()].as_str()) {
                    Some(text) => show_once(text),
                    None => toasts.success(done),
                }
                live.entities_changed();
            }
            Err(failure) => show_faults(&form, &failure, toasts),
        }
    });
}

/// Goes to what the answer names, and forgets the draft that led to it.
fn leave(form: &HtmlFormElement, place: &str, answer: &Value) {
    let id = answer["id"].to_string();
    if let (Some(draft), Ok(Some(storage))) = (form.get_attribute("data-undraft"), window().local_storage()) {
        let _ = storage.remove_item(&format!("draft:{draft}"));
    }
    let _ = window().location().assign(&place.replace("{id}", id.trim_matches('"')));
}

fn controls(form: &HtmlFormElement) -> impl Iterator<Item = Element> {
    let found = form.query_selector_all("[name]").ok();
    let count = found.as_ref().map_or(0, NodeList::length);
    (0..count).filter_map(move |index| found.as_ref()?.item(index)?.dyn_into::<Element>().ok())
}

fn value(control: &Element) -> String {
    let input = control.dyn_ref().filter(|input: &&HtmlInputElement| input.type_() != "checkbox" || input.checked());
    input
        .map(HtmlInputElement::value)
        .or_else(|| Some(control.dyn_ref::<HtmlSelectElement>()?.value()))
        .or_else(|| Some(control.dyn_ref::<HtmlTextAreaElement>()?.value()))
        .unwrap_or_default()
}

/// What is sent; controls that the path names go into it.
fn fields(form: &HtmlFormElement, path: &mut String) -> Map<String, Value> {
    let mut fields = Map::new();
    for control in controls(form) {
        let name = control.get_attribute("name").unwrap_or_default();
        let text = value(&control);
        let (place, kind) = (format!("{{{name}}}"), control.get_attribute("data-type"));
        if path.contains(&place) {
            *path = path.replace(&place, &percent::encode(&text, b"-_."));
            continue;
        }
        if kind.as_deref() == Some("flag") {
            fields.insert(name, Value::Bool(!text.is_empty()));
            continue;
        }
        if text.is_empty() {
            continue;
        }
        if let Some((group, name)) = name.split_once('.') {
            let group = fields.entry(group).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(group) = group {
                group.insert(name.to_owned(), Value::String(text));
            }
            continue;
        }
        match kind.as_deref() {
            Some("json") => fields.insert(name, serde_json::from_str(&text).unwrap_or(Value::String(text))),
            Some("number") => fields.insert(name, text.parse::<u64>().map_or(Value::String(text), Value::from)),
            Some("list") => {
                let list = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.push(Value::String(text));
                }
                None
            }
            _ => fields.insert(name, Value::String(text)),
        };
    }
    fields
}

fn clear_faults(form: &HtmlFormElement) {
    for control in controls(form) {
        let _ = control.remove_attribute("aria-invalid");
    }
    while let Ok(Some(error)) = form.query_selector(".error") {
        error.remove();
    }
}

/// Beside the controls that are named; else as a message.
fn show_faults(form: &HtmlFormElement, failure: &Failure, toasts: Toasts) {
    let mut shown = false;
    for fault in &failure.errors {
        let name = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
        let Some(control) = controls(form).find(|control| control.get_attribute("name").as_deref() == Some(name))
        else {
            continue;
        };
        let Ok(message) = document().create_element("span") else { continue };
        message.set_class_name("error");
        message.set_id(&format!("{name}-error"));
        message.set_text_content(Some(&fault.message));
        let _ = control.set_attribute("aria-invalid", "true");
        let _ = control.set_attribute("aria-describedby", &format!("{name}-error"));
        let _ = control.insert_adjacent_element("afterend", &message);
        if !shown {
            shown = control.dyn_ref::<HtmlElement>().map(HtmlElement::focus).is_some();
        }
    }
    if !shown {
        toasts.failure(failure.detail.clone());
    }
}

fn show_once(text: &str) {
    let origin = window().location().origin().unwrap_or_default();
    let text = if text.starts_with('/') { format!("{origin}{text}") } else { text.to_owned() };
    let part = |selector: &str| document().query_selector(selector).ok().flatten();
    let fill = move |text: &str| {
        if let Some(code) = part("#revealed .revealed") {
            code.set_text_content(Some(text));
        }
        if let Some(copy) = part("#revealed [data-copy]") {
            let _ = copy.set_attribute("data-copy", text);
        }
    };
    fill(&text);
    if let Some(dialog) = part("#revealed").and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok()) {
        // Nothing of it stays in the page.
        let close = Closure::once_into_js(move || fill(""));
        dialog.set_onclose(close.dyn_ref());
        let _ = dialog.show_modal();
    }
}
