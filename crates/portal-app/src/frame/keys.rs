//! Keys that work on every page, and the list that explains them.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use maud::html;
use wasm_bindgen::JsCast as _;

use super::palette::Palette;
use crate::paths;
use crate::ui::{Content, Erase, effect, icon, is_typing};

/// `g`, then one of these.
const PLACES: [(&str, &str, &str); 6] = [
    ("h", "Home", paths::HOME),
    ("c", "Catalog", paths::CATALOG),
    ("t", "Templates", paths::TEMPLATES),
    ("a", "Actions", paths::ACTIONS),
    ("f", "Search", paths::SEARCH),
    ("o", "Sources", paths::SOURCES),
];

/// Time between the two keys of a jump, in milliseconds.
const PATIENCE: f64 = 1500.0;

/// Listens once, for all pages.
pub(super) fn listen(palette: Palette) {
    let navigate = use_navigate();
    let began = StoredValue::new(None::<f64>);
    effect(move |_| {
        let navigate = navigate.clone();
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            if is_palette_key(&event) {
                event.prevent_default();
                palette.open();
                return;
            }
            if is_typing(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let key = event.key();
            let jumps = began.get_value().is_some_and(|at| event.time_stamp() - at < PATIENCE);
            began.set_value((key == "g").then(|| event.time_stamp()));
            if let Some((_, _, href)) = PLACES.iter().find(|(letter, ..)| jumps && *letter == key) {
                event.prevent_default();
                navigate(href, NavigateOptions::default());
            } else if key == "/" && !has_field() {
                event.prevent_default();
                palette.open();
            } else if key == "?" {
                show_shortcuts();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// Whether the page has a field of its own that `/` goes to.
fn has_field() -> bool {
    document().query_selector("[aria-keyshortcuts='/']").is_ok_and(|field| field.is_some())
}

fn is_palette_key(event: &KeyboardEvent) -> bool {
    (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k")
}

pub(super) fn show_shortcuts() {
    let dialog = document().get_element_by_id("shortcuts");
    if let Some(dialog) = dialog.and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok())
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

pub(super) fn shortcuts() -> AnyView {
    let others = [
        ("Ctrl K", "Go to, search or run"),
        ("/", "Filter or search on this page"),
        ("?", "This list"),
        ("Esc", "Close what is on top"),
        ("j k", "Next and previous row of a list"),
        ("Enter", "Open the row"),
        ("x", "Select the row"),
        ("Shift x", "Select up to the row"),
        ("← ↑ → ↓", "In a graph: along the edges"),
        ("e r c", "On an entity: run an action, open its repository, copy its reference"),
    ];
    Content::from(html! {
        dialog class="dialog" id="shortcuts" aria-labelledby="shortcuts-title" {
            div class="dialog-head" {
                h2 id="shortcuts-title" { "Keyboard shortcuts" }
                form method="dialog" {
                    button class="button" data-variant="quiet" data-size="sm" data-icon-only aria-label="Close" { (icon("x")) }
                }
            }
            div class="dialog-body" {
                dl class="kv" {
                    @for (keys, what) in others {
                        dt { @for key in keys.split(' ') { kbd class="kbd" { (key) } " " } }
                        dd { (what) }
                    }
                    @for (letter, place, _) in PLACES {
                        dt { kbd class="kbd" { "g" } " " kbd class="kbd" { (letter) } }
                        dd { (place) }
                    }
                }
            }
        }
    })
    .erase()
}
