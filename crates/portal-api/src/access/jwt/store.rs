//! Queries on signing keys.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::db::entity::signing_key::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, DbResult};

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub kid: String,
    /// The public half, 32 bytes as Base64 for URLs.
    pub public: String,
    /// The whole, PKCS #8, sealed.
    pub sealed: String,
    pub created_at: DateTime<Utc>,
}

/// Every key, the oldest first.
pub async fn all<C: ConnectionTrait>(db: &C) -> DbResult<Vec<StoredKey>> {
    let rows = Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Kid).all(db).await?;
    let key = |Model { kid, public_key, sealed, created_at }: Model| StoredKey {
        kid,
        public: public_key,
        sealed,
        created_at,
    };
    Ok(rows.into_iter().map(key).collect())
}

pub async fn add(txn: &DatabaseTransaction, key: StoredKey) -> DbResult<()> {
    let StoredKey { kid, public, sealed, created_at } = key;
    let row = ActiveModel { kid: Set(kid), public_key: Set(public), sealed: Set(sealed), created_at: Set(created_at) };
    Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Seals a key anew.
pub async fn reseal(txn: &DatabaseTransaction, kid: &str, sealed: String) -> DbResult<()> {
    let row = ActiveModel { kid: Set(kid.to_owned()), sealed: Set(sealed), ..Default::default() };
    Entity::update(row).exec(txn).await?;
    Ok(())
}

pub async fn forget_before(txn: &DatabaseTransaction, time: DateTime<Utc>) -> DbResult<()> {
    Entity::delete_many().filter(Column::CreatedAt.lt(time)).exec(txn).await?;
    Ok(())
}
