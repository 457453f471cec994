//! The list: what exists, whose it is, narrowed by its address.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use maud::html;
use portal_core::access::Verb;
use portal_core::catalog::wire::EntityList;

use super::facets::{facets, value_label};
use super::kinds::{has_owner, kind_count, kind_plural};
use super::owner_field::owner_field;
use super::query::{CatalogQuery, OWNER};
use super::selection::{Selection, bulk_bar, follow_boxes, show_selection};
use super::table::{columns, entity_table};
use crate::api::{Live, Load, use_load};
use crate::paths;
use crate::personal::views_menu;
use crate::ui::{
    Content, Erase, denied, effect, empty, failed, icon, live_field, loaded, loaded_quietly, page_title, pagination,
    skeleton_rows, small_icon,
};

#[component]
pub(crate) fn CatalogListPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(CatalogQuery::read));
    let question = Memo::new(move |_| Some(query.with(CatalogQuery::api_path)));
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
    show_selection(selected, move || drop(load.read_shared::<EntityList>()));
    let (disabled, reason) = denied(Verb::AddSources);
    view! {
        {page_title(move || query.with(|query| kind_plural(&query.kind)))}
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Catalog"</h1>
            </div>
            <div class="page-actions">
                {views_menu(Signal::derive(move || query.with(CatalogQuery::saved)))}
                {appearance(query)}
                {export(query)}
                <a class="button" href=paths::NEW_SOURCE aria-disabled=disabled title=reason>
                    {icon("plus")}
                    "Add source"
                </a>
            </div>
        </header>
        <div class="faceted">
            {loaded(skeleton_facets, move || facet_region(load, query))}
            <div class="stack" data-gap="3">
                {filter_bar(load, query)}
                <div
                    class="stack"
                    data-gap="3"
                    aria-busy=move || load.pending.get().then_some("true")
                    on:change=move |event| follow_boxes(selected, &event)
                >
                    {loaded(|| skeleton_rows(12), move || table_region(load, query))}
                </div>
                {bulk_bar(selected)}
            </div>
        </div>
    }
    .erase()
}

