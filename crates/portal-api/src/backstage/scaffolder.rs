//! Backstage's scaffolder API under `/api/scaffolder`, version 2 of its routes, on the same
//! templates and runs as `/api/v1`.
//!
//! Source: the scaffolder backend 4.2 of Backstage 1.55. A task is a run, and its id a text.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::Stream;
use portal_core::access::Verb;
use portal_core::catalog::validate::{nowhere, validate};
use portal_core::runs::RunState;
use portal_core::runs::wire::{LogLine, RunView};
use portal_core::templates::definition;
use portal_core::templates::plan::Scope;
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{Trouble, actions};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::identity::Credential;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, ReadRuns, RunTemplates};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::runs::live::Live;
use crate::runs::store::{self, RunFilter, Stored};
use crate::runs::stream::{Follower, Told, follow};
use crate::runs::{handlers as runs, service, views};
use crate::state::App;
use crate::templates::dry_run::{self, Became};
use crate::templates::handlers;
use crate::templates::perform::{Call, Log, Outside};

/// How long `events` waits for something new.
const LONG_POLL: Duration = Duration::from_secs(20);

/// The routes of `/api/scaffolder`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_template_parameter_schema))
        .routes(routes!(list_actions))
        .routes(routes!(list_tasks, scaffold))
        .routes(routes!(get_task))
        .routes(routes!(cancel_task))
        .routes(routes!(retry_task))
        .routes(routes!(stream_task_events))
        .routes(routes!(list_task_events))
        .routes(routes!(dry_run))
}

/// The pages of a template's form.
#[utoipa::path(
    get, path = "/v2/templates/{namespace}/{kind}/{name}/parameter-schema", tag = "backstage", operation_id = "get_template_parameter_schema",
    params(("namespace" = String, Path, example = "default"), ("kind" = String, Path, example = "template"), ("name" = String, Path, example = "rust-service")),
    responses((status = 200, description = "`{title, description, steps: [{title, description, schema}]}`", body = Object)),
)]
async fn get_template_parameter_schema(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, kind, name)): Path<(String, String, String)>,
) -> ApiResult<Json<Value>> {
    let visibility = auth.visibility(&app.catalog.snapshot());
    let template = handlers::find(&app, &visibility, &format!("{kind}:{namespace}/{name}"), "kind").await?;
    let (definition, _) = definition::read(&template.entity);
    let steps = definition
        .pages
        .iter()
        .map(|page| json!({ "title": page.title, "description": page.description, "schema": page.schema }));
    Ok(Json(json!({
        "title": template.title(),
        "description": template.entity["metadata"]["description"],
        "presentation": template.entity["spec"]["presentation"],
        "steps": steps.collect::<Vec<_>>(),
    })))
}

/// The actions that templates can use.
#[utoipa::path(
    get, path = "/v2/actions", tag = "backstage", operation_id = "list_actions",
    responses((status = 200, description = "`[{id, description, examples, schema}]`", body = Vec<Object>)),
)]
async fn list_actions(_auth: Authorized<ReadCatalog>) -> Json<Value> {
    let one = |action: &actions::Action| {
        json!({
            "id": action.id,
            "description": action.description,
            "examples": [],
            "schema": { "input": action.input_schema(), "output": action.output_schema() },
        })
    };
    Json(actions::ACTIONS.iter().map(one).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scaffold {
    template_ref: String,
    #[serde(default)]
    values: Map<String, Value>,
    #[serde(default)]
    secrets: Map<String, Value>,
}

/// Starts a task. Answers that are wrong are told as `errors`.
#[utoipa::path(
    post, path = "/v2/tasks", tag = "backstage", operation_id = "scaffold",
    request_body(content = Object, example = json!({"templateRef": "template:default/rust-service", "values": {"name": "ledger"}})),
    responses((status = 201, description = "`{id}`", body = Object), (status = 400, description = "`{errors}`", body = Object)),
)]
async fn scaffold(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    JsonBody(Scaffold { template_ref, values, secrets }): JsonBody<Scaffold>,
) -> ApiResult<Response> {
    let writing = auth.writing(&app, &request_id);
    let named = (template_ref.as_str(), "/templateRef");
    let draft = match runs::drafted(&app, &auth.principal, &writing, named, &values, secrets).await {
        Err(ApiError::Invalid { code: "invalid_answers", errors, .. }) => {
            let shown = errors.into_iter().map(|error| {
                let path: Vec<&str> = error.pointer.trim_start_matches("/values").split('/').filter(|part| !part.is_empty()).collect();
                let stack = format!("instance.{} {}", path.join("."), error.message);
                json!({ "path": path, "property": format!("instance.{}", path.join(".")), "message": error.message, "stack": stack })
            });
            return Ok((StatusCode::BAD_REQUEST, Json(json!({ "errors": shown.collect::<Vec<_>>() }))).into_response());
        }
        other => other?,
    };
    let work_app = app.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { service::start(&work_app, txn, &writing, draft).await })
    });
    let id = work.await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id.to_string() }))).into_response())
}

