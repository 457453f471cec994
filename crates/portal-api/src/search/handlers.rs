//! Search over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, RowSummary, Values, Visibility};
use portal_core::catalog::query::{Filter, Missing, Position, Query, Selection};
use portal_core::catalog::wire::{EntityLink, FacetValue};
use portal_core::search::wire::{SearchClick, SearchGap, SearchHit, SearchResults, Suggestion, SuggestionList};

use super::request::{self, Place, SearchRequest};
use super::{Hit, Matches, Scope, abbreviation};
use crate::catalog::lists::has_happened;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// Values of a facet that are answered: the most frequent.
const FACET_VALUES: usize = 100;
/// How long a reader waits for its own write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Entities that match a text, best first.
///
/// Every text is a query: words in any order and case, the last one may be
/// unfinished, one typing error is forgiven in words of four letters and more.
/// Hits have all words; only when nothing has them all, hits have some. Names
/// rank before titles, tags, descriptions and API definitions. Without a text,
/// all entities are listed by name.
#[utoipa::path(
    get, path = "/search", tag = "search", operation_id = "search",
    params(
        ("q" = Option<String>, Query, description = "What to look for", example = "rate card"),
        ("kind" = Option<Vec<String>>, Query, description = "Repeatable; one of these kinds", example = json!(["component"])),
        ("owner" = Option<Vec<String>>, Query, description = "Repeatable; references, `group:default/` may be left out", example = json!(["pricing"])),
        ("type" = Option<Vec<String>>, Query, description = "Repeatable; one of these `spec.type`", example = json!(["service"])),
        ("tag" = Option<Vec<String>>, Query, description = "Repeatable; one of these tags", example = json!(["rust"])),
        ("lifecycle" = Option<Vec<String>>, Query, description = "Repeatable; one of these lifecycles", example = json!(["production"])),
        ("sort" = Option<String>, Query, description = "`relevance` (when absent), `name`, `title` or a key such as `spec.type`; `-` in front reverses", example = "relevance"),
        ("limit" = Option<u64>, Query, minimum = 0, maximum = 100, description = "0 to 100; 20 when absent. 0 asks for total and facets only"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("facet" = Option<Vec<FacetName>>, Query, description = "Repeatable; counts only these of `kind`, `type`, `owner`, `lifecycle`, `tag`. A facet's own filter does not narrow its own counts", example = json!(["kind"])),
        ("min_seq" = Option<i64>, Query, minimum = 0, description = "Waits until this change is visible, to read one's own write"),
    ),
    responses((status = 200, description = "One page of hits", body = SearchResults, example = json!({
        "items": [{
            "entity_ref": "component:default/rate-card-importer", "title": "rate-card-importer", "subtype": "worker", "exists": true,
            "kind": "Component", "name": "rate-card-importer",
            "owner": {"entity_ref": "group:default/pricing", "title": "Pricing & Yield", "subtype": "team", "exists": true},
            "lifecycle": "production", "tags": ["rust"],
            "title_segments": [{"text": "rate-card", "mark": true}, {"text": "-importer"}],
            "snippet": [{"text": "Nightly import of "}, {"text": "rate cards", "mark": true}, {"text": " from 41 carriers."}],
            "matched_in": "name", "score": 2450.0
        }],
        "next_cursor": null, "total": 1,
        "facets": {"kind": [{"value": "Component", "count": 1}]},
        "suggestions": [], "seq": 412
    }))),
)]
pub async fn search(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<SearchResults>> {
    let started = Instant::now();
    let request = SearchRequest::read(params)?;
    wait(&app, request.seq).await?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let (results, request) = find(&app, snapshot, visibility, request).await?;
    // Further pages are the same search.
    if request.after.is_none() && !request.text.is_empty() {
        app.events.record(Event {
            at: app.clock.now(),
            actor: auth.principal.actor,
            surface: "api",
            verb: "search",
            object: request.text,
            outcome: "ok",
            duration_ms: i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX),
            rank: None,
            result_count: Some(i32::try_from(results.total).unwrap_or(i32::MAX)),
        });
    }
    Ok(Json(results))
}

