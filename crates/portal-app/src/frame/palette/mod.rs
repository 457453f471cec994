//! The palette: go to any entity or page, or run a command, from the keyboard.
//!
//! What the page itself knows is matched at once; entities come from the API
//! with every key, and an answer to older keys is dropped.

mod entries;

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use maud::html;
use portal_core::search::wire::{Suggestion, SuggestionList};
use wasm_bindgen::JsCast as _;

use self::entries::{Action, Entry};
use super::keys;
use crate::api::{Method, send, use_api};
use crate::paths;
use crate::ui::{Content, Erase, Remembered, closest, effect, icon};

/// Entities that were visited.
const RECENT: Remembered = Remembered { key: "recent", kept: 12 };

/// Opens the palette and the list of shortcuts from everywhere.
#[derive(Clone, Copy)]
pub(crate) struct Palette {
    dialog: NodeRef<Dialog>,
    input: NodeRef<Input>,
    text: RwSignal<String>,
    chosen: RwSignal<usize>,
    /// What the API said last.
    found: RwSignal<Vec<Suggestion>>,
    recent: RwSignal<Vec<String>>,
}

impl Palette {
    pub(super) fn new() -> Self {
        Self {
            dialog: NodeRef::new(),
            input: NodeRef::new(),
            text: RwSignal::new(String::new()),
            chosen: RwSignal::new(0),
            found: RwSignal::new(Vec::new()),
            recent: RwSignal::new(Vec::new()),
        }
    }

    pub fn open(self) {
        let Some(dialog) = self.dialog.get_untracked().filter(|dialog| !dialog.open()) else { return };
        self.text.set(String::new());
        self.chosen.set(0);
        self.recent.set(RECENT.read());
        if let Some(input) = self.input.get_untracked() {
            input.set_value("");
        }
        let _ = dialog.show_modal();
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }
}

pub(super) fn palette(palette: Palette) -> AnyView {
    let Palette { dialog, input, text, chosen, found, recent } = palette;
    let entries = Memo::new(move |_| {
        let text = text.get();
        found.with(|found| recent.with(|recent| entries::entries(&text, found, recent)))
    });
    remember_visits();
    let typed = asking(palette);
    let run = running(palette);
    let run_chosen = {
        let run = run.clone();
        move |new_tab: bool| {
            let action = entries.with_untracked(|entries| {
                entries.get(chosen.get_untracked()).map(|entry: &Entry| entry.action.clone())
            });
            if let Some(action) = action {
                run(action, new_tab);
            }
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let count = entries.with_untracked(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" => chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" => run_chosen(event.ctrl_key() || event.meta_key()),
            _ => return,
        }
        event.prevent_default();
        keep_in_sight();
    };
    let clicked = move |event: MouseEvent| {
        let option = closest(&event, "[role=option]");
        let place = option.and_then(|option| option.id().strip_prefix("palette-").and_then(|id| id.parse().ok()));
        let action = entries.with_untracked(|entries| Some(entries.get::<usize>(place?)?.action.clone()));
        if let Some(action) = action {
            run(action, event.ctrl_key() || event.meta_key());
        }
    };
    let active = move || format!("palette-{}", chosen.get());
    view! {
        <dialog class="dialog palette" node_ref=dialog aria-label="Go to, search or run">
            <div class="palette-input">
                {icon("search")}
                <input
                    node_ref=input
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-activedescendant=active
                    aria-label="Go to, search or run"
                    placeholder="Go to, search or run…"
                    autocomplete="off"
                    autofocus
                    on:input:target=move |event| typed(event.target().value())
                    on:keydown=pressed
                />
                <kbd class="kbd">"esc"</kbd>
            </div>
            <div class="palette-list" id="palette-list" role="listbox" aria-label="Results" tabindex="-1" on:click=clicked>
                {move || entries.with(|entries| list(entries, chosen.get()))}
            </div>
            {foot()}
        </dialog>
    }
    .erase()
}

/// Takes what was typed, and asks the API about it.
fn asking(palette: Palette) -> impl Fn(String) + Clone {
    let Palette { text, chosen, found, .. } = palette;
    let api = use_api();
    move |typed: String| {
        text.set(typed.clone());
        chosen.set(0);
        let query = typed.trim().to_owned();
        if query.is_empty() {
            found.set(Vec::new());
            return;
        }
        let api = api.clone();
        spawn_local(async move {
            let path = paths::with_query(paths::API_SUGGESTIONS, [("q", query.as_str())]);
            let answer = send::<SuggestionList>(&api, Method::Get, path, None::<&()>, None).await;
            let is_current = text.try_with_untracked(|text| text.trim() == query).unwrap_or_default();
            if let Ok(Some(list)) = answer
                && is_current
            {
                found.set(list.items);
            }
        });
    }
}

/// Does what an entry is for.
fn running(palette: Palette) -> impl Fn(Action, bool) + Clone {
    let navigate = use_navigate();
    move |action, new_tab| {
        palette.close();
        match action {
            Action::Open(href) if new_tab || !href.starts_with('/') || href.starts_with(paths::API_DOCS) => {
                let target = if new_tab { "_blank" } else { "_self" };
                let _ = window().open_with_url_and_target(&href, target);
            }
            Action::Open(href) => navigate(&href, NavigateOptions::default()),
            Action::Click(selector) => {
                let element = document().query_selector(selector).ok().flatten();
                if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
                    element.click();
                }
            }
            Action::Shortcuts => keys::show_shortcuts(),
        }
    }
}

