//! Triggers over HTTP: what there is, and the address of webhooks, where the signature is the
//! permission.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portal_core::actions::definition;
use portal_core::actions::triggers::{On, Trigger};
use portal_core::actions::wire::{HookReceipt, TriggerList, TriggerView};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::fire::{self, Occasion, Outcome, Patience};
use super::store::{self, TriggerRow};
use crate::actions::vetting::Vetting;
use crate::catalog::handlers::{document, reference};
use crate::changes;
use crate::connectors::signature;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::body;
use crate::http::params::Params;
use crate::sources::credential::{CredentialRef, Secret};
use crate::state::App;

/// When an action starts by itself: what it waits for, when a schedule comes next, and what
/// it last did.
#[utoipa::path(
    get, path = "/actions/{namespace}/{name}/triggers", tag = "actions", operation_id = "list_triggers",
    params(("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "note-new-database")),
    responses((status = 200, description = "All of them", body = TriggerList)),
)]
pub async fn list_triggers(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path((namespace, name)): Path<(String, String)>,
    mut params: Params,
) -> ApiResult<Json<TriggerList>> {
    // There are few, and all are answered.
    params.chosen("cursor")?;
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let reference = reference(("action".to_owned(), namespace, name))?;
    let (_, found) = document(&app, &snapshot, &reference, &auth.visibility(&snapshot)).await?;
    let (action, findings) = definition::read(&serde_json::from_slice(&found.json).unwrap_or_default());
    let stopped = match findings.iter().any(|finding| finding.is_error) {
        true => Some("its author has to mend the action first"),
        false if !Vetting::of(app.db.reader(), &reference.to_string(), found.source_id).await?.is_trusted => {
            Some("nothing starts by itself that comes from a source nobody has vetted")
        }
        false => None,
    };
    let rows = store::of_action(app.db.reader(), &reference.to_string()).await?;
    let view = |(trigger, position): (&Trigger, i32)| {
        let row = rows.iter().find(|row| row.position == position && stopped.is_none());
        view(&app, reference.namespace(), reference.name(), trigger, position, row, stopped)
    };
    let items: Vec<TriggerView> = action.triggers.iter().zip(0..).map(view).collect();
    let total = items.len() as u64;
    Ok(Json(TriggerList { items, next_cursor: None, total }))
}

fn view(
    app: &App,
    namespace: &str,
    name: &str,
    trigger: &Trigger,
    position: i32,
    row: Option<&TriggerRow>,
    stopped: Option<&str>,
) -> TriggerView {
    let (path, unsigned) = match &trigger.on {
        On::Webhook { name: hook, secret } => {
            let is_lent = app.config.credentials.contains_key(secret);
            let unsigned = (!is_lent).then(|| format!("portal.toml has no `{secret}` under `[credentials]`"));
            (Some(format!("/api/v1/hooks/{namespace}/{name}/{hook}")), unsigned)
        }
        _ => (None, None),
    };
    let last = row.and_then(|row| row.last_problem.clone());
    TriggerView {
        position,
        kind: trigger.kind().to_owned(),
        says: trigger.words(),
        next_at: row.and_then(|row| row.next_at),
        path,
        last_run: row.and_then(|row| row.last_run),
        last_at: row.and_then(|row| row.last_at),
        problem: stopped.map(str::to_owned).or(unsigned).or(last),
        problem_at: row.and_then(|row| row.problem_at),
    }
}

