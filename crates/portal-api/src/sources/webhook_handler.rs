//! Where git hosts post pushes. The signature is the permission.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portal_core::sources::wire::WebhookReceipt;

use super::credential::CredentialRef;
use super::handlers::{number, stored};
use super::webhook::{self, BODY_LIMIT, Delivery, Event, WebhookError};
use super::{Trigger, jobs, store};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::body;
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
    let Some(reference) = &source.webhook_secret else {
        return Err(ApiError::Unauthenticated(format!(
            "source {id} has no webhook secret; set one to accept deliveries"
        )));
    };
    let secret = match reference.parse::<CredentialRef>() {
        Ok(reference) => reference.resolve(app.sources.variable).await,
        Err(error) => Err(error),
    };
    let secret = secret.map_err(|error| {
        tracing::warn!(source.id = id, error = %error, "the webhook secret of source {id} cannot be read");
        ApiError::Unavailable("the webhook secret of this source cannot be read; the log says why".to_owned())
    })?;
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, BODY_LIMIT).await?;
    let delivery = webhook::verify(&parts.headers, &bytes, &secret).map_err(|error| match error {
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