/// A state, as Backstage names it.
fn status(state: RunState) -> &'static str {
    match state {
        RunState::Draft | RunState::PendingApproval | RunState::Queued => "open",
        RunState::Running | RunState::Waiting => "processing",
        RunState::Succeeded => "completed",
        RunState::Cancelled => "cancelled",
        RunState::Failed | RunState::Expired | RunState::Declined | RunState::Unknown => "failed",
    }
}

fn task(stored: &Stored, view: &RunView) -> Value {
    let mut spec: Value = serde_json::from_str(&stored.run.spec).unwrap_or_default();
    let mut task_spec = spec["spec"].take();
    task_spec["parameters"] = Value::Object(view.answers.clone());
    task_spec["templateInfo"] = json!({ "entityRef": stored.run.definition });
    task_spec["user"] = json!({ "ref": stored.run.user_ref });
    json!({
        "id": view.id.to_string(),
        "spec": task_spec,
        "status": status(view.state),
        "createdAt": view.created_at,
        "lastHeartbeatAt": view.started_at.unwrap_or(view.created_at),
        "createdBy": stored.run.user_ref,
    })
}

/// Tasks, newest first.
#[utoipa::path(
    get, path = "/v2/tasks", tag = "backstage", operation_id = "list_tasks",
    params(
        ("createdBy" = Option<Vec<String>>, Query, description = "References of users"),
        ("status" = Option<Vec<String>>, Query, description = "Only tasks in these states"),
        ("order" = Option<Vec<String>>, Query, description = "`desc:created_at`; tasks come newest first whatever it says"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("offset" = Option<u64>, Query, minimum = 0, maximum = 10000, description = "0 when absent"),
    ),
    responses((status = 200, description = "`{tasks, totalTasks}`", body = Object)),
)]
async fn list_tasks(auth: Authorized<ReadRuns>, State(app): State<App>, mut params: Params) -> ApiResult<Json<Value>> {
    let creators = params.all("createdBy");
    let states = params.all("status");
    params.all("order");
    let limit = params.number("limit", 25, 1..=200)?;
    let offset = params.number("offset", 0, 0..=10_000)?;
    params.finish()?;
    let actor = auth.principal.actor.0.clone();
    let sees_all = auth.principal.role.may_everywhere(Verb::ReadRuns);
    let snapshot = app.catalog.snapshot();
    let visible = (!sees_all).then(|| (actor, handlers::owned_by(&snapshot, &auth.principal)));
    let named = |state: &RunState| states.iter().any(|name| name == status(*state));
    let wanted: Vec<RunState> = RunState::ALL.into_iter().filter(named).collect();
    if wanted.is_empty() && !states.is_empty() {
        return Err(ApiError::field("status", "must be open, processing, completed, failed or cancelled"));
    }
    let filter = RunFilter { visible, users: creators, states: wanted, ..RunFilter::default() };
    let db = app.db.reader();
    let total = store::count(db, &filter).await?;
    let page = store::page(db, &filter, None, offset, limit).await?;
    let views = views::views(&app, &auth.principal, page.clone()).await?;
    let tasks: Vec<Value> = page.iter().zip(&views).map(|(stored, view)| task(stored, view)).collect();
    Ok(Json(json!({ "tasks": tasks, "totalTasks": total })))
}

/// One task.
#[utoipa::path(
    get, path = "/v2/tasks/{taskId}", tag = "backstage", operation_id = "get_task",
    params(("taskId" = String, Path, example = "1")),
    responses((status = 200, description = "The task", body = Object)),
)]
async fn get_task(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let stored = views::visible(&app, &auth.principal, &id).await?;
    let views = views::views(&app, &auth.principal, vec![stored.clone()]).await?;
    Ok(Json(task(&stored, &views[0])))
}

