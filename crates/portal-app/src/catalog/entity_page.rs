//! The page of one entity: what it is, who answers for it, what it hangs
//! together with, where it comes from.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use portal_core::catalog::wire::EntityDetail;
use portal_core::catalog::{Entity, EntityRef};

use super::about::about;
use super::definition::{definition_path, definition_region};
use super::docs::{docs_path, docs_region};
use super::edit::{Draft, edit, use_draft};
use super::graph::graph_region;
use super::header::{callouts, header, past_notice, tabs};
use super::history::history_region;
use super::impact::impact_region;
use super::links::kind_of;
use super::organisation::{organisation_path, organisation_region};
use super::relations::relations;
use super::source::{source_card, source_tab};
use super::try_it::Trial;
use crate::api::{Failure, Live, Load, use_load, use_load_after};
use crate::frame::not_found;
use crate::paths;
use crate::served::{FRAGMENTS, WHOLE, served_part, served_region};
use crate::ui::{Erase, failed, loaded, loaded_quietly, skeleton_rows, whole};

/// Views of one entity; the name is that in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Docs,
    Definition,
    Organisation,
    Graph,
    Impact,
    Runs,
    History,
    Source,
}

impl Tab {
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Docs,
        Self::Definition,
        Self::Organisation,
        Self::Graph,
        Self::Impact,
        Self::Runs,
        Self::History,
        Self::Source,
    ];

    fn read(name: Option<&str>) -> Self {
        match name {
            Some("docs") => Self::Docs,
            Some("definition") => Self::Definition,
            Some("organisation") => Self::Organisation,
            Some("graph") => Self::Graph,
            Some("impact") => Self::Impact,
            Some("runs") => Self::Runs,
            Some("history") => Self::History,
            Some("source") => Self::Source,
            _ => Self::Overview,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Docs => "docs",
            Self::Definition => "definition",
            Self::Organisation => "organisation",
            Self::Graph => "graph",
            Self::Impact => "impact",
            Self::Runs => "runs",
            Self::History => "history",
            Self::Source => "source",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Docs => "Docs",
            Self::Definition => "Definition",
            Self::Organisation => "Organisation",
            Self::Graph => "Graph",
            Self::Impact => "Impact",
            Self::Runs => "Runs",
            Self::History => "History",
            Self::Source => "Source",
        }
    }

    /// Whether it can show what was, and not only what is.
    pub fn knows_the_past(self) -> bool {
        matches!(self, Self::Overview | Self::Graph | Self::Source)
    }

    /// The address of this view of an entity.
    pub fn href(self, entity_ref: &str) -> String {
        let page = paths::entity(entity_ref);
        if self == Self::Overview { page } else { paths::with_query(&page, [("tab", self.name())]) }
    }
}

const WITHOUT_DEFINITION: &str = "apiVersion,kind,metadata,spec.type,spec.lifecycle,spec.owner,spec.system";

/// What the address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub entity_ref: String,
    pub name: String,
    pub tab: Tab,
    /// Steps of the graph from its root.
    pub depth: u32,
    /// `both`, `out` or `in`.
    pub direction: &'static str,
    /// Kinds that the graph is narrowed to; all when empty.
    pub kinds: Vec<String>,
    /// Place in the history.
    pub cursor: Option<String>,
    /// Page of the documentation.
    pub page: Option<String>,
    /// Operation of the definition.
    pub operation: Option<String>,
    pub view: View,
    /// A time in the past, in RFC 3339.
    pub as_of: Option<String>,
}

/// How a tab shows what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Reading,
    /// The definition as it was written.
    Text,
    /// The document, to be changed.
    Edit,
}

impl Place {
    /// The address of another view of the same entity, at the same time where
    /// the view knows the past.
    pub fn href(&self, tab: Tab) -> String {
        match &self.as_of {
            Some(as_of) if tab.knows_the_past() => {
                paths::with_query(&paths::entity(&self.entity_ref), [("tab", tab.name()), ("as_of", as_of.as_str())])
            }
            _ => tab.href(&self.entity_ref),
        }
    }
}

