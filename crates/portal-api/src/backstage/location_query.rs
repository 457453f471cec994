//! `locations/by-query`: locations that match a predicate, page by page.

use axum::Json;
use axum::extract::State;
use portal_core::catalog::query::Predicate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cursor;
use super::locations::{Location, all};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadSources};
use crate::http::body::JsonBody;
use crate::state::App;

const LIMIT: usize = 1000;
const KEYS: [&str; 4] = ["id", "type", "target", "entityref"];

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct GetLocationsByQueryRequest {
    limit: Option<usize>,
    /// From `pageInfo`; wins over `query`.
    cursor: Option<String>,
    /// A predicate on `id`, `type`, `target` and `entityRef`.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// What a cursor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    limit: usize,
    after_id: i64,
    query: Option<Value>,
}

/// Locations that match, page by page.
#[utoipa::path(
    post, path = "/locations/by-query", tag = "backstage", operation_id = "get_locations_by_query",
    request_body(content = GetLocationsByQueryRequest, example = json!({"query": {"type": "url"}, "limit": 100})),
    responses((status = 200, description = "`{items, totalItems, pageInfo}`", body = Object)),
)]
pub async fn get_locations_by_query(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    JsonBody(body): JsonBody<GetLocationsByQueryRequest>,
) -> ApiResult<Json<Value>> {
    let GetLocationsByQueryRequest { limit, cursor, query } = body;
    let place = match cursor {
        None => Place { limit: limit.unwrap_or(LIMIT), after_id: i64::MIN, query },
        Some(text) => {
            let place: Place = serde_json::from_slice(&cursor::decode(&text)?)
                .map_err(|_| cursor::malformed("it is not from this list"))?;
            Place { limit: limit.unwrap_or(place.limit), ..place }
        }
    };
    let predicate = place.query.as_ref().map(Predicate::parse).transpose();
    let predicate =
        predicate.map_err(|error| ApiError::bad("invalid_query", format!("Invalid filter predicate: {error}")))?;
    let mut matching = Vec::new();
    // A predicate is judged even where there is no location, so that a wrong one is always told.
    let nothing =
        Location { id: String::new(), location_type: "url", target: String::new(), entity_ref: String::new() };
    predicate.as_ref().map(|predicate| holds(predicate, &nothing)).transpose()?;
    for (source, location) in all(&app).await? {
        if predicate.as_ref().is_none_or(|predicate| holds(predicate, &location).unwrap_or(false)) {
            matching.push((source.id, location));
        }
    }
    let total = matching.len();
    matching.retain(|(id, _)| *id > place.after_id);
    let more = place.limit > 0 && matching.len() > place.limit;
    matching.truncate(place.limit);
    let mut page_info = json!({});
    if let Some((last, _)) = matching.last().filter(|_| more) {
        let next = Place { limit: place.limit, after_id: *last, query: place.query };
        page_info["nextCursor"] = json!(cursor::encode(&serde_json::to_vec(&next).unwrap_or_default()));
    }
    let items: Vec<&Location> = matching.iter().map(|(_, location)| location).collect();
    Ok(Json(json!({ "items": items, "totalItems": total, "pageInfo": page_info })))
}

/// Whether a location matches; every part is judged, for the errors.
fn holds(predicate: &Predicate, location: &Location) -> ApiResult<bool> {
    let each = |parts: &[Predicate]| parts.iter().map(|part| holds(part, location)).collect::<ApiResult<Vec<_>>>();
    let value = |key: &str| match key {
        "id" => Ok(location.id.to_lowercase()),
        "type" => Ok(location.location_type.to_owned()),
        "target" => Ok(location.target.to_lowercase()),
        "entityref" => Ok(location.entity_ref.to_lowercase()),
        other => {
            Err(ApiError::bad("invalid_query", format!("Invalid field `{other}`, expected one of {}", KEYS.join(", "))))
        }
    };
    match predicate {
        // As there: nothing to hold is no match here.
        Predicate::All(parts) => Ok(!parts.is_empty() && each(parts)?.into_iter().all(|part| part)),
        Predicate::Any(parts) => Ok(each(parts)?.into_iter().any(|part| part)),
        Predicate::Not(part) => Ok(!holds(part, location)?),
        Predicate::Exists { key, exists } => value(key).map(|_| *exists),
        Predicate::In { key, values } | Predicate::Is { key, values } => {
            value(key).map(|value| values.contains(&value))
        }
        Predicate::HasPrefix { key, prefix } => value(key).map(|value| value.starts_with(prefix)),
        Predicate::Contains { key, value: wanted } => value(key).map(|value| value == *wanted),
        Predicate::Relation { .. } => value("relations").map(|_| false),
    }
}