/// Entities whose pages were opened, for the palette without a text.
fn remember_visits() {
    let path = use_location().pathname;
    effect(move |_| {
        let path = path.get();
        if let ["", "catalog", kind, namespace, name] = path.split('/').collect::<Vec<_>>().as_slice()
            && path.len() < 300
        {
            RECENT.add(&format!("{kind}:{namespace}/{name}"));
        }
    });
}

fn keep_in_sight() {
    request_animation_frame(|| {
        if let Ok(Some(option)) = document().query_selector("#palette-list [aria-selected=true]") {
            option.scroll_into_view_with_bool(false);
        }
    });
}

/// The entries in their groups.
fn list(entries: &[Entry], chosen: usize) -> Content {
    let mut groups: Vec<(&str, Vec<(usize, &Entry)>)> = Vec::new();
    for numbered @ (_, entry) in entries.iter().enumerate() {
        match groups.last_mut().filter(|(name, _)| *name == entry.group) {
            Some((_, members)) => members.push(numbered),
            None => groups.push((entry.group, vec![numbered])),
        }
    }
    Content::from(html! {
        div {
            @for (name, members) in &groups {
                div class="palette-group" role="group" aria-label=(name) {
                    div class="palette-title" aria-hidden="true" { (name) }
                    @for (place, entry) in members {
                        div class="option" role="option" id=(format!("palette-{place}")) aria-selected=(*place == chosen) {
                            (icon(entry.symbol))
                            span {
                                @for (text, mark) in &entry.title {
                                    @if *mark { mark { (text) } } @else { (text) }
                                }
                            }
                            span class="where" { (entry.detail) }
                            @if let Some(keys) = entry.keys {
                                span class="meta" { kbd class="kbd" { (keys) } }
                            }
                        }
                    }
                }
            }
        }
    })
}

fn foot() -> AnyView {
    Content::from(html! {
        div class="palette-foot" {
            span { kbd class="kbd" { "↑" } kbd class="kbd" { "↓" } " move" }
            span { kbd class="kbd" { "↵" } " open" }
            span { kbd class="kbd" { "Ctrl" } kbd class="kbd" { "↵" } " new tab" }
            span { kbd class="kbd" { "?" } " shortcuts" }
        }
    })
    .erase()
}
