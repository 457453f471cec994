//! Drafts and published versions over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::access::Verb;
use portal_core::actions::definition;
use portal_core::actions::wire::{ActionText, ActionVersion, ActionVersionList};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::document::{self, Budget};
use portal_core::problem::FieldError;
use portal_core::templates::definition::Finding;

use super::store::{self, NewVersion, VersionRow};
use super::{action_of, change, reference_of, tag, view};
use crate::catalog::permission::may_write;
use crate::catalog::service::{self, Upserted};
use crate::catalog::store as catalog;
use crate::catalog::writes::{api_draft, checked, declared_elsewhere, invalid};
use crate::changes;
use crate::db::{DatabaseTransaction, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, WriteCatalog};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::cursor;
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

type ActionPath = Path<(String, String)>;

/// Drafts that are looked at for those that are the caller's.
const DRAFTS: u64 = 500;

/// Versions of an action that the portal keeps, newest first; for those who may change it.
#[utoipa::path(
    get, path = "/actions/{namespace}/{name}/versions", tag = "actions", operation_id = "list_action_versions",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "provision-database"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "Some versions, without their texts; none of an action that a source declares", body = ActionVersionList)),
)]
pub async fn list_action_versions(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): ActionPath,
    mut params: Params,
) -> ApiResult<Json<ActionVersionList>> {
    let limit = params.number("limit", 25, 1..=200)?;
    let before = params.cursor::<i32>()?;
    params.finish()?;
    let action_ref = reference(&parts);
    may_see(&app, &auth, &action_ref).await?;
    let name = action_ref.to_string();
    let rows = store::of_action(app.db.reader(), &name, before, limit + 1).await?;
    let total = store::count(app.db.reader(), &name).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, |row| row.number);
    let current = current(&app, &name).await?;
    let items = rows.into_iter().map(|row| view(row, current, false)).collect();
    Ok(Json(ActionVersionList { items, next_cursor, total }))
}

/// A version with its text.
#[utoipa::path(
    get, path = "/actions/{namespace}/{name}/versions/{number}", tag = "actions", operation_id = "find_action_version",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "provision-database"),
        ("number" = u32, Path, example = 1),
    ),
    responses((status = 200, description = "The version", body = ActionVersion)),
)]
pub async fn find_action_version(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name, number)): Path<(String, String, String)>,
    params: Params,
) -> ApiResult<Response> {
    params.finish()?;
    let action_ref = reference(&(namespace, name));
    may_see(&app, &auth, &action_ref).await?;
    let row = version(&app, &action_ref, &number).await?;
    let current = current(&app, &row.action_ref).await?;
    let tags = [(header::ETAG, etag::header_value(&tag(&row)))];
    Ok((tags, Json(view(row, current, true))).into_response())
}

/// Stores what is being written: the one draft of an action, which nobody can run but to try it out.
///
/// It may still have faults. `If-Match` refuses it when somebody else has written meanwhile.
#[utoipa::path(
    put, path = "/actions/{namespace}/{name}/draft", tag = "actions", operation_id = "put_action_draft",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "say-hello"),
        ("If-Match" = Option<String>, Header, description = "Etag of the draft that this replaces"),
    ),
    request_body(content = ActionText, example = json!({"text": "apiVersion: portal.dev/v1alpha1\nkind: Action\nmetadata:\n  name: say-hello\nspec:\n  owner: team-a\n  steps:\n    - action: debug:log\n      input: { message: hello }\n"})),
    responses((status = 200, description = "The draft", body = ActionVersion)),
)]
pub async fn put_action_draft(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    Path(parts): ActionPath,
    request_id: RequestId,
    headers: HeaderMap,
    params: Params,
    JsonBody(ActionText { text }): JsonBody<ActionText>,
) -> ApiResult<Response> {
    params.finish()?;
    let action_ref = reference(&parts);
    let entity = action_of(&text)?;
    let found = reference_of(&entity)?;
    if found != action_ref {
        return Err(ApiError::field("/text", format!("the text is `{found}`, the path names `{action_ref}`")));
    }
    may_write(&app, &auth.principal, &app.catalog.snapshot(), &action_ref, Some(&entity)).await?;
    let (writing, author) = (auth.writing(&app, &request_id), auth.principal.name.clone());
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let name = action_ref.to_string();
            is_ours(txn, &action_ref).await?;
            let newest = store::newest(txn, &name).await?;
            let number = newest.as_ref().map_or(1, |row| row.number + 1);
            let draft = newest.filter(|row| row.state == store::DRAFT);
            etag::require_match(&headers, draft.as_ref().map(tag).as_deref())?;
            let number = draft.as_ref().map_or(number, |row| row.number);
            let new = NewVersion {
                action_ref: name.clone(),
                number,
                state: store::DRAFT,
                text,
                author,
                trusted: false,
                entity_etag: None,
                at: writing.at,
            };
            let row = store::put(txn, draft, new).await?;
            changes::store::append(txn, &writing, vec![change(&name, number, "draft")]).await?;
            Ok::<_, ApiError>(row)
        })
    });
    let row = work.await?;
    Ok(([(header::ETAG, etag::header_value(&tag(&row)))], Json(view(row, None, true))).into_response())
}

