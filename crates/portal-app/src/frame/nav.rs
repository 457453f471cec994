//! The main navigation, a drawer on narrow screens. It lists only places that
//! exist.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use portal_core::access::Verb;

use crate::document::{is_sample, refusal};
use crate::paths;
use crate::ui::{Erase, icon, symbol};

/// Whether the caller may; of what they may not, the navigation is silent.
fn may(verb: Verb) -> bool {
    refusal(verb).is_none()
}

pub(super) fn navigation() -> AnyView {
    let path = use_location().pathname;
    let item = move |href: &'static str, name: &'static str, symbol: &'static str| {
        let is_here = move |path: &str| if href == paths::HOME { path == href } else { path.starts_with(href) };
        let current = move || path.with(|path| is_here(path)).then_some("page");
        view! {
            <a class="nav-item" href=href aria-current=current>
                {icon(symbol)}
                {name}
            </a>
        }
        .erase()
    };
    view! {
        <nav class="nav" id="nav" popover="auto" aria-label="Main">
            <a class="nav-brand" href=paths::HOME>
                <svg class="icon brand-mark" aria-hidden="true">
                    <use href=symbol("mark")></use>
                </svg>
                "Portal"
            </a>
            <div class="nav-group">
                {item(paths::HOME, "Home", "home")} {item(paths::CATALOG, "Catalog", "catalog")}
                {item(paths::TEMPLATES, "Templates", "template")} {item(paths::ACTIONS, "Actions", "action")}
                {may(Verb::ReadRuns).then(|| item(paths::RUNS, "Runs", "list"))} {item(paths::SEARCH, "Search", "search")}
            </div>
            <div class="nav-group">
                <h2 class="nav-title">"Admin"</h2>
                {item(paths::SOURCES, "Sources", "source")}
                {may(Verb::ReadOperations).then(|| item(paths::CONNECTORS, "Connectors", "link"))}
                {may(Verb::ManageAccess).then(|| item(paths::ACCOUNTS, "Accounts", "user"))}
                {may(Verb::ManageAccess).then(|| item(paths::POLICIES, "Policies", "lock"))}
                {may(Verb::ReadAudit).then(|| item(paths::AUDIT, "Audit log", "shield"))}
                <a class="nav-item" href=paths::API_DOCS rel="external">
                    {icon("terminal")}
                    "API reference"
                </a>
            </div>
            {is_sample()
                .then(|| {
                    view! {
                        <div class="nav-foot">
                            <span>"Sample organisation"</span>
                            <a href=paths::NEW_SOURCE>"Start your own"</a>
                        </div>
                    }
                })}
        </nav>
    }
    .erase()
}
