//! Single entities, the whole list, and the writes on entities.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::catalog::query::Order;
use serde::{Deserialize, Serialize};

use super::{cursor, read};
use crate::catalog::permission::check_write;
use crate::catalog::prune::Fields;
use crate::catalog::view::Snapshot;
use crate::catalog::{lists, service, store};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, WriteCatalog};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Documents of one piece of a stream.
const PIECE: usize = 200;

pub(super) type RefPath = Path<(String, String, String)>;

/// The place in a list that `after` stands for.
#[derive(Debug, Serialize, Deserialize)]
struct After {
    limit: usize,
    offset: usize,
}

/// Entities as a JSON list: a page with `limit`, `offset` or `after`, else all
/// that match, as a stream.
#[utoipa::path(
    get, path = "/entities", tag = "backstage", operation_id = "get_entities",
    params(
        ("filter" = Option<Vec<String>>, Query, description = "Repeatable; `key` or `key=value`, joined by commas", example = json!(["kind=component"])),
        ("order" = Option<Vec<String>>, Query, description = "Repeatable; `asc:field` or `desc:field`", example = json!(["asc:metadata.name"])),
        ("fields" = Option<String>, Query, description = "Comma list of paths to keep"),
        ("limit" = Option<u64>, Query, minimum = 0, description = "Entities of a page", example = 20),
        ("offset" = Option<u64>, Query, minimum = 0, description = "Entities to skip"),
        ("after" = Option<String>, Query, description = "From the `link` header of the page before"),
    ),
    responses((status = 200, description = "The entities", body = Vec<Object>)),
)]
pub async fn get_entities(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    RawQuery(raw): RawQuery,
    mut params: Params,
) -> ApiResult<Response> {
    let fields = read::fields(&mut params)?;
    let selection = read::selection(&params.all("filter"), None)?;
    let orders = params.all("order").iter().map(|text| Order::parse_prefixed(text)).collect::<Result<Vec<_>, _>>();
    let orders = orders.map_err(|error| ApiError::parameter("order", error.to_string()))?;
    let (mut limit, mut offset) = (read::count(&mut params, "limit")?, read::count(&mut params, "offset")?);
    if let Some(text) = params.all("after").into_iter().next() {
        let after: After = serde_json::from_slice(&cursor::decode(&text)?)
            .map_err(|_| cursor::malformed("it is not from a `link` header"))?;
        (limit, offset) = (Some(after.limit), Some(after.offset));
    }
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let selected = snapshot.index.select(&selection, &visibility);
    let rows = snapshot.index.ordered(&selected, &orders, &visibility);
    let (limit_or_all, skipped) = (limit.unwrap_or(usize::MAX), offset.unwrap_or(0));
    let more = limit.filter(|limit| *limit > 0 && rows.len() > skipped.saturating_add(*limit));
    let rows: Vec<u32> = rows.into_iter().skip(skipped).take(limit_or_all).collect();
    let mut response = stream_of(app, snapshot, visibility, rows, fields);
    if let Some(limit) = more {
        let after = After { limit, offset: skipped + limit };
        let after = cursor::encode(&serde_json::to_vec(&after).unwrap_or_default());
        if let Ok(link) = HeaderValue::from_str(&link(raw.as_deref().unwrap_or_default(), &after)) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// The same query with another place.
fn link(raw: &str, after: &str) -> String {
    let kept = url::form_urlencoded::parse(raw.as_bytes())
        .filter(|(name, _)| !["limit", "offset", "after"].contains(&name.as_ref()));
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("after", after).finish();
    format!("</entities?{query}>; rel=\"next\"")
}

fn stream_of(app: App, snapshot: Arc<Snapshot>, visibility: Visibility, rows: Vec<u32>, fields: Fields) -> Response {
    let pieces: Vec<Vec<u32>> = rows.chunks(PIECE).map(<[u32]>::to_vec).collect();
    let last = pieces.len();
    let pieces = pieces.into_iter().enumerate().collect::<Vec<_>>().into_iter();
    let stream = stream::unfold((pieces, true), move |(mut pieces, mut first)| {
        let (app, snapshot, fields) = (app.clone(), snapshot.clone(), fields.clone());
        let visibility = visibility.clone();
        async move {
            let Some((number, rows)) = pieces.next() else {
                // Nothing at all is a list, too.
                return first.then(|| (Ok(Bytes::from_static(b"[]")), (pieces, false)));
            };
            let found = app.catalog.documents.get(&app.db, &snapshot.index, &visibility, &rows).await;
            let piece = found.map(|documents| {
                let mut body = Vec::new();
                body.extend_from_slice(if number == 0 { b"[" } else { b"" });
                for document in documents.iter().flatten() {
                    if !std::mem::replace(&mut first, false) {
                        body.push(b',');
                    }
                    read::append(&mut body, Some(document), &fields);
                }
                body.extend_from_slice(if number + 1 == last { b"]" } else { b"" });
                Bytes::from(body)
            });
            // The head is sent: a failure can only end the body early.
            Some((piece.map_err(|error| std::io::Error::other(error.to_string())), (pieces, false)))
        }
    });
    // Compression looks for more after the end, which `unfold` answers with a panic.
    read::json_stream(Body::from_stream(stream.fuse()))
}

/// An entity by its unique id.
#[utoipa::path(
    get, path = "/entities/by-uid/{uid}", tag = "backstage", operation_id = "get_entity_by_uid",
    params(("uid" = String, Path, example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    responses((status = 200, description = "The entity", body = Object)),
)]
pub async fn get_entity_by_uid(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(uid): Path<String>,
) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let row = snapshot.index.row_by_uid(&uid).filter(|row| visibility.admits(*row));
    let absent = || ApiError::not_found("entity_not_found", format!("No entity with uid {uid}"));
    one(&app, &snapshot.index, &visibility, row).await?.ok_or_else(absent)
}

/// An entity by kind, namespace and name, in any case.
#[utoipa::path(
    get, path = "/entities/by-name/{kind}/{namespace}/{name}", tag = "backstage", operation_id = "get_entity_by_name",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
    ),
    responses((status = 200, description = "The entity", body = Object)),
)]
pub async fn get_entity_by_name(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let row = named(&snapshot.index, &parts, &visibility);
    one(&app, &snapshot.index, &visibility, row).await?.ok_or_else(|| no_entity_named(&parts))
}

