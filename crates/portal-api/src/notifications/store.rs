//! Queries on notifications.

use chrono::{DateTime, Utc};
use portal_core::access::{ActorId, Principal};
use portal_core::personal::wire::{Notification, Severity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
    Select,
};

use super::SUBJECT;
use crate::changes::{self, NewChange, Writing};
use crate::db::entity::{notification, notification_read};
use crate::db::{DatabaseTransaction, DbResult, storable};

/// The recipient that is everybody.
pub const EVERYBODY: &str = "*";

/// What is to be told.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// References of users and groups, or [`EVERYBODY`].
    pub recipients: Vec<String>,
    pub title: String,
    pub text: Option<String>,
    pub link: Option<String>,
    pub severity: Severity,
    pub topic: Option<String>,
    /// A newer notification of the same scope takes the place of the older.
    pub scope: Option<String>,
    /// What it comes from: told once, however often it is sent.
    pub origin: String,
}

/// Tells every recipient who has not been told yet.
pub async fn insert(txn: &DatabaseTransaction, writing: &Writing, new: NewNotification) -> DbResult<()> {
    let NewNotification { recipients, title, text, link, severity, topic, scope, origin } = new;
    let mut told_of = Vec::new();
    for recipient in recipients {
        let row = notification::ActiveModel {
            id: NotSet,
            recipient: Set(recipient.clone()),
            title: Set(storable(title.clone())),
            text: Set(text.clone().map(storable)),
            link: Set(link.clone()),
            severity: Set(severity.as_str().to_owned()),
            topic: Set(topic.clone()),
            scope: Set(scope.clone()),
            origin: Set(origin.clone()),
            at: Set(writing.at),
        };
        let key = [notification::Column::Origin, notification::Column::Recipient];
        let told = notification::Entity::insert_many([row])
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_with_returning(txn)
            .await?;
        let Some(told) = told.into_iter().next() else { continue };
        if let Some(scope) = &scope {
            let older = notification::Entity::delete_many()
                .filter(notification::Column::Scope.eq(scope))
                .filter(notification::Column::Recipient.eq(recipient))
                .filter(notification::Column::Id.lt(told.id));
            older.exec(txn).await?;
        }
        let subject = format!("{SUBJECT}{}", told.id);
        told_of.push(NewChange { subject, operation: "create", document: None });
    }
    if !told_of.is_empty() {
        changes::store::append(txn, writing, told_of).await?;
    }
    Ok(())
}

/// Those that went to somebody: to them, to a group of theirs, to everybody.
fn own(principal: &Principal) -> Select<notification::Entity> {
    let names = principal.user.iter().chain(&principal.groups).map(String::as_str).chain([EVERYBODY]);
    notification::Entity::find().filter(notification::Column::Recipient.is_in(names))
}

fn unread(principal: &Principal) -> Select<notification::Entity> {
    let read = notification_read::Entity::find()
        .select_only()
        .column(notification_read::Column::NotificationId)
        .filter(notification_read::Column::Actor.eq(&principal.actor.0));
    own(principal).filter(notification::Column::Id.not_in_subquery(read.into_query()))
}

/// Newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    principal: &Principal,
    only_unread: bool,
    before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<Notification>> {
    let mut select = if only_unread { unread(principal) } else { own(principal) };
    if let Some(before) = before {
        select = select.filter(notification::Column::Id.lt(before));
    }
    let rows = select.order_by_desc(notification::Column::Id).limit(limit).all(db).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let read = if only_unread { Vec::new() } else { read_of(db, &principal.actor, &ids).await? };
    let view = |row: notification::Model| {
        let notification::Model { id, recipient, title, text, link, severity, topic, at, .. } = row;
        let severity = Severity::parse(&severity).unwrap_or(Severity::Normal);
        Notification { id, recipient, title, text, link, severity, topic, at, read: read.contains(&id) }
    };
    Ok(rows.into_iter().map(view).collect())
}

async fn read_of<C: ConnectionTrait>(db: &C, actor: &ActorId, ids: &[i64]) -> DbResult<Vec<i64>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let read = notification_read::Entity::find()
        .select_only()
        .column(notification_read::Column::NotificationId)
        .filter(notification_read::Column::Actor.eq(&actor.0))
        .filter(notification_read::Column::NotificationId.is_in(ids.to_vec()));
    Ok(read.into_tuple().all(db).await?)
}

pub async fn count<C: ConnectionTrait>(db: &C, principal: &Principal, only_unread: bool) -> DbResult<u64> {
    let select = if only_unread { unread(principal) } else { own(principal) };
    Ok(select.count(db).await?)
}

/// Notes that somebody has read these, or all that they have when there are none.
pub async fn mark_read(txn: &DatabaseTransaction, principal: &Principal, ids: &[i64]) -> DbResult<()> {
    let mut select = unread(principal).select_only().column(notification::Column::Id);
    if !ids.is_empty() {
        select = select.filter(notification::Column::Id.is_in(ids.to_vec()));
    }
    let ids: Vec<i64> = select.into_tuple().all(txn).await?;
    let rows = ids
        .into_iter()
        .map(|id| notification_read::ActiveModel { actor: Set(principal.actor.0.clone()), notification_id: Set(id) });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(500) {
        let key = [notification_read::Column::Actor, notification_read::Column::NotificationId];
        let once = OnConflict::columns(key).do_nothing().to_owned();
        notification_read::Entity::insert_many(some.to_vec()).on_conflict(once).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// Forgets what is older.
pub async fn delete_before(txn: &DatabaseTransaction, before: DateTime<Utc>) -> DbResult<()> {
    let old = notification::Entity::delete_many().filter(notification::Column::At.lt(before));
    if old.exec(txn).await?.rows_affected > 0 {
        let left = notification::Entity::find().select_only().column(notification::Column::Id);
        let gone = notification_read::Column::NotificationId.not_in_subquery(left.into_query());
        notification_read::Entity::delete_many().filter(gone).exec(txn).await?;
    }
    Ok(())
}
