//! `entities/by-query`: pages with a total, from parameters, a predicate or a cursor.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portal_core::catalog::query::{Cursor, FullText, Missing, Order, Position, Query, SortKey};
use serde::Deserialize;
use serde_json::Value;

use super::{cursor, read};
use crate::catalog::documents::Document;
use crate::catalog::prune::Fields;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// As in Backstage's code; its documentation says 20.
const LIMIT: usize = 200;
/// Longer pages are cut to this, so that a body stays within memory.
const MOST: usize = 10_000;

/// What a page is asked for.
struct Asked {
    /// What a cursor repeats: filters and predicate as they came.
    filter: Vec<String>,
    predicate: Option<Value>,
    query: Query,
    fields: Fields,
    /// The client does not want the total, which the answer then calls 0.
    without_total: bool,
}

/// The body of the predicate form.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryEntitiesByPredicateRequest {
    /// Continues a list; wins over everything but `limit` and `fields`.
    cursor: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    #[serde(default)]
    order_by: Vec<OrderBy>,
    full_text_filter: Option<FullTextFilter>,
    #[serde(default)]
    fields: Vec<String>,
    /// `include` or `exclude`.
    total_items: Option<String>,
    /// `$all`, `$any`, `$not` and conditions on dotted paths.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// One field of an order; only the first one counts.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct OrderBy {
    field: String,
    /// `asc` or `desc`.
    #[serde(default)]
    order: Option<String>,
}

/// A text that one of the fields must contain.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FullTextFilter {
    #[serde(default)]
    term: String,
    fields: Option<Vec<String>>,
}

/// A page of entities with their total.
///
/// Entities that lack the order field are left out. `pageInfo` holds the
/// cursors of the neighbouring pages.
#[utoipa::path(
    get, path = "/entities/by-query", tag = "backstage", operation_id = "get_entities_by_query",
    params(
        ("filter" = Option<Vec<String>>, Query, description = "Repeatable; `key` or `key=value`, joined by commas", example = json!(["kind=component"])),
        ("orderField" = Option<Vec<String>>, Query, description = "`field,asc` or `field,desc`; only the first counts", example = json!(["metadata.name,asc"])),
        ("fullTextFilterTerm" = Option<String>, Query, description = "Text to look for"),
        ("fullTextFilterFields" = Option<String>, Query, description = "Comma list of fields to look in"),
        ("limit" = Option<u64>, Query, minimum = 0, description = "200 when absent; 0 only counts", example = 20),
        ("offset" = Option<u64>, Query, minimum = 0, description = "Entities to skip on the first page"),
        ("cursor" = Option<String>, Query, description = "From `pageInfo`; wins over everything but `limit` and `fields`"),
        ("fields" = Option<String>, Query, description = "Comma list of paths to keep"),
        ("totalItems" = Option<String>, Query, pattern = "^(include|exclude)$", description = "`exclude` answers 0 instead of the total"),
    ),
    responses((status = 200, description = "`{items, totalItems, pageInfo}`", body = Object)),
)]
pub async fn get_entities_by_query(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Response> {
    let limit = read::count(&mut params, "limit")?.unwrap_or(LIMIT);
    let fields = read::fields(&mut params)?;
    if let Some(text) = params.all("cursor").into_iter().next() {
        return answer(&app, Asked::from_cursor(&text, limit, fields)?, &auth).await;
    }
    let order = params.all("orderField").first().map(|text| Order::parse_order_field(text)).transpose();
    let order = order.map_err(|error| ApiError::parameter("orderField", error.to_string()))?;
    let term = params.all("fullTextFilterTerm").into_iter().next();
    let lists = params.all("fullTextFilterFields");
    let text_fields: Vec<String> = lists.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    let text_fields = (!text_fields.is_empty()).then_some(text_fields);
    let asked = Asked {
        query: Query {
            position: Position::Offset(read::count(&mut params, "offset")?.unwrap_or(0)),
            ..Query::default()
        },
        without_total: excludes_total(params.all("totalItems").first().map(String::as_str))?,
        filter: params.all("filter"),
        predicate: None,
        fields,
    };
    let asked = asked.with(order, term.map(|term| (term, text_fields)), limit)?;
    answer(&app, asked, &auth).await
}

/// The same, with a predicate or a cursor in the body.
#[utoipa::path(
    post, path = "/entities/by-query", tag = "backstage", operation_id = "query_entities_by_predicate",
    request_body(content = QueryEntitiesByPredicateRequest, example = json!({
        "query": {"$all": [{"kind": "component"}, {"spec.type": {"$in": ["service", "website"]}}]},
        "orderBy": [{"field": "metadata.name", "order": "asc"}], "limit": 20})),
    responses((status = 200, description = "`{items, totalItems, pageInfo}`", body = Object)),
)]
pub async fn query_entities_by_predicate(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
    JsonBody(body): JsonBody<QueryEntitiesByPredicateRequest>,
) -> ApiResult<Response> {
    let QueryEntitiesByPredicateRequest {
        cursor,
        limit,
        offset,
        order_by,
        full_text_filter,
        fields,
        total_items,
        query,
    } = body;
    let limit = limit.unwrap_or(LIMIT);
    let fields = read::checked_fields(fields)?;
    if let Some(text) = cursor {
        return answer(&app, Asked::from_cursor(&text, limit, fields)?, &auth).await;
    }
    let order = order_by.into_iter().next().map(|OrderBy { field, order }| {
        Order::parse_order_field(&format!("{field},{}", order.as_deref().unwrap_or("asc")))
    });
    let order = order.transpose().map_err(|error| ApiError::parameter("orderBy", error.to_string()))?;
    let asked = Asked {
        query: Query { position: Position::Offset(offset.unwrap_or(0)), ..Query::default() },
        without_total: excludes_total(total_items.as_deref())?,
        filter: params.all("filter"),
        predicate: query,
        fields,
    };
    let text = full_text_filter.map(|FullTextFilter { term, fields }| (term, fields));
    answer(&app, asked.with(order, text, limit)?, &auth).await
}