/// Asks for a task to end.
#[utoipa::path(
    post, path = "/v2/tasks/{taskId}/cancel", tag = "backstage", operation_id = "cancel_task",
    params(("taskId" = String, Path, example = "1")),
    responses((status = 200, description = "`{status}`", body = Object)),
)]
async fn cancel_task(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    runs::cancel(&app, &auth, &request_id, &id).await?;
    Ok(Json(json!({ "status": "cancelled" })))
}

/// Goes on with a task that ended before its time.
#[utoipa::path(
    post, path = "/v2/tasks/{taskId}/retry", tag = "backstage", operation_id = "retry_task",
    params(("taskId" = String, Path, example = "1")),
    responses((status = 201, description = "`{id}`", body = Object)),
)]
async fn retry_task(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let run_id = runs::retry(&app, &auth, &request_id, &id).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": run_id.to_string() }))).into_response())
}

fn heard(run_id: i64, told: &Told) -> Value {
    match told {
        Told::Line(LogLine { seq, at, step, text }) => {
            let body = json!({ "message": text, "stepId": step });
            json!({ "id": seq, "taskId": run_id.to_string(), "type": "log", "createdAt": at, "body": body })
        }
        Told::End(stored, last) => ended(stored, stored.state(), last + 1),
    }
}

fn ended(stored: &Stored, state: RunState, id: i64) -> Value {
    let output: Value = serde_json::from_str(&stored.run.output).unwrap_or_default();
    let mut body = json!({ "message": format!("Run completed with status: {}", status(state)), "output": output });
    if let Some(message) = &stored.run.error {
        body["error"] = json!({ "name": stored.run.error_code, "message": message, "stepId": stored.run.error_step });
    }
    let kind = if state == RunState::Cancelled { "cancelled" } else { "completion" };
    json!({ "id": id, "taskId": stored.run.id.to_string(), "type": kind, "createdAt": stored.run.finished_at, "body": body })
}

