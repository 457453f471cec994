//! Queries on delegations. What is over is as if it were not there.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select,
};

use crate::db::entity::delegation;
use crate::db::{DatabaseTransaction, DbResult};

pub use delegation::Model as DelegationRow;

/// Who hands what to whom.
#[derive(Debug, Clone)]
pub struct NewDelegation {
    pub actor: String,
    pub name: String,
    pub user_ref: Option<String>,
    pub delegate_ref: String,
    pub approval_id: Option<i64>,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

pub async fn insert(txn: &DatabaseTransaction, new: NewDelegation) -> DbResult<DelegationRow> {
    let NewDelegation { actor, name, user_ref, delegate_ref, approval_id, reason, at, until } = new;
    let row = delegation::ActiveModel {
        actor: Set(actor),
        name: Set(name),
        user_ref: Set(user_ref),
        delegate_ref: Set(delegate_ref),
        approval_id: Set(approval_id),
        reason: Set(reason),
        created_at: Set(at),
        until: Set(until),
        ..Default::default()
    };
    Ok(row.insert(txn).await?)
}

fn in_force(now: DateTime<Utc>) -> Select<delegation::Entity> {
    delegation::Entity::find().filter(delegation::Column::Until.gt(now)).order_by_desc(delegation::Column::Id)
}

/// All that hold now.
pub async fn all<C: ConnectionTrait>(db: &C, now: DateTime<Utc>) -> DbResult<Vec<DelegationRow>> {
    Ok(in_force(now).all(db).await?)
}

/// What an account has handed on.
pub async fn of<C: ConnectionTrait>(db: &C, actor: &str, now: DateTime<Utc>) -> DbResult<Vec<DelegationRow>> {
    Ok(in_force(now).filter(delegation::Column::Actor.eq(actor)).all(db).await?)
}

/// What was handed to a user.
pub async fn to<C: ConnectionTrait>(db: &C, user_ref: &str, now: DateTime<Utc>) -> DbResult<Vec<DelegationRow>> {
    Ok(in_force(now).filter(delegation::Column::DelegateRef.eq(user_ref)).all(db).await?)
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64, now: DateTime<Utc>) -> DbResult<Option<DelegationRow>> {
    Ok(in_force(now).filter(delegation::Column::Id.eq(id)).one(db).await?)
}

pub async fn remove(txn: &DatabaseTransaction, id: i64) -> DbResult<bool> {
    Ok(delegation::Entity::delete_by_id(id).exec(txn).await?.rows_affected > 0)
}

/// Approvals that are forgotten are in nobody's hands.
pub async fn forget(txn: &DatabaseTransaction, approval_ids: &[i64]) -> DbResult<()> {
    let own = delegation::Column::ApprovalId.is_in(approval_ids.to_vec());
    delegation::Entity::delete_many().filter(own).exec(txn).await?;
    Ok(())
}
