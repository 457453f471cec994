//! Rows that are selected, and what can be done with all of them.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{Event, HtmlInputElement};
use portal_core::access::Verb;
use portal_core::personal::wire::Mark;

use crate::api::use_api;
use crate::personal::mark_all;
use crate::ui::{Erase, Toasts, closest, counted, denied, effect, icon};

/// References of the selected rows; they stay while one turns the pages.
pub(super) type Selection = RwSignal<BTreeSet<String>>;

/// Takes over what a check box of the table says.
pub(super) fn follow_boxes(selected: Selection, event: &Event) {
    let Some(input) = closest(event, "[data-select]").and_then(|element| element.dyn_into::<HtmlInputElement>().ok())
    else {
        return;
    };
    let name = input.get_attribute("data-select").unwrap_or_default();
    let checked = input.checked();
    // The one in the head, without a name, stands for all on the page.
    let names: Vec<String> = match name.is_empty() {
        true => boxes().filter_map(|input| input.get_attribute("data-select")).collect(),
        false => vec![name],
    };
    selected.update(|selected| {
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            if checked {
                selected.insert(name)
            } else {
                selected.remove(&name)
            };
        }
    });
}

/// Makes the boxes of the table show the selection, after each change of either.
pub(super) fn show_selection(selected: Selection, shown: impl Fn() + 'static) {
    effect(move |_| {
        shown();
        selected.track();
        request_animation_frame(move || {
            let (mut all, mut head) = (true, None);
            for input in boxes() {
                let name = input.get_attribute("data-select").unwrap_or_default();
                if name.is_empty() {
                    head = Some(input);
                    continue;
                }
                let is_selected = selected.with_untracked(|selected| selected.contains(&name));
                input.set_checked(is_selected);
                all &= is_selected;
            }
            if let Some(head) = head {
                head.set_checked(all);
            }
        });
    });
}

fn boxes() -> impl Iterator<Item = HtmlInputElement> {
    let found = document().query_selector_all("[data-select]").ok();
    let count = found.as_ref().map_or(0, leptos::web_sys::NodeList::length);
    (0..count).filter_map(move |index| found.as_ref()?.item(index)?.dyn_into().ok())
}

/// What can be done with the selected rows; nothing while there are none.
pub(super) fn bulk_bar(selected: Selection) -> AnyView {
    let (api, toasts) = (use_api(), expect_context::<Toasts>());
    let (disabled, reason) = denied(Verb::Personalise);
    let mark = move |mark: Mark, symbol: &'static str, text: &'static str| {
        let (api, reason) = (api.clone(), reason.clone());
        let act = move |_| mark_all(api.clone(), toasts, mark, selected.get_untracked().into_iter().collect());
        view! {
            <button class="button" data-size="sm" type="button" aria-disabled=disabled title=reason on:click=act>
                {icon(symbol)}
                {text}
            </button>
        }
        .erase()
    };
    let bar = move || {
        let names = selected.get();
        if names.is_empty() {
            return None;
        }
        let count = format!("{} selected", counted(names.len() as u64, "entity", "entities"));
        let all = names.into_iter().collect::<Vec<_>>().join("\n");
        let bar = view! {
            <div class="bulk-bar" role="region" aria-label="Selected entities">
                <span role="status">{count}</span>
                {mark(Mark::Star, "star", "Star")}
                {mark(Mark::Follow, "bell", "Follow")}
                <button class="button" data-size="sm" type="button" data-copy=all>
                    {icon("copy")}
                    "Copy references"
                </button>
                <button
                    class="button"
                    data-variant="quiet"
                    data-size="sm"
                    type="button"
                    on:click=move |_| selected.update(BTreeSet::clear)
                >
                    "Clear"
                </button>
            </div>
        };
        Some(bar.erase())
    };
    view! { {bar} }.erase()
}
