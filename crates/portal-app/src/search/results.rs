//! What a search found.

use leptos::prelude::*;
use leptos::task::spawn_local;
use maud::html;
use portal_core::search::wire::{SearchHit, SearchResults, Segment};
use serde_json::json;

use super::query::{FACETS, SearchQuery};
use crate::api::{Api, Load, Method, send};
use crate::catalog::{docs_href, has_owner, kind_icon, kind_name, kind_of, kind_plural, owner_link};
use crate::paths;
use crate::ui::{
    Content, Erase, Remembered, Toasts, closest, counted, empty, facet_choice, facet_group, failed, icon, number,
    pagination, small_icon,
};

/// Searches that led somewhere.
pub(super) const SEARCHES: Remembered = Remembered { key: "searches", kept: 8 };

pub(super) fn results_region(load: Load, query: Memo<SearchQuery>) -> Option<AnyView> {
    let answer = load.read::<SearchResults>();
    let query = query.get();
    if query.text.is_empty() {
        return Some(prompt().erase());
    }
    Some(match answer? {
        Err(failure) => failed("The results", &failure, load),
        Ok((results, _)) if results.items.is_empty() && is_unknown(&query, &results) => {
            nothing(&query, &results.suggestions).erase()
        }
        Ok((results, _)) => found(&query, results).erase(),
    })
}

/// Whether the words are found nowhere, so that no filter is to blame.
fn is_unknown(query: &SearchQuery, results: &SearchResults) -> bool {
    let elsewhere = results.facets.get("kind").is_some_and(|kinds| kinds.iter().any(|kind| kind.count > 0));
    query.chosen.is_empty() && !elsewhere
}

fn prompt() -> Content {
    Content::from(html! {
        div class="card" {
            (empty(
                "search",
                "Search everything in the catalog".to_owned(),
                "Services, APIs and their definitions, teams and people. Part of a word is enough, and a typo does no harm.",
                Content::from(html! {
                    a class="button" href=(paths::CATALOG) { "Browse the catalog" }
                }),
            ))
        }
    })
}

/// What led somewhere lately.
pub(super) fn last_searches(searches: &[String]) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="searches" {
            header class="card-head" { h2 id="searches" { "Your last searches" } }
            ul class="list" data-compact {
                @for words in searches {
                    li { (small_icon("clock")) a href=(paths::with_query(paths::SEARCH, [("q", words.as_str())])) { (words) } }
                }
            }
        }
    })
}

fn nothing(query: &SearchQuery, suggestions: &[String]) -> Content {
    let links = suggestions
        .iter()
        .map(|words| {
            let href = query.with_text(words, true).href();
            Content::from(html! {
                a class="button" href=(href) { (words.clone()) }
            })
        })
        .collect::<Vec<Content>>();
    let advice = if suggestions.is_empty() {
        "Try fewer or more general words, or browse the catalog."
    } else {
        "Did you mean one of these?"
    };
    Content::from(html! {
            div class="card" role="status" {
                (empty(
                    "search",
                    format!("Nothing matches “{}”", query.text),
                    advice,
                    Content::from(html! {
                        @for link in &links { (link) }
                        a class="button" data-variant="quiet" href=(paths::CATALOG) { "Browse the catalog" }
                        button class="button needs-script" type="button" data-missing { "Tell the platform team" }
                    }),
            ))
    }
    })
}

fn found(query: &SearchQuery, results: SearchResults) -> Content {
    let tabs = tabs(query, &results);
    let facets = facets(query, &results);
    let SearchResults { items, next_cursor, total, .. } = results;
    let shown = items.len();
    let next = next_cursor.map(|cursor| query.with_cursor(&cursor).href());
    let first = query.cursor.is_some().then(|| query.with_kind(query.kind.as_deref()).href());
    let count = counted(total, "result", "results");
    let hits = if items.is_empty() {
        empty(
            "filter",
            format!("Nothing of this kind matches “{}”", query.text),
            "No result fits these filters.",
            Content::from(html! {
                a class="button" href=(query.with_text(&query.text, true).href()) { "Drop all filters" }
            }),
        )
    } else {
        // Only the first page knows the rank of its hits.
        let ranked = query.cursor.is_none() && query.sort.is_none();
        let hits = items.into_iter().enumerate();
        let hits: Vec<Content> = hits.map(|(index, item)| hit(item, ranked.then_some(index + 1))).collect();
        Content::from(html! {
            @for hit in &hits { (hit) }
        })
    };
    Content::from(html! {
        div class="stack" {
            (tabs)
            div class="split" {
                div class="stack" data-gap="3" {
                    div class="search-count" {
                        p class="muted" role="status" { (count) }
                        (order(query))
                    }
                    section class="card" aria-labelledby="results" {
                        h2 class="visually-hidden" id="results" { "Results" }
                        (hits)
                    }
                    (pagination(None, shown, total, first, next))
                }
                aside class="search-facets" aria-label="Refine" { (facets) }
            }
        }
    })
}

/// The order of the hits, as links.
fn order(query: &SearchQuery) -> Content {
    let link = |label: &str, sort: Option<&str>| {
        let current = query.sort.as_deref() == sort;
        Content::from(html! {
            a href=(query.sorted(sort).href()) aria-current=[current.then_some("true")] data-noscroll { (label) }
        })
    };
    Content::from(html! {
        nav class="search-order" aria-label="Order" {
            (link("Best match", None)) (link("Name", Some("name"))) (link("Title", Some("title")))
        }
    })
}

