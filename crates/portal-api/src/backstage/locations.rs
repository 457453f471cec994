//! Locations: sources of type `http`, as Backstage sees them.
//!
//! A location's id stands for its row, so that it stays when the target moves.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portal_core::catalog::EntityRef;
use portal_core::sources::wire::{SourceCreate, SourceType, SourceUpdate};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::db::{DbResult, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{AddSources, Authorized, ReadSources, WriteSources};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::sources::fetch::Request;
use crate::sources::ingest::preview;
use crate::sources::reading::RecordedFault;
use crate::sources::store::{self, Source};
use crate::sources::{Trigger, jobs, service};
use crate::state::App;

/// A registered place that declares entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    pub id: String,
    #[serde(rename = "type")]
    pub location_type: &'static str,
    pub target: String,
    pub entity_ref: String,
}

/// A place to register.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct LocationInput {
    /// Only `url`.
    #[serde(rename = "type")]
    location_type: String,
    target: String,
}

/// All locations.
#[utoipa::path(
    get, path = "/locations", tag = "backstage", operation_id = "get_locations",
    responses((status = 200, description = "`[{data: location}]`", body = Vec<Object>)),
)]
pub async fn get_locations(_auth: Authorized<ReadSources>, State(app): State<App>) -> ApiResult<Json<Value>> {
    let locations = all(&app).await?;
    Ok(Json(locations.iter().map(|(_, location)| json!({ "data": location })).collect()))
}

/// Registers a place; with `dryRun=true` only shows what it declares.
#[utoipa::path(
    post, path = "/locations", tag = "backstage", operation_id = "create_location",
    params(
        ("dryRun" = Option<bool>, Query, description = "Reads the place and stores nothing"),
        ("onConflict" = Option<String>, Query, pattern = "^(reject|refresh)$", description = "`reject` (when absent) or `refresh` a place that is registered"),
    ),
    request_body(content = LocationInput, example = json!({"type": "url", "target": "https://git.example.com/catalog-info.yaml"})),
    responses((status = 201, description = "`{location, entities, exists}`", body = Object)),
)]
pub async fn create_location(
    auth: Authorized<AddSources>,
    State(app): State<App>,
    request_id: RequestId,
    mut params: Params,
    JsonBody(input): JsonBody<LocationInput>,
) -> ApiResult<Response> {
    let target = url_target(input)?;
    let dry_run = params.all("dryRun").first().is_some_and(|flag| flag == "true");
    let refreshes = match params.all("onConflict").first().map(String::as_str) {
        None | Some("reject") => false,
        Some("refresh") => true,
        Some(other) => {
            return Err(ApiError::parameter("onConflict", format!("`{other}` is neither `refresh` nor `reject`")));
        }
    };
    let existing = all(&app).await?.into_iter().find(|(source, _)| source.target == target);
    let writing = auth.writing(&app, &request_id);
    if dry_run {
        let entities = declared(&app, &target).await?;
        let location =
            Location { id: format!("url:{target}"), location_type: "url", entity_ref: entity_ref(&target), target };
        return Ok(created(&location, entities, Some(existing.is_some())));
    }
    if let Some((source, location)) = existing {
        if !refreshes {
            return Err(exists(&target));
        }
        let at = writing.at;
        let work = app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { jobs::ask(txn, source.id, Trigger::Manual, at).await })
        });
        work.await.map_err(ApiError::from)?;
        return Ok(created(&location, Vec::new(), Some(true)));
    }
    let create = SourceCreate {
        source_type: SourceType::Http,
        target: target.clone(),
        branch: None,
        globs: Vec::new(),
        trusted: false,
        interval_seconds: None,
        credential: None,
        webhook_secret: None,
    };
    let draft = service::draft(&app.sources, create, app.config.catalog.interval_seconds, writing.at).await?;
    let mut added = draft.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { service::add(txn, &writing, draft, Trigger::Start).await })
    });
    let stored: DbResult<Option<i64>> = work.await;
    added.id = stored?.ok_or_else(|| exists(&target))?;
    Ok(created(&view(&added), Vec::new(), None))
}

