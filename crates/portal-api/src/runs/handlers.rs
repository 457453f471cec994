//! Runs over HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::access::{Principal, Verb};
use portal_core::catalog::EntityRef;
use portal_core::problem::FieldError;
use portal_core::runs::RunState;
use portal_core::runs::wire::{LogPage, RunCreate, RunList, RunView};
use serde_json::{Map, Value};

use super::store::{self, RunFilter};
use super::{service, views};
use crate::actions::running;
use crate::changes::Writing;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadRuns, RunTemplates};
use crate::http::body;
use crate::http::context::RequestId;
use crate::http::cursor;
use crate::http::idempotency::{Idempotent, replayed};
use crate::http::params::{Params, one_of};
use crate::state::App;
use crate::templates;

/// Lines of one page of a log.
const LINES: u64 = 1000;

/// Runs that the caller may see, newest first: their own, those of templates that they
/// own, and for maintainers, administrators and auditors all.
#[utoipa::path(
    get, path = "/runs", tag = "runs", operation_id = "list_runs",
    params(
        ("template" = Option<String>, Query, description = "Reference of a template", example = "template:default/rust-service"),
        ("state" = Option<RunState>, Query, description = "Only runs in this state"),
        ("mine" = Option<bool>, Query, description = "Only those that the caller started"),
        ("action" = Option<String>, Query, description = "Reference of an action", example = "action:default/provision-database"),
        ("entity" = Option<String>, Query, description = "Only those that made this entity", example = "component:default/booking-api"),
        ("target" = Option<String>, Query, description = "Only those of actions on this entity", example = "component:default/booking-api"),
        ("about" = Option<String>, Query, description = "Only those that made this entity, or were run on it", example = "component:default/booking-api"),
        ("user" = Option<String>, Query, description = "Reference of the user who started them", example = "user:default/ada"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "Some runs", body = RunList)),
)]
pub async fn list_runs(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<RunList>> {
    let template = reference(&mut params, "template", Some("template"))?;
    let action = reference(&mut params, "action", Some("action"))?;
    let target = reference(&mut params, "target", None)?;
    let about = reference(&mut params, "about", None)?;
    let user = reference(&mut params, "user", Some("user"))?;
    let state = match params.chosen("state")? {
        Some(text) => Some(
            RunState::parse(&text)
                .ok_or_else(|| ApiError::parameter("state", one_of(RunState::ALL.map(RunState::as_str))))?,
        ),
        None => None,
    };
    let mine = params.flag("mine")?;
    let entity = reference(&mut params, "entity", None)?;
    let limit = params.number("limit", 25, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let actor = auth.principal.actor.0.clone();
    let snapshot = app.catalog.snapshot();
    let sees_all = auth.principal.role.may_everywhere(Verb::ReadRuns);
    let owned = || templates::handlers::owned_by(&snapshot, &auth.principal);
    let filter = RunFilter {
        definitions: template.into_iter().chain(action).collect(),
        states: state.into_iter().collect(),
        entity,
        target,
        visible: (!sees_all).then(|| (actor.clone(), owned())),
        actor: mine.then_some(actor),
        about,
        users: user.into_iter().collect(),
    };
    let db = app.db.reader();
    let runs = store::page(db, &filter, before, 0, limit + 1).await?;
    let (runs, next_cursor) = cursor::page(runs, limit, |stored| stored.run.id);
    let total = store::count(db, &filter).await?;
    Ok(Json(RunList { items: views::views(&app, &auth.principal, runs).await?, next_cursor, total }))
}

/// A reference as it is stored, of a parameter that may leave this kind out.
///
/// # Errors
/// It is none.
fn reference(params: &mut Params, name: &'static str, kind: Option<&str>) -> ApiResult<Option<String>> {
    let Some(text) = params.chosen(name)? else { return Ok(None) };
    match EntityRef::parse(&text, kind, EntityRef::DEFAULT_NAMESPACE) {
        Ok(reference) => Ok(Some(reference.to_string())),
        Err(error) => {
            let message = error.to_string();
            let detail = format!("parameter `{name}`: {message}");
            Err(ApiError::invalid("invalid_parameter", detail, vec![FieldError { pointer: name.to_owned(), message }]))
        }
    }
}

/// Starts a run of a template, or of an action on an entity.
///
/// Answers are checked as the form checks them; each fault names the answer by a JSON
/// pointer. The run is stored when this answers, and survives a crash from then on.
#[utoipa::path(
    post, path = "/runs", tag = "runs", operation_id = "create_run",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "A request that is sent again has no second effect")),
    request_body(content = RunCreate, example = json!({"template": "template:default/rust-service", "values": {"name": "ledger"}})),
    responses((status = 202, description = "Stored, and about to begin", body = RunView)),
)]
pub async fn create_run(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let bytes: Bytes = body::read_json(request).await?;
    let idempotent = Idempotent::check(&app.db, &auth.principal, &headers, &[b"create_run", &bytes]).await?;
    if let Idempotent::Replay(status, body) = idempotent {
        return Ok(replayed(status, body));
    }
    let create: RunCreate = body::parse(&bytes)?;
    let writing = auth.writing(&app, &request_id);
    let draft = checked(&app, &auth, &writing, create).await?;
    let (work_app, principal) = (app.clone(), auth.principal.clone());
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let id = service::start(&work_app, txn, &writing, draft).await?;
            let stored = store::find(txn, id).await?.ok_or_else(|| ApiError::Internal("the run is gone".to_owned()))?;
            let view = views::views_in(txn, &work_app, &principal, vec![stored]).await?;
            let text = serde_json::to_string(&view[0]).map_err(|error| ApiError::Internal(error.to_string()))?;
            idempotent.record(txn, writing.at, StatusCode::ACCEPTED, &text).await?;
            Ok::<_, ApiError>((id, text))
        })
    });
    let (id, text) = work.await?;
    let location = format!("/api/v1/runs/{id}");
    let headers = [(header::LOCATION, location), (header::CONTENT_TYPE, "application/json".to_owned())];
    Ok((StatusCode::ACCEPTED, headers, text).into_response())
}