/// Starts an action that waits for this webhook.
///
/// Signed as [Standard Webhooks](https://www.standardwebhooks.com) with the secret that the
/// trigger names: `webhook-id`, `webhook-timestamp` (of the last five minutes) and
/// `webhook-signature`. The body is `event` in the trigger's templates. A delivery with an id
/// that has come before starts nothing, and is answered the same run.
#[utoipa::path(
    post, path = "/hooks/{namespace}/{action}/{name}", tag = "actions", operation_id = "receive_hook",
    params(
        ("namespace" = String, Path, example = "default"), ("action" = String, Path, example = "nightly-backup"),
        ("name" = String, Path, description = "As the trigger calls it", example = "nightly"),
    ),
    request_body(content = Object, description = "Whatever the trigger's templates read", example = json!({"version": "1.4.2"})),
    responses(
        (status = 202, description = "A run was started", body = HookReceipt),
        (status = 200, description = "It has come before", body = HookReceipt),
    ),
)]
pub async fn receive_hook(
    State(app): State<App>,
    Path((namespace, action, name)): Path<(String, String, String)>,
    params: Params,
    request: Request,
) -> ApiResult<Response> {
    params.finish()?;
    let action_ref = reference(("action".to_owned(), namespace, action))?.to_string();
    let absent = || ApiError::not_found("hook_not_found", format!("`{action_ref}` waits for no webhook `{name}`"));
    let (row, trigger, secret) = hook(&app, &action_ref, &name).await?.ok_or_else(absent)?;
    let secret = resolved(&app, &action_ref, &secret).await?;
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, body::BODY_LIMIT).await?;
    let id = signature::verified(&parts.headers, app.clock.now(), &bytes, &secret)
        .map_err(|reason| ApiError::Unauthenticated(reason.to_owned()))?;
    let event: Value = body::parse(&bytes)?;
    let key = format!("webhook:{}", hex::encode(Sha256::digest(format!("{action_ref}\n{name}\n{id}"))));
    if let Some(run_id) = store::run_of(app.db.reader(), &key).await? {
        return Ok(Json(HookReceipt { run_id, repeated: true }).into_response());
    }
    let occasion = Occasion { key, row, event, entity: None, above: Vec::new() };
    let answer = fire::answer(&app, &trigger, occasion, Patience::More).await?.ok_or_else(absent)?;
    let work_app = app.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            // Before anything that another replica may hold while it waits for this.
            changes::store::reserve(txn).await?;
            Ok::<_, ApiError>(fire::start(&work_app, txn, answer).await?)
        })
    });
    match work.await? {
        Outcome::Started(run_id) => {
            Ok((StatusCode::ACCEPTED, Json(HookReceipt { run_id, repeated: false })).into_response())
        }
        Outcome::Again(run_id) => Ok(Json(HookReceipt { run_id, repeated: true }).into_response()),
        Outcome::Refused(reason) => Err(ApiError::conflict("hook_refused", format!("nothing was started: {reason}"))),
    }
}

/// The trigger of an action that waits for a webhook, and the name of its secret.
async fn hook(app: &App, action_ref: &str, name: &str) -> ApiResult<Option<(TriggerRow, Trigger, String)>> {
    let rows = store::of_action(app.db.reader(), action_ref).await?;
    for row in rows.into_iter().filter(|row| row.kind == "webhook") {
        let Some(trigger) = fire::trigger(&row) else { continue };
        if let On::Webhook { name: own, secret } = &trigger.on
            && own == name
        {
            let secret = secret.clone();
            return Ok(Some((row, trigger, secret)));
        }
    }
    Ok(None)
}

/// A secret that the configuration lends.
async fn resolved(app: &App, action_ref: &str, name: &str) -> ApiResult<Secret> {
    let unreadable = |reason: String| {
        tracing::warn!(action = action_ref, credential = name, reason, "the secret of a webhook cannot be read");
        ApiError::Unavailable("the secret of this webhook cannot be read; the log says why".to_owned())
    };
    let reference = app.config.credentials.get(name);
    let reference = reference.ok_or_else(|| unreadable("portal.toml does not name it".to_owned()))?;
    let reference = reference.parse::<CredentialRef>().map_err(|error| unreadable(error.to_string()))?;
    reference.resolve(app.sources.variable).await.map_err(|error| unreadable(error.to_string()))
}
