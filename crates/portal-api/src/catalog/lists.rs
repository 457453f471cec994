//! Lists of entities: filtered, sorted, counted and paged in one call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, Page, Values, Visibility};
use portal_core::catalog::query::{Filter, FullText, Missing, Order, Position, Query, Selection, SortKey};
use portal_core::catalog::wire::{EntityBatch, EntityList, EntityRefs, EntityView, FacetValue};
use portal_core::problem::FieldError;
use serde::{Deserialize, Serialize};

use super::detail;
use super::documents::{self, Document};
use super::prune::Fields;
use super::state::EntityState;
use super::view::Snapshot;
use crate::changes::store::Which;
use crate::changes::{self, Change};
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::cursor;
use crate::http::params::Params;
use crate::state::App;

/// Entities that a list in the past may hold; beyond, the answer is refused.
const PAST_LIMIT: u64 = 20_000;
/// Entities that are looked up at once.
const READ_AT_ONCE: usize = 500;
/// References in one batch.
const BATCH_LIMIT: usize = 1000;

/// A place in a list, and the way to go from there.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    /// Value of the sort field.
    v: Option<String>,
    /// Row.
    r: u32,
    /// Backwards.
    b: bool,
    /// Rows before the page that this cursor leads to.
    o: u64,
    /// The list to which it belongs: what decides its rows and their order.
    l: String,
}

/// Which entities are wanted, and in which order.
pub struct Wanted {
    pub selection: Selection,
    pub order: Option<Order>,
    /// The same as the caller wrote it, for the fingerprint of a list.
    written: (Vec<String>, Option<String>, Option<String>),
}

/// What a list is asked for.
struct ListQuery {
    query: Query,
    facets: Vec<String>,
    values: Values,
    fields: Fields,
    as_of: Option<DateTime<Utc>>,
    seq: Option<i64>,
    /// Known when a cursor says so.
    offset: u64,
    backwards: bool,
    /// Fingerprint of the list, for its cursors.
    list: String,
}

