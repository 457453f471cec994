//! All sources: is the catalog true right now, and where is it not?

use leptos::prelude::*;
use leptos_meta::Title;
use maud::html;
use portal_core::access::Verb;
use portal_core::sources::wire::{SourceList, SourceState, SourceView};

use super::actions::read_now;
use super::badge::{reads, source_name, state_badge, state_words, type_icon};
use super::orphans::{orphans_path, orphans_region};
use super::report::{passes_region, problems_region};
use crate::api::{Live, Load, read_json, sentence, use_load, use_load_after};
use crate::paths;
use crate::ui::{
    Content, Erase, ago, counted, denied, duration, empty, failed, icon, loaded, loaded_quietly, number, skeleton_rows,
};

#[component]
pub(crate) fn SourceListPage() -> impl IntoView {
    let load = use_load(Memo::new(|_| Some(paths::with_query(paths::API_SOURCES, []))));
    // Below the list: the source that needs attention most.
    let errors = use_load_after(load, |list| worst(&list.body).map(|id| format!("{}/errors", paths::api_source(id))));
    let passes =
        use_load_after(load, |list| worst(&list.body).map(|id| format!("{}/passes?limit=5", paths::api_source(id))));
    let orphans = use_load(Memo::new(|_| Some(orphans_path())));
    Live::refresh_on_sources(load);
    Live::refresh_on_entities(orphans);
    let read = read_now(load);
    let read_all = move |_| {
        if let Some(Ok((list, _))) = untrack(|| load.read::<SourceList>()) {
            for source in &list.items {
                read(source.id, source_name(source));
            }
        }
    };
    let (disabled, reason) = denied(Verb::AddSources);
    view! {
        <Title text="Sources" />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Sources"</h1>
                <p class="sub">
                    {loaded(|| "Where the catalog comes from.".erase(), move || summary(load))}
                </p>
            </div>
            <div class="page-actions">
                <button class="button needs-script" type="button" aria-disabled=disabled title=reason.clone() on:click=read_all>
                    {icon("refresh")}
                    "Read all now"
                </button>
                <a class="button" data-variant="primary" href=paths::NEW_SOURCE aria-disabled=disabled title=reason>
                    {icon("plus")}
                    "Add source"
                </a>
            </div>
        </header>
        {loaded(|| skeleton_rows(4), move || table_region(load))}
        {loaded_quietly(move || orphans_region(orphans))} {loaded_quietly(move || report(load, errors, passes))}
    }
    .erase()
}

/// The first source whose last pass failed or found errors.
fn worst(body: &str) -> Option<i64> {
    let list: SourceList = read_json(body).ok()?;
    worst_of(&list.items).map(|source| source.id)
}

fn worst_of(sources: &[SourceView]) -> Option<&SourceView> {
    let state = |wanted: SourceState| sources.iter().find(|source| source.state == wanted);
    state(SourceState::Degraded).or_else(|| state(SourceState::Failed)).or_else(|| {
        // While it is read again, its errors of last time are still there.
        sources.iter().find(|source| source.error_count > 0)
    })
}

fn summary(load: Load) -> Option<String> {
    let (list, _) = load.read::<SourceList>()?.ok()?;
    let entities = list.items.iter().map(|source| source.entity_count).sum();
    let errors: u64 = list.items.iter().map(|source| source.error_count).sum();
    let failed = list.items.iter().filter(|source| source.state == SourceState::Failed).count();
    let sources = counted(list.total, "source", "sources");
    let mut text = format!("{} entities from {sources}.", number(entities));
    match errors {
        0 => {}
        1 => text.push_str(" One document has an error."),
        errors => text.push_str(&format!(" {} errors in documents.", number(errors))),
    }
    match failed {
        0 => {}
        1 => text.push_str(" One source could not be read."),
        failed => text.push_str(&format!(" {failed} sources could not be read.")),
    }
    Some(text)
}

