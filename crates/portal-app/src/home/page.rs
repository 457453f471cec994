//! The first page of the day: what needs attention, what changed, where to
//! start.

use leptos::prelude::*;
use leptos_meta::Title;
use maud::html;
use portal_core::catalog::wire::EntityList;
use portal_core::personal::wire::{Mark, MarkList};
use portal_core::sources::wire::{SourceList, SourceState, SourceView};
use serde_json::Value;

use super::CHANGED;
use crate::api::{Live, Load, use_load};
use crate::catalog::{entity_link, kind_icon, kind_of, kind_plural};
use crate::document::is_sample;
use crate::paths;
use crate::served::{WHOLE, served_part};
use crate::sources::{source_title, state_badge};
use crate::ui::{Content, Erase, ago, counted, failed, icon, loaded, loaded_quietly, number, skeleton_rows};

#[component]
pub(crate) fn HomePage() -> impl IntoView {
    let ask = |path: &'static str, pairs: &'static [(&'static str, &'static str)]| {
        use_load(Memo::new(move |_| Some(paths::with_query(path, pairs.iter().copied()))))
    };
    let entities = ask(paths::API_ENTITIES, &[("facet", "kind"), ("limit", "0")]);
    let sources = ask(paths::API_SOURCES, &[]);
    let marks = ask(paths::API_MARKS, &[]);
    let mine = ask("/fragments/home", &[]);
    Live::refresh_on_entities(marks);
    Live::refresh_on_entities(mine);
    Live::refresh_on_entities(entities);
    Live::refresh_on_sources(sources);
    view! {
        <Title text="Home" />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Home"</h1>
                <p class="sub">
                    {loaded(
                        || "What exists, who answers for it, and what changed.".erase(),
                        move || summary(entities, sources),
                    )}
                </p>
            </div>
        </header>
        {search_form()}
        <div class="split">
            <div class="stack">
                {loaded_quietly(move || served_part(mine, WHOLE))} {loaded_quietly(move || attention(sources))}
                {loaded(|| skeleton_rows(8), move || changes_region(mine))}
            </div>
            <aside class="stack" aria-label="Ways in">
                {loaded_quietly(move || starred(marks))}
                {loaded(|| skeleton_rows(6), move || kinds(entities))}
                {first_steps()}
            </aside>
        </div>
    }
    .erase()
}

fn changes_region(load: Load) -> Option<AnyView> {
    match load.read_shared::<Value>()? {
        Err(failure) => Some(failed("The changes", &failure, load)),
        Ok(_) => served_part(load, CHANGED),
    }
}

/// What is near at hand; nothing until something is starred.
fn starred(load: Load) -> Option<AnyView> {
    let (list, _) = load.read::<MarkList>()?.ok()?;
    let starred: Vec<_> = list.items.iter().filter(|view| view.mark == Mark::Star).collect();
    if starred.is_empty() {
        return None;
    }
    let card = Content::from(html! {
        section class="card" aria-labelledby="starred" {
            header class="card-head" { h2 id="starred" { "Starred" } }
            div class="card-body" data-flush {
                ul class="list" data-compact {
                    @for view in &starred {
                        li {
                            (icon(kind_icon(kind_of(&view.link.entity_ref), view.link.subtype.as_deref())))
                            div class="body" { (entity_link(&view.link)) }
                        }
                    }
                }
            }
        }
    });
    Some(card.erase())
}

/// A plain form: it works before and without hydration.
fn search_form() -> AnyView {
    Content::from(html! {
        form class="home-search" role="search" aria-label="Everything" action=(paths::SEARCH) {
            div class="input-group" {
                (icon("search"))
                input class="input" type="search" name="q" aria-label="Search everything" autocomplete="off"
                    placeholder="A service, an API, a team, a word from a definition…";
            }
            button class="button" { "Search" }
        }
    })
    .erase()
}

fn summary(entities: Load, sources: Load) -> Option<String> {
    let (entities, _) = entities.read_shared::<EntityList>()?.ok()?;
    let (sources, _) = sources.read_shared::<SourceList>()?.ok()?;
    let from = counted(sources.total, "source", "sources");
    Some(match entities.total {
        0 => "The catalog is empty. Add a source to fill it.".to_owned(),
        1 => format!("1 entity from {from}."),
        total => format!("{} entities from {from}.", number(total)),
    })
}

