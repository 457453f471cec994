//! All changes, newest first, by day.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use portal_core::catalog::wire::{ChangeList, ChangeView};
use portal_core::search::wire::SuggestionList;
use portal_core::sources::wire::{SourceList, SourceView};

use super::line::{again, distinct, entity_ref, in_short, in_words, name, names, together};
use crate::access::Question;
use crate::api::sentence;
use crate::catalog::{cause_link, changed_fields, operation_label};
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::sources::source_title;
use crate::ui::{Content, EntityBox, ago, counted, day, empty, exact, number, small_icon, with_code};

/// As many as the API gives at once, so that what came together stays together.
const LIMIT: &str = "200";
/// Fields that are named of one change; all are unfolded with it.
const FIELDS: usize = 5;
/// Changes of one cause that have lines of their own.
const FEW: usize = 5;
const OPERATIONS: [&str; 6] = ["create", "update", "delete", "orphan", "restore", "stale"];
/// Days, as the address says them, in words.
const SPANS: [(&str, &str); 4] = [("1", "In 24 hours"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days")];

pub(crate) async fn changes(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let value = |name: &str| question.value(name);
    let (list, hint) = match asked(asking, &question).await? {
        Ok(list) => (list, None),
        Err(hint) => (ChangeList { items: Vec::new(), next_cursor: None, total: 0 }, Some(hint)),
    };
    // Sources that may not be listed stay numbers.
    let sources = asking.get::<SourceList>(paths::API_SOURCES).await.map_or(Vec::new(), |list| list.items);
    let page = Page { list: &list, sources: &sources, now_ms: asking.now_ms() };
    let filters = || question.pairs().filter(|(key, _)| *key != "cursor");
    let is_filtered = filters().next().is_some();
    let older = list.next_cursor.as_deref();
    let older = older.map(|cursor| paths::with_query(paths::CHANGES, filters().chain([("cursor", cursor)])));
    let newest = (!value("cursor").is_empty()).then(|| paths::with_query(paths::CHANGES, filters()));
    Ok(Content::from(html! {
        div class="stack" {
            (filter_bar(&question))
            section class="card" aria-labelledby="list" {
                header class="card-head" {
                    h2 id="list" { "Changes " span class="count" { (number(list.total)) } }
                    @if is_filtered { a class="push" href=(paths::CHANGES) { "Show all" } }
                }
                @if list.items.is_empty() && is_filtered {
                    @let hint = hint.as_deref().unwrap_or("Take a filter away to see more.");
                    (empty("clock", "No change like this".to_owned(), with_code(hint), html! { a class="button" href=(paths::CHANGES) { "Show all" } }))
                } @else if list.items.is_empty() {
                    (empty("clock", "Nothing has changed yet".to_owned(), "Whatever is added to the catalog, changes or goes is told here.", html! { a class="button" href=(paths::NEW_SOURCE) { "Add source" } }))
                } @else {
                    div class="card-body" data-flush { (timeline(&page)) }
                }
            }
            @if newest.is_some() || older.is_some() {
                nav class="pagination" aria-label="Pages" {
                    @if let Some(newest) = &newest { a class="button" href=(newest) { "Newest" } }
                    @if let Some(older) = &older { a class="button" href=(older) { "Older" } }
                }
            }
        }
    }))
}

/// The changes that are asked for, or what to do instead.
async fn asked(asking: &Asking<'_>, question: &Question) -> Result<Result<ChangeList, String>, Refusal> {
    let value = |name: &str| question.value(name);
    let since = since(value("days"), asking.now_ms()).map(exact);
    let mut entity = value("entity").to_owned();
    if !entity.is_empty() && !entity.contains(':') {
        match named(asking, &entity).await? {
            Some(entity_ref) => entity = entity_ref,
            None => return Ok(Err("Choose an entity of those that the field offers.".to_owned())),
        }
    }
    let asked = ["operation", "followed", "cursor"].map(|name| (name, value(name)));
    let asked = asked.into_iter().chain([("entity", &*entity), ("since", since.as_deref().unwrap_or_default())]);
    let asked = asked.filter(|(_, value)| !value.is_empty());
    let asked = asked.chain([("about", "entity"), ("compact", "true"), ("limit", LIMIT)]);
    Ok(match asking.ask::<ChangeList>(&paths::with_query(paths::API_CHANGES, asked)).await? {
        Ok(list) if list.items.is_empty() && value("followed") == "true" => {
            Err("Nothing of what you follow has changed like this. What you want to follow says so on its page."
                .to_owned())
        }
        Ok(list) => Ok(list),
        // What an address says and nobody offers.
        Err(problem) if matches!(problem.status, 400 | 422) => Err(sentence(&problem.detail)),
        Err(problem) => return Err(problem.into()),
    })
}

/// The entity of this name, where one is called like that.
async fn named(asking: &Asking<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let list: SuggestionList =
        asking.get(&paths::with_query(paths::API_SUGGESTIONS, [("q", name), ("limit", "8")])).await?;
    let mut found = list.items.into_iter().filter(|item| item.name.eq_ignore_ascii_case(name));
    Ok(found.next().map(|item| item.link.entity_ref))
}

/// So many days ago; nothing for what is no number of days.
fn since(days: &str, now_ms: i64) -> Option<DateTime<Utc>> {
    let known = SPANS.iter().any(|(known, _)| *known == days);
    let days = days.parse().ok().filter(|_| known)?;
    DateTime::from_timestamp_millis(now_ms)?.checked_sub_signed(TimeDelta::days(days))
}

fn filter_bar(question: &Question) -> Markup {
    let value = |name: &str| question.value(name);
    html! {
        form class="filter-bar" action=(paths::CHANGES) data-live aria-label="Filter" {
            select class="select filter-field" data-size="sm" name="days" aria-label="When" {
                option value="" { "At any time" }
                @for (days, words) in SPANS { option value=(days) selected[days == value("days")] { (words) } }
            }
            select class="select filter-field" data-size="sm" name="operation" aria-label="What happened" {
                option value="" { "Any change" }
                @for operation in OPERATIONS {
                    option value=(operation) selected[operation == value("operation")] { (operation_label(operation).0) }
                }
            }
            select class="select filter-field" data-size="sm" name="followed" aria-label="Of what" {
                option value="" { "Of everything" }
                option value="true" selected[value("followed") == "true"] { "Of what I follow" }
            }
            (EntityBox {
                id: "entity",
                name: "entity",
                value: value("entity"),
                label: "Entity",
                suggestions: paths::suggestions([]),
                is_filter: true,
                ..EntityBox::default()
            })
            noscript { button class="button" data-size="sm" { "Filter" } }
        }
    }
}

fn timeline(page: &Page<'_>) -> Markup {
    let days = page.list.items.chunk_by(|a, b| a.at.date_naive() == b.at.date_naive());
    html! {
        @for one in days {
            @if let Some(first) = one.first() {
                @let id = first.at.format("day-%Y-%m-%d").to_string();
                section class="day" aria-labelledby=(id) {
                    h3 id=(id) { (day(first.at)) }
                    ol class="timeline" {
                        @for group in together(one) {
                            @if group.len() > FEW || distinct(group).len() < group.len() {
                                (several(group, page))
                            } @else {
                                @for view in group { (change(view, page)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Many changes of one cause, all of them unfolded at will.
fn several(group: &[ChangeView], page: &Page<'_>) -> Markup {
    let Some(first) = group.first() else { return html! {} };
    let (what, symbol, tone) = operation_label(&first.operation);
    let things = distinct(group);
    html! {
        li data-key=(first.seq) {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (names(&things, FEW, group, page.list))
                div class="meta" {
                    @if let [only] = *things { (again(group, only)) } @else { (what) }
                    (page.cause(first))
                }
                details class="disclosure" {
                    summary { "Show " (number(group.len() as u64)) " changes" }
                    @if things.len() == 1 {
                        @for view in group { @if !view.diff.is_empty() { (changed_fields(view.seq, &view.diff)) } }
                    } @else {
                        ul class="together" {
                            @for view in group { li { (name(view, &page.list.items)) span class="muted" { " " (in_short(view, FIELDS)) } } }
                        }
                    }
                }
            }
            (ago(first.at, page.now_ms))
        }
    }
}

fn change(view: &ChangeView, page: &Page<'_>) -> Markup {
    let (_, symbol, tone) = operation_label(&view.operation);
    let entity_ref = entity_ref(view);
    let then = (view.operation != "delete").then(|| {
        paths::with_query(&paths::entity(entity_ref), [("tab", "source"), ("as_of", exact(view.at).as_str())])
    });
    html! {
        li data-key=(view.seq) {
            span class="mark" data-tone=(tone) { (small_icon(symbol)) }
            div {
                (name(view, &page.list.items))
                div class="meta" {
                    (in_words(view, FIELDS)) (page.cause(view))
                    @if let Some(then) = &then { " · " a class="underlined" href=(then) { "as it was then" } }
                }
                @if !view.diff.is_empty() {
                    details class="disclosure" {
                        summary { "Show " (counted(view.diff.len() as u64, "field", "fields")) }
                        (changed_fields(view.seq, &view.diff))
                    }
                }
            }
            (ago(view.at, page.now_ms))
        }
    }
}

/// What the lines of a page share.
struct Page<'a> {
    list: &'a ChangeList,
    sources: &'a [SourceView],
    now_ms: i64,
}

impl Page<'_> {
    /// Who did it, where it was somebody, or which source says so.
    fn cause(&self, view: &ChangeView) -> Markup {
        let id = view.cause.strip_prefix("source:").and_then(|id| id.parse::<i64>().ok());
        let source = id.and_then(|id| self.sources.iter().find(|source| source.id == id));
        html! {
            " · "
            @if let Some(source) = source {
                "read from " a class="underlined" href=(paths::source(source.id)) { (source_title(source)) }
            } @else if view.actor.0 != "system" {
                "by " (view.by.as_deref().unwrap_or(&view.actor.0))
            } @else { (cause_link(&view.cause)) }
        }
    }
}