/// Throws the draft of an action away.
#[utoipa::path(
    delete, path = "/actions/{namespace}/{name}/draft", tag = "actions", operation_id = "delete_action_draft",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "say-hello"),
        ("If-Match" = Option<String>, Header, description = "Etag of the draft"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete_action_draft(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    Path(parts): ActionPath,
    request_id: RequestId,
    headers: HeaderMap,
    params: Params,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let action_ref = reference(&parts);
    may_change(&app, &auth.principal, &action_ref).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let name = action_ref.to_string();
            let newest = store::newest(txn, &name).await?;
            let draft = newest
                .filter(|row| row.state == store::DRAFT)
                .ok_or_else(|| ApiError::not_found("draft_not_found", format!("`{name}` has no draft")))?;
            etag::require_match(&headers, Some(&tag(&draft)))?;
            store::delete(txn, draft.id).await?;
            changes::store::append(txn, &writing, vec![change(&name, draft.number, "discard")]).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a version into force: the draft, or an earlier one, which becomes the newest.
///
/// It may use connectors and start by itself when a maintainer has published it.
#[utoipa::path(
    post, path = "/actions/{namespace}/{name}/versions/{number}/publish", tag = "actions", operation_id = "publish_action_version",
    params(
        ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "say-hello"),
        ("number" = u32, Path, example = 1),
        ("If-Match" = Option<String>, Header, description = "Etag of the version"),
    ),
    responses((status = 200, description = "The version that is in force", body = ActionVersion)),
)]
pub async fn publish_action_version(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    Path((namespace, name, number)): Path<(String, String, String)>,
    request_id: RequestId,
    headers: HeaderMap,
    params: Params,
) -> ApiResult<Json<ActionVersion>> {
    params.finish()?;
    let action_ref = reference(&(namespace, name));
    may_change(&app, &auth.principal, &action_ref).await?;
    let chosen = version(&app, &action_ref, &number).await?;
    etag::require_match(&headers, Some(&tag(&chosen)))?;
    let entity = publishable(&app, &action_ref, &chosen.text)?;
    may_write(&app, &auth.principal, &app.catalog.snapshot(), &action_ref, Some(&entity)).await?;
    let (writing, author) = (auth.writing(&app, &request_id), auth.principal.name.clone());
    let trusted = auth.principal.role.may_everywhere(Verb::WriteSources);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let name = action_ref.to_string();
            is_ours(txn, &action_ref).await?;
            let newest = store::newest(txn, &name).await?;
            let is_draft = chosen.state == store::DRAFT;
            // Written anew meanwhile, it is no longer what was looked at.
            if is_draft && newest.as_ref().map(tag) != Some(tag(&chosen)) {
                return Err(ApiError::PreconditionFailed(
                    "the draft was changed meanwhile; look at it again".to_owned(),
                ));
            }
            if let Some(draft) = newest.as_ref().filter(|row| !is_draft && row.state == store::DRAFT) {
                let detail = format!("version {} is a draft; publish it, or throw it away first", draft.number);
                return Err(ApiError::conflict("draft_in_the_way", detail));
            }
            if let Some(Upserted::Conflict { source_id, location }) =
                service::upsert(txn, &writing, vec![api_draft(entity)]).await?.pop()
            {
                return Err(declared_elsewhere(&action_ref, source_id, &location));
            }
            let entity_etag = catalog::by_ref(txn, &name).await?.map(|state| state.etag);
            let number = if is_draft { chosen.number } else { newest.map_or(1, |row| row.number + 1) };
            let new = NewVersion {
                action_ref: name.clone(),
                number,
                state: store::PUBLISHED,
                text: chosen.text.clone(),
                author,
                trusted,
                entity_etag,
                at: writing.at,
            };
            let row = store::put(txn, Some(chosen).filter(|_| is_draft), new).await?;
            let seq = changes::store::append(txn, &writing, vec![change(&name, number, "publish")]).await?;
            Ok((row, seq))
        })
    });
    let (row, seq) = work.await?;
    crate::catalog::lists::wait(&app, seq).await?;
    let current = Some(row.number);
    Ok(Json(view(row, current, true)))
}

