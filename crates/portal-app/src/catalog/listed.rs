//! The parts of the list that the server writes: facets, what narrows it, how many
//! there are, rows, and the columns to choose from.

use leptos_router::location::RequestUrl;
use leptos_router::params::ParamsMap;
use maud::html;
use portal_core::catalog::wire::EntityList;

use super::facets::{facets, value_label};
use super::kinds::{kind_count, kind_plural};
use super::query::CatalogQuery;
use super::table::{columns, entity_table};
use crate::paths;
use crate::served::{Asking, Parts, Refusal};
use crate::sources::unread_of;
use crate::ui::{Content, empty, icon, pagination, small_icon};

pub(crate) async fn listed(asking: &Asking<'_>) -> Result<Parts, Refusal> {
    let query = CatalogQuery::read(&params(asking.query));
    let list: EntityList = asking.get(&query.api_path()).await?;
    let total = kind_count(&query.kind, list.total);
    let unread = match list.items.is_empty() && !query.text.is_empty() {
        true => Some(unread_of(asking, &query.text).await?),
        false => None,
    };
    Ok(vec![
        ("facets", facets(&query, &list.facets, list.total)),
        ("chips", chips(&query, &list)),
        ("total", Content::from(html! { span { (total) } })),
        ("rows", rows(&query, &list, unread.as_ref(), asking.now_ms())),
        ("columns", column_choice(&query)),
    ])
}

/// A query as the router reads it.
fn params(query: &str) -> ParamsMap {
    let address = RequestUrl::new(&format!("{}?{query}", paths::CATALOG)).parse();
    address.map(|address| address.search_params().clone()).unwrap_or_default()
}

/// What narrows the list, each with a way to drop it.
fn chips(query: &CatalogQuery, list: &EntityList) -> Content {
    // The titles of owners come with the answer.
    let titled = |key: &str, value: &str| {
        let values = list.facets.get(key)?;
        values.iter().find(|known| known.value.eq_ignore_ascii_case(value))?.title.clone()
    };
    let chips = query.chosen.iter().map(|(facet, value)| {
        let name = value_label(value, titled(facet.key, value).as_deref());
        html! {
            span class="filter" {
                span { (facet.label) }
                span class="op" { "is" }
                span { (name) }
                a href=(query.toggled(facet, value).href()) data-noscroll
                    aria-label=(format!("Remove filter {} is {name}", facet.label)) { (small_icon("x")) }
            }
        }
    });
    Content::from(html! { div class="whole" { @for chip in chips { (chip) } } })
}

fn rows(query: &CatalogQuery, list: &EntityList, unread: Option<&Content>, now_ms: i64) -> Content {
    let EntityList { items, next_cursor, previous_cursor, total, offset, .. } = list;
    if items.is_empty() {
        return nothing(query, unread);
    }
    let caption = format!("{}, sorted by {}", kind_count(&query.kind, *total), query.sort.0);
    let turned = |cursor: &Option<String>| cursor.as_ref().map(|cursor| query.with_cursor(cursor).href());
    Content::from(html! {
        div class="stack" data-gap="3" {
            (entity_table(query, items, &caption, now_ms))
            (pagination(*offset, items.len(), *total, turned(previous_cursor), turned(next_cursor)))
        }
    })
}

fn column_choice(query: &CatalogQuery) -> Content {
    let choices = columns(&query.kind).iter().filter(|column| column.name != "name");
    Content::from(html! {
        div {
            div class="menu-title" { "Columns" }
            @for column in choices {
                label class="menu-item" {
                    input type="checkbox" checked data-show-column=(column.name);
                    (column.head)
                }
            }
            small class="menu-title" { "Those without room are left out." }
            hr;
            label class="menu-item" {
                input type="checkbox" data-compact="";
                "Close rows"
            }
        }
    })
}

fn nothing(query: &CatalogQuery, unread: Option<&Content>) -> Content {
    let kind = kind_plural(&query.kind);
    let kind = if query.kind == "api" { kind } else { kind.to_ascii_lowercase() };
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
        div class="stack" data-gap="3" {
            @if let Some(unread) = unread { (unread) }
            div class="card" { (view) }
        }
    })
}