impl Asked {
    fn with(
        mut self,
        order: Option<Order>,
        text: Option<(String, Option<Vec<String>>)>,
        limit: usize,
    ) -> ApiResult<Self> {
        let mut selection = read::selection(&self.filter, self.predicate.as_ref())?;
        selection.full_text = text.and_then(|(term, fields)| {
            let term = term.trim().to_owned();
            let default = || order.as_ref().map_or_else(|| "metadata.uid".to_owned(), |order| order.field.clone());
            (!term.is_empty()).then(|| FullText { term, fields: fields.unwrap_or_else(|| vec![default()]) })
        });
        self.query = Query {
            selection,
            order,
            missing: Missing::Excluded,
            limit: limit.min(MOST),
            position: self.query.position,
        };
        Ok(self)
    }

    fn from_cursor(text: &str, limit: usize, fields: Fields) -> ApiResult<Self> {
        let cursor = Cursor::parse(&cursor::decode(text)?).map_err(|error| cursor::malformed(&error.0))?;
        let query = cursor.query(limit.min(MOST)).map_err(|error| cursor::malformed(&error.0))?;
        let Cursor { filter, query: predicate, total, .. } = cursor;
        Ok(Self { filter, predicate, query, fields, without_total: total == 0 })
    }

    fn cursor(&self, place: SortKey, is_previous: bool, total: u64) -> String {
        let cursor = Cursor {
            filter: self.filter.clone(),
            query: self.predicate.clone(),
            order: self.query.order.clone(),
            full_text: self.query.selection.full_text.clone(),
            is_previous,
            place,
            total,
        };
        cursor::encode(&cursor.to_json())
    }
}

fn excludes_total(mode: Option<&str>) -> ApiResult<bool> {
    match mode {
        None | Some("include") => Ok(false),
        Some("exclude") => Ok(true),
        Some(other) => Err(ApiError::parameter("totalItems", format!("`{other}` is neither `include` nor `exclude`"))),
    }
}

async fn answer(app: &App, asked: Asked, auth: &Authorized<ReadCatalog>) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let visibility = &auth.visibility(&snapshot);
    let page = snapshot.index.page(&asked.query, visibility);
    let documents = app.catalog.documents.get(&app.db, &snapshot.index, visibility, &page.rows).await?;
    let documents: Vec<&Arc<Document>> = documents.iter().flatten().collect();
    let total = if asked.without_total { 0 } else { page.total };
    let size: usize = documents.iter().map(|document| document.json.len() + 1).sum();
    let mut body = Vec::with_capacity(if asked.fields.is_empty() { size + 2048 } else { 4096 });
    body.extend_from_slice(b"{\"items\":");
    read::append_list(&mut body, documents.iter().map(|document| Some(*document)), &asked.fields);
    body.extend_from_slice(format!(",\"totalItems\":{total},\"pageInfo\":{{").as_bytes());
    let next = page.last.filter(|_| page.has_next).map(|place| asked.cursor(place, false, total));
    let previous = page.first.filter(|_| page.has_previous).map(|place| asked.cursor(place, true, total));
    // Base64 needs no escapes.
    let links = [("nextCursor", next), ("prevCursor", previous)];
    let links: Vec<String> =
        links.into_iter().filter_map(|(name, cursor)| Some(format!("\"{name}\":\"{}\"", cursor?))).collect();
    body.extend_from_slice(links.join(",").as_bytes());
    body.extend_from_slice(b"}}");
    Ok(read::json(body))
}