/// Drafts that the caller may change, the last written first.
#[utoipa::path(
    get, path = "/action-drafts", tag = "actions", operation_id = "list_action_drafts",
    responses((status = 200, description = "All of them, without their texts", body = ActionVersionList)),
)]
pub async fn list_action_drafts(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<ActionVersionList>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let mut items = Vec::new();
    for row in store::drafts(app.db.reader(), DRAFTS).await? {
        let (Ok(action_ref), Ok(entity)) = (row.action_ref.parse::<EntityRef>(), action_of(&row.text)) else {
            continue;
        };
        if may_write(&app, &auth.principal, &snapshot, &action_ref, Some(&entity)).await.is_ok() {
            items.push(view(row, None, false));
        }
    }
    let total = items.len() as u64;
    Ok(Json(ActionVersionList { items, next_cursor: None, total }))
}

fn reference((namespace, name): &(String, String)) -> EntityRef {
    EntityRef::new("action", namespace, name)
}

/// Texts of an action are for those who may change it.
async fn may_see(app: &App, auth: &Authorized<ReadCatalog>, action_ref: &EntityRef) -> ApiResult<()> {
    may_change(app, &auth.principal, action_ref).await
}

/// That somebody may change what the catalog holds of an action; of one that it does not hold,
/// what its newest version says.
async fn may_change(app: &App, principal: &portal_core::access::Principal, action_ref: &EntityRef) -> ApiResult<()> {
    let snapshot = app.catalog.snapshot();
    if snapshot.index.row(action_ref).is_some() {
        return may_write(app, principal, &snapshot, action_ref, None).await;
    }
    let newest = store::newest(app.db.reader(), &action_ref.to_string()).await?;
    let absent = || ApiError::not_found("action_not_found", format!("there is no action `{action_ref}`, and no draft"));
    let entity = action_of(&newest.ok_or_else(absent)?.text)?;
    // Whoever may not write it does not learn that somebody writes one.
    may_write(app, principal, &snapshot, action_ref, Some(&entity)).await.map_err(|_| absent())
}

async fn version(app: &App, action_ref: &EntityRef, number: &str) -> ApiResult<VersionRow> {
    let absent = || ApiError::not_found("version_not_found", format!("`{action_ref}` has no version `{number}`"));
    let wanted = number.parse().map_err(|_| absent())?;
    store::find(app.db.reader(), &action_ref.to_string(), wanted).await?.ok_or_else(absent)
}

/// The version that is in force.
async fn current(app: &App, name: &str) -> ApiResult<Option<i32>> {
    Ok(super::in_force(app.db.reader(), name).await?.map(|row| row.number))
}

/// # Errors
/// A source declares it.
async fn is_ours(txn: &DatabaseTransaction, action_ref: &EntityRef) -> ApiResult<()> {
    match catalog::by_ref(txn, &action_ref.to_string()).await? {
        Some(state) if state.source_id.is_some() && state.orphan_since.is_none() => {
            Err(declared_elsewhere(action_ref, state.source_id, &state.location))
        }
        _ => Ok(()),
    }
}

/// # Errors
/// What is wrong with it, each at its place.
pub fn publishable(app: &App, action_ref: &EntityRef, text: &str) -> ApiResult<Entity> {
    let kinds = app.catalog.snapshot().kinds.clone();
    let entity = checked(action_of(text)?.0, &kinds).map_err(|faults| invalid(action_ref, faults))?;
    let document = document::read(text.as_bytes(), &Budget::default()).documents.into_iter().next();
    let told = |Finding { pointer, message, .. }: Finding| {
        let line = document.as_ref().map_or(1, |document| document.position(&pointer).0);
        FieldError { message: format!("line {line}: {message}"), pointer }
    };
    let faults = definition::read(&entity.0).1.into_iter().filter(|finding| finding.is_error);
    let errors: Vec<FieldError> = faults.map(told).collect();
    match &errors[..] {
        [] => Ok(entity),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
            let detail = format!("the action cannot run: {}: {}{more}", first.pointer, first.message);
            Err(ApiError::invalid("invalid_action", detail, errors))
        }
    }
}
