//! The bar on top: the way back, search, the theme.

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::crumbs::breadcrumbs;
use crate::paths;
use crate::ui::{Erase, icon};

pub(super) fn topbar() -> AnyView {
    view! {
        <header class="topbar">
            <button
                class="button nav-toggle"
                type="button"
                data-variant="quiet"
                data-size="sm"
                data-icon-only
                popovertarget="nav"
                aria-label="Open navigation"
            >
                {icon("menu")}
            </button>
            {breadcrumbs()}
            <div class="topbar-tools">{search_form()} {theme_switch()}</div>
        </header>
    }
    .erase()
}

/// A plain form that the browser can send by itself; hydrated, it stays in the page.
fn search_form() -> AnyView {
    let input = NodeRef::<Input>::new();
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        let Some(field) = input.get_untracked() else { return };
        event.prevent_default();
        let query = field.value();
        let address = paths::with_query(paths::SEARCH, [("q", query.trim())]);
        navigate(&address, NavigateOptions::default());
        field.set_value("");
    };
    focus_on_shortcut(input);
    view! {
        <form class="topbar-search" role="search" aria-label="Everything" action=paths::SEARCH on:submit=submit>
            {icon("search")}
            <input
                node_ref=input
                type="search"
                name="q"
                aria-label="Search everything"
                placeholder="Search…"
                autocomplete="off"
                aria-keyshortcuts="Meta+K Control+K"
            />
            <kbd class="kbd wide" aria-hidden="true">
                "Ctrl K"
            </kbd>
        </form>
        <a
            class="button search-link"
            data-variant="quiet"
            data-size="sm"
            data-icon-only
            href=paths::SEARCH
            aria-label="Search"
        >
            {icon("search")}
        </a>
    }
    .erase()
}

/// `Ctrl K` or `⌘ K` anywhere moves to the search field.
fn focus_on_shortcut(input: NodeRef<Input>) {
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            if (event.ctrl_key() || event.meta_key())
                && event.key().eq_ignore_ascii_case("k")
                && let Some(field) = input.get_untracked()
            {
                event.prevent_default();
                let _ = field.focus();
                field.select();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// Three states, told apart by the style sheet: `theme.js` works before and
/// without hydration, and the markup is the same in all of them.
fn theme_switch() -> AnyView {
    let state = |theme: &'static str, symbol: &'static str, label: &'static str| {
        view! {
            <span class="theme-state" data-state=theme>
                {icon(symbol)}
                <span class="visually-hidden">{label}</span>
            </span>
        }
    };
    view! {
        <button
            class="button theme-toggle"
            type="button"
            data-variant="quiet"
            data-size="sm"
            data-icon-only
            data-theme-toggle
        >
            {state("system", "theme", "Theme of the system, switch to light")}
            {state("light", "sun", "Light theme, switch to dark")}
            {state("dark", "moon", "Dark theme, switch to that of the system")}
        </button>
    }
    .erase()
}
