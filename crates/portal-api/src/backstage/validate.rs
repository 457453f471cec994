//! Judging what is not in the catalog: a descriptor, a location.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portal_core::catalog::validate::{nowhere, validate};
use serde::Deserialize;
use serde_json::{Value, json};

use super::store;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body::{self, BODY_LIMIT, JsonBody};
use crate::state::App;

/// Whether a descriptor would be accepted; nothing is stored.
///
/// An invalid one answers 400 with `errors`, whatever is wrong with it.
#[utoipa::path(
    post, path = "/validate-entity", tag = "backstage", operation_id = "validate_entity",
    request_body(content = Object, description = "`{entity, location}`; the location is `url:…`", example = json!({
        "location": "url:https://git.example.com/catalog-info.yaml",
        "entity": {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": {"name": "booking-api"},
            "spec": {"type": "service", "lifecycle": "production", "owner": "team-booking"}}})),
    responses((status = 200, description = "Valid"), (status = 400, description = "`{errors: [{name, message}]}`", body = Object)),
)]
pub async fn validate_entity(
    _auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    request: Request,
) -> ApiResult<Response> {
    let bytes: Bytes = body::read(request.into_body(), BODY_LIMIT).await?;
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
        return Ok(invalid(["the body is not JSON".to_owned()]));
    };
    let Some(location) = body.get("location").and_then(Value::as_str) else {
        return Ok(invalid(["`location` is missing; it is a reference like `url:https://host/path`".to_owned()]));
    };
    if location.strip_prefix("url:").is_none_or(str::is_empty) {
        let message =
            format!("Invalid location ref {location}, only 'url:<target>' is supported, e.g. url:https://host/path");
        return Ok(invalid([message]));
    }
    let faults = validate(body.get("entity").unwrap_or(&Value::Null), &app.catalog.snapshot().kinds, &nowhere);
    if faults.is_empty() {
        return Ok(StatusCode::OK.into_response());
    }
    Ok(invalid(faults.into_iter().map(|fault| match fault.pointer.as_str() {
        "" => fault.message,
        pointer => format!("{pointer} {}", fault.message),
    })))
}

fn invalid(messages: impl IntoIterator<Item = String>) -> Response {
    let errors = messages.into_iter().map(|message| json!({ "name": "InputError", "message": message }));
    (StatusCode::BAD_REQUEST, Json(json!({ "errors": errors.collect::<Value>() }))).into_response()
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalyzeLocationRequest {
    location: LocationTarget,
    /// Backstage's code and its document disagree about the capital letter.
    #[serde(alias = "catalogFileName")]
    #[expect(dead_code, reason = "accepted; what the place declares is known from its own readings")]
    catalog_filename: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct LocationTarget {
    #[serde(rename = "type")]
    location_type: String,
    target: String,
}

/// What a place declares already, else a descriptor to start with.
#[utoipa::path(
    post, path = "/analyze-location", tag = "backstage", operation_id = "analyze_location",
    request_body(content = AnalyzeLocationRequest, example = json!({"location": {"type": "url", "target": "https://github.com/kestrel-freight/booking"}})),
    responses((status = 200, description = "`{existingEntityFiles, generateEntities}`", body = Object)),
)]
pub async fn analyze_location(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    JsonBody(AnalyzeLocationRequest { location, .. }): JsonBody<AnalyzeLocationRequest>,
) -> ApiResult<Json<Value>> {
    let LocationTarget { location_type, target } = location;
    if location_type != "url" {
        return Err(ApiError::bad("unsupported_location", format!("Unsupported location type {location_type}")));
    }
    let url = url::Url::parse(&target)
        .map_err(|error| ApiError::bad("invalid_location", format!("`{target}` is not a URL: {error}")))?;
    let existing = declared_at(&app, &target, &auth).await?;
    let generated = if existing.is_empty() { json!([starter(&url)]) } else { json!([]) };
    Ok(Json(json!({ "existingEntityFiles": existing, "generateEntities": generated })))
}

/// The entities that sources with this target declare.
async fn declared_at(app: &App, target: &str, auth: &Authorized<ReadCatalog>) -> ApiResult<Vec<Value>> {
    let refs = store::refs_declared_at(app.db.reader(), target).await?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let rows: Vec<u32> =
        refs.iter().filter_map(|name| snapshot.index.row_of(name)).filter(|row| visibility.admits(*row)).collect();
    let found = app.catalog.documents.get(&app.db, &snapshot.index, &visibility, &rows).await?;
    let files = found.iter().flatten().map(|document| {
        let entity: Value = serde_json::from_slice(&document.json).unwrap_or_default();
        json!({ "location": { "type": "url", "target": target }, "isRegistered": true, "entity": entity })
    });
    Ok(files.collect())
}

/// A descriptor for a repository that has none.
fn starter(url: &url::Url) -> Value {
    let parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let repository = parts.get(1).or(parts.first()).copied().unwrap_or_else(|| url.host_str().unwrap_or("component"));
    let name: String = repository
        .trim_end_matches(".git")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' })
        .take(63)
        .collect();
    let name = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let mut metadata = json!({ "name": if name.is_empty() { "component" } else { name } });
    if let (Some("github.com"), [owner, repository, ..]) = (url.host_str(), parts.as_slice()) {
        let slug = format!("{owner}/{}", repository.trim_end_matches(".git"));
        metadata["annotations"] = json!({ "github.com/project-slug": slug });
    }
    let entity = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata,
        "spec": { "type": "other", "lifecycle": "unknown" },
    });
    json!({ "entity": entity, "fields": [] })
}
