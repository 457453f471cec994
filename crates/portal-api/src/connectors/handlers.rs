//! Connectors over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::connectors::{ConnectorCreate, ConnectorList, ConnectorUpdate, ConnectorView};

use super::usage::Usage;
use super::views::Showing;
use super::{Connector, service, store};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, Permission, ReadOperations, WriteSources};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

/// Connectors that are kept in the database.
const MOST: u64 = 200;

/// All connectors, without their secrets: those from `portal.toml`, then the others by name.
#[utoipa::path(
    get, path = "/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, description = "All connectors", body = ConnectorList)),
)]
pub async fn list_connectors(
    auth: Authorized<ReadOperations>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<ConnectorList>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let showing = Showing::new(&app, &snapshot, auth.visibility(&snapshot)).await?;
    let items: Vec<ConnectorView> = super::all(&app).await?.iter().map(|connector| showing.view(connector)).collect();
    let total = items.len() as u64;
    Ok(Json(ConnectorList { items, next_cursor: None, total }))
}

/// Adds a connector. Its address stays within `[egress]` of `portal.toml`, and its secrets
/// are sealed. It can be used at once, on every replica.
#[utoipa::path(
    post, path = "/connectors", tag = "connectors", operation_id = "create_connector",
    request_body(content = ConnectorCreate, example = json!({
        "name": "ci", "kind": "github", "url": "https://api.github.com", "credential": "ghp_…", "limit": 4})),
    responses((status = 201, description = "Added", body = ConnectorView,
        headers(("Location" = String, description = "Path of the connector")))),
)]
pub async fn create_connector(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    JsonBody(create): JsonBody<ConnectorCreate>,
) -> ApiResult<Response> {
    params.finish()?;
    let writing = auth.writing(&app, &request_id);
    let connector = service::draft(&app, create, &writing).await?;
    let added = connector.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if store::count(txn).await? >= MOST {
                let why = format!("the database keeps at most {MOST} connectors; more fit into `portal.toml`");
                return Err(ApiError::conflict("too_many_connectors", why));
            }
            let name = connector.config.name.clone();
            // The key of the table tells, also where another replica is as quick.
            service::add(txn, &writing, connector).await.map_err(|error| match error {
                DbError::Unique(_) => {
                    ApiError::conflict("connector_exists", format!("there is a connector `{name}` already"))
                }
                other => other.into(),
            })
        })
    });
    work.await?;
    let location = format!("/api/v1/connectors/{}", added.config.name);
    let shown = shown(&auth, &app, &added.into()).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], shown).into_response())
}

/// One connector, without its secrets.
#[utoipa::path(
    get, path = "/connectors/{name}", tag = "connectors", operation_id = "find_connector",
    params(("name" = String, Path, example = "platform")),
    responses((status = 200, description = "The connector", body = ConnectorView)),
)]
pub async fn find_connector(
    auth: Authorized<ReadOperations>,
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> ApiResult<Response> {
    params.finish()?;
    let connector = super::find(&app, &name).await?.ok_or_else(|| absent(&name))?;
    shown(&auth, &app, &connector).await
}

/// Changes a connector; one from `portal.toml` can only be changed there. What is under way
/// ends as it began; its limit and rests begin anew.
#[utoipa::path(
    patch, path = "/connectors/{name}", tag = "connectors", operation_id = "update_connector",
    params(
        ("name" = String, Path, example = "platform"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version that this changes"),
    ),
    request_body(content = ConnectorUpdate, description = "Absent fields stay, also secrets; `null` clears", example = json!({"limit": 4})),
    responses((status = 200, description = "As it is now", body = ConnectorView)),
)]
pub async fn update_connector(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
    headers: HeaderMap,
    JsonBody(update): JsonBody<ConnectorUpdate>,
) -> ApiResult<Response> {
    params.finish()?;
    service::require_own(&app, &name)?;
    let current = store::find(app.db.reader(), &name).await?.ok_or_else(|| absent(&name))?;
    etag::require_match(&headers, Some(&current.stored.etag))?;
    let writing = auth.writing(&app, &request_id);
    let Some(amended) = service::amend(&app, &current, update, &writing).await? else {
        return shown(&auth, &app, &current.into()).await;
    };
    let changed = amended.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let now = store::find(txn, &name).await?.ok_or_else(|| absent(&name))?;
            etag::require_unchanged(&current.stored.etag, &now.stored.etag)?;
            Ok::<_, ApiError>(service::replace(txn, &writing, &current, amended).await?)
        })
    });
    work.await?;
    shown(&auth, &app, &changed.into()).await
}

/// Removes a connector. One that actions or templates of trusted sources name is removed
/// with `force` only: their runs would fail at the step that names it.
#[utoipa::path(
    delete, path = "/connectors/{name}", tag = "connectors", operation_id = "delete_connector",
    params(
        ("name" = String, Path, example = "platform"),
        ("force" = Option<bool>, Query, description = "Although it is used"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version to remove"),
    ),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_connector(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    Path(name): Path<String>,
    mut params: Params,
    request_id: RequestId,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let is_forced = params.flag("force")?;
    params.finish()?;
    // One that `portal.toml` hides is used by nobody, and can go.
    let is_hidden = super::configured(&app, &name).is_some();
    let Some(current) = store::find(app.db.reader(), &name).await? else {
        service::require_own(&app, &name)?;
        return Err(absent(&name));
    };
    etag::require_match(&headers, Some(&current.stored.etag))?;
    if !is_forced && !is_hidden {
        require_unused(&auth, &app, &name).await?;
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let now = store::find(txn, &name).await?.ok_or_else(|| absent(&name))?;
            etag::require_match(&headers, Some(&now.stored.etag))?;
            Ok::<_, ApiError>(service::remove(txn, &writing, &now).await?)
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn require_unused(auth: &Authorized<WriteSources>, app: &App, name: &str) -> ApiResult<()> {
    let snapshot = app.catalog.snapshot();
    let usage = Usage::read(app.db.reader()).await?;
    let (seen, hidden) = usage.of(name, &snapshot, &auth.visibility(&snapshot));
    if seen.is_empty() && hidden == 0 {
        return Ok(());
    }
    let mut users: Vec<String> = seen.iter().take(10).map(|user| format!("`{user}`")).collect();
    let more = hidden + seen.len().saturating_sub(users.len()) as u64;
    users.extend((more > 0).then(|| format!("{more} more")));
    let why = format!(
        "connector `{name}` is used by {}; change them first, or remove it all the same with `force=true`: their runs will fail",
        users.join(", ")
    );
    Err(ApiError::conflict("connector_in_use", why))
}

/// A connector under its tag, where it has one.
async fn shown<P: Permission>(auth: &Authorized<P>, app: &App, connector: &Connector) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let view = Showing::new(app, &snapshot, auth.visibility(&snapshot)).await?.view(connector);
    let tag = view.etag.as_deref().map(|tag| [(header::ETAG, etag::header_value(tag))]);
    Ok((tag.map(HeaderMap::from_iter).unwrap_or_default(), Json(view)).into_response())
}

pub(super) fn absent(name: &str) -> ApiError {
    let name: String = name.chars().take(60).collect();
    ApiError::not_found(
        "connector_not_found",
        format!("there is no connector `{name}`; /api/v1/connectors lists what there is"),
    )
}
