//! Where git hosts post pushes. The signature is the permission.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portal_core::sources::wire::WebhookReceipt;

use super::credential::{CredentialRef, Secret};
use super::handlers::{number, stored};
use super::store::Source;
use super::webhook::{self, BODY_LIMIT, Delivery, Event, WebhookError};
use super::{Trigger, jobs, store};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, WriteSources};
use crate::http::body;
use crate::http::params::Params;
use crate::state::App;

/// Announces a push: the source is read at once.
///
/// Signed as GitHub (`X-Hub-Signature-256`), GitLab (`X-Gitlab-Token`) or Gitea
/// (`X-Gitea-Signature`) do, with the source's webhook secret. A delivery that
/// comes again, and a push to another branch, have no effect.
#[utoipa::path(
    post, path = "/sources/{id}/webhook", tag = "sources", operation_id = "receive_source_webhook",
    params(("id" = i64, Path, example = 1)),
    request_body(content = Object, description = "What the git host sends", example = json!({"ref": "refs/heads/main"})),
    responses(
        (status = 202, description = "The source will be read", body = WebhookReceipt),
        (status = 200, description = "Received, without effect", body = WebhookReceipt),
    ),
)]
pub async fn receive_source_webhook(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> ApiResult<Response> {
    let id = number(&id)?;
    let source = stored(&app, id).await?;
    let secret = secret(&app, &source).await?;
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, BODY_LIMIT).await?;
    deliver(&app, &source, &parts.headers, &bytes, &secret).await
}

/// Delivers a push to a source as its git host would, signed with its secret:
/// whether a push would be taken, without one. The source is read.
#[utoipa::path(
    post, path = "/sources/{id}/webhook/test", tag = "sources", operation_id = "test_source_webhook",
    params(("id" = i64, Path, example = 1)),
    responses((status = 202, description = "Accepted, as a push would be; the source will be read", body = WebhookReceipt)),
)]
pub async fn test_source_webhook(
    _auth: Authorized<WriteSources>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    params.finish()?;
    let source = stored(&app, number(&id)?).await?;
    let secret = secret(&app, &source).await.map_err(|error| match error {
        ApiError::Unauthenticated(reason) => ApiError::invalid("no_webhook_secret", reason, Vec::new()),
        other => other,
    })?;
    let branch = source.branch.as_deref().unwrap_or("main");
    let reference = if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") };
    let body = serde_json::json!({ "ref": reference, "repository": { "default_branch": branch } }).to_string();
    let headers = webhook::signed(&body, &uuid::Uuid::new_v4().to_string(), &secret);
    deliver(&app, &source, &headers, body.as_bytes(), &secret).await
}

async fn secret(app: &App, source: &Source) -> ApiResult<Secret> {
    let id = source.id;
    let Some(reference) = &source.webhook_secret else {
        return Err(ApiError::Unauthenticated(format!(
            "source {id} has no webhook secret; set one to accept deliveries"
        )));
    };
    let secret = match reference.parse::<CredentialRef>() {
        Ok(reference) => reference.resolve(app.sources.variable).await,
        Err(error) => Err(error),
    };
    secret.map_err(|error| {
        tracing::warn!(source.id = id, error = %error, "the webhook secret of source {id} cannot be read");
        ApiError::Unavailable("the webhook secret of this source cannot be read; the log says why".to_owned())
    })
}

async fn deliver(app: &App, source: &Source, headers: &HeaderMap, body: &[u8], secret: &Secret) -> ApiResult<Response> {
    let id = source.id;
    let delivery = webhook::verify(headers, body, secret).map_err(|error| match error {
        WebhookError::Malformed => ApiError::bad("malformed_delivery", error.to_string()),
        _ => ApiError::Unauthenticated(error.to_string()),
    })?;
    let Delivery { id: delivery, event } = delivery;
    let relevant = match &event {
        Event::Push { reference, default_branch } => {
            webhook::concerns(reference, default_branch.as_deref(), source.branch.as_deref())
        }
        Event::Other => false,
    };
    let now = app.clock.now();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if !store::insert_delivery(txn, id, &delivery, now).await? {
                return Ok::<_, DbError>("duplicate");
            }
            if !relevant {
                return Ok("ignored");
            }
            jobs::ask(txn, id, Trigger::Webhook, now).await?;
            Ok("accepted")
        })
    });
    let outcome = work.await?;
    let status = if outcome == "accepted" { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(WebhookReceipt { outcome: outcome.to_owned() })).into_response())
}
