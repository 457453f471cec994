//! Who stands in for whom, as of this moment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use portal_core::actions::approval::Ask;
use portal_core::personal::wire::Severity;

use super::store::{self, DelegationRow, NewDelegation};
use crate::access::{identity, store as accounts};
use crate::approvals::service::may_decide;
use crate::approvals::store::{Decider, names};
use crate::changes::{self, NewChange, Writing};
use crate::db::{ConnectionTrait, DatabaseTransaction, DbResult};
use crate::error::{ApiError, ApiResult};
use crate::notifications::store::{self as notifications, NewNotification};
use crate::state::App;

const SUBJECT: &str = "delegation:";

/// The right of somebody, in another's hands.
#[derive(Debug, Clone)]
pub struct Handed {
    /// Whoever handed it on, with what they may now.
    pub from: Principal,
    /// Reference of the user who has it.
    pub to: String,
    /// Only this approval.
    pub approval_id: Option<i64>,
}

impl Handed {
    /// Whether it is about an approval.
    pub fn covers(&self, approval_id: i64) -> bool {
        self.approval_id.is_none_or(|only| only == approval_id)
    }
}

/// What was handed to somebody.
///
/// # Errors
/// The database.
pub async fn handed_to<C: ConnectionTrait>(
    app: &App,
    db: &C,
    principal: &Principal,
    now: DateTime<Utc>,
) -> DbResult<Vec<Handed>> {
    let Some(user) = &principal.user else { return Ok(Vec::new()) };
    let rows = store::to(db, user, now).await?;
    let handed = in_force(app, db, rows).await?;
    Ok(handed.into_iter().filter(|handed| handed.from.actor != principal.actor).collect())
}

/// Those of `rows` whose right is still there: of an account that may decide.
async fn in_force<C: ConnectionTrait>(app: &App, db: &C, rows: Vec<DelegationRow>) -> DbResult<Vec<Handed>> {
    let known = accounts::accounts_by_ids(db, rows.iter().map(|row| row.actor.as_str()).collect()).await?;
    let snapshot = app.catalog.snapshot();
    let handed = |row: DelegationRow| {
        let account = known.get(&row.actor).filter(|account| !account.disabled)?;
        let from = identity::as_account(&snapshot, account.clone());
        may_decide(&from).then_some(Handed { from, to: row.delegate_ref, approval_id: row.approval_id })
    };
    Ok(rows.into_iter().filter_map(handed).collect())
}

/// All that somebody may decide about.
///
/// # Errors
/// The database.
pub async fn decider<C: ConnectionTrait>(app: &App, db: &C, principal: &Principal) -> DbResult<Decider> {
    let mut decider = Decider { actor: principal.actor.0.clone(), ..Decider::default() };
    if !may_decide(principal) {
        return Ok(decider);
    }
    decider.names = names(principal);
    for Handed { from, approval_id, .. } in handed_to(app, db, principal, app.clock.now()).await? {
        match approval_id {
            Some(id) => decider.handed.push(id),
            None => decider.handed_names.extend(names(&from)),
        }
    }
    Ok(decider)
}

/// Those who stand in for approvers that are still asked, by the name of whom they stand in
/// for. `without` are users who do not decide, or have.
///
/// # Errors
/// The database.
pub async fn delegates(
    app: &App,
    txn: &DatabaseTransaction,
    (approval_id, ask): (i64, &Ask),
    requester: &str,
    without: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> DbResult<BTreeMap<String, Vec<String>>> {
    let rows = store::all(txn, now).await?;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for handed in in_force(app, txn, rows).await?.into_iter().filter(|handed| handed.covers(approval_id)) {
        let Handed { from, to, .. } = handed;
        let decides = ask.may_not(requester, &from.actor.0, &names(&from).into_iter().collect()).is_none();
        let has_said = from.user.as_ref().is_some_and(|user| without.contains(user));
        if decides && !has_said && !without.contains(&to) {
            found.entry(from.name).or_default().push(to);
        }
    }
    Ok(found)
}

/// Hands a right on, and tells whoever has it then.
///
/// # Errors
/// It is in somebody's hands already.
pub async fn create(txn: &DatabaseTransaction, writing: &Writing, new: NewDelegation) -> ApiResult<DelegationRow> {
    let there = store::of(txn, &new.actor, new.at).await?;
    if let Some(row) = there.into_iter().find(|row| row.approval_id == new.approval_id) {
        let what = if new.approval_id.is_some() { "this approval" } else { "your approvals" };
        let until = row.until.format("%Y-%m-%d %H:%M UTC");
        let message = format!("you have handed {what} to `{}` until {until}; take that back first", row.delegate_ref);
        return Err(ApiError::conflict("delegation_exists", message));
    }
    let row = store::insert(txn, new).await?;
    changes::store::append(txn, writing, vec![change(&row, "create")]).await?;
    let what = if row.approval_id.is_some() { "an approval" } else { "their approvals" };
    let told = NewNotification {
        recipients: vec![row.delegate_ref.clone()],
        title: format!("{} has handed {what} to you until {}", row.name, row.until.format("%Y-%m-%d %H:%M UTC")),
        text: row.reason.clone(),
        link: Some("/approvals".to_owned()),
        severity: Severity::High,
        topic: Some("approvals".to_owned()),
        scope: None,
        origin: format!("{SUBJECT}{}", row.id),
    };
    notifications::insert(txn, writing, told).await?;
    Ok(row)
}

/// Takes a right back, or gives it back.
///
/// # Errors
/// The database.
pub async fn remove(txn: &DatabaseTransaction, writing: &Writing, row: &DelegationRow) -> DbResult<()> {
    if store::remove(txn, row.id).await? {
        changes::store::append(txn, writing, vec![change(row, "delete")]).await?;
    }
    Ok(())
}

/// The reason stays between the two.
fn change(row: &DelegationRow, operation: &'static str) -> NewChange {
    let document = serde_json::json!({
        "from": row.name, "to": row.delegate_ref, "approval": row.approval_id, "until": row.until,
    });
    NewChange { subject: format!("{SUBJECT}{}", row.id), operation, document: Some(document.to_string()) }
}
