//! Delegations over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use portal_core::access::Principal;
use portal_core::actions::wire::{DelegationCreate, DelegationList, DelegationView};
use portal_core::catalog::EntityRef;
use portal_core::runs::wire::RunPerson;

use super::service;
use super::store::{self, DelegationRow, NewDelegation};
use crate::approvals::handlers::visible;
use crate::approvals::service::{Right, right};
use crate::approvals::store as approvals;
use crate::catalog::view::Snapshot;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadRuns, RunTemplates};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::runs;
use crate::state::App;

/// Days that a right may be in other hands.
const LONGEST: i64 = 366;
/// Characters of a reason.
const REASON: usize = 500;

/// What the caller has handed on, and what was handed to them, as long as it holds.
#[utoipa::path(
    get, path = "/delegations", tag = "actions", operation_id = "list_delegations",
    responses((status = 200, description = "All of them, newest first", body = DelegationList)),
)]
pub async fn list_delegations(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<DelegationList>> {
    params.finish()?;
    let (db, now, principal) = (app.db.reader(), app.clock.now(), &auth.principal);
    let mut rows = match principal.has_account() {
        true => store::of(db, &principal.actor.0, now).await?,
        false => Vec::new(),
    };
    if let Some(user) = &principal.user {
        rows.extend(store::to(db, user, now).await?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    rows.dedup_by_key(|row| row.id);
    let snapshot = app.catalog.snapshot();
    let items: Vec<DelegationView> = rows.into_iter().map(|row| view(&snapshot, principal, row)).collect();
    let total = items.len() as u64;
    Ok(Json(DelegationList { items, next_cursor: None, total }))
}

/// Lets somebody else decide in the caller's place: about all that they may decide about, or
/// about one approval that waits.
///
/// What was handed to the caller is not handed on. Whoever stands in for somebody is one
/// person, and the vote counts as that somebody's; nobody decides about their own request so.
#[utoipa::path(
    post, path = "/delegations", tag = "actions", operation_id = "create_delegation",
    request_body(content = DelegationCreate, example = json!({"delegate": "user:default/kim", "until": "2026-12-24", "reason": "On leave"})),
    responses((status = 201, description = "Handed on", body = DelegationView)),
)]
pub async fn create_delegation(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    params: Params,
    JsonBody(create): JsonBody<DelegationCreate>,
) -> ApiResult<(StatusCode, Json<DelegationView>)> {
    params.finish()?;
    let new = draft(&auth, &app, create).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app
        .db
        .write(Priority::Interactive, move |txn| Box::pin(async move { service::create(txn, &writing, new).await }));
    let row = work.await?;
    Ok((StatusCode::CREATED, Json(view(&app.catalog.snapshot(), &auth.principal, row))))
}

/// What is to be handed on, checked.
async fn draft(auth: &Authorized<RunTemplates>, app: &App, create: DelegationCreate) -> ApiResult<NewDelegation> {
    let DelegationCreate { delegate, until, reason, approval } = create;
    let (principal, now) = (&auth.principal, app.clock.now());
    let delegate_ref = delegate_of(auth, app, &delegate)?;
    let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if reason.as_ref().is_some_and(|text| text.chars().count() > REASON) {
        return Err(ApiError::field("/reason", format!("at most {REASON} characters")));
    }
    let ends = match approval {
        Some(id) => Some(handing_on(app, principal, id, &delegate_ref).await?),
        None => None,
    };
    Ok(NewDelegation {
        actor: principal.actor.0.clone(),
        name: principal.name.clone(),
        user_ref: principal.user.clone(),
        delegate_ref,
        approval_id: approval,
        reason,
        at: now,
        until: end(until.as_deref().unwrap_or_default().trim(), ends, now)?,
    })
}

/// The user who is to decide: one that the catalog shows to the caller, and somebody else.
fn delegate_of(auth: &Authorized<RunTemplates>, app: &App, text: &str) -> ApiResult<String> {
    let wrong = |message: String| ApiError::field("/delegate", message);
    let snapshot = app.catalog.snapshot();
    let delegate =
        EntityRef::parse(text, Some("user"), EntityRef::DEFAULT_NAMESPACE).map_err(|error| wrong(error.to_string()))?;
    let row = snapshot.index.row(&delegate).filter(|row| auth.visibility(&snapshot).admits(*row));
    if delegate.kind() != "user" || row.is_none() {
        return Err(wrong(format!("the catalog has no user `{delegate}`")));
    }
    let reference = delegate.to_string();
    match auth.principal.user.as_ref() == Some(&reference) {
        true => Err(wrong("that is you; choose somebody else".to_owned())),
        false => Ok(reference),
    }
}

/// Until when, by what was written and by when the approval ends, where it is about one.
fn end(text: &str, ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> ApiResult<DateTime<Utc>> {
    let wrong = |message: String| ApiError::field("/until", message);
    let written = match text {
        "" => None,
        text => Some(moment(text).ok_or_else(|| {
            wrong("a date such as `2026-12-24`, or a time such as `2026-12-24T12:00:00Z`".to_owned())
        })?),
    };
    let until = written.into_iter().chain(ends).min();
    let until = until.ok_or_else(|| wrong("say until when; it does not go on for ever".to_owned()))?;
    if until <= now {
        return Err(wrong("this is over already".to_owned()));
    }
    if until > now + TimeDelta::days(LONGEST) {
        return Err(wrong(format!("at most {LONGEST} days from now")));
    }
    Ok(until)
}

/// When an approval ends that the caller may decide about in their own right.
async fn handing_on(app: &App, principal: &Principal, id: i64, delegate_ref: &str) -> ApiResult<DateTime<Utc>> {
    let absent = || ApiError::field("/approval", format!("there is no approval `{id}`"));
    let row = visible(app, principal, &id.to_string()).await.map_err(|_| absent())?;
    let db = app.db.reader();
    let ask = approvals::ask_of(&row).ok_or_else(absent)?;
    let stored = runs::store::find(db, row.run_id).await?.ok_or_else(absent)?;
    let votes = approvals::votes(db, &[id]).await?;
    let handed = service::handed_to(app, db, principal, app.clock.now()).await?;
    match right(&row, &ask, &stored.run, principal, &handed, &votes)? {
        Right::Own => {}
        Right::For(handed) => {
            let message =
                format!("it was handed to you by {}; what was handed to one is not handed on", handed.from.name);
            return Err(ApiError::Forbidden(message));
        }
    }
    if ask.four_eyes && stored.run.user_ref.as_deref() == Some(delegate_ref) {
        return Err(ApiError::field("/delegate", "whoever asked does not decide".to_owned()));
    }
    Ok(row.expires_at)
}

/// A time, or the end of a day.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let day = text.parse::<NaiveDate>().ok()?;
    Some(day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?.and_utc())
}

/// Takes back what the caller has handed on, or gives back what was handed to them. It ends
/// at once.
#[utoipa::path(
    delete, path = "/delegations/{id}", tag = "actions", operation_id = "delete_delegation",
    params(("id" = i64, Path, example = 1)),
    responses((status = 204, description = "It is over")),
)]
pub async fn delete_delegation(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let absent = || ApiError::not_found("delegation_not_found", format!("there is no delegation `{id}` of yours"));
    let number: i64 = id.parse().map_err(|_| absent())?;
    let principal = &auth.principal;
    let row = store::find(app.db.reader(), number, app.clock.now()).await?;
    let is_theirs =
        |row: &DelegationRow| row.actor == principal.actor.0 || principal.user.as_ref() == Some(&row.delegate_ref);
    let row = row.filter(is_theirs).ok_or_else(absent)?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { Ok::<_, ApiError>(service::remove(txn, &writing, &row).await?) })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(snapshot: &Snapshot, principal: &Principal, row: DelegationRow) -> DelegationView {
    let DelegationRow { id, actor, name, user_ref, delegate_ref, approval_id, reason, created_at, until } = row;
    DelegationView {
        id,
        from: RunPerson { name, entity_ref: user_ref },
        to: snapshot.index.link_of(&delegate_ref, &snapshot.visibility(principal)),
        approval: approval_id,
        reason,
        created_at,
        until,
        own: actor == principal.actor.0,
    }
}
