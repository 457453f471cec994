//! Queries on what goes at a time.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel as _};
use serde_json::{Map, Value};

use crate::db::entity::entity_expiry;
use crate::db::{DatabaseTransaction, DbResult};

pub use entity_expiry::Model as ExpiryRow;

/// Something that goes at a time.
#[derive(Debug, Clone)]
pub struct NewExpiry {
    pub entity_ref: String,
    pub run_id: i64,
    pub expires_at: DateTime<Utc>,
    /// The action that cleans it up.
    pub action: Option<String>,
    pub answers: Map<String, Value>,
}

pub async fn set(txn: &DatabaseTransaction, new: NewExpiry) -> DbResult<()> {
    use entity_expiry::Column::{Action, Answers, CleanUp, EntityRef, ExpiresAt, Extensions, RunId};
    let NewExpiry { entity_ref, run_id, expires_at, action, answers } = new;
    let row = entity_expiry::ActiveModel {
        entity_ref: Set(entity_ref),
        run_id: Set(run_id),
        expires_at: Set(expires_at),
        action: Set(action),
        answers: Set(Value::Object(answers).to_string()),
        extensions: Set(0),
        clean_up: Set(None),
    };
    let replace = OnConflict::column(EntityRef)
        .update_columns([RunId, ExpiresAt, Action, Answers, Extensions, CleanUp])
        .to_owned();
    entity_expiry::Entity::insert(row).on_conflict(replace).exec_without_returning(txn).await?;
    Ok(())
}

pub async fn find<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Option<ExpiryRow>> {
    Ok(entity_expiry::Entity::find_by_id(entity_ref.to_owned()).one(db).await?)
}

pub async fn update(txn: &DatabaseTransaction, row: ExpiryRow) -> DbResult<()> {
    row.into_active_model().reset_all().update(txn).await?;
    Ok(())
}

pub async fn forget(txn: &DatabaseTransaction, entity_ref: &str) -> DbResult<()> {
    entity_expiry::Entity::delete_by_id(entity_ref.to_owned()).exec(txn).await?;
    Ok(())
}
