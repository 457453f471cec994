//! `entities/by-refs`: many entities by reference, in the order asked for.

use axum::extract::State;
use axum::response::Response;
use portal_core::catalog::query::Selection;
use serde::Deserialize;
use serde_json::Value;

use super::read;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// The client sends 1 000 at most.
const MOST: usize = 10_000;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetEntitiesByRefsRequest {
    /// Canonical references, in lower case.
    entity_refs: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    /// A predicate that the entities must also match.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// Entities by reference: same length and order, `null` where there is none.
#[utoipa::path(
    post, path = "/entities/by-refs", tag = "backstage", operation_id = "get_entities_by_refs",
    params(("filter" = Option<Vec<String>>, Query, description = "Repeatable; others answer `null`")),
    request_body(content = GetEntitiesByRefsRequest, example = json!({"entityRefs": ["component:default/booking-api"]})),
    responses((status = 200, description = "`{items}`", body = Object)),
)]
pub async fn get_entities_by_refs(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
    JsonBody(body): JsonBody<GetEntitiesByRefsRequest>,
) -> ApiResult<Response> {
    let GetEntitiesByRefsRequest { entity_refs, fields, query } = body;
    if entity_refs.len() > MOST {
        return Err(ApiError::parameter("entityRefs", format!("at most {MOST} references")));
    }
    let fields = read::checked_fields(fields)?;
    let selection = read::selection(&params.all("filter"), query.as_ref())?;
    let snapshot = app.catalog.snapshot();
    let visible = auth.visibility(&snapshot);
    let unfiltered = selection == Selection::default();
    let selected = (!unfiltered).then(|| snapshot.index.select(&selection, &visible));
    let admitted = |row: &u32| match &selected {
        Some(rows) => rows.contains(*row),
        None => visible.admits(*row),
    };
    // Exactly as written: Backstage compares texts.
    let rows: Vec<Option<u32>> = entity_refs.iter().map(|name| snapshot.index.row_of(name).filter(admitted)).collect();
    let known: Vec<u32> = rows.iter().flatten().copied().collect();
    let found = app.catalog.documents.get(&app.db, &snapshot.index, &visible, &known).await?;
    let mut documents = found.iter();
    let items = rows.iter().map(|row| row.and_then(|_| documents.next()?.as_ref()));
    let mut text = b"{\"items\":".to_vec();
    read::append_list(&mut text, items, &fields);
    text.push(b'}');
    Ok(read::json(text))
}
