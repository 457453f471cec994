//! Approvals over HTTP.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use portal_core::access::{Principal, Verb};
use portal_core::actions::wire::{ApprovalList, ApprovalState, ApprovalView, VoteCreate, VoteView};
use portal_core::runs::wire::RunPerson;

use super::service::{self, Right, right};
use super::store::{self, ApprovalFilter, ApprovalRow, VoteRow};
use crate::access::store as accounts;
use crate::db::Priority;
use crate::delegations::service::{self as delegations, Handed};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadRuns, RunTemplates};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::cursor;
use crate::http::params::{Params, one_of};
use crate::runs;
use crate::state::App;

/// Approvals that the caller may see, newest first: those that they decide about, and those
/// of runs that they see.
#[utoipa::path(
    get, path = "/approvals", tag = "actions", operation_id = "list_approvals",
    params(
        ("state" = Option<ApprovalState>, Query, description = "Only approvals in this state"),
        ("run" = Option<i64>, Query, minimum = 0, description = "Only those of this run"),
        ("mine" = Option<bool>, Query, description = "Only those that the caller decides about"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "Some approvals", body = ApprovalList)),
)]
pub async fn list_approvals(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<ApprovalList>> {
    let state =
        match params.chosen("state")? {
            Some(text) => {
                let state = ApprovalState::parse(&text);
                Some(state.ok_or_else(|| {
                    ApiError::parameter("state", one_of(ApprovalState::ALL.map(ApprovalState::as_str)))
                })?)
            }
            None => None,
        };
    let run_id = params.sequence("run")?;
    let is_mine = params.flag("mine")?;
    let limit = params.number("limit", 25, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let principal = &auth.principal;
    // Of one run, whoever sees it sees what it waits for.
    let sees_run = match run_id {
        Some(run_id) => runs::views::visible(&app, principal, &run_id.to_string()).await.is_ok(),
        None => false,
    };
    let sees_all = !is_mine && (sees_run || principal.role.may_everywhere(Verb::ReadRuns));
    let decider = match sees_all {
        true => None,
        false => Some(delegations::decider(&app, app.db.reader(), principal).await?),
    };
    let filter = ApprovalFilter { state, run_id, decider };
    let db = app.db.reader();
    let rows = store::page(db, &filter, before, limit + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, |row| row.id);
    let total = store::count(db, &filter).await?;
    Ok(Json(ApprovalList { items: views(&app, principal, rows).await?, next_cursor, total }))
}

/// One approval.
#[utoipa::path(
    get, path = "/approvals/{id}", tag = "actions", operation_id = "find_approval",
    params(("id" = i64, Path, example = 1)),
    responses((status = 200, description = "The approval", body = ApprovalView)),
)]
pub async fn find_approval(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<Json<ApprovalView>> {
    params.finish()?;
    let row = visible(&app, &auth.principal, &id).await?;
    one(&app, &auth.principal, row).await
}

async fn one(app: &App, principal: &Principal, row: ApprovalRow) -> ApiResult<Json<ApprovalView>> {
    let mut all = views(app, principal, vec![row]).await?;
    all.pop().map(Json).ok_or_else(|| ApiError::Internal("an approval without a view".to_owned()))
}

/// The approval of this id, if its run is theirs to see.
///
/// # Errors
/// 404.
pub async fn visible(app: &App, principal: &Principal, id: &str) -> ApiResult<ApprovalRow> {
    let absent = || ApiError::not_found("approval_not_found", format!("there is no approval `{id}`"));
    let number: i64 = id.parse().map_err(|_| absent())?;
    let row = store::find(app.db.reader(), number).await?.ok_or_else(absent)?;
    runs::views::visible(app, principal, &row.run_id.to_string()).await.map_err(|_| absent())?;
    Ok(row)
}

/// Approves, or declines. Each person decides once; when as many have approved as are
/// needed the run goes on, and one who declines ends it.
#[utoipa::path(
    post, path = "/approvals/{id}/votes", tag = "actions", operation_id = "create_vote",
    params(("id" = i64, Path, example = 1)),
    request_body(content = VoteCreate, example = json!({"approves": true, "comment": "Quota is fine"})),
    responses((status = 201, description = "Taken", body = ApprovalView)),
)]
pub async fn create_vote(
    auth: Authorized<RunTemplates>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
    params: Params,
    JsonBody(vote): JsonBody<VoteCreate>,
) -> ApiResult<(axum::http::StatusCode, Json<ApprovalView>)> {
    params.finish()?;
    let row = visible(&app, &auth.principal, &id).await?;
    let (writing, principal, id) = (auth.writing(&app, &request_id), auth.principal.clone(), row.id);
    let working = app.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { service::vote(&working, txn, &writing, &principal, id, vote).await })
    });
    work.await?;
    let row = store::find(app.db.reader(), id).await?.unwrap_or(row);
    Ok((axum::http::StatusCode::CREATED, one(&app, &auth.principal, row).await?))
}

/// Approvals as the caller sees them.
///
/// # Errors
/// The database.
pub async fn views(app: &App, principal: &Principal, rows: Vec<ApprovalRow>) -> ApiResult<Vec<ApprovalView>> {
    let db = app.db.reader();
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(principal);
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut votes: HashMap<i64, Vec<VoteRow>> = HashMap::new();
    for vote in if ids.is_empty() { Vec::new() } else { store::votes(db, &ids).await? } {
        votes.entry(vote.approval_id).or_default().push(vote);
    }
    let of_runs = runs::store::find_all(db, rows.iter().map(|row| row.run_id).collect()).await?;
    let names = accounts::names(db, of_runs.values().map(|stored| stored.run.actor.as_str()).collect()).await?;
    let handed = delegations::handed_to(app, db, principal, app.clock.now()).await?;
    let mut all = Vec::new();
    for row in rows {
        let (Some(ask), Some(stored)) = (store::ask_of(&row), of_runs.get(&row.run_id)) else { continue };
        let name = names.get(&stored.run.actor).cloned().unwrap_or_default();
        let votes = votes.remove(&row.id).unwrap_or_default();
        let (refusal, on_behalf_of) = match right(&row, &ask, &stored.run, principal, &handed, &votes) {
            Ok(Right::Own) => (None, None),
            Ok(Right::For(Handed { from, .. })) => {
                (None, Some(RunPerson { name: from.name.clone(), entity_ref: from.user.clone() }))
            }
            Err(reason) => (Some(reason.to_string()), None),
        };
        let step = stored.steps.iter().find(|step| step.position == row.position);
        all.push(ApprovalView {
            id: row.id,
            run_id: row.run_id,
            title: row.title.clone(),
            step: step.map(|step| step.step_id.clone()),
            state: store::state_of(&row),
            requested_by: RunPerson { name, entity_ref: stored.run.user_ref.clone() },
            approvers: ask.approvers.iter().map(|one| snapshot.index.link_of(one, &visibility)).collect(),
            need: ask.need,
            plan: row.plan.clone(),
            plan_hash: row.plan_hash.clone(),
            four_eyes: ask.four_eyes,
            votes: votes.into_iter().map(vote_view).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            refusal,
            on_behalf_of,
        });
    }
    Ok(all)
}

fn vote_view(vote: VoteRow) -> VoteView {
    let VoteRow { name, user_ref, approves, comment, at, for_name, for_user_ref, .. } = vote;
    VoteView {
        by: RunPerson { name, entity_ref: user_ref },
        on_behalf_of: for_name.map(|name| RunPerson { name, entity_ref: for_user_ref }),
        approves,
        comment,
        at,
    }
}
