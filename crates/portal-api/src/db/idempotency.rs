//! Queries on the keys of requests that must not be done twice.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use super::entity::idempotency_key::{ActiveModel, Entity, Model};
use super::{DatabaseTransaction, DbResult};

pub async fn find<C: ConnectionTrait>(db: &C, actor: &str, key: &str) -> DbResult<Option<Model>> {
    Ok(Entity::find_by_id((actor.to_owned(), key.to_owned())).one(db).await?)
}

pub async fn insert(
    txn: &DatabaseTransaction,
    actor: &str,
    key: &str,
    request_hash: &str,
    status: i32,
    body: &str,
    now: DateTime<Utc>,
) -> DbResult<()> {
    let row = ActiveModel {
        actor: Set(actor.to_owned()),
        key: Set(key.to_owned()),
        request_hash: Set(request_hash.to_owned()),
        status: Set(status),
        body: Set(body.to_owned()),
        created_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}