/// Follows a task as server-sent events, until it has ended.
#[utoipa::path(
    get, path = "/v2/tasks/{taskId}/eventstream", tag = "backstage", operation_id = "stream_task_events",
    params(("taskId" = String, Path, example = "1"), ("after" = Option<i64>, Query, minimum = 0, description = "Id of the last event that is known")),
    responses((status = 200, description = "Events `log`, and `completion` or `cancelled`", content_type = "text/event-stream", body = String)),
)]
async fn stream_task_events(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    credential: Option<Extension<Credential>>,
    mut params: Params,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let last = params.sequence("after")?.unwrap_or(0);
    params.finish()?;
    let stored = views::visible(&app, &auth.principal, &id).await?;
    let follower = Follower::new(&app, stored.run.id, last);
    let run_id = stored.run.id;
    let sent = follow(follower, credential, move |told| {
        let event = heard(run_id, told);
        let kind = event["type"].as_str().unwrap_or("log");
        Event::default().event(kind).data(event.to_string())
    });
    Ok(Sse::new(sent).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Waits for events of a task, and answers those there are.
#[utoipa::path(
    get, path = "/v2/tasks/{taskId}/events", tag = "backstage", operation_id = "list_task_events",
    params(("taskId" = String, Path, example = "1"), ("after" = Option<i64>, Query, minimum = 0, description = "Id of the last event that is known")),
    responses((status = 200, description = "A list of events", body = Vec<Object>)),
)]
async fn list_task_events(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    mut params: Params,
) -> ApiResult<Json<Value>> {
    let last = params.sequence("after")?.unwrap_or(0);
    params.finish()?;
    let stored = views::visible(&app, &auth.principal, &id).await?;
    let run_id = stored.run.id;
    let mut follower = Follower::new(&app, run_id, last);
    let told = tokio::time::timeout(LONG_POLL, follower.next()).await.ok().flatten().unwrap_or_default();
    Ok(Json(told.iter().map(|told| heard(run_id, told)).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DryRun {
    template: Value,
    #[serde(default)]
    values: Map<String, Value>,
    #[serde(default)]
    directory_contents: Vec<DirectoryContent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryContent {
    path: String,
    base64_content: String,
}

/// Runs a template that is not in the catalog, with the files given, without any effect.
#[utoipa::path(
    post, path = "/v2/dry-run", tag = "backstage", operation_id = "dry_run",
    request_body(content = Object, example = json!({"template": {"apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template",
        "metadata": {"name": "t"}, "spec": {"type": "service", "steps": []}}, "values": {}, "directoryContents": []})),
    responses((status = 200, description = "`{log, directoryContents, output, steps}`", body = Object)),
)]
async fn dry_run(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    JsonBody(DryRun { template, values, directory_contents }): JsonBody<DryRun>,
) -> ApiResult<Json<Value>> {
    let mut files = Workspace::default();
    for (index, DirectoryContent { path, base64_content }) in directory_contents.into_iter().enumerate() {
        let pointer = format!("/directoryContents/{index}");
        let content = STANDARD.decode(base64_content).map_err(|_| ApiError::field(&pointer, "not Base64"))?;
        let path = FilePath::file(&path).map_err(|trouble| ApiError::field(&pointer, trouble.message))?;
        let file = File { content: content.into(), executable: false };
        files.write(path, file).map_err(|trouble| ApiError::field(&pointer, trouble.message))?;
    }
    let snapshot = app.catalog.snapshot();
    if let Some(fault) = validate(&template, &snapshot.kinds, &nowhere).into_iter().next() {
        return Err(ApiError::field(&format!("/template{}", fault.pointer), fault.message));
    }
    let (definition, findings) = definition::read(&template);
    if let Some(finding) = findings.iter().find(|finding| finding.is_error) {
        return Err(ApiError::field(&format!("/template{}", finding.pointer), finding.message.clone()));
    }
    let answers = handlers::answered(&snapshot, &auth.visibility(&snapshot), &definition, &values)?;
    let writing = auth.writing(&app, &request_id);
    let live = Live::dry(&app, &auth.principal, writing, None, true);
    let scope = Scope {
        parameters: answers,
        user: json!({ "ref": auth.principal.user }),
        run: "dry-run".to_owned(),
        hosts: service::hosts(&app),
        ..Scope::default()
    };
    let report = dry_run::run(&definition, scope, &Given { live, files }, &BTreeSet::new()).await;
    if let Some((step, trouble)) = &report.failure {
        return Err(ApiError::invalid("dry_run_failed", format!("step `{step}`: {trouble}"), Vec::new()));
    }
    let log = report.steps.iter().flat_map(|step| {
        let state = match step.became {
            Became::Skipped => "skipped",
            Became::Failed => "failed",
            Became::Done | Became::Stubbed => "completed",
        };
        step.log.iter().map(move |line| json!({ "body": { "message": line, "stepId": step.id, "status": state } }))
    });
    let contents = report.workspace.files().map(|(path, file)| {
        json!({ "path": path.as_str(), "base64Content": STANDARD.encode(&file.content), "executable": file.executable })
    });
    let steps = report.steps.iter().map(|step| json!({ "id": step.id, "name": step.name, "action": step.action }));
    Ok(Json(json!({
        "log": log.collect::<Vec<_>>(),
        "directoryContents": contents.collect::<Vec<_>>(),
        "output": report.output,
        "steps": steps.collect::<Vec<_>>(),
    })))
}

/// The world, with the files that came along beside the template.
struct Given {
    live: Live,
    files: Workspace,
}

#[async_trait::async_trait]
impl Outside for Given {
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble> {
        if url.contains("://") { self.live.folder(url).await } else { self.files.part(&FilePath::folder(url)?) }
    }

    async fn file(&self, url: &str) -> Result<File, Trouble> {
        if url.contains("://") {
            return self.live.file(url).await;
        }
        let found = self.files.get(&FilePath::file(url)?).cloned();
        found.ok_or_else(|| Trouble::new("not_fetched", format!("there is no `{url}` beside the template")))
    }

    async fn entity(&self, entity_ref: &portal_core::catalog::EntityRef) -> Result<Option<Value>, Trouble> {
        self.live.entity(entity_ref).await
    }

    async fn wait(&self, _time: Duration) {}

    async fn act(&self, _call: Call<'_>, _log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        Ok(Map::new())
    }
}