#[component]
pub(crate) fn EntityPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let place = Memo::new(move |_| {
        let part = |name: &str| params.with(|params| params.get(name)).unwrap_or_default();
        let (kind, namespace, name) = (part("kind"), part("namespace"), part("name"));
        query.with(|query| Place {
            entity_ref: EntityRef::new(&kind, &namespace, &name).to_string(),
            name,
            tab: Tab::read(query.get_str("tab")),
            depth: query.get_str("depth").and_then(|depth| depth.parse().ok()).unwrap_or(1).clamp(1, 4),
            direction: match query.get_str("direction") {
                Some("out") => "out",
                Some("in") => "in",
                _ => "both",
            },
            kinds: query.get_all("only").unwrap_or_default(),
            cursor: query.get("cursor"),
            page: query.get("page"),
            operation: query.get("operation"),
            view: match query.get_str("view") {
                Some("text") => View::Text,
                Some("edit") => View::Edit,
                _ => View::Reading,
            },
            as_of: query.get("as_of").filter(|text| !text.is_empty()).map(utc),
        })
    });
    let ask = move |question: fn(&Place) -> Option<String>| use_load(Memo::new(move |_| place.with(question)));
    let detail = ask(|place| {
        let path = paths::api_entity(&place.entity_ref);
        // The definition of an API may be long; here only its source shows it.
        let short = kind_of(&place.entity_ref) == "api" && place.tab != Tab::Source;
        let fields = short.then_some(("fields", WITHOUT_DEFINITION));
        Some(paths::with_query(&path, fields.into_iter().chain(past(place))))
    });
    let history = ask(|place| {
        let path = format!("{}/history", paths::api_entity(&place.entity_ref));
        let cursor = place.cursor.as_deref().map(|cursor| ("cursor", cursor));
        (place.tab == Tab::History).then(|| paths::with_query(&path, [("limit", "20")].into_iter().chain(cursor)))
    });
    let graph = ask(|place| {
        if place.tab == Tab::Organisation {
            return Some(organisation_path(place));
        }
        let path = format!("{}/graph", paths::api_entity(&place.entity_ref));
        let depth = place.depth.to_string();
        let mut pairs = vec![("depth", depth.as_str()), ("direction", place.direction), ("limit", "1000")];
        // The root is of a kind as well.
        let narrowed = (!place.kinds.is_empty()).then(|| kind_of(&place.entity_ref));
        pairs.extend(place.kinds.iter().map(String::as_str).chain(narrowed).map(|kind| ("kinds", kind)));
        pairs.extend(past(place));
        (place.tab == Tab::Graph).then(|| paths::with_query(&path, pairs))
    });
    let impact =
        ask(|place| (place.tab == Tab::Impact).then(|| format!("{}/impact", paths::api_entity(&place.entity_ref))));
    let docs = ask(|place| (place.tab == Tab::Docs).then(|| docs_path(&place.entity_ref, place.page.as_deref())));
    let definition = ask(|place| (place.tab == Tab::Definition).then(|| definition_path(place)));
    let runs = ask(|place| {
        let question =
            || paths::with_query(&format!("{FRAGMENTS}/entity-runs"), [("entity", place.entity_ref.as_str())]);
        (place.tab == Tab::Runs).then(question)
    });
    for load in [detail, history, graph, impact, docs, definition, runs] {
        Live::refresh_on_entities(load);
    }
    // Only of what is not there.
    let unread = use_load_after(detail, |answer| {
        let name = answer.question.split('?').next()?.rsplit('/').next()?;
        (answer.status == 404).then(|| format!("{FRAGMENTS}/unread?q={name}"))
    });
    Live::refresh_on_sources(unread);
    let views =
        Views { unread, history, graph, impact, docs, definition, runs, trial: Trial::new(), draft: use_draft(place) };
    loaded(move || loading(place), move || region(place, detail, views).map(whole))
}

/// What single views load besides the entity.
#[derive(Clone, Copy)]
struct Views {
    unread: Load,
    history: Load,
    graph: Load,
    impact: Load,
    docs: Load,
    definition: Load,
    runs: Load,
    trial: Trial,
    draft: Draft,
}

