//! Queries on policies.

use portal_core::access::Verb;
use portal_core::access::wire::{Effect, PolicyDraft, PolicyView};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder};

use crate::db::entity::policy::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, DbResult};

/// Every policy, by name.
pub async fn all<C: ConnectionTrait>(db: &C) -> DbResult<Vec<PolicyView>> {
    let rows = Entity::find().order_by_asc(Column::Name).all(db).await?;
    Ok(rows.into_iter().map(view).collect())
}

pub async fn find<C: ConnectionTrait>(db: &C, name: &str) -> DbResult<Option<PolicyView>> {
    Ok(Entity::find_by_id(name).one(db).await?.map(view))
}

/// Stores a policy in the place of the one of its name.
pub async fn put(txn: &DatabaseTransaction, policy: &PolicyView) -> DbResult<()> {
    Entity::delete_by_id(policy.name.as_str()).exec(txn).await?;
    let PolicyView { name, effect, verbs, condition, message, enabled, etag, changed_at } = policy.clone();
    let row = ActiveModel {
        name: Set(name),
        effect: Set(effect.as_str().to_owned()),
        verbs: Set(serde_json::to_string(&verbs).unwrap_or_default()),
        condition: Set(condition),
        message: Set(message),
        enabled: Set(enabled),
        etag: Set(etag),
        changed_at: Set(changed_at),
    };
    Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

pub async fn remove(txn: &DatabaseTransaction, name: &str) -> DbResult<()> {
    Entity::delete_by_id(name).exec(txn).await?;
    Ok(())
}

fn view(row: Model) -> PolicyView {
    let Model { name, effect, verbs, condition, message, enabled, etag, changed_at } = row;
    let verbs: Vec<Verb> = serde_json::from_str(&verbs).unwrap_or_default();
    let effect = if effect == Effect::Allow.as_str() { Effect::Allow } else { Effect::Deny };
    PolicyView { name, effect, verbs, condition, message, enabled, etag, changed_at }
}

/// What a policy was made from.
pub fn draft(policy: &PolicyView) -> PolicyDraft {
    let PolicyView { effect, verbs, condition, message, enabled, .. } = policy.clone();
    PolicyDraft { effect, verbs, condition, message, enabled }
}