/// Entities whose name, title or tags go on from what was typed: for pickers
/// and the palette. Where there are none, those whose name it may abbreviate,
/// `bkapi` for `booking-api`.
#[utoipa::path(
    get, path = "/suggestions", tag = "search", operation_id = "suggest",
    params(
        ("q" = Option<String>, Query, description = "What was typed so far", example = "book"),
        ("kind" = Option<Vec<String>>, Query, description = "Repeatable; one of these kinds", example = json!(["component", "api"])),
        ("filter" = Option<Vec<String>>, Query, description = "As of entities; beside the kinds", example = json!(["spec.type=service"])),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 20, description = "1 to 20; 8 when absent"),
    ),
    responses((status = 200, description = "The best completions", body = SuggestionList, example = json!({
        "items": [{
            "entity_ref": "component:default/booking-api", "title": "Booking API", "subtype": "service", "exists": true,
            "kind": "Component", "name": "booking-api", "owner": null,
            "title_segments": [{"text": "Book", "mark": true}, {"text": "ing API"}]
        }],
        "seq": 412
    }))),
)]
pub async fn suggest(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<SuggestionList>> {
    let text = params.one("q")?.unwrap_or_default();
    let limit = usize::try_from(params.number("limit", 8, 1..=20)?).unwrap_or(8);
    let kinds = params.all("kind");
    let filter =
        Filter::parse(&params.all("filter")).map_err(|error| ApiError::parameter("filter", error.to_string()))?;
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    if text.trim().is_empty() {
        return Ok(Json(SuggestionList { items: Vec::new(), seq: snapshot.seq }));
    }
    let visibility = auth.visibility(&snapshot);
    let search = app.search.clone();
    let list = blocking(move || {
        let index = &snapshot.index;
        let select = |filter, within| index.select(&Selection { filter, within, ..Selection::default() }, &visibility);
        let fitting = |within| select(request::kinds(kinds), Some(Arc::new(select(filter, within))));
        let visible = request::rows(&visibility).map(Arc::as_ref);
        let matches = search.find(&text, Scope::Names, visible)?;
        let found = matches.rows();
        let items = if found.is_empty() {
            let rows = abbreviation::expansions(&text, index, &fitting(None), limit);
            rows.into_iter().filter_map(|row| expansion(row, &text, index, &visibility)).collect()
        } else {
            let hits = matches.page(limit, None, Some(&fitting(Some(Arc::new(found)))))?;
            hits.into_iter().map(|hit| suggestion(hit, index, &visibility)).collect()
        };
        Ok(SuggestionList { items, seq: snapshot.seq.min(matches.seq()) })
    });
    Ok(Json(list.await?))
}

/// What is counted.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "for the document only")]
pub enum FacetName {
    Kind,
    Type,
    Owner,
    Lifecycle,
    Tag,
}

/// Records that a hit was opened, for analytics and ranking.
#[utoipa::path(
    post, path = "/search/clicks", tag = "search", operation_id = "record_search_click",
    request_body(content = SearchClick, example = json!({"q": "rate card", "entity_ref": "component:default/rate-card-importer", "rank": 1})),
    responses((status = 204, description = "Recorded")),
)]
pub async fn record_search_click(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    JsonBody(SearchClick { q, entity_ref, rank }): JsonBody<SearchClick>,
) -> ApiResult<StatusCode> {
    let entity_ref: EntityRef =
        entity_ref.parse().map_err(|error| ApiError::field("/entity_ref", format!("{error}")))?;
    let rank = i32::try_from(rank).ok().filter(|rank| *rank >= 1);
    let rank = rank.ok_or_else(|| ApiError::field("/rank", "a place in the list, from 1"))?;
    let text: String = q.chars().take(400).collect();
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor,
        surface: "api",
        verb: "click",
        // A reference has no spaces, so the query is what follows the first.
        object: format!("{entity_ref} {text}"),
        outcome: "ok",
        duration_ms: 0,
        rank: Some(rank),
        result_count: None,
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Records that somebody misses what they searched for, for analytics: what the
/// platform team should add.
#[utoipa::path(
    post, path = "/search/gaps", tag = "search", operation_id = "report_search_gap",
    request_body(content = SearchGap, example = json!({"q": "feature store"})),
    responses((status = 204, description = "Recorded")),
)]
pub async fn report_search_gap(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    JsonBody(SearchGap { q }): JsonBody<SearchGap>,
) -> ApiResult<StatusCode> {
    let text: String = q.trim().chars().take(400).collect();
    if text.is_empty() {
        return Err(ApiError::field("/q", "is empty; say what was searched for"));
    }
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor,
        surface: "api",
        verb: "miss",
        object: text,
        outcome: "ok",
        duration_ms: 0,
        rank: None,
        result_count: Some(0),
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Waits until catalog and full text show a change.
async fn wait(app: &App, seq: Option<i64>) -> ApiResult<()> {
    let Some(seq) = seq else { return Ok(()) };
    has_happened(app, seq).await?;
    if app.catalog.wait_for(seq).await && app.search.wait_for(seq, PATIENCE).await {
        return Ok(());
    }
    Err(ApiError::Unavailable(format!("change {seq} is not visible yet; try again")))
}

async fn find(
    app: &App,
    snapshot: Arc<Snapshot>,
    visibility: Visibility,
    request: SearchRequest,
) -> ApiResult<(SearchResults, SearchRequest)> {
    let search = app.search.clone();
    blocking(move || {
        let matches = search.find(&request.text, Scope::Everything, request::rows(&visibility).map(Arc::as_ref))?;
        let results = answer(&request, &snapshot, &visibility, &matches)?;
        Ok((results, request))
    })
    .await
}

/// A few milliseconds of work are kept from the threads that serve everybody.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, super::SearchError> + Send + 'static,
) -> ApiResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    let result = done.map_err(|error| ApiError::Internal(format!("a search panicked: {error}")))?;
    result.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        ApiError::Internal(format!("{error}{cause}"))
    })
}