/// A run of the template or the action that is named.
async fn checked(
    app: &App,
    auth: &Authorized<RunTemplates>,
    writing: &Writing,
    create: RunCreate,
) -> ApiResult<service::Draft> {
    let RunCreate { template, action, text, entity, values, secrets } = create;
    if let Some(text) = text {
        if template.is_some() || action.is_some() {
            return Err(ApiError::field("/text", "stands instead of a `template` or an `action`"));
        }
        let asked =
            running::Asked { action: "", entity: entity.as_deref(), values: &values, secrets, asks_nobody: false };
        return running::tried(app, &auth.principal, writing, &text, asked).await;
    }
    match (template, action) {
        (Some(_), None) if entity.is_some() => Err(ApiError::field("/entity", "a template is run on no entity")),
        (Some(template), None) => {
            drafted(app, &auth.principal, writing, (&template, "/template"), &values, secrets).await
        }
        (None, Some(action)) => {
            let (action, entity) = (action.as_str(), entity.as_deref());
            let asked = running::Asked { action, entity, values: &values, secrets, asks_nobody: false };
            running::drafted(app, &auth.principal, writing, asked).await
        }
        _ => Err(ApiError::field("/template", "name a `template` or an `action`, or write a `text`, one of them")),
    }
}

/// A run of the template that is named there, with answers that the form accepts.
pub async fn drafted(
    app: &App,
    principal: &Principal,
    writing: &Writing,
    (template, pointer): (&str, &str),
    values: &Map<String, Value>,
    secrets: Map<String, Value>,
) -> ApiResult<service::Draft> {
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(principal);
    let mut template = templates::handlers::find(app, &visibility, template, pointer).await?;
    template.ask_source(app).await?;
    let user = templates::handlers::user(app, principal).await?;
    let judge = |definition: &_, answers: &_| templates::handlers::faults(&snapshot, &visibility, definition, answers);
    service::draft(&template, values, secrets, principal, user, writing, judge)
}

