//! The bar on top: the way back, search, the theme.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::crumbs::breadcrumbs;
use super::palette::Palette;
use crate::api::{Live, use_load};
use crate::document::caller_name;
use crate::paths;
use crate::served::{FRAGMENTS, WHOLE, served_part};
use crate::ui::{Erase, icon, loaded_quietly};

pub(super) fn topbar(palette: Palette) -> AnyView {
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
            <div class="topbar-tools">{palette_button(palette)} {bell()} {theme_switch()} {account()}</div>
        </header>
    }
    .erase()
}

/// Opens the palette; until the page is hydrated it leads to the search.
fn palette_button(palette: Palette) -> AnyView {
    let open = move |event: MouseEvent| {
        if !event.ctrl_key() && !event.meta_key() {
            event.prevent_default();
            event.stop_propagation();
            palette.open();
        }
    };
    view! {
        <a
            class="topbar-search"
            href=paths::SEARCH
            aria-keyshortcuts="Meta+K Control+K"
            on:click=open
        >
            {icon("search")}
            <span>"Search or run…"</span>
            <kbd class="kbd wide" aria-hidden="true">
                "Ctrl K"
            </kbd>
        </a>
    }
    .erase()
}

/// What one was told and has not read, for whoever is signed in.
fn bell() -> Option<AnyView> {
    caller_name()?;
    let load = use_load(Memo::new(|_| Some(format!("{FRAGMENTS}/bell"))));
    Live::refresh_on_entities(load);
    Some(loaded_quietly(move || served_part(load, WHOLE)))
}

/// Who is signed in, or the way in.
fn account() -> AnyView {
    match caller_name() {
        Some(name) => {
            let label = format!("Profile of {name}");
            view! {
                <a class="button account" href=paths::PROFILE data-variant="quiet" data-size="sm" aria-label=label>
                    {icon("user")}
                    <span class="wide">{name}</span>
                </a>
            }
            .erase()
        }
        None => view! {
            <a class="button account" href=paths::SIGN_IN data-size="sm" rel="external">
                "Sign in"
            </a>
        }
        .erase(),
    }
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