fn answer(
    request: &SearchRequest,
    snapshot: &Snapshot,
    visibility: &Visibility,
    matches: &Matches,
) -> Result<SearchResults, super::SearchError> {
    let index = &snapshot.index;
    // What the text matches is all that is counted from here on.
    let selection = Selection { within: Some(Arc::new(matches.rows())), ..request.selection.clone() };
    let allowed = index.select(&selection, visibility);
    let (hits, next) = match &request.order {
        None => ranked(request, matches, &allowed)?,
        Some(_) => sorted(request, matches, index, &selection, visibility)?,
    };
    let suggestions = if allowed.is_empty() || !matches.has_all_words() {
        matches.suggestions(request::rows(visibility).map(Arc::as_ref))?
    } else {
        Vec::new()
    };
    Ok(SearchResults {
        items: hits.into_iter().map(|hit| shown(hit, index, visibility)).collect(),
        next_cursor: next.map(|place| request.cursor(place)),
        total: allowed.len(),
        facets: counted(request, index, &selection, visibility),
        suggestions,
        seq: snapshot.seq.min(matches.seq()),
    })
}

type Page = (Vec<Hit>, Option<Place>);

fn ranked(
    request: &SearchRequest,
    matches: &Matches,
    allowed: &roaring::RoaringBitmap,
) -> Result<Page, super::SearchError> {
    let wanted = if request.limit == 0 { 0 } else { request.limit + 1 };
    let mut hits = matches.page(wanted, request.position(), Some(allowed))?;
    let more = hits.len() > request.limit;
    hits.truncate(request.limit);
    let next = hits.last().filter(|_| more).map(|hit| Place::Relevance(hit.position()));
    Ok((hits, next))
}

fn sorted(
    request: &SearchRequest,
    matches: &Matches,
    index: &CatalogIndex,
    selection: &Selection,
    visibility: &Visibility,
) -> Result<Page, super::SearchError> {
    let query = Query {
        selection: selection.clone(),
        order: request.order.clone(),
        missing: Missing::Last,
        position: request.sort_key().map_or(Position::default(), Position::After),
        limit: request.limit,
    };
    let page = index.page(&query, visibility);
    let hits = matches.hits_of(&page.rows)?;
    let next = page.last.filter(|_| page.has_next).map(|key| Place::Sorted(key.value, key.row));
    Ok((hits, next))
}

fn counted(
    request: &SearchRequest,
    index: &CatalogIndex,
    selection: &Selection,
    visibility: &Visibility,
) -> BTreeMap<String, Vec<FacetValue>> {
    let keys: Vec<String> = request.facets.iter().map(|(_, key)| (*key).to_owned()).collect();
    let mut found = index.facets_sideways(&keys, selection, visibility, Values::Frequent(FACET_VALUES));
    let facets = request.facets.iter().map(|(name, key)| {
        let mut values = found.remove(*key).unwrap_or_default();
        if *name == "owner" {
            for value in &mut values {
                value.title = link(index, visibility, &value.value).map(|link| link.title);
            }
        }
        ((*name).to_owned(), values)
    });
    facets.collect()
}

fn link(index: &CatalogIndex, visibility: &Visibility, reference: &str) -> Option<EntityLink> {
    reference.parse().ok().map(|entity_ref: EntityRef| index.link(&entity_ref, visibility))
}

fn shown(hit: Hit, index: &CatalogIndex, visibility: &Visibility) -> SearchHit {
    let Hit { score, stored, title, snippet, matched_in, page, .. } = hit;
    SearchHit {
        owner: stored.owner.as_deref().and_then(|owner| link(index, visibility, owner)),
        link: EntityLink { entity_ref: stored.entity_ref, title: stored.title, subtype: stored.subtype, exists: true },
        kind: stored.kind,
        name: stored.name,
        lifecycle: stored.lifecycle,
        tags: stored.tags,
        title_segments: title,
        snippet,
        matched_in,
        page,
        score,
    }
}

fn expansion(row: u32, text: &str, index: &CatalogIndex, visibility: &Visibility) -> Option<Suggestion> {
    let RowSummary { entity_ref, kind, name, title, owner, .. } = index.summary(row)?;
    Some(Suggestion {
        title_segments: abbreviation::marked(&title, text),
        owner: owner.map(|owner| index.link(&owner, visibility)),
        link: index.link(&entity_ref, visibility),
        kind,
        name,
    })
}

fn suggestion(hit: Hit, index: &CatalogIndex, visibility: &Visibility) -> Suggestion {
    let Hit { stored, title, .. } = hit;
    Suggestion {
        owner: stored.owner.as_deref().and_then(|owner| link(index, visibility, owner)),
        link: EntityLink { entity_ref: stored.entity_ref, title: stored.title, subtype: stored.subtype, exists: true },
        kind: stored.kind,
        name: stored.name,
        title_segments: title,
    }
}