fn tabs(query: &SearchQuery, results: &SearchResults) -> Content {
    let kinds = results.facets.get("kind").map_or(&[][..], Vec::as_slice);
    let all = kinds.iter().map(|kind| kind.count).sum::<u64>().max(results.total);
    let tab = |label: String, count: u64, kind: Option<&str>| {
        let current = query.kind.as_deref() == kind;
        Content::from(html! {
            li {
                a class="tab" href=(query.with_kind(kind).href()) aria-current=[current.then_some("page")] data-noscroll {
                    (label)
                    span class="count" { (number(count)) }
                }
            }
        })
    };
    let mut tabs = vec![tab("All".to_owned(), all, None)];
    for value in kinds {
        let kind = value.value.to_ascii_lowercase();
        tabs.push(tab(kind_plural(&kind), value.count, Some(&kind)));
    }
    Content::from(html! {
        nav class="tabs" aria-label="Kinds of results" {
            ul {
                @for tab in &tabs { (tab) }
            }
        }
    })
}

fn facets(query: &SearchQuery, results: &SearchResults) -> Content {
    let groups = FACETS.into_iter().filter_map(|(name, label)| {
        let values = results.facets.get(name).map_or(&[][..], Vec::as_slice);
        if values.is_empty() && !query.chosen.iter().any(|(chosen, _)| *chosen == name) {
            return None;
        }
        let mut choices: Vec<Content> = Vec::new();
        for (_, value) in query.chosen.iter().filter(|(chosen, _)| *chosen == name) {
            if !values.iter().any(|known| known.value.eq_ignore_ascii_case(value)) {
                choices.push(facet_choice(value.clone(), 0, true, query.toggled(name, value).href()));
            }
        }
        for value in values {
            let label = value.title.clone().unwrap_or_else(|| value.value.clone());
            let href = query.toggled(name, &value.value).href();
            choices.push(facet_choice(label, value.count, query.is_chosen(name, &value.value), href));
        }
        Some(facet_group(label, choices))
    });
    Content::from(html! {
        @for group in groups { (group) }
    })
}

fn hit(hit: SearchHit, rank: Option<usize>) -> Content {
    let SearchHit { link, kind, owner, lifecycle, title_segments, snippet, matched_in, page, .. } = hit;
    let subtype = link.subtype.clone();
    let what = match &subtype {
        Some(subtype) => format!("{} · {subtype}", kind_name(&kind.to_ascii_lowercase())),
        None => kind_name(&kind.to_ascii_lowercase()),
    };
    let owner = has_owner(kind_of(&link.entity_ref)).then(|| {
        Content::from(html! {
            span { (owner_link(owner.as_ref())) }
        })
    });
    let deprecated = (lifecycle.as_deref() == Some("deprecated")).then(|| {
        Content::from(html! {
            span class="status" data-tone="warning" data-quiet {
                (small_icon("flag"))
                "deprecated"
            }
        })
    });
    let title = if title_segments.is_empty() { Content::from(html! { (link.title) }) } else { marked(title_segments) };
    let snippet = if snippet.is_empty() {
        Content::from(html! {
            p class="missing" { "No description" }
        })
    } else {
        Content::from(html! {
            p { (marked(snippet)) }
        })
    };
    let place = (!matches!(matched_in.as_str(), "" | "name" | "title" | "description")).then(|| {
        Content::from(html! {
            span {
                (format!("found in {matched_in}"))
                @if let Some(page) = &page { ": " (page.title) }
            }
        })
    });
    let href = match &page {
        Some(page) => docs_href(&link.entity_ref, Some(&page.path)),
        None => paths::entity(&link.entity_ref),
    };
    Content::from(html! {
        article class="result" {
            (icon(kind_icon(kind_of(&link.entity_ref), subtype.as_deref())))
            div {
                h3 {
                    a href=(href) data-entity=(link.entity_ref) data-rank=[rank] { (title) }
                }
                (snippet)
                div class="meta" {
                    @if let Some(owner) = &owner { (owner) }
                    span { (what) }
                    @if let Some(deprecated) = &deprecated { (deprecated) }
                    @if let Some(place) = &place { (place) }
                }
            }
        }
    })
}

/// Tells which hit was opened, which makes the ranking better; that it cannot
/// be told is no reason to disturb anyone.
pub(super) fn record_click(api: &Api, text: String, event: &web_sys::MouseEvent) {
    let Some(hit) = closest(event, "a[data-entity]") else { return };
    SEARCHES.add(&text);
    let entity_ref = hit.get_attribute("data-entity").unwrap_or_default();
    // Only a list by relevance knows ranks.
    let Some(rank) = hit.get_attribute("data-rank").and_then(|rank| rank.parse::<u32>().ok()) else { return };
    let api = api.clone();
    spawn_local(async move {
        let click = json!({ "q": text, "entity_ref": entity_ref, "rank": rank });
        let path = paths::API_SEARCH_CLICKS.to_owned();
        let _ = send::<serde_json::Value>(&api, Method::Post, path, Some(&click), None).await;
    });
}

/// Tells that what is searched for should be in the catalog.
pub(super) fn report_gap(api: &Api, text: String, toasts: Toasts, event: &web_sys::MouseEvent) {
    if closest(event, "[data-missing]").is_none() {
        return;
    }
    let api = api.clone();
    spawn_local(async move {
        let path = paths::API_SEARCH_GAPS.to_owned();
        match send::<serde_json::Value>(&api, Method::Post, path, Some(&json!({ "q": text })), None).await {
            Ok(_) => toasts.success(format!("Noted for the platform team: nothing matches “{text}”")),
            Err(failure) => toasts.failure(failure.detail),
        }
    });
}

/// Text with its matching parts marked.
fn marked(segments: Vec<Segment>) -> Content {
    let parts = segments.into_iter().map(|Segment { text, mark }| {
        Content::from(html! {
            @if mark { mark { (text) } } @else { (text) }
        })
    });
    Content::from(html! {
        @for part in parts { (part) }
    })
}