/// One run with its steps.
#[utoipa::path(
    get, path = "/runs/{id}", tag = "runs", operation_id = "find_run",
    params(("id" = i64, Path, example = 1)),
    responses((status = 200, description = "The run", body = RunView)),
)]
pub async fn find_run(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<Json<RunView>> {
    params.finish()?;
    let stored = views::visible(&app, &auth.principal, &id).await?;
    one(&app, &auth.principal, stored).await
}

async fn one(app: &App, principal: &Principal, stored: store::Stored) -> ApiResult<Json<RunView>> {
    let mut views = views::views(app, principal, vec![stored]).await?;
    views.pop().map(Json).ok_or_else(|| ApiError::Internal("a run without a view".to_owned()))
}

/// Asks for a run to end. What a step has begun outside is brought to its end first.
#[utoipa::path(
    post, path = "/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("id" = i64, Path, example = 1)),
    responses((status = 202, description = "It ends as soon as it can", body = RunView)),
)]
pub async fn cancel_run(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<Response> {
    params.finish()?;
    let run_id = cancel(&app, &auth, &request_id, &id).await?;
    let stored = views::visible(&app, &auth.principal, &run_id.to_string()).await?;
    Ok((StatusCode::ACCEPTED, one(&app, &auth.principal, stored).await?).into_response())
}

/// Goes on with a run that failed or was stopped, from the first step that has not
/// succeeded. Secrets are given again when the run needs some.
#[utoipa::path(
    post, path = "/runs/{id}/retry", tag = "runs", operation_id = "retry_run",
    params(("id" = i64, Path, example = 1)),
    responses((status = 202, description = "It goes on", body = RunView)),
)]
pub async fn retry_run(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<Response> {
    params.finish()?;
    let run_id = retry(&app, &auth, &request_id, &id).await?;
    let stored = views::visible(&app, &auth.principal, &run_id.to_string()).await?;
    Ok((StatusCode::ACCEPTED, one(&app, &auth.principal, stored).await?).into_response())
}

/// The log of a run, from a line on.
#[utoipa::path(
    get, path = "/runs/{id}/log", tag = "runs", operation_id = "list_run_log",
    params(
        ("id" = i64, Path, example = 1),
        ("after" = Option<i64>, Query, minimum = 0, description = "Sequence of the last line that is known"),
    ),
    responses((status = 200, description = "At most 1000 lines", body = LogPage)),
)]
pub async fn list_run_log(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    mut params: Params,
) -> ApiResult<Json<LogPage>> {
    let after = params.sequence("after")?.unwrap_or(0);
    params.finish()?;
    let stored = views::visible(&app, &auth.principal, &id).await?;
    let items = store::log_after(app.db.reader(), stored.run.id, after, LINES).await?;
    let is_complete = stored.state().is_final() && (items.len() as u64) < LINES;
    Ok(Json(LogPage { items, is_complete }))
}

async fn changeable(app: &App, auth: &Authorized<RunTemplates>, id: &str) -> ApiResult<store::Stored> {
    let stored = views::visible(app, &auth.principal, id).await?;
    match views::may_change(&auth.principal, &stored) {
        Some(reason) => Err(ApiError::Forbidden(reason)),
        None => Ok(stored),
    }
}

/// Asks for a run to end, if the caller may; returns its id.
pub async fn cancel(app: &App, auth: &Authorized<RunTemplates>, request_id: &RequestId, id: &str) -> ApiResult<i64> {
    let stored = changeable(app, auth, id).await?;
    let run_id = stored.run.id;
    let writing = auth.writing(app, request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { service::cancel(txn, &writing, &stored).await })
    });
    work.await?;
    Ok(run_id)
}

/// Lets a run go on, if the caller may; returns its id.
pub async fn retry(app: &App, auth: &Authorized<RunTemplates>, request_id: &RequestId, id: &str) -> ApiResult<i64> {
    let stored = changeable(app, auth, id).await?;
    let (run_id, work_app) = (stored.run.id, app.clone());
    let writing = auth.writing(app, request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            // As it is now: a run that goes on already is not asked to once more.
            let stored = store::find(txn, run_id).await?.unwrap_or(stored);
            service::retry(&work_app, txn, &writing, &stored, Map::new()).await
        })
    });
    work.await?;
    Ok(run_id)
}
