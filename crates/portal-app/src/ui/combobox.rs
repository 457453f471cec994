//! A field that offers what fits while one types: the pattern "combobox with a
//! list" of the ARIA authoring practices. The list comes from the API, so it may
//! stand for any number of options.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use maud::html;

use super::{Content, Erase, closest, icon, loaded_quietly};
use crate::api::{Load, use_load};

/// An option of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What is picked.
    pub value: String,
    pub label: String,
    pub detail: String,
    pub symbol: &'static str,
}

/// What a field is called, and where its options come from.
#[derive(Clone, Copy)]
pub(crate) struct Combobox {
    /// Id of the control.
    pub id: &'static str,
    pub label: &'static str,
    pub placeholder: &'static str,
    /// The question to the API about a text that is not empty.
    pub question: fn(&str) -> String,
    /// The options in its answer, best first.
    pub read: fn(Load) -> Option<Vec<Choice>>,
}

/// The field; it is empty again after something was picked.
pub(crate) fn combobox(combobox: Combobox, pick: impl Fn(String) + Clone + 'static) -> AnyView {
    let Combobox { id, label, placeholder, question, read } = combobox;
    let text = RwSignal::new(String::new());
    let (at, open) = (RwSignal::new(0_usize), RwSignal::new(false));
    let load =
        use_load(Memo::new(move |_| text.with(|text| Some(text.trim()).filter(|text| !text.is_empty()).map(question))));
    let options = move || read(load).unwrap_or_default();
    let shown = move || open.get() && text.with(|text| !text.trim().is_empty());
    let list_id = format!("{id}-options");
    let choose = move |place: usize| {
        if let Some(choice) = untrack(options).into_iter().nth(place) {
            open.set(false);
            text.set(String::new());
            pick(choice.value);
        }
    };
    let chosen_by_key = choose.clone();
    let pressed = move |event: KeyboardEvent| {
        let count = untrack(options).len().max(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" if untrack(shown) => chosen_by_key(at.get_untracked()),
            "Escape" if untrack(shown) => open.set(false),
            _ => return,
        }
        event.prevent_default();
    };
    let clicked = move |event: leptos::ev::MouseEvent| {
        let option = closest(&event, "[data-option]").and_then(|option| option.get_attribute("data-option"));
        if let Some(place) = option.and_then(|place| place.parse().ok()) {
            // The field keeps the focus.
            event.prevent_default();
            choose(place);
        }
    };
    let active = move || shown().then(|| format!("{id}-{}", at.get()));
    let controls = list_id.clone();
    let list = move || {
        let options = shown().then(|| read(load))??;
        Some(listed(id, &list_id, label, &options, at.get()))
    };
    view! {
        <div class="combobox needs-script" on:mousedown=clicked>
            <input
                class="input"
                id=id
                type="text"
                role="combobox"
                aria-label=label
                aria-autocomplete="list"
                aria-controls=controls
                aria-expanded=move || if shown() { "true" } else { "false" }
                aria-activedescendant=active
                placeholder=placeholder
                autocomplete="off"
                spellcheck="false"
                prop:value=move || text.get()
                on:input:target=move |event| {
                    text.set(event.target().value());
                    at.set(0);
                    open.set(true);
                }
                on:keydown=pressed
                // What was not chosen means nothing.
                on:blur=move |_| {
                    open.set(false);
                    text.set(String::new());
                }
            />
            {loaded_quietly(list)}
        </div>
    }
    .erase()
}

fn listed(id: &str, list_id: &str, label: &str, options: &[Choice], at: usize) -> Content {
    Content::from(html! {
        div class="combobox-list" id=(list_id) role="listbox" aria-label=(label) {
            @for (place, Choice { label, detail, symbol, value: _ }) in options.iter().enumerate() {
                div class="option" role="option" id={ (id) "-" (place) } data-option=(place) aria-selected=(place == at) {
                    (icon(symbol)) span class="truncate" { (label) } span class="where" { (detail) }
                }
            }
            @if options.is_empty() { p class="missing" { "Nothing fits" } }
        }
    })
}