/// The time in the past that is asked for, where the view knows it.
fn past(place: &Place) -> Option<(&'static str, &str)> {
    place.as_of.as_deref().filter(|_| place.tab.knows_the_past()).map(|as_of| ("as_of", as_of))
}

/// A time as a form sends it has no zone: the portal's times are UTC.
fn utc(text: String) -> String {
    match text.len() {
        16 => text + ":00Z",
        19 => text + "Z",
        _ => text,
    }
}

fn loading(place: Memo<Place>) -> AnyView {
    view! {
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">{move || place.with(|place| place.name.clone())}</h1>
            </div>
        </header>
        {skeleton_rows(6)}
    }
    .erase()
}

fn region(place: Memo<Place>, detail: Load, views: Views) -> Option<AnyView> {
    // Read first: another tab of the same entity must show, even if nothing new is loaded for it.
    let here = place.get();
    let Some(answer) = detail.read_current::<EntityDetail>() else { return Some(loading(place)) };
    let place = here;
    Some(match answer {
        Ok((detail, now_ms)) => page(&place, detail, now_ms, views),
        Err(Failure { status: 404, .. }) => missing(&place, views.unread),
        Err(failure) => view! {
            <Title text=place.name.clone() />
            <header class="page-head">
                <div class="lead">
                    <h1 tabindex="-1">{place.name.clone()}</h1>
                </div>
            </header>
            {failed("The entity", &failure, detail)}
        }
        .erase(),
    })
}

fn missing(place: &Place, unread: Load) -> AnyView {
    let name = &place.entity_ref;
    match place.as_of.as_ref().filter(|_| place.tab.knows_the_past()) {
        Some(as_of) => not_found("It did not exist then", format!("The catalog had no {name} at {as_of}.")),
        None => {
            let why = "It may have been removed or renamed, or its source was not read yet.";
            let page = not_found("This entity does not exist", format!("The catalog has no {name}. {why}"));
            view! { {page} {loaded_quietly(move || served_part(unread, WHOLE))} }.erase()
        }
    }
}

fn page(place: &Place, detail: EntityDetail, now_ms: i64, views: Views) -> AnyView {
    let EntityDetail { view, relations: related, marks, errors, made_by } = detail;
    let entity = Entity(view.entity.clone());
    let title = entity.display_title().to_owned();
    let body = match place.tab {
        Tab::Overview => view! {
            <div class="split">
                <div class="stack">{relations(&view.entity_ref, &related)}</div>
                <aside class="stack" aria-label=format!("About {title}")>
                    {about(&view, &entity, made_by.as_ref())} {source_card(&view.provenance, &view.entity_ref, now_ms)}
                </aside>
            </div>
        }
        .erase(),
        Tab::Docs => {
            let entity_ref = place.entity_ref.clone();
            loaded(|| skeleton_rows(6), move || docs_region(&entity_ref, views.docs))
        }
        Tab::Definition => {
            let place = place.clone();
            loaded(|| skeleton_rows(6), move || definition_region(&place, views.definition, views.trial))
        }
        Tab::Source if place.view == View::Edit => edit(&view, &entity, views.draft),
        Tab::Source => source_tab(&view, &entity, &errors, now_ms).erase(),
        Tab::History => {
            let place = place.clone();
            loaded(|| skeleton_rows(6), move || history_region(&place, views.history))
        }
        Tab::Organisation => {
            let place = place.clone();
            loaded(|| skeleton_rows(6), move || organisation_region(&place, views.graph))
        }
        Tab::Runs => loaded(|| skeleton_rows(6), move || served_region("The runs", views.runs)),
        Tab::Impact => loaded(|| skeleton_rows(6), move || impact_region(views.impact)),
        Tab::Graph => {
            let place = place.clone();
            loaded(|| skeleton_rows(6), move || graph_region(&place, views.graph))
        }
    };
    view! {
        <Title text=title />
        {header(&view, &entity, &marks)}
        {tabs(place, &entity, related.len(), errors.len())}
        {past_notice(place)} {callouts(&view, errors.len(), now_ms)}
        {body}
    }
    .erase()
}