/// Entities that match, with their total and facets.
///
/// `filter` is Backstage's: `key`, `key=value`, conditions joined by commas are
/// ANDed, repeated keys mean "one of", repeated parameters are ORed. Keys are
/// dotted paths such as `kind`, `spec.type`, `metadata.tags` or `relations.ownedBy`.
#[utoipa::path(
    get, path = "/entities", tag = "entities", operation_id = "list_entities",
    params(
        ("filter" = Option<Vec<String>>, Query, description = "Repeatable; e.g. `kind=component,spec.lifecycle=production`", example = json!(["kind=component,spec.lifecycle=production"])),
        ("q" = Option<String>, Query, description = "Text that name, title or description must contain", example = "booking"),
        ("facet" = Option<Vec<String>>, Query, description = "Repeatable; counts values of this key. A facet's own filter does not narrow its own counts", example = json!(["spec.type"])),
        ("facet_limit" = Option<u64>, Query, minimum = 0, maximum = 1000, description = "At most so many values of each facet, the most frequent first; all, by value, when absent", example = 20),
        ("sort" = Option<String>, Query, description = "A key, or `changed_at`, the last change; `-` in front reverses. Entities without the key come last", example = "metadata.name"),
        ("limit" = Option<u64>, Query, minimum = 0, maximum = 500, description = "0 to 500; 20 when absent. 0 asks for total and facets only"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` or `previous_cursor` of another page of the same list"),
        ("fields" = Option<String>, Query, description = "Comma list of paths to keep of each descriptor", example = "kind,metadata.name"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "The list at this time (RFC 3339), without facets"),
        ("min_seq" = Option<i64>, Query, minimum = 0, description = "Waits until this change is visible, to read one's own write"),
    ),
    responses((status = 200, description = "One page", body = EntityList)),
)]
pub async fn list_entities(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<EntityList>> {
    let started = Instant::now();
    let asked = ListQuery::read(params)?;
    if let Some(seq) = asked.seq {
        wait(&app, seq).await?;
    }
    let list = match asked.as_of {
        Some(time) => in_the_past(&app, &asked, time, &auth.principal).await?,
        None => now(&app, &asked, &auth).await?,
    };
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor,
        surface: "api",
        verb: "list",
        object: "entities".to_owned(),
        outcome: "ok",
        duration_ms: i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX),
        rank: None,
        result_count: i32::try_from(list.total).ok(),
    });
    Ok(Json(list))
}

/// Entities by reference: same length and order, `null` where there is none.
#[utoipa::path(
    post, path = "/entities/by-refs", tag = "entities", operation_id = "batch_entities",
    request_body(content = EntityRefs, example = json!({"entity_refs": ["component:default/booking-api"], "fields": ["metadata.name"]})),
    responses((status = 200, description = "The entities", body = EntityBatch)),
)]
pub async fn batch_entities(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
    JsonBody(EntityRefs { entity_refs, fields }): JsonBody<EntityRefs>,
) -> ApiResult<Json<EntityBatch>> {
    params.finish()?;
    if entity_refs.len() > BATCH_LIMIT {
        return Err(ApiError::field(
            "/entity_refs",
            format!("{} references; at most {BATCH_LIMIT} in one call", entity_refs.len()),
        ));
    }
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let mut rows = Vec::with_capacity(entity_refs.len());
    for (position, text) in entity_refs.iter().enumerate() {
        let entity_ref: EntityRef =
            text.parse().map_err(|error| ApiError::field(&format!("/entity_refs/{position}"), format!("{error}")))?;
        rows.push(snapshot.index.row(&entity_ref).filter(|row| visibility.admits(*row)));
    }
    let known: Vec<u32> = rows.iter().flatten().copied().collect();
    let found = app.catalog.documents.get(&app.db, &snapshot.index, &visibility, &known).await?;
    let fields = Fields::new(fields.as_deref().unwrap_or_default());
    let mut views = shown(&app, &snapshot.index, &visibility, &found, &fields).await?.into_iter();
    let items = rows.iter().map(|row| row.and_then(|_| views.next().flatten())).collect();
    Ok(Json(EntityBatch { items }))
}

/// That there is such a change: nobody waits for one that is still to come.
///
/// # Errors
/// 422 with the newest there is.
pub async fn has_happened(app: &App, seq: i64) -> ApiResult<()> {
    if app.catalog.snapshot().seq >= seq {
        return Ok(());
    }
    let newest = changes::store::last_seq(app.db.reader()).await?;
    if newest >= seq {
        return Ok(());
    }
    let message = format!("change {seq} has not happened; the newest is {newest}");
    let errors = vec![FieldError { pointer: "min_seq".to_owned(), message: message.clone() }];
    Err(ApiError::invalid("no_such_change", message, errors))
}

/// Waits for a change to be visible.
pub async fn wait(app: &App, seq: i64) -> ApiResult<()> {
    has_happened(app, seq).await?;
    if app.catalog.wait_for(seq).await {
        return Ok(());
    }
    Err(ApiError::Unavailable(format!("change {seq} is not visible yet; try again")))
}

async fn now(app: &App, asked: &ListQuery, auth: &Authorized<ReadCatalog>) -> ApiResult<EntityList> {
    let snapshot: Arc<Snapshot> = app.catalog.snapshot();
    let visibility = &auth.visibility(&snapshot);
    let index = &snapshot.index;
    let page = index.page(&asked.query, visibility);
    let facets = match asked.facets.is_empty() {
        true => BTreeMap::new(),
        false => {
            let facets = index.facets_sideways(&asked.facets, &asked.query.selection, visibility, asked.values);
            titled(index, facets, visibility)
        }
    };
    let found = app.catalog.documents.get(&app.db, index, visibility, &page.rows).await?;
    let items = shown(app, index, visibility, &found, &asked.fields).await?;
    Ok(asked.list(&page, items.into_iter().flatten().collect(), facets, snapshot.seq))
}

/// The list at an earlier time, from the feed: everything is read, so the size is bounded.
async fn in_the_past(
    app: &App,
    asked: &ListQuery,
    time: DateTime<Utc>,
    principal: &Principal,
) -> ApiResult<EntityList> {
    let Past { index, states, visibility, seq } = past(app, time, None, PAST_LIMIT, principal).await?;
    let page = index.page(&asked.query, &visibility);
    let documents: Vec<Option<Arc<Document>>> = page
        .rows
        .iter()
        .map(|row| states.get(row).map(|state| Arc::new(documents::document(state, None, &index, &visibility))))
        .collect();
    let items = shown(app, &index, &visibility, &documents, &asked.fields).await?;
    Ok(asked.list(&page, items.into_iter().flatten().collect(), BTreeMap::new(), seq))
}

/// The catalog at an earlier time.
pub struct Past {
    pub index: CatalogIndex,
    pub states: BTreeMap<u32, EntityState>,
    /// The rows that the caller may see.
    pub visibility: Visibility,
    /// The last change before that time.
    pub seq: i64,
}

/// Reads the catalog at an earlier time; with `of`, only what has to do with that entity.
///
/// # Errors
/// 422 when that is more than can be read for one request.
pub async fn past(
    app: &App,
    time: DateTime<Utc>,
    of: Option<&EntityRef>,
    limit: u64,
    principal: &Principal,
) -> ApiResult<Past> {
    let db = app.db.reader();
    // Whatever refers to an entity names it.
    let which = of.map_or(Which::All, |of| Which::Mentioning(of.name()));
    let changes = changes::store::entities_at(db, time, which, limit + 1).await?;
    if changes.len() as u64 > limit {
        return Err(ApiError::invalid(
            "too_large_for_as_of",
            format!("more than {limit} entities existed then; ask for one entity with `as_of` instead"),
            Vec::new(),
        ));
    }
    let snapshot = app.catalog.snapshot();
    let kinds = &snapshot.kinds;
    let seq = changes.last().map_or(0, |change| change.seq);
    let mut states = states_of(&changes);
    let mut index = super::view::empty_index(kinds);
    let rows = |states: &[EntityState]| states.iter().map(|state| super::view::upsert(state.clone(), kinds)).collect();
    index.apply(rows(&states));
    // What it refers to need not name it.
    let row = of.and_then(|of| index.row(of));
    let edges = row.map(|row| index.edges(row, &Visibility::All)).unwrap_or_default();
    let others = edges.into_iter().map(|(_, target)| target).filter(|target| index.row_of(target).is_none());
    let others: Vec<String> = others.map(str::to_owned).collect();
    for some in others.chunks(READ_AT_ONCE) {
        let found = states_of(&changes::store::entities_at(db, time, Which::These(some), limit).await?);
        index.apply(rows(&found));
        states.extend(found);
    }
    let visibility = snapshot.past_visibility(principal, &index);
    Ok(Past { index, states: states.into_iter().map(|state| (state.id, state)).collect(), visibility, seq })
}

fn states_of(changes: &[Change]) -> Vec<EntityState> {
    changes.iter().filter_map(|change| serde_json::from_str(change.document.as_deref()?).ok()).collect()
}

/// The paths to keep of each descriptor.
///
/// # Errors
/// A path with an index.
pub fn fields(params: &mut Params) -> ApiResult<Fields> {
    let lists = params.all("fields");
    let fields = lists.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|field| !field.is_empty());
    let fields: Vec<String> = fields.map(str::to_owned).collect();
    match fields.iter().find(|field| field.contains('[')) {
        Some(field) => {
            Err(ApiError::parameter("fields", format!("`{field}` is not a dotted path; lists cannot be indexed")))
        }
        None => Ok(Fields::new(&fields)),
    }
}

pub async fn shown(
    app: &App,
    index: &CatalogIndex,
    visibility: &Visibility,
    documents: &[Option<Arc<Document>>],
    fields: &Fields,
) -> ApiResult<Vec<Option<EntityView>>> {
    let sources = detail::sources(app, documents.iter().flatten()).await?;
    let view = |document: &Arc<Document>| detail::view(document, index, visibility, &sources, fields);
    Ok(documents.iter().map(|document| document.as_ref().map(view)).collect())
}

/// Facets over references show the titles of what they refer to.
fn titled(
    index: &CatalogIndex,
    mut facets: BTreeMap<String, Vec<FacetValue>>,
    visibility: &Visibility,
) -> BTreeMap<String, Vec<FacetValue>> {
    for (key, values) in &mut facets {
        if !key.starts_with("relations.") {
            continue;
        }
        for value in values {
            if let Ok(entity_ref) = value.value.parse::<EntityRef>() {
                value.title = Some(index.link(&entity_ref, visibility).title);
            }
        }
    }
    facets
}

impl Wanted {
    /// Takes `filter`, `q` and `sort`.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn read(params: &mut Params) -> ApiResult<Self> {
        let mut filters = params.all("filter");
        if filters.len() > 20 {
            return Err(ApiError::parameter("filter", "at most 20 filters"));
        }
        let filter = Filter::parse(&filters).map_err(|error| ApiError::parameter("filter", error.to_string()))?;
        let full_text = params.one("q")?.filter(|text| !text.trim().is_empty());
        let sort = params.chosen("sort")?;
        let order = sort.as_deref().map(Order::parse).transpose();
        let order = order.map_err(|error| ApiError::parameter("sort", error.to_string()))?;
        filters.sort_unstable();
        let text = full_text.as_deref().map(|text| FullText::of_catalog(text.trim()));
        let selection = Selection { within: None, filter, predicate: None, full_text: text };
        Ok(Self { selection, order, written: (filters, full_text, sort) })
    }
}

impl ListQuery {
    fn read(mut params: Params) -> ApiResult<Self> {
        let Wanted { selection, order, written: (filters, full_text, sort) } = Wanted::read(&mut params)?;
        let facets = params.all("facet");
        if facets.len() > 20 {
            return Err(ApiError::parameter("facet", "at most 20 facets"));
        }
        let values = match params.optional("facet_limit", 0..=1000)? {
            None => Values::All,
            Some(most) => Values::Frequent(usize::try_from(most).unwrap_or_default()),
        };
        let limit = params.number("limit", 20, 0..=500)?;
        let place = params.cursor::<Place>()?;
        let fields = fields(&mut params)?;
        let as_of = params.time("as_of")?;
        if as_of.is_some() && !facets.is_empty() {
            return Err(ApiError::field("as_of", "a list in the past has no facets"));
        }
        let seq = params.sequence("min_seq")?;
        params.finish()?;
        let list = crate::http::etag::of(&(filters, &full_text, sort, as_of));
        if place.as_ref().is_some_and(|place| place.l != list) {
            return Err(ApiError::parameter(
                "cursor",
                "belongs to another filter, text or sort; start again without it",
            ));
        }
        let (offset, backwards) = place.as_ref().map_or((0, false), |place| (place.o, place.b));
        let position = place.map_or(Position::default(), |place| {
            let key = SortKey { value: place.v, row: place.r };
            if place.b { Position::Before(key) } else { Position::After(key) }
        });
        let limit = usize::try_from(limit).unwrap_or_default();
        let query = Query { selection, order, missing: Missing::Last, position, limit };
        Ok(Self { query, facets, values, fields, as_of, seq, offset, backwards, list })
    }

    fn list(
        &self,
        page: &Page,
        items: Vec<EntityView>,
        facets: BTreeMap<String, Vec<FacetValue>>,
        seq: i64,
    ) -> EntityList {
        let count = page.rows.len() as u64;
        // A backward cursor carries the place where its page ends.
        let offset = if self.backwards { self.offset.saturating_sub(count) } else { self.offset };
        let place = |key: &Option<SortKey>, backwards: bool, offset: u64| {
            let SortKey { value, row } = key.clone()?;
            Some(cursor::encode(&Place { v: value, r: row, b: backwards, o: offset, l: self.list.clone() }))
        };
        EntityList {
            items,
            next_cursor: place(&page.last, false, offset + count).filter(|_| page.has_next),
            previous_cursor: place(&page.first, true, offset).filter(|_| page.has_previous),
            total: page.total,
            offset: Some(offset),
            facets,
            seq,
        }
    }
}
