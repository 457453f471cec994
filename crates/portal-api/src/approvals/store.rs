//! Queries on approvals.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use portal_core::actions::approval::{Ask, Vote};
use portal_core::actions::wire::ApprovalState;
use sea_orm::sea_query::{Condition, Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait as _, Select,
};

use crate::db::entity::{approval, approval_approver, approval_vote};
use crate::db::{DatabaseTransaction, DbError, DbResult, storable};
use crate::delegations::store as delegations;

pub use approval::Model as ApprovalRow;
pub use approval_vote::Model as VoteRow;

/// Position of the approval that a whole run waits for.
pub const WHOLE: i32 = -1;

/// What is to be agreed to.
#[derive(Debug, Clone)]
pub struct NewApproval {
    pub run_id: i64,
    pub position: i32,
    pub title: String,
    pub ask: Ask,
    /// What is agreed to, and its SHA-256, where it is a plan.
    pub plan: Option<(String, String)>,
    pub at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Asks; the row that is there already where the same was asked before. What was asked about
/// another plan is withdrawn.
pub async fn insert(txn: &DatabaseTransaction, new: NewApproval) -> DbResult<(ApprovalRow, bool)> {
    let NewApproval { run_id, position, title, ask, plan, at, expires_at } = new;
    let (plan, plan_hash) = plan.unzip();
    let before = of_step(txn, run_id, position).await?;
    let generation = match before {
        Some(row) if row.plan_hash == plan_hash => return Ok((row, false)),
        Some(row) => {
            end(txn, row.id, ApprovalState::Withdrawn, at).await?;
            row.generation + 1
        }
        None => 0,
    };
    let text = serde_json::to_string(&ask).map_err(|error| DbError::Unsupported(error.to_string()))?;
    let row = approval::ActiveModel {
        run_id: Set(run_id),
        position: Set(position),
        generation: Set(generation),
        plan: Set(plan),
        plan_hash: Set(plan_hash),
        title: Set(storable(title)),
        ask: Set(text),
        state: Set(ApprovalState::Pending.as_str().to_owned()),
        created_at: Set(at),
        expires_at: Set(expires_at),
        decided_at: Set(None),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    let approvers = ask
        .approvers
        .into_iter()
        .map(|entity_ref| approval_approver::ActiveModel { approval_id: Set(row.id), entity_ref: Set(entity_ref) });
    approval_approver::Entity::insert_many(approvers).exec_without_returning(txn).await?;
    Ok((row, true))
}

pub fn ask_of(row: &ApprovalRow) -> Option<Ask> {
    serde_json::from_str(&row.ask).ok()
}

pub fn state_of(row: &ApprovalRow) -> ApprovalState {
    ApprovalState::parse(&row.state).unwrap_or(ApprovalState::Withdrawn)
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<ApprovalRow>> {
    Ok(approval::Entity::find_by_id(id).one(db).await?)
}

/// The last one of a step.
pub async fn of_step<C: ConnectionTrait>(db: &C, run_id: i64, position: i32) -> DbResult<Option<ApprovalRow>> {
    let own = approval::Entity::find().filter(approval::Column::RunId.eq(run_id));
    let own = own.filter(approval::Column::Position.eq(position));
    Ok(own.order_by_desc(approval::Column::Generation).one(db).await?)
}

pub async fn votes<C: ConnectionTrait>(db: &C, ids: &[i64]) -> DbResult<Vec<VoteRow>> {
    let votes = approval_vote::Entity::find().filter(approval_vote::Column::ApprovalId.is_in(ids.to_vec()));
    Ok(votes.order_by_asc(approval_vote::Column::At).all(db).await?)
}

/// A vote as it is counted.
pub fn counted(row: &VoteRow) -> Vote {
    let as_approvers: BTreeSet<String> = serde_json::from_str(&row.as_approvers).unwrap_or_default();
    let stands_for = row.person.clone().filter(|person| *person != row.actor);
    Vote { actor: row.actor.clone(), stands_for, as_approvers, approves: row.approves }
}

/// Who gave a vote, and for whom.
pub fn voter(row: &VoteRow) -> String {
    row.for_name.as_ref().map_or_else(|| row.name.clone(), |of| format!("{} for {of}", row.name))
}

/// False where this person has said something already, or somebody in their place.
pub async fn vote(txn: &DatabaseTransaction, row: VoteRow) -> DbResult<bool> {
    let there = approval_vote::Entity::find_by_id((row.approval_id, row.actor.clone())).one(txn).await?;
    if there.is_some() {
        return Ok(false);
    }
    let row: approval_vote::ActiveModel = row.into();
    let insert = approval_vote::Entity::insert(row.reset_all()).on_conflict(OnConflict::new().do_nothing().to_owned());
    Ok(insert.exec_without_returning(txn).await? > 0)
}

/// Ends what is pending; false where it is not.
pub async fn end(txn: &DatabaseTransaction, id: i64, state: ApprovalState, at: DateTime<Utc>) -> DbResult<bool> {
    let update = ended(state, at).filter(approval::Column::Id.eq(id));
    Ok(update.exec(txn).await?.rows_affected > 0)
}

/// A run that has ended waits for nobody.
pub async fn withdraw(txn: &DatabaseTransaction, run_id: i64, state: ApprovalState, at: DateTime<Utc>) -> DbResult<()> {
    ended(state, at).filter(approval::Column::RunId.eq(run_id)).exec(txn).await?;
    Ok(())
}

fn ended(state: ApprovalState, at: DateTime<Utc>) -> sea_orm::UpdateMany<approval::Entity> {
    approval::Entity::update_many()
        .col_expr(approval::Column::State, Expr::value(state.as_str()))
        .col_expr(approval::Column::DecidedAt, Expr::value(at))
        .filter(approval::Column::State.eq(ApprovalState::Pending.as_str()))
}

/// A step that is tried again asks again.
pub async fn delete_step(txn: &DatabaseTransaction, run_id: i64, position: i32) -> DbResult<()> {
    let own = approval::Entity::find().select_only().column(approval::Column::Id);
    let own = own.filter(approval::Column::RunId.eq(run_id)).filter(approval::Column::Position.eq(position));
    forget(txn, own.into_tuple().all(txn).await?).await
}

pub async fn delete(txn: &DatabaseTransaction, run_ids: &[i64]) -> DbResult<()> {
    let own = approval::Entity::find().select_only().column(approval::Column::Id);
    let ids: Vec<i64> = own.filter(approval::Column::RunId.is_in(run_ids.to_vec())).into_tuple().all(txn).await?;
    forget(txn, ids).await
}

async fn forget(txn: &DatabaseTransaction, ids: Vec<i64>) -> DbResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let (votes, approvers) = (approval_vote::Column::ApprovalId, approval_approver::Column::ApprovalId);
    approval_vote::Entity::delete_many().filter(votes.is_in(ids.clone())).exec(txn).await?;
    delegations::forget(txn, &ids).await?;
    approval_approver::Entity::delete_many().filter(approvers.is_in(ids.clone())).exec(txn).await?;
    approval::Entity::delete_many().filter(approval::Column::Id.is_in(ids)).exec(txn).await?;
    Ok(())
}

/// Which approvals to list.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    pub state: Option<ApprovalState>,
    pub run_id: Option<i64>,
    /// Those that this person decides about, or has decided about; all when absent.
    pub decider: Option<Decider>,
}

/// What somebody may decide about.
#[derive(Debug, Clone, Default)]
pub struct Decider {
    pub actor: String,
    /// The user and the groups that they are.
    pub names: Vec<String>,
    /// The same of those who have handed them their right; of what is pending.
    pub handed_names: Vec<String>,
    /// Single approvals that were handed to them.
    pub handed: Vec<i64>,
}

fn filtered(filter: &ApprovalFilter) -> Select<approval::Entity> {
    let ApprovalFilter { state, run_id, decider } = filter;
    let mut select = approval::Entity::find();
    if let Some(state) = state {
        select = select.filter(approval::Column::State.eq(state.as_str()));
    }
    if let Some(run_id) = run_id {
        select = select.filter(approval::Column::RunId.eq(*run_id));
    }
    if let Some(Decider { actor, names, handed_names, handed }) = decider {
        let asks = |names: &Vec<String>| {
            let own = approval_approver::Entity::find().select_only().column(approval_approver::Column::ApprovalId);
            own.filter(approval_approver::Column::EntityRef.is_in(names.clone())).into_query()
        };
        let voted = approval_vote::Entity::find().select_only().column(approval_vote::Column::ApprovalId);
        let voted = voted.filter(approval_vote::Column::Actor.eq(actor.as_str())).into_query();
        let id = approval::Column::Id;
        let mut any = Condition::any().add(id.in_subquery(asks(names))).add(id.in_subquery(voted));
        if !handed_names.is_empty() || !handed.is_empty() {
            let handed = Condition::any().add(id.in_subquery(asks(handed_names))).add(id.is_in(handed.clone()));
            let pending = approval::Column::State.eq(ApprovalState::Pending.as_str());
            any = any.add(Condition::all().add(pending).add(handed));
        }
        select = select.filter(any);
    }
    select
}

/// Newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &ApprovalFilter,
    before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<ApprovalRow>> {
    let mut select = filtered(filter).order_by_desc(approval::Column::Id).limit(limit);
    if let Some(before) = before {
        select = select.filter(approval::Column::Id.lt(before));
    }
    Ok(select.all(db).await?)
}

pub async fn count<C: ConnectionTrait>(db: &C, filter: &ApprovalFilter) -> DbResult<u64> {
    Ok(filtered(filter).count(db).await?)
}

/// The user and the groups that somebody is.
pub fn names(principal: &Principal) -> Vec<String> {
    principal.user.iter().chain(&principal.groups).cloned().collect()
}

/// Whether somebody decides about something of a run.
pub async fn decides<C: ConnectionTrait>(db: &C, decider: Decider, run_id: i64) -> DbResult<bool> {
    let filter = ApprovalFilter { run_id: Some(run_id), decider: Some(decider), ..Default::default() };
    Ok(count(db, &filter).await? > 0)
}