/// A location by its id.
#[utoipa::path(
    get, path = "/locations/{id}", tag = "backstage", operation_id = "get_location",
    params(("id" = String, Path, example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    responses((status = 200, description = "The location", body = Location)),
)]
pub async fn get_location(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<Json<Location>> {
    Ok(Json(by_id(&app, &id).await?.1))
}

/// Moves a location to another target.
#[utoipa::path(
    put, path = "/locations/{id}", tag = "backstage", operation_id = "update_location",
    params(("id" = String, Path, example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    request_body(content = LocationInput, example = json!({"type": "url", "target": "https://git.example.com/moved.yaml"})),
    responses((status = 200, description = "As it is now", body = Location)),
)]
pub async fn update_location(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    Path(id): Path<String>,
    request_id: RequestId,
    JsonBody(input): JsonBody<LocationInput>,
) -> ApiResult<Json<Location>> {
    let target = url_target(input)?;
    let (stored, _) = by_id(&app, &id).await?;
    if all(&app).await?.iter().any(|(source, _)| source.target == target && source.id != stored.id) {
        return Err(exists(&target));
    }
    let update = SourceUpdate { target: Some(target), ..SourceUpdate::default() };
    let amended = service::amend(&app.sources, &stored, update).await?;
    let location = view(&amended);
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let current = store::find(txn, stored.id).await?.ok_or_else(|| no_location(&id))?;
            let mut source = amended;
            let etag = source.etag.clone();
            service::keep_history(&mut source, &current);
            source.etag = etag;
            service::replace(txn, &writing, &current, source).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(Json(location))
}

/// Removes a location; what it declared becomes orphaned.
#[utoipa::path(
    delete, path = "/locations/{id}", tag = "backstage", operation_id = "delete_location",
    params(("id" = String, Path, example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_location(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    Path(id): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    let (source, _) = by_id(&app, &id).await?;
    service::require_own(&source, "removed")?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { service::remove(txn, &writing, &source).await })
    });
    work.await.map_err(ApiError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The location that a `Location` entity stands for.
#[utoipa::path(
    get, path = "/locations/by-entity/{kind}/{namespace}/{name}", tag = "backstage", operation_id = "get_location_by_entity",
    params(
        ("kind" = String, Path, example = "location"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "generated-0123"),
    ),
    responses((status = 200, description = "The location", body = Location)),
)]
pub async fn get_location_by_entity(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> ApiResult<Json<Location>> {
    let wanted = EntityRef::new(&kind, &namespace, &name).to_string();
    let found = all(&app).await?.into_iter().find(|(_, location)| location.entity_ref == wanted);
    let absent = || ApiError::not_found("location_not_found", format!("Found no location for entity {wanted}"));
    found.map(|(_, location)| Json(location)).ok_or_else(absent)
}

/// Every location with its source, in the order of registration.
pub(super) async fn all(app: &App) -> ApiResult<Vec<(Source, Location)>> {
    let sources = store::list(app.db.reader()).await?;
    let locations = sources.into_iter().filter(|source| source.source_type == SourceType::Http);
    Ok(locations.map(|source| (source.clone(), view(&source))).collect())
}

async fn by_id(app: &App, id: &str) -> ApiResult<(Source, Location)> {
    all(app).await?.into_iter().find(|(_, location)| location.id == id).ok_or_else(|| no_location(id))
}

fn view(source: &Source) -> Location {
    Location {
        id: id_of(source),
        location_type: "url",
        target: source.target.clone(),
        entity_ref: entity_ref(&source.target),
    }
}

fn id_of(source: &Source) -> String {
    let row = format!("location {} {}", source.id, source.created_at.timestamp_micros());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, row.as_bytes()).to_string()
}

/// Backstage's name for the `Location` entity of a registered place.
fn entity_ref(target: &str) -> String {
    format!("location:default/generated-{}", hex::encode(Sha1::digest(format!("url:{target}"))))
}

fn url_target(LocationInput { location_type, target }: LocationInput) -> ApiResult<String> {
    if location_type != "url" {
        return Err(ApiError::bad(
            "unsupported_location",
            format!("Unsupported location type {location_type}, use url"),
        ));
    }
    Ok(target.trim().to_owned())
}

fn exists(target: &str) -> ApiError {
    ApiError::conflict("location_exists", format!("Location url:{target} already exists"))
}

fn no_location(id: &str) -> ApiError {
    ApiError::not_found("location_not_found", format!("Found no location with ID {id}"))
}

fn created(location: &Location, entities: Vec<Value>, exists: Option<bool>) -> Response {
    let mut body = json!({ "location": location, "entities": entities });
    if let Some(exists) = exists {
        body["exists"] = json!(exists);
    }
    (StatusCode::CREATED, Json(body)).into_response()
}

/// Everything that a place would declare, the location itself first, as its
/// first reading would find it.
///
/// # Errors
/// 400 when the place cannot be read, or something in it is wrong.
async fn declared(app: &App, target: &str) -> ApiResult<Vec<Value>> {
    let request = Request {
        source_type: SourceType::Http,
        target: target.to_owned(),
        branch: None,
        globs: Vec::new(),
        trusted: false,
        credential: None,
    };
    let unreadable = |reason: String| ApiError::bad("unreadable_location", format!("Unable to read url, {reason}"));
    let files = preview::read(app, &request).await.map_err(|error| unreadable(error.to_string()))?;
    let name = entity_ref(target);
    let place = format!("url:{target}");
    let mut entities = vec![json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {
            "name": name.rsplit('/').next(),
            "namespace": "default",
            "annotations": { "backstage.io/managed-by-location": place, "backstage.io/managed-by-origin-location": place },
        },
        "spec": { "type": "url", "target": target },
    })];
    let mut seen = HashSet::new();
    for document in
        files.files.iter().flat_map(|file| file.documents.iter().map(move |document| (&file.file, document)))
    {
        let (file, document) = document;
        let wrong =
            |message: &str, line: u32| ApiError::bad("invalid_location", format!("{file}, line {line}: {message}"));
        if let Some(RecordedFault { fault, .. }) = document.faults.first() {
            return Err(wrong(&fault.message, fault.line));
        }
        let Some(entity) = &document.entity else { continue };
        if let Some(name) = document.entity_ref.as_ref().filter(|name| !seen.insert((*name).clone())) {
            return Err(wrong(&format!("Duplicate nested entity: {name}"), document.line));
        }
        entities.push(entity.0.clone());
    }
    Ok(entities)
}