/// Sources that could not be read, or have errors; nothing when all is well.
fn attention(load: Load) -> Option<AnyView> {
    let (list, now_ms) = load.read_shared::<SourceList>()?.ok()?;
    let needs = |source: &&SourceView| {
        matches!(source.state, SourceState::Failed | SourceState::Degraded) || source.error_count > 0
    };
    let sources: Vec<&SourceView> = list.items.iter().filter(needs).collect();
    if sources.is_empty() {
        return None;
    }
    let card = Content::from(html! {
        section class="card" aria-labelledby="attention" {
            header class="card-head" {
                h2 id="attention" { "Needs attention " span class="count" { (sources.len()) } }
                div class="push" { a href=(paths::SOURCES) { "All sources" } }
            }
            div class="card-body" data-flush {
                ul class="list" {
                    @for source in &sources {
                        li {
                            (state_badge(source))
                            div class="body" {
                                a class="truncate" href=(paths::source(source.id)) { (source_title(source)) }
                                @if let Some(pass) = &source.last_pass {
                                    div class="meta" { "last pass " (ago(pass.started_at, now_ms)) }
                                }
                            }
                            a class="button" data-size="sm" href=(paths::source(source.id)) { "See the errors" }
                        }
                    }
                }
            }
        }
    });
    Some(card.erase())
}

/// How many of each kind there are, as ways into the catalog.
fn kinds(load: Load) -> Option<AnyView> {
    Some(match load.read_shared::<EntityList>()? {
        Err(failure) => failed("The catalog", &failure, load),
        Ok((list, _)) => {
            let kinds = list.facets.get("kind").map_or(&[][..], Vec::as_slice);
            let mut kinds: Vec<_> = kinds.iter().map(|value| (value.value.to_ascii_lowercase(), value.count)).collect();
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            Content::from(html! {
                section class="card" aria-labelledby="kinds" {
                    header class="card-head" {
                        h2 id="kinds" { "Catalog" }
                        div class="push" { a href=(paths::CATALOG) { "Browse" } }
                    }
                    @if kinds.is_empty() {
                        p class="card-body muted" { "Nothing yet. Entities appear here as soon as a source is read." }
                    } @else {
                        div class="card-body" data-flush {
                            ul class="list" data-compact {
                                @for (kind, count) in &kinds {
                                    li {
                                        (icon(kind_icon(kind, None)))
                                        div class="body" {
                                            a href=(paths::with_query(paths::CATALOG, [("kind", kind.as_str())])) { (kind_plural(kind)) }
                                        }
                                        span class="num muted" { (number(*count)) }
                                    }
                                }
                            }
                        }
                    }
                }
            })
            .erase()
        }
    })
}

/// What somebody who is new does first.
fn first_steps() -> AnyView {
    let own = if is_sample() { "Start your own catalog" } else { "Add a source" };
    Content::from(html! {
        section class="card" aria-labelledby="first" {
            header class="card-head" { h2 id="first" { "First steps" } }
            div class="card-body" data-flush {
                ul class="list" data-compact {
                    li {
                        (icon("plus"))
                        div class="body" {
                            a href=(paths::NEW_SOURCE) { (own) }
                            div class="meta" { "a repository, a folder or a document" }
                        }
                    }
                    li {
                        (icon("check"))
                        div class="body" {
                            "Check a descriptor before the push"
                            div class="meta" { code { "portal validate PATH" } }
                        }
                    }
                    li {
                        (icon("search"))
                        div class="body" {
                            "Go anywhere with " kbd class="kbd" { "Ctrl" } " " kbd class="kbd" { "K" }
                            div class="meta" { kbd class="kbd" { "?" } " lists all shortcuts" }
                        }
                    }
                    li {
                        (icon("terminal"))
                        div class="body" {
                            a href=(paths::API_DOCS) rel="external" { "Use the API" }
                            div class="meta" { "everything here is in it" }
                        }
                    }
                }
            }
        }
    })
    .erase()
}
