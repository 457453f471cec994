//! What platforms tell of what they were asked to do. The signature in the address is the
//! permission.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use portal_core::access::ActorId;
use portal_core::actions::wire::{CallbackReceipt, CallbackReport, CallbackStatus};

use super::{is_signed, store as calls};
use crate::changes::{self, Writing};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::body;
use crate::http::params::Params;
use crate::runs::log::StepLog;
use crate::runs::{engine, service, store};
use crate::state::App;

/// Lines of one report.
const LINES: usize = 500;

/// Tells how something goes that the portal asked for, to the address that came with the
/// request as `callback_url`.
///
/// As many reports with `"status": "running"` as one likes; then one with `succeeded` or
/// `failed`. The last one may be sent again, unchanged.
#[utoipa::path(
    post, path = "/callbacks/{id}", tag = "actions", operation_id = "receive_callback",
    params(
        ("id" = i64, Path, example = 1),
        ("expires" = Option<i64>, Query, description = "As in `callback_url`"),
        ("signature" = Option<String>, Query, description = "As in `callback_url`"),
    ),
    request_body(content = CallbackReport, example = json!({"status": "running", "progress": 40, "log": ["volume made"]})),
    responses((status = 200, description = "Taken", body = CallbackReceipt)),
)]
pub async fn receive_callback(
    State(app): State<App>,
    Path(id): Path<String>,
    mut params: Params,
    _headers: HeaderMap,
    request: Request,
) -> ApiResult<Json<CallbackReceipt>> {
    let expires = params.one("expires")?;
    let signature = params.one("signature")?.unwrap_or_default();
    params.finish()?;
    let forged = || ApiError::Unauthenticated("this is not the address that came with the request".to_owned());
    let id: i64 = id.parse().map_err(|_| forged())?;
    let expires: i64 = expires.and_then(|text| text.parse().ok()).ok_or_else(forged)?;
    let row = calls::find(app.db.reader(), id).await?.ok_or_else(forged)?;
    let signed = is_signed(&app, &row, expires, &signature);
    if !signed.map_err(|trouble| ApiError::Unavailable(trouble.message))? {
        return Err(forged());
    }
    let bytes: Bytes = body::read_json(request).await?;
    let report: CallbackReport = body::parse(&bytes)?;
    if report.progress.is_some_and(|percent| percent > 100) {
        return Err(ApiError::field("/progress", "is a percentage: 0 to 100"));
    }
    if report.log.len() > LINES {
        return Err(ApiError::field("/log", format!("{} lines; a report has at most {LINES}", report.log.len())));
    }
    if let Some(index) = report.links.iter().position(|link| !is_web(&link.url)) {
        return Err(ApiError::field(&format!("/links/{index}/url"), "is not an address of http or https"));
    }
    let is_last = report.status != CallbackStatus::Running;
    let now = app.clock.now();
    let Some(stored) = store::find(app.db.reader(), row.run_id).await? else { return Err(forged()) };
    let told =
        |row: &calls::CallRow| row.result.as_deref().and_then(|text| serde_json::from_str::<CallbackReport>(text).ok());
    // Whoever did not hear our answer says the same again.
    if told(&row).as_ref() == Some(&report) {
        return Ok(Json(CallbackReceipt { run_id: row.run_id, is_final: true }));
    }
    if stored.state().is_final() || row.ended_at.is_some() || now > row.deadline {
        return Err(ApiError::conflict("callback_late", "the run does not wait for this any more".to_owned()));
    }
    let step = stored.steps.iter().find(|step| step.position == row.position).map(|step| step.step_id.clone());
    let hidden = service::hidden(&service::secrets(&app, &stored.run));
    let log = StepLog::new(row.run_id, step, app.clock.clone(), hidden);
    report.log.iter().for_each(|line| log.line(line));
    if let Some(message) = &report.message {
        log.line(message);
    }
    report.links.iter().for_each(|link| log.line(&format!("{}: {}", link.title, link.url)));
    let writing = Writing { actor: ActorId::system(), cause: format!("callback:{id}"), at: now, by: None };
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            // As it is now: two reports may come at the same moment.
            let row = calls::find(txn, id).await?.ok_or_else(forged)?;
            if let Some(told) = told(&row) {
                if told == report {
                    return Ok(CallbackReceipt { run_id: row.run_id, is_final: true });
                }
                return Err(ApiError::conflict("callback_ended", "the result was told already".to_owned()));
            }
            let run_id = row.run_id;
            calls::report(txn, row, &report, is_last).await?;
            log.flush_in(txn).await?;
            if is_last {
                engine::ask(txn, run_id, now).await?;
            }
            changes::store::append(txn, &writing, vec![engine::change(&stored, "report")]).await?;
            Ok::<_, ApiError>(CallbackReceipt { run_id, is_final: is_last })
        })
    });
    Ok(Json(work.await?))
}

fn is_web(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