fn table_region(load: Load) -> Option<AnyView> {
    Some(match load.read::<SourceList>()? {
        Err(failure) => failed("The sources", &failure, load),
        Ok((list, _)) if list.items.is_empty() => Content::from(html! {
            div class="card" {
                (empty(
                    "source",
                    "No source yet".to_owned(),
                    Content::from(html! {
                        "A source is a folder, a git repository or a document on the web that declares entities. One can also be given when the portal starts: "
                        code { "portal serve --catalog PATH" }
                        "."
                    }),
                Content::from(html! {
                    a class="button" data-variant="primary" href=(paths::NEW_SOURCE) {
                        (icon("plus"))
                        "Add source"
                    }
                }),
        ))
            }
        })
        .erase(),
        Ok((list, now_ms)) => table(&list.items, now_ms).erase(),
    })
}

fn table(sources: &[SourceView], now_ms: i64) -> Content {
    let rows = sources.iter().map(|source| row(source, now_ms)).collect::<Vec<Content>>();
    Content::from(html! {
        div class="table-wrap" {
            table class="table" {
                caption class="visually-hidden" { "Sources" }
                thead {
                    tr {
                        th scope="col" { "Source" }
                        th scope="col" class="p3 col-text" { "Reads" }
                        th scope="col" class="p2 col-link" { "Status" }
                        th scope="col" class="p2 col-time num" { "Last read" }
                        th scope="col" class="col-number num" { "Entities" }
                        th scope="col" class="p3 col-number num" { "Took" }
                    }
                }
                tbody {
                    @for row in &rows { (row) }
                }
            }
        }
    })
}

fn row(source: &SourceView, now_ms: i64) -> Content {
    let (.., words) = state_words(source);
    let pass = source.last_pass.as_ref();
    let never = || {
        Content::from(html! {
            span class="missing" { "Never" }
        })
    };
    let last = pass.map_or_else(never, |pass| ago(pass.finished_at.unwrap_or(pass.started_at), now_ms));
    let took = pass.and_then(|pass| pass.duration_ms).map_or_else(|| "Unknown".to_owned(), duration);
    let took_known = pass.is_some_and(|pass| pass.duration_ms.is_some());
    Content::from(html! {
        tr data-key=(source.id) {
            td {
                div class="cell" {
                    a class="entity-link" href=(paths::source(source.id)) {
                        (icon(type_icon(source.source_type)))
                        span class="truncate" title=(source.target) { (title(source)) }
                    }
                }
                span class="sub" { (words) " · " (last) }
            }
            td class="p3 muted" { (reads(source)) }
            td class="p2" { (state_badge(source)) }
            td class="p2 num muted" { (last) }
            td class="num" { (number(source.entity_count)) }
            td class="p3 num muted" {
                span class=(if took_known { "" } else { "missing" }) { (took) }
            }
        }
    })
}

/// How a source is called on its own.
pub(crate) fn title(source: &SourceView) -> String {
    match source.source_type {
        portal_core::sources::wire::SourceType::Sample => "Sample organisation".to_owned(),
        _ => source.target.clone(),
    }
}

fn report(load: Load, errors: Load, passes: Load) -> Option<AnyView> {
    let (list, _) = load.read::<SourceList>()?.ok()?;
    let source = worst_of(&list.items)?;
    let heading = format!("Errors in {}", title(source));
    let failure = source.failure.as_ref().map(|failure| {
        view! {
            <div class="callout" data-tone="warning">
                {icon("alert")}
                <div>
                    <p class="title">{format!("{} could not be read", title(source))}</p>
                    <p>{sentence(failure)} " What it declared before is kept."</p>
                </div>
                <div class="actions">
                    <a class="button" data-size="sm" href=paths::source(source.id)>
                        "Open source"
                    </a>
                </div>
            </div>
        }
    });
    let view = view! {
        <div class="split">
            <div class="stack">{failure} {move || problems_region(errors, heading.clone())}</div>
            <aside class="stack" aria-label="Log of this source">
                {move || passes_region(passes)}
            </aside>
        </div>
    };
    Some(view.erase())
}
