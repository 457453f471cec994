//! Queries on messages.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use portal_core::outbox::MessageState;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    UpdateMany,
};

use crate::catalog::store as catalog;
use crate::db::entity::outbox::{ActiveModel, Column, Entity};
use crate::db::{DatabaseTransaction, DbResult, storable};

pub use crate::db::entity::outbox::Model as MessageRow;

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Name of a channel that is configured.
    pub channel: String,
    /// The address, of e-mail.
    pub recipient: Option<String>,
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: Option<String>,
    /// A whole address.
    pub link: Option<String>,
    /// Sent once, however often it is written.
    pub key: String,
    pub run_id: Option<i64>,
}

/// Writes a message; nothing where it was written before.
pub async fn insert(txn: &DatabaseTransaction, new: NewMessage, now: DateTime<Utc>) -> DbResult<Option<MessageRow>> {
    let NewMessage { channel, recipient, title, text, link, key, run_id } = new;
    let row = ActiveModel {
        id: NotSet,
        channel: Set(channel),
        recipient: Set(recipient),
        title: Set(storable(title)),
        text: Set(text.map(storable)),
        link: Set(link),
        dedupe_key: Set(key),
        state: Set(MessageState::Pending.as_str().to_owned()),
        attempts: Set(0),
        next_at: Set(now),
        last_error: Set(None),
        run_id: Set(run_id),
        created_at: Set(now),
        sent_at: Set(None),
    };
    let inserted = Entity::insert_many([row])
        .on_conflict(OnConflict::column(Column::DedupeKey).do_nothing().to_owned())
        .exec_with_returning(txn)
        .await?;
    Ok(inserted.into_iter().next())
}

pub fn state_of(row: &MessageRow) -> MessageState {
    MessageState::parse(&row.state).unwrap_or(MessageState::Failed)
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<MessageRow>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Changes a message that is still as it was found: pending, and tried as often.
fn after(row: &MessageRow) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Attempts, Expr::value(row.attempts + 1))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(MessageState::Pending.as_str()))
        .filter(Column::Attempts.eq(row.attempts))
}

pub async fn sent(txn: &DatabaseTransaction, row: &MessageRow, at: DateTime<Utc>) -> DbResult<()> {
    let update = after(row)
        .col_expr(Column::State, Expr::value(MessageState::Sent.as_str()))
        .col_expr(Column::SentAt, Expr::value(at))
        .col_expr(Column::LastError, Expr::value(None::<String>));
    update.exec(txn).await?;
    Ok(())
}

pub async fn give_up(txn: &DatabaseTransaction, row: &MessageRow, error: &str) -> DbResult<()> {
    let update = after(row)
        .col_expr(Column::State, Expr::value(MessageState::Failed.as_str()))
        .col_expr(Column::LastError, Expr::value(error));
    update.exec(txn).await?;
    Ok(())
}

/// Tries it again later; false where somebody else has come first.
pub async fn put_off(
    txn: &DatabaseTransaction,
    row: &MessageRow,
    error: &str,
    next_at: DateTime<Utc>,
) -> DbResult<bool> {
    let update =
        after(row).col_expr(Column::LastError, Expr::value(error)).col_expr(Column::NextAt, Expr::value(next_at));
    Ok(update.exec(txn).await?.rows_affected > 0)
}

/// A message that failed is sent from the beginning; nothing where it has not failed.
pub async fn revive(txn: &DatabaseTransaction, id: i64, now: DateTime<Utc>) -> DbResult<Option<MessageRow>> {
    let update = Entity::update_many()
        .col_expr(Column::State, Expr::value(MessageState::Pending.as_str()))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::NextAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(MessageState::Failed.as_str()));
    match update.exec(txn).await?.rows_affected {
        0 => Ok(None),
        _ => find(txn, id).await,
    }
}

/// Those that should have been tried before a time.
pub async fn overdue<C: ConnectionTrait>(db: &C, before: DateTime<Utc>, limit: u64) -> DbResult<Vec<MessageRow>> {
    let pending = Entity::find().filter(Column::State.eq(MessageState::Pending.as_str()));
    Ok(pending.filter(Column::NextAt.lt(before)).order_by_asc(Column::NextAt).limit(limit).all(db).await?)
}

/// Which messages to list.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    pub state: Option<MessageState>,
    pub channel: Option<String>,
}

fn filtered(filter: &MessageFilter) -> Select<Entity> {
    let MessageFilter { state, channel } = filter;
    let mut select = Entity::find();
    if let Some(state) = state {
        select = select.filter(Column::State.eq(state.as_str()));
    }
    if let Some(channel) = channel {
        select = select.filter(Column::Channel.eq(channel));
    }
    select
}

/// Newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<MessageRow>> {
    let mut select = filtered(filter).order_by_desc(Column::Id).limit(limit);
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before));
    }
    Ok(select.all(db).await?)
}

pub async fn count<C: ConnectionTrait>(db: &C, filter: &MessageFilter) -> DbResult<u64> {
    Ok(filtered(filter).count(db).await?)
}

/// How many are in a state, by channel.
pub async fn counts<C: ConnectionTrait>(db: &C, state: MessageState) -> DbResult<BTreeMap<String, u64>> {
    let select = filtered(&MessageFilter { state: Some(state), channel: None });
    let select = select.select_only().column(Column::Channel).column_as(Column::Id.count(), "messages");
    let rows: Vec<(String, i64)> = select.group_by(Column::Channel).into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(channel, count)| (channel, count.unsigned_abs())).collect())
}

/// Forgets what is older, but for what is still to be sent.
pub async fn delete_before(txn: &DatabaseTransaction, before: DateTime<Utc>) -> DbResult<()> {
    let old = Entity::delete_many().filter(Column::CreatedAt.lt(before));
    old.filter(Column::State.ne(MessageState::Pending.as_str())).exec(txn).await?;
    Ok(())
}

/// The e-mail addresses of users and groups, as their profiles say them.
pub async fn profiles<C: ConnectionTrait>(db: &C, refs: &[String]) -> DbResult<HashMap<String, String>> {
    let found = catalog::by_refs(db, refs).await?;
    let address = |state: crate::catalog::state::EntityState| {
        let text = state.entity.0["spec"]["profile"]["email"].as_str().map(str::trim).unwrap_or_default();
        text.parse::<lettre::Address>().ok().map(|address| address.to_string())
    };
    Ok(found.into_iter().filter_map(|(name, state)| Some((name, address(state)?))).collect())
}
