//! Queries on versions of actions.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::catalog::store as catalog;
use crate::db::entity::action_version as version;
use crate::db::{DatabaseTransaction, DbResult};

pub use version::Model as VersionRow;

pub const DRAFT: &str = "draft";
pub const PUBLISHED: &str = "published";

/// Newest first.
pub async fn of_action<C: ConnectionTrait>(
    db: &C,
    action_ref: &str,
    before: Option<i32>,
    limit: u64,
) -> DbResult<Vec<VersionRow>> {
    let mut rows = version::Entity::find().filter(version::Column::ActionRef.eq(action_ref));
    if let Some(before) = before {
        rows = rows.filter(version::Column::Number.lt(before));
    }
    Ok(rows.order_by_desc(version::Column::Number).limit(limit).all(db).await?)
}

pub async fn newest<C: ConnectionTrait>(db: &C, action_ref: &str) -> DbResult<Option<VersionRow>> {
    Ok(of_action(db, action_ref, None, 1).await?.pop())
}

pub async fn count<C: ConnectionTrait>(db: &C, action_ref: &str) -> DbResult<u64> {
    Ok(version::Entity::find().filter(version::Column::ActionRef.eq(action_ref)).count(db).await?)
}

pub async fn find<C: ConnectionTrait>(db: &C, action_ref: &str, number: i32) -> DbResult<Option<VersionRow>> {
    let row = version::Entity::find().filter(version::Column::ActionRef.eq(action_ref));
    Ok(row.filter(version::Column::Number.eq(number)).one(db).await?)
}

/// The version that is what the catalog holds now, of an action that no source declares.
///
/// # Errors
/// The database.
pub async fn in_force<C: ConnectionTrait>(db: &C, action_ref: &str) -> DbResult<Option<VersionRow>> {
    let Some(state) = catalog::by_ref(db, action_ref).await?.filter(|state| state.source_id.is_none()) else {
        return Ok(None);
    };
    published_as(db, action_ref, &state.etag).await
}

/// The newest that was published as what the catalog holds.
async fn published_as<C: ConnectionTrait>(db: &C, action_ref: &str, etag: &str) -> DbResult<Option<VersionRow>> {
    let row = version::Entity::find()
        .filter(version::Column::ActionRef.eq(action_ref))
        .filter(version::Column::EntityEtag.eq(etag));
    Ok(row.order_by_desc(version::Column::Number).one(db).await?)
}

/// Drafts of all actions, the last changed first.
pub async fn drafts<C: ConnectionTrait>(db: &C, limit: u64) -> DbResult<Vec<VersionRow>> {
    let rows = version::Entity::find().filter(version::Column::State.eq(DRAFT));
    let rows = rows.order_by_desc(version::Column::ChangedAt).order_by_desc(version::Column::Id);
    Ok(rows.limit(limit).all(db).await?)
}

/// What a version is to be.
pub struct NewVersion {
    pub action_ref: String,
    pub number: i32,
    pub state: &'static str,
    pub text: String,
    pub author: String,
    pub trusted: bool,
    pub entity_etag: Option<String>,
    pub at: DateTime<Utc>,
}

/// Writes a version, in the place of the draft that is given.
pub async fn put(txn: &DatabaseTransaction, draft: Option<VersionRow>, new: NewVersion) -> DbResult<VersionRow> {
    let NewVersion { action_ref, number, state, text, author, trusted, entity_etag, at } = new;
    let is_new = draft.is_none();
    let mut row = draft.map_or_else(Default::default, |draft| draft.into_active_model());
    row.action_ref = Set(action_ref);
    row.number = Set(number);
    row.state = Set(state.to_owned());
    row.text = Set(text);
    row.author = Set(author);
    row.trusted = Set(trusted);
    row.entity_etag = Set(entity_etag);
    row.changed_at = Set(at);
    Ok(if is_new { row.insert(txn).await? } else { row.update(txn).await? })
}

pub async fn delete(txn: &DatabaseTransaction, id: i64) -> DbResult<()> {
    version::Entity::delete_by_id(id).exec(txn).await?;
    Ok(())
}
