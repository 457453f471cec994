//! Queries on marks and saved views.

use chrono::{DateTime, Utc};
use portal_core::access::ActorId;
use portal_core::personal::wire::{Mark, SavedView, SavedViewCreate};
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use crate::changes::{self, NewChange, Writing};
use crate::db::entity::{mark, saved_view};
use crate::db::{DatabaseTransaction, DbResult};

/// Marks and views of one person, at most.
pub const MARKS: u64 = 1000;
pub const VIEWS: u64 = 200;

/// A mark as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMark {
    pub mark: Mark,
    pub entity_ref: String,
    pub at: DateTime<Utc>,
}

/// A person's marks, newest first.
pub async fn marks<C: ConnectionTrait>(db: &C, actor: &ActorId) -> DbResult<Vec<StoredMark>> {
    let rows = mark::Entity::find()
        .filter(mark::Column::Actor.eq(&actor.0))
        .order_by_desc(mark::Column::At)
        .order_by_asc(mark::Column::EntityRef);
    let read = |row: mark::Model| {
        let mark::Model { entity_ref, mark, at, .. } = row;
        Some(StoredMark { mark: Mark::parse(&mark)?, entity_ref, at })
    };
    Ok(rows.all(db).await?.into_iter().filter_map(read).collect())
}

/// A person's marks on one entity.
pub async fn marks_on<C: ConnectionTrait>(db: &C, actor: &ActorId, entity_ref: &str) -> DbResult<Vec<Mark>> {
    let rows =
        mark::Entity::find().filter(mark::Column::Actor.eq(&actor.0)).filter(mark::Column::EntityRef.eq(entity_ref));
    Ok(rows.all(db).await?.iter().filter_map(|row| Mark::parse(&row.mark)).collect())
}

pub async fn count_marks<C: ConnectionTrait>(db: &C, actor: &ActorId) -> DbResult<u64> {
    Ok(mark::Entity::find().filter(mark::Column::Actor.eq(&actor.0)).count(db).await?)
}

/// Sets a mark; one that is set already stays as it is.
pub async fn set_mark(txn: &DatabaseTransaction, writing: &Writing, entity_ref: &str, kind: Mark) -> DbResult<()> {
    let row = mark::ActiveModel {
        actor: Set(writing.actor.0.clone()),
        entity_ref: Set(entity_ref.to_owned()),
        mark: Set(kind.as_str().to_owned()),
        at: Set(writing.at),
    };
    let columns = [mark::Column::Actor, mark::Column::EntityRef, mark::Column::Mark];
    let set = mark::Entity::insert(row)
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    if set > 0 {
        tell(txn, writing, "mark", serde_json::json!({ "entity_ref": entity_ref, "mark": kind })).await?;
    }
    Ok(())
}

pub async fn clear_mark(txn: &DatabaseTransaction, writing: &Writing, entity_ref: &str, kind: Mark) -> DbResult<()> {
    let row = (writing.actor.0.clone(), entity_ref.to_owned(), kind.as_str().to_owned());
    if mark::Entity::delete_by_id(row).exec(txn).await?.rows_affected > 0 {
        tell(txn, writing, "unmark", serde_json::json!({ "entity_ref": entity_ref, "mark": kind })).await?;
    }
    Ok(())
}

/// A person's views and the shared ones, by name.
pub async fn views<C: ConnectionTrait>(db: &C, actor: &ActorId) -> DbResult<Vec<SavedView>> {
    let rows = saved_view::Entity::find()
        .filter(saved_view::Column::Actor.eq(&actor.0).or(saved_view::Column::Shared.eq(true)))
        .order_by_asc(saved_view::Column::Name)
        .order_by_asc(saved_view::Column::Id);
    Ok(rows.all(db).await?.into_iter().map(|row| view(row, actor)).collect())
}

pub async fn find_view<C: ConnectionTrait>(db: &C, actor: &ActorId, id: i64) -> DbResult<Option<SavedView>> {
    Ok(saved_view::Entity::find_by_id(id).one(db).await?.map(|row| view(row, actor)))
}

pub async fn count_views<C: ConnectionTrait>(db: &C, actor: &ActorId) -> DbResult<u64> {
    Ok(saved_view::Entity::find().filter(saved_view::Column::Actor.eq(&actor.0)).count(db).await?)
}

/// Saves a view and answers it; `None` when the person has one of this name.
pub async fn add_view(
    txn: &DatabaseTransaction,
    writing: &Writing,
    create: &SavedViewCreate,
) -> DbResult<Option<SavedView>> {
    let SavedViewCreate { name, query, shared } = create;
    let row = saved_view::ActiveModel {
        id: NotSet,
        actor: Set(writing.actor.0.clone()),
        name: Set(name.clone()),
        query: Set(query.clone()),
        shared: Set(*shared),
        created_at: Set(writing.at),
    };
    let columns = [saved_view::Column::Actor, saved_view::Column::Name];
    let saved = saved_view::Entity::insert_many([row])
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
        .exec_with_returning(txn)
        .await?;
    let Some(row) = saved.into_iter().next() else { return Ok(None) };
    tell(txn, writing, "save_view", serde_json::json!({ "name": name, "query": query, "shared": shared })).await?;
    Ok(Some(view(row, &writing.actor)))
}

pub async fn remove_view(txn: &DatabaseTransaction, writing: &Writing, id: i64) -> DbResult<()> {
    if saved_view::Entity::delete_by_id(id).exec(txn).await?.rows_affected > 0 {
        tell(txn, writing, "remove_view", serde_json::json!({ "id": id })).await?;
    }
    Ok(())
}

fn view(row: saved_view::Model, actor: &ActorId) -> SavedView {
    let saved_view::Model { id, actor: owner, name, query, shared, created_at } = row;
    SavedView { id, name, query, shared, own: owner == actor.0, created_at }
}

async fn tell(
    txn: &DatabaseTransaction,
    writing: &Writing,
    operation: &'static str,
    document: serde_json::Value,
) -> DbResult<()> {
    let subject = format!("person:{}", writing.actor.0);
    let change = NewChange { subject, operation, document: Some(document.to_string()) };
    changes::store::append(txn, writing, vec![change]).await?;
    Ok(())
}
