//! The list: what exists, whose it is, narrowed by its address. The server writes
//! the rows and the facets ([`super::listed`]).

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::prelude::*;
use leptos_meta::Link;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use portal_core::access::Verb;
use serde_json::Value;

use super::kinds::{has_owner, kind_plural};
use super::owner_field::owner_field;
use super::query::{CatalogQuery, OWNER};
use super::selection::{Selection, bulk_bar, follow_boxes, show_selection};
use crate::api::{Live, Load, use_load};
use crate::paths;
use crate::personal::views_menu;
use crate::served::{FRAGMENTS, served_part};
use crate::ui::{
    Erase, Typed, denied, effect, failed, icon, live_field, loaded, loaded_quietly, page_title, skeleton_rows,
    use_typed,
};

/// How long an answer may take before the rows say that they are old.
const PATIENCE: Duration = Duration::from_millis(300);

#[component]
pub(crate) fn CatalogListPage() -> impl IntoView {
    let params = use_query_map();
    let typed = use_typed();
    let query = Memo::new(move |_| {
        let query = params.with(CatalogQuery::read);
        typed.text().map(|text| query.with_text(&text)).unwrap_or(query)
    });
    let question = Memo::new(move |_| Some(query.with(|query| format!("{FRAGMENTS}{}", query.href()))));
    let load = use_load(question);
    Live::refresh_on_entities(load);
    let selected = Selection::default();
    // Another kind is another list.
    effect(move |before: Option<String>| {
        let kind = query.with(|query| query.kind.clone());
        if before.is_some_and(|before| before != kind) {
            selected.update(BTreeSet::clear);
        }
        kind
    });
    show_selection(selected, move || drop(load.read_shared::<Value>()));
    let late = is_late(load);
    let (disabled, reason) = denied(Verb::AddSources);
    view! {
        // Nothing is painted before the rows: the columns would move.
        <Link rel="expect" href="#list" blocking="render" />
        {page_title(move || query.with(|query| kind_plural(&query.kind)))}
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Catalog"</h1>
            </div>
            <div class="page-actions">
                {views_menu(Signal::derive(move || query.with(CatalogQuery::saved)))}
                {appearance(load)}
                {export(query)}
                <a class="button" href=paths::NEW_SOURCE aria-disabled=disabled title=reason>
                    {icon("plus")}
                    "Add source"
                </a>
            </div>
        </header>
        <div class="faceted">
            // A list that failed keeps its place.
            {loaded(skeleton_facets, move || served_part(load, "facets").or_else(|| has_failed(load).then(skeleton_facets)))}
            <div class="stack" data-gap="3">
                {filter_bar(load, query, typed)}
                <div
                    id="list"
                    class="stack"
                    data-gap="3"
                    aria-busy=move || load.pending.get().then_some("true")
                    data-late=move || late.get().then_some("")
                    on:change=move |event| follow_boxes(selected, &event)
                >
                    {loaded(|| skeleton_rows(12), move || rows_region(load))}
                </div>
                {bulk_bar(selected)}
            </div>
        </div>
    }
    .erase()
}

/// Which columns there are, and how close rows stand. The script that applies
/// the theme applies these too, before the first paint.
fn appearance(load: Load) -> AnyView {
    view! {
        <button class="button needs-script" type="button" popovertarget="columns">
            {icon("columns")}
            "Columns"
        </button>
        <div class="menu" id="columns" popover="auto">
            {loaded_quietly(move || served_part(load, "columns"))}
        </div>
    }
    .erase()
}

/// The whole list, not only the page, as a file.
fn export(query: Memo<CatalogQuery>) -> AnyView {
    let file = move |format: &'static str, text: &'static str, hint: &'static str| {
        view! {
            <a class="menu-item" href=move || query.with(|query| query.export_path(format)) download="">
                <span>{text} <small>{hint}</small></span>
            </a>
        }
        .erase()
    };
    view! {
        <button class="button" type="button" popovertarget="export">
            {icon("download")}
            "Export"
        </button>
        <div class="menu" id="export" popover="auto">
            {file("csv", "CSV", "A row for each, for spreadsheets")}
            {file("ndjson", "NDJSON", "Whole descriptors, for scripts")}
        </div>
    }
    .erase()
}

fn skeleton_facets() -> AnyView {
    view! { <aside class="facets" aria-hidden="true"></aside> }.erase()
}

fn filter_bar(load: Load, query: Memo<CatalogQuery>, typed: Typed) -> AnyView {
    let address = move |text: &str| query.with_untracked(|query| query.with_text(text).href());
    let hidden = Signal::derive(move || {
        let pairs = query.with(CatalogQuery::pairs);
        pairs.into_iter().filter(|(name, _)| !matches!(*name, "q" | "cursor")).collect()
    });
    let text = Memo::new(move |_| query.with(|query| query.text.clone()));
    let chosen = move || query.with(|query| query.chosen.len());
    let owner = filter_by_owner(query);
    view! {
        <div class="filter-bar">
            {live_field("Filter the list", "Filter by name or description", paths::CATALOG, text, hidden, typed, address)}
            {owner}
            <button class="button facets-toggle" type="button" popovertarget="facets">
                {icon("filter")}
                "Filters"
                {move || (chosen() > 0).then(|| view! { <span class="count">{chosen()}</span> })}
            </button>
            {loaded_quietly(move || served_part(load, "chips"))}
            <span class="push muted nowrap num" role="status">
                {loaded_quietly(move || served_part(load, "total"))}
            </span>
        </div>
    }
    .erase()
}

/// A field for whoever is not among the owners that are listed.
fn filter_by_owner(query: Memo<CatalogQuery>) -> AnyView {
    let navigate = use_navigate();
    let pick = move |owner: String| {
        if query.with_untracked(|query| !query.is_chosen(&OWNER, &owner)) {
            let address = query.with_untracked(|query| query.toggled(&OWNER, &owner).href());
            navigate(&address, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    };
    // Hidden, not taken away: a page that is left is of another kind for a moment.
    let unowned = move || query.with(|query| !has_owner(&query.kind));
    view! { <div hidden=unowned>{owner_field("owner", "Filter by owner", "Any owner", pick)}</div> }.erase()
}

fn rows_region(load: Load) -> Option<AnyView> {
    match load.read_shared::<Value>()? {
        Err(failure) => Some(failed("The catalog", &failure, load)),
        Ok(_) => served_part(load, "rows"),
    }
}

fn has_failed(load: Load) -> bool {
    load.read_shared::<Value>().is_some_and(|answer| answer.is_err())
}

/// Whether an answer is late enough to say so: most are not.
fn is_late(load: Load) -> RwSignal<bool> {
    let late = RwSignal::new(false);
    effect(move |_| {
        late.set(false);
        if load.pending.get() {
            set_timeout(move || _ = late.try_set(load.pending.try_get_untracked() == Some(true)), PATIENCE);
        }
    });
    late
}
