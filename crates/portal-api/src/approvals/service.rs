//! Asking people, and what their answers lead to.

use std::collections::BTreeSet;

use portal_core::access::{Decision, Principal, Resource, Verb, decide};
use portal_core::actions::approval::{Ask, Verdict};
use portal_core::actions::wire::{ApprovalState, VoteCreate};
use portal_core::personal::wire::Severity;
use portal_core::runs::RunState;

use super::store::{self as approvals, ApprovalRow, NewApproval, VoteRow, WHOLE};
use super::{reminders, telling};
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, DbResult};
use crate::delegations::service::{self as delegations, Handed};
use crate::error::{ApiError, ApiResult};
use crate::notifications::store::{self as notifications, NewNotification};
use crate::runs::store::RunRow;
use crate::runs::{engine, store};
use crate::state::App;

/// The subject of an approval's changes begins so; its id follows.
pub const SUBJECT: &str = "approval:";
/// Characters of a comment.
const COMMENT: usize = 2000;

/// Asks those who decide, once.
///
/// # Errors
/// The database.
pub async fn open(
    app: &App,
    txn: &DatabaseTransaction,
    writing: &Writing,
    new: NewApproval,
    requester: &str,
) -> DbResult<ApprovalRow> {
    let ask = new.ask.clone();
    let (row, is_new) = approvals::insert(txn, new).await?;
    if is_new {
        telling::ask(app, txn, writing, &row, &ask, requester).await?;
        reminders::first(txn, &row, writing.at).await?;
        changes::store::append(txn, writing, vec![change(&row, "create")]).await?;
    }
    Ok(row)
}

fn change(row: &ApprovalRow, operation: &'static str) -> NewChange {
    let document = serde_json::json!({ "run": row.run_id, "state": row.state });
    NewChange { subject: format!("{SUBJECT}{}", row.id), operation, document: Some(document.to_string()) }
}

/// By what right somebody decides.
pub enum Right<'h> {
    Own,
    /// In the place of somebody who has handed it to them.
    For(&'h Handed),
}

/// By what right somebody may decide now. Their own comes first, since each person decides
/// once, whatever was handed to them.
///
/// # Errors
/// They may not, or have; with the reason.
pub fn right<'h>(
    row: &ApprovalRow,
    ask: &Ask,
    run: &RunRow,
    principal: &Principal,
    handed: &'h [Handed],
    votes: &[VoteRow],
) -> ApiResult<Right<'h>> {
    let requester = run.actor.as_str();
    if approvals::state_of(row) != ApprovalState::Pending {
        return Err(ApiError::conflict("approval_ended", format!("it is {} already", row.state)));
    }
    if !principal.has_account() {
        return Err(ApiError::Forbidden("sign in to decide".to_owned()));
    }
    if !may_decide(principal) {
        let role = principal.role.as_str();
        return Err(ApiError::Forbidden(format!("the role `{role}` does not decide; an administrator can change it")));
    }
    let said = |text: String| ApiError::conflict("voted_already", text);
    let actor = &principal.actor.0;
    // Somebody with two accounts is one person.
    let is_same = |one: Option<&String>, other: Option<&String>| one.is_some() && one == other;
    let has_said = |vote: &VoteRow| vote.actor == *actor || is_same(vote.user_ref.as_ref(), principal.user.as_ref());
    if votes.iter().any(has_said) {
        return Err(said("you have decided already".to_owned()));
    }
    let asked = |of: &Principal| of.actor.0 == requester || is_same(of.user.as_ref(), run.user_ref.as_ref());
    let may_not = |of: &Principal| {
        let as_actor = if asked(of) { requester } else { of.actor.0.as_str() };
        ask.may_not(requester, as_actor, &approvals::names(of).into_iter().collect())
    };
    let own = match may_not(principal) {
        None => {
            return match votes.iter().find(|vote| vote.person.as_ref() == Some(actor)) {
                Some(vote) => Err(said(format!("{} has decided for you already", vote.name))),
                None => Ok(Right::Own),
            };
        }
        Some(reason) => reason,
    };
    // Whoever asks does not decide by another's right either.
    if ask.four_eyes && asked(principal) {
        return Err(ApiError::Forbidden(own));
    }
    let mut reason = ApiError::Forbidden(own);
    for one in handed.iter().filter(|one| one.covers(row.id)) {
        let from = &one.from.actor.0;
        if ask.four_eyes && asked(&one.from) {
            let message = format!("{} asked, so that nobody decides in their place", one.from.name);
            reason = ApiError::Forbidden(message);
        } else if may_not(&one.from).is_none() {
            match votes.iter().any(|vote| vote.actor == *from || vote.person.as_ref() == Some(from)) {
                true => reason = said(format!("{} has decided already, or somebody in their place", one.from.name)),
                false => return Ok(Right::For(one)),
            }
        }
    }
    Err(reason)
}

/// Whether somebody decides about anything at all, by their role and the policies.
pub fn may_decide(principal: &Principal) -> bool {
    decide(principal, Verb::RunTemplates, Resource::Any) == Decision::Allow
}

