//! Notifications over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portal_core::personal::wire::{NotificationList, NotificationsRead};

use super::store;
use crate::db::Priority;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, Personalise, ReadCatalog};
use crate::http::body::JsonBody;
use crate::http::cursor;
use crate::http::params::Params;
use crate::state::App;

/// What the caller was told, newest first: they, a group of theirs, or everybody.
#[utoipa::path(
    get, path = "/notifications", tag = "personal", operation_id = "list_notifications",
    params(
        ("unread" = Option<bool>, Query, description = "Only those that the caller has not read"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "Some notifications", body = NotificationList)),
)]
pub async fn list_notifications(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<NotificationList>> {
    let only_unread = params.flag("unread")?;
    let limit = params.number("limit", 25, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let (db, principal) = (app.db.reader(), &auth.principal);
    let unread = store::count(db, principal, true).await?;
    // What the bell of every page asks: mostly there is nothing to be read.
    let items = match only_unread && unread == 0 {
        true => Vec::new(),
        false => store::page(db, principal, only_unread, before, limit + 1).await?,
    };
    let (items, next_cursor) = cursor::page(items, limit, |last| last.id);
    let total = if only_unread { unread } else { store::count(db, principal, false).await? };
    Ok(Json(NotificationList { items, next_cursor, total, unread }))
}

/// Notes that the caller has read some notifications, or all.
#[utoipa::path(
    post, path = "/notifications/read", tag = "personal", operation_id = "read_notifications",
    request_body(content = NotificationsRead),
    responses((status = 204, description = "Noted")),
)]
pub async fn read_notifications(
    auth: Authorized<Personalise>,
    State(app): State<App>,
    params: Params,
    JsonBody(NotificationsRead { ids }): JsonBody<NotificationsRead>,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let principal = auth.principal;
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { store::mark_read(txn, &principal, &ids).await })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}