pub(super) fn named(index: &CatalogIndex, parts: &(String, String, String), visibility: &Visibility) -> Option<u32> {
    let (kind, namespace, name) = parts;
    index.row(&EntityRef::new(kind, namespace, name)).filter(|row| visibility.admits(*row))
}

pub(super) fn no_entity_named((kind, namespace, name): &(String, String, String)) -> ApiError {
    let detail = format!("No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'");
    ApiError::not_found("entity_not_found", detail)
}

async fn one(
    app: &App,
    index: &CatalogIndex,
    visibility: &Visibility,
    row: Option<u32>,
) -> ApiResult<Option<Response>> {
    let Some(row) = row else { return Ok(None) };
    let found = app.catalog.documents.get(&app.db, index, visibility, &[row]).await?;
    Ok(found.into_iter().flatten().next().map(|document| read::json(document.json.clone())))
}

/// Removes an entity. One that a source declares comes back with its next
/// reading, which this asks for.
#[utoipa::path(
    delete, path = "/entities/by-uid/{uid}", tag = "backstage", operation_id = "delete_entity_by_uid",
    params(("uid" = String, Path, example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    responses((status = 204, description = "Removed, or there was none")),
)]
pub async fn delete_entity_by_uid(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    Path(uid): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    let snapshot = app.catalog.snapshot();
    let row = snapshot.index.row_by_uid(&uid).filter(|row| auth.visibility(&snapshot).admits(*row));
    let Some(entity_ref) = row.and_then(|row| snapshot.index.entity_ref(row)) else {
        return Ok(StatusCode::NO_CONTENT);
    };
    check_write(&app, &auth, &snapshot, &entity_ref, None).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let Some(current) = store::by_uid(txn, &uid).await? else { return Ok(None) };
            let Some(entity_ref) = current.entity.entity_ref() else { return Ok(None) };
            match current.source_id.filter(|_| current.orphan_since.is_none()) {
                // Its document still stands there: what it says holds.
                Some(source) => super::ask_for_reading(txn, source, &writing).await?,
                None => {
                    service::remove(txn, &writing, &[entity_ref.to_string()]).await?;
                }
            }
            Ok::<_, ApiError>(Some(crate::changes::store::last_seq(txn).await?))
        })
    });
    if let Some(seq) = work.await? {
        lists::wait(&app, seq).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshEntityRequest {
    entity_ref: String,
}

/// Asks for the source of an entity to be read again.
#[utoipa::path(
    post, path = "/refresh", tag = "backstage", operation_id = "refresh_entity",
    request_body(content = RefreshEntityRequest, example = json!({"entityRef": "component:default/booking-api"})),
    responses((status = 200, description = "It will be read soon")),
)]
pub async fn refresh_entity(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    request_id: RequestId,
    JsonBody(RefreshEntityRequest { entity_ref }): JsonBody<RefreshEntityRequest>,
) -> ApiResult<Response> {
    let wanted: EntityRef = entity_ref.parse().map_err(|error| ApiError::parameter("entityRef", format!("{error}")))?;
    let snapshot = app.catalog.snapshot();
    let row = snapshot.index.row(&wanted).filter(|row| auth.visibility(&snapshot).admits(*row));
    if row.is_none() {
        return Err(ApiError::not_found("entity_not_found", format!("No such entity {entity_ref}")));
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if let Some(source) = store::by_ref(txn, &wanted.to_string()).await?.and_then(|state| state.source_id) {
                super::ask_for_reading(txn, source, &writing).await?;
            }
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::OK.into_response())
}