/// Takes a vote, and lets the run go on, or end, where it was the last that was needed.
///
/// # Errors
/// It is not theirs to give, comes too late, or twice.
pub async fn vote(
    app: &App,
    txn: &DatabaseTransaction,
    writing: &Writing,
    principal: &Principal,
    id: i64,
    vote: VoteCreate,
) -> ApiResult<()> {
    let absent = || ApiError::not_found("approval_not_found", format!("there is no approval `{id}`"));
    let row = approvals::find(txn, id).await?.ok_or_else(absent)?;
    let ask = approvals::ask_of(&row).ok_or_else(|| ApiError::Internal("an approval that asks nothing".to_owned()))?;
    let stored = store::find(txn, row.run_id).await?.ok_or_else(absent)?;
    let requester = stored.run.actor.clone();
    if approvals::state_of(&row) == ApprovalState::Pending && writing.at > row.expires_at {
        return Err(ApiError::conflict("approval_expired", "the time to decide is over".to_owned()));
    }
    let handed = delegations::handed_to(app, txn, principal, writing.at).await?;
    let votes = approvals::votes(txn, &[id]).await?;
    let of = match right(&row, &ask, &stored.run, principal, &handed, &votes)? {
        Right::Own => None,
        Right::For(handed) => Some(&handed.from),
    };
    let comment = vote.comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if comment.as_ref().is_some_and(|text| text.chars().count() > COMMENT) {
        return Err(ApiError::field("/comment", format!("at most {COMMENT} characters")));
    }
    let person = of.unwrap_or(principal);
    let own: BTreeSet<String> = approvals::names(person).into_iter().collect();
    let as_approvers: BTreeSet<&String> = ask.approvers.iter().filter(|one| own.contains(*one)).collect();
    let given = VoteRow {
        approval_id: id,
        actor: principal.actor.0.clone(),
        name: principal.name.clone(),
        user_ref: principal.user.clone(),
        as_approvers: serde_json::to_string(&as_approvers).map_err(|error| ApiError::Internal(error.to_string()))?,
        approves: vote.approves,
        comment,
        at: writing.at,
        person: Some(person.actor.0.clone()),
        for_name: of.map(|of| of.name.clone()),
        for_user_ref: of.and_then(|of| of.user.clone()),
    };
    let voter = approvals::voter(&given);
    if !approvals::vote(txn, given).await? {
        return Err(ApiError::conflict("voted_already", "this was decided in the same moment".to_owned()));
    }
    let votes: Vec<_> = approvals::votes(txn, &[id]).await?.iter().map(approvals::counted).collect();
    let (state, operation) = match ask.verdict(&requester, &votes) {
        Verdict::Pending => {
            changes::store::append(txn, writing, vec![change(&row, "vote")]).await?;
            return Ok(());
        }
        Verdict::Approved => (ApprovalState::Approved, "approve"),
        Verdict::Declined => (ApprovalState::Declined, "decline"),
    };
    approvals::end(txn, id, state, writing.at).await?;
    let row = ApprovalRow { state: state.as_str().to_owned(), ..row };
    changes::store::append(txn, writing, vec![change(&row, operation)]).await?;
    if row.position == WHOLE {
        release(txn, writing, stored, state).await?;
    } else {
        engine::ask(txn, row.run_id, writing.at).await?;
    }
    tell_requester(txn, writing, &row, state, &voter).await?;
    Ok(())
}

/// A whole run that waited for its approval begins, or ends.
async fn release(
    txn: &DatabaseTransaction,
    writing: &Writing,
    stored: store::Stored,
    state: ApprovalState,
) -> DbResult<()> {
    let mut life = stored.life();
    if life.state != RunState::PendingApproval {
        return Ok(());
    }
    let mut after = stored.clone();
    if state == ApprovalState::Approved {
        life.state = RunState::Queued;
    } else {
        life.finish(RunState::Declined);
        after.run.finished_at = Some(writing.at);
        after.run.secrets = None;
    }
    after.run.state = life.state.as_str().to_owned();
    for (row, step) in after.steps.iter_mut().zip(&life.steps) {
        row.state = step.state.as_str().to_owned();
    }
    store::update(txn, &stored, &after).await?;
    changes::store::append(txn, writing, vec![engine::change(&after, life.state.as_str())]).await?;
    if life.state == RunState::Queued {
        engine::ask(txn, stored.run.id, writing.at).await?;
    }
    Ok(())
}

async fn tell_requester(
    txn: &DatabaseTransaction,
    writing: &Writing,
    row: &ApprovalRow,
    state: ApprovalState,
    by: &str,
) -> DbResult<()> {
    let Some(user) = store::find(txn, row.run_id).await?.and_then(|stored| stored.run.user_ref) else { return Ok(()) };
    let told = NewNotification {
        recipients: vec![user],
        title: format!("{}: {} by {}", row.title, state.as_str(), by),
        text: None,
        link: Some(format!("/runs/{}", row.run_id)),
        severity: Severity::Normal,
        topic: Some("approvals".to_owned()),
        scope: None,
        origin: format!("{SUBJECT}{}:{}", row.id, state.as_str()),
    };
    notifications::insert(txn, writing, told).await
}