/// Which columns there are, and how close rows stand. The script that applies
/// the theme applies these too, before the first paint.
fn appearance(query: Memo<CatalogQuery>) -> AnyView {
    let columns = move || {
        let kind = query.with(|query| query.kind.clone());
        let choices = columns(&kind).iter().filter(|column| column.name != "name");
        let boxes = choices.map(|column| {
            Content::from(html! {
                label class="menu-item" {
                    input type="checkbox" checked data-show-column=(column.name);
                    (column.head)
                }
            })
        });
        Content::from(html! {
            div {
                div class="menu-title" { "Columns" }
                @for choice in boxes { (choice) }
                hr;
                label class="menu-item" {
                    input type="checkbox" data-compact="";
                    "Close rows"
                }
            }
        })
    };
    view! {
        <button class="button needs-script" type="button" popovertarget="columns">
            {icon("columns")}
            "Columns"
        </button>
        <div class="menu" id="columns" popover="auto">
            {columns}
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

// The regions below follow the answer, which follows the address: to draw the old
// list once more for the new address would only delay it.

fn facet_region(load: Load, query: Memo<CatalogQuery>) -> Option<AnyView> {
    let answer = load.read_shared::<EntityList>()?;
    Some(match answer {
        Ok((list, _)) => query.with_untracked(|query| facets(query, &list.facets, list.total)).erase(),
        // The table says what happened.
        Err(_) => ().erase(),
    })
}

fn skeleton_facets() -> AnyView {
    view! { <aside class="facets" aria-hidden="true"></aside> }.erase()
}

fn filter_bar(load: Load, query: Memo<CatalogQuery>) -> AnyView {
    let navigate = use_navigate();
    let search = move |text: String| {
        let address = query.with_untracked(|query| query.with_text(&text).href());
        navigate(&address, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    };
    let hidden = Signal::derive(move || {
        let pairs = query.with(CatalogQuery::pairs);
        pairs.into_iter().filter(|(name, _)| !matches!(*name, "q" | "cursor")).collect()
    });
    let text = Memo::new(move |_| query.with(|query| query.text.clone()));
    let chosen = move || query.with(|query| query.chosen.len());
    let owner = filter_by_owner(query);
    view! {
        <div class="filter-bar">
            {live_field("Filter the list", "Filter by name or description", paths::CATALOG, text, hidden, search)}
            {owner}
            <button class="button facets-toggle" type="button" popovertarget="facets">
                {icon("filter")}
                "Filters"
                {move || (chosen() > 0).then(|| view! { <span class="count">{chosen()}</span> })}
            </button>
            {loaded_quietly(move || chips(load, query))}
            <span class="push muted nowrap num" role="status">
                {loaded_quietly(move || total(load, query))}
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

fn total(load: Load, query: Memo<CatalogQuery>) -> Option<String> {
    let (list, _) = load.read_shared::<EntityList>()?.ok()?;
    Some(query.with_untracked(|query| kind_count(&query.kind, list.total)))
}

/// What narrows the list, each with a way to drop it.
fn chips(load: Load, query: Memo<CatalogQuery>) -> Option<AnyView> {
    // The titles of owners come with the answer.
    let list = load.read_shared::<EntityList>()?.ok();
    let titled = |key: &str, value: &str| {
        let values = list.as_ref()?.0.facets.get(key)?;
        values.iter().find(|known| known.value.eq_ignore_ascii_case(value))?.title.clone()
    };
    let query = query.get_untracked();
    let chips = query
        .chosen
        .iter()
        .map(|(facet, value)| {
            let name = value_label(value, titled(facet.key, value).as_deref());
            let href = query.toggled(facet, value).href();
            view! {
                <span class="filter">
                    <span>{facet.label}</span>
                    <span class="op">"is"</span>
                    <span>{name.clone()}</span>
                    <a href=href data-noscroll aria-label=format!("Remove filter {} is {name}", facet.label)>
                        {small_icon("x")}
                    </a>
                </span>
            }
            .erase()
        })
        .collect_view();
    Some(chips.erase())
}

fn table_region(load: Load, query: Memo<CatalogQuery>) -> Option<AnyView> {
    let answer = load.read_shared::<EntityList>()?;
    let query = query.get_untracked();
    Some(match answer {
        Err(failure) => failed("The catalog", &failure, load),
        Ok((list, _)) if list.items.is_empty() => nothing(&query).erase(),
        Ok((list, now_ms)) => {
            let EntityList { items, next_cursor, previous_cursor, total, offset, .. } = &*list;
            let caption = format!("{}, sorted by {}", kind_count(&query.kind, *total), query.sort.0);
            let previous = previous_cursor.as_ref().map(|cursor| query.with_cursor(cursor).href());
            let next = next_cursor.as_ref().map(|cursor| query.with_cursor(cursor).href());
            view! {
                {entity_table(&query, items, &caption, now_ms)}
                {pagination(*offset, items.len(), *total, previous, next)}
            }
            .erase()
        }
    })
}

fn nothing(query: &CatalogQuery) -> Content {
    let kind = kind_plural(&query.kind);
    let kind = if query.kind == "api" { kind } else { kind.to_lowercase() };
    let view = if query.is_narrowed() {
        let mut fewer = query.with_text(&query.text);
        // The text goes first: it is what one typed last.
        if fewer.text.is_empty() {
            fewer.chosen.pop();
        } else {
            fewer.text.clear();
        }
        let all = CatalogQuery { text: String::new(), chosen: Vec::new(), ..query.with_text("") };
        let text = if query.text.is_empty() {
            "The filters exclude everything."
        } else {
            "No name, title or description contains it."
        };
        empty(
            "filter",
            if query.text.is_empty() {
                format!("No {kind} match")
            } else {
                format!("No {kind} match “{}”", query.text)
            },
            text,
            Content::from(html! {
                a class="button" href=(fewer.href()) { "Drop the last filter" }
                a class="button" data-variant="quiet" href=(all.href()) { "Drop all filters" }
            }),
        )
    } else {
        empty(
            "catalog",
            format!("No {kind} yet"),
            Content::from(html! {
                "Entities come from sources: a folder, a git repository, or "
                code { "portal serve --catalog PATH" }
                "."
            }),
            Content::from(html! {
                a class="button" data-variant="primary" href=(paths::NEW_SOURCE) {
                    (icon("plus"))
                    "Add source"
                }
                a class="button" href=(query.with_kind("all").href()) { "Show all kinds" }
            }),
        )
    };
    Content::from(html! {
        div class="card" { (view) }
    })
}
