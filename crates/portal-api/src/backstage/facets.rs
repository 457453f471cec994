//! `entity-facets`: values with counts.

use axum::Json;
use axum::extract::State;
use portal_core::catalog::index::Values;
use portal_core::catalog::query::Selection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::read;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// Facets of one request, at most.
const MOST: usize = 100;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct QueryEntityFacetsByPredicateRequest {
    #[serde(default)]
    facets: Vec<String>,
    /// A predicate that the entities must match.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// Values with counts among the entities that match; in a list, items count.
#[utoipa::path(
    get, path = "/entity-facets", tag = "backstage", operation_id = "get_entity_facets",
    params(
        ("facet" = Vec<String>, Query, description = "Repeatable; a dotted path", example = json!(["kind"])),
        ("filter" = Option<Vec<String>>, Query, description = "Repeatable"),
    ),
    responses((status = 200, description = "`{facets: {path: [{value, count}]}}`", body = Object)),
)]
pub async fn get_entity_facets(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<Value>> {
    let selection = read::selection(&params.all("filter"), None)?;
    let lists = params.all("facet");
    // The client repeats the parameter; a comma list is understood as well.
    let facets = lists.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    answer(&app, &auth, facets, &selection)
}

/// The same, with a predicate in the body.
#[utoipa::path(
    post, path = "/entity-facets", tag = "backstage", operation_id = "query_entity_facets_by_predicate",
    params(("filter" = Option<Vec<String>>, Query, description = "Repeatable")),
    request_body(content = QueryEntityFacetsByPredicateRequest, example = json!({"facets": ["spec.type"], "query": {"kind": "component"}})),
    responses((status = 200, description = "`{facets: {path: [{value, count}]}}`", body = Object)),
)]
pub async fn query_entity_facets_by_predicate(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
    JsonBody(QueryEntityFacetsByPredicateRequest { facets, query }): JsonBody<QueryEntityFacetsByPredicateRequest>,
) -> ApiResult<Json<Value>> {
    let selection = read::selection(&params.all("filter"), query.as_ref())?;
    answer(&app, &auth, facets, &selection)
}

fn answer(
    app: &App,
    auth: &Authorized<ReadCatalog>,
    keys: Vec<String>,
    selection: &Selection,
) -> ApiResult<Json<Value>> {
    let keys: Vec<String> = keys.into_iter().filter(|key| !key.trim().is_empty()).collect();
    if keys.is_empty() {
        return Err(ApiError::bad("missing_facet", "Missing required facets: name at least one `facet`"));
    }
    if keys.len() > MOST {
        return Err(ApiError::parameter("facet", format!("at most {MOST} facets")));
    }
    let snapshot = app.catalog.snapshot();
    let (index, visibility) = (&snapshot.index, auth.visibility(&snapshot));
    let rows = index.select(selection, &visibility);
    let facets = index.facets(&keys, &rows, Values::All, &visibility).into_iter().map(|(key, values)| {
        let values = values.into_iter().map(|value| json!({ "value": value.value, "count": value.count }));
        (key, values.collect::<Value>())
    });
    Ok(Json(json!({ "facets": facets.collect::<Map<String, Value>>() })))
}
