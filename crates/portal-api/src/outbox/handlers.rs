//! Messages and channels over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use portal_core::access::{Principal, Verb};
use portal_core::outbox::{ChannelKind, ChannelList, ChannelTest, ChannelView, MessageList, MessageState, MessageView};

use super::send::{Letter, send};
use super::store::{self, MessageFilter, MessageRow};
use super::{SUBJECT, absolute, jobs};
use crate::changes::{self, NewChange};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadAudit, ReadOperations, WriteSources};
use crate::http::context::RequestId;
use crate::http::cursor;
use crate::http::params::{Params, one_of};
use crate::state::App;

/// Messages that leave the portal, newest first. What they say in full is not kept here for
/// others to read.
#[utoipa::path(
    get, path = "/messages", tag = "messages", operation_id = "list_messages",
    params(
        ("state" = Option<MessageState>, Query, description = "Only messages in this state"),
        ("channel" = Option<String>, Query, description = "Only those of this channel", example = "mail"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "25 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "Some messages", body = MessageList)),
)]
pub async fn list_messages(
    _auth: Authorized<ReadAudit>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<MessageList>> {
    let state = match params.chosen("state")? {
        Some(text) => Some(
            MessageState::parse(&text)
                .ok_or_else(|| ApiError::parameter("state", one_of(MessageState::ALL.map(MessageState::as_str))))?,
        ),
        None => None,
    };
    let channel = params.chosen("channel")?;
    let limit = params.number("limit", 25, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let (db, filter) = (app.db.reader(), MessageFilter { state, channel });
    let rows = store::page(db, &filter, before, limit + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, |row| row.id);
    let total = store::count(db, &filter).await?;
    Ok(Json(MessageList { items: rows.into_iter().map(view).collect(), next_cursor, total }))
}

fn view(row: MessageRow) -> MessageView {
    let state = store::state_of(&row);
    let MessageRow {
        id,
        channel,
        recipient,
        title,
        link,
        attempts,
        next_at,
        last_error,
        run_id,
        created_at,
        sent_at,
        ..
    } = row;
    MessageView {
        id,
        channel,
        recipient,
        title,
        link,
        state,
        attempts: attempts.unsigned_abs(),
        next_at: (state == MessageState::Pending).then_some(next_at),
        error: last_error,
        run_id,
        created_at,
        sent_at,
    }
}

/// Sends a message that failed, with as many attempts as at first.
#[utoipa::path(
    post, path = "/messages/{id}/retry", tag = "messages", operation_id = "retry_message",
    params(("id" = i64, Path, example = 1)),
    responses((status = 202, description = "It is being sent", body = MessageView)),
)]
pub async fn retry_message(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    request_id: RequestId,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<(StatusCode, Json<MessageView>)> {
    params.finish()?;
    auth.also(Verb::ReadAudit)?;
    let absent = || ApiError::not_found("message_not_found", format!("there is no message `{id}`"));
    let number: i64 = id.parse().map_err(|_| absent())?;
    let found = store::find(app.db.reader(), number).await?.ok_or_else(absent)?;
    if !app.config.channels.iter().any(|channel| channel.name == found.channel) {
        let message = format!("there is no channel `{}` any more", found.channel);
        return Err(ApiError::conflict("channel_gone", message));
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let row = store::revive(txn, number, writing.at).await?;
            let row = row.ok_or_else(|| {
                ApiError::conflict("message_not_failed", format!("the message is {}, not failed", found.state))
            })?;
            let change = NewChange { subject: format!("{SUBJECT}{number}"), operation: "retry", document: None };
            jobs::ask(txn, &row, writing.at).await?;
            changes::store::append(txn, &writing, vec![change]).await?;
            Ok::<_, ApiError>(row)
        })
    });
    Ok((StatusCode::ACCEPTED, Json(view(work.await?))))
}

/// All channels, without their secrets.
#[utoipa::path(
    get, path = "/channels", tag = "messages", operation_id = "list_channels",
    responses((status = 200, description = "All channels", body = ChannelList)),
)]
pub async fn list_channels(
    _auth: Authorized<ReadOperations>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<ChannelList>> {
    params.finish()?;
    let pending = store::counts(app.db.reader(), MessageState::Pending).await?;
    let failed = store::counts(app.db.reader(), MessageState::Failed).await?;
    let of = |counts: &std::collections::BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    let channels = app.config.channels.iter();
    let view = channels.map(|channel| ChannelView {
        name: channel.name.clone(),
        kind: channel.kind,
        pending: of(&pending, &channel.name),
        failed: of(&failed, &channel.name),
    });
    let items: Vec<ChannelView> = view.collect();
    let total = items.len() as u64;
    Ok(Json(ChannelList { items, next_cursor: None, total }))
}

/// Sends a message at once: to the caller by e-mail, or else to the place that the channel
/// leads to.
#[utoipa::path(
    post, path = "/channels/{name}/test", tag = "messages", operation_id = "test_channel",
    params(("name" = String, Path, example = "mail")),
    responses(
        (status = 200, description = "It was taken", body = ChannelTest),
        (status = 503, description = "It was not taken"),
    ),
)]
pub async fn test_channel(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> ApiResult<Json<ChannelTest>> {
    params.finish()?;
    let found = app.config.channels.iter().find(|channel| channel.name == name);
    let channel =
        found.ok_or_else(|| ApiError::not_found("channel_not_found", format!("there is no channel `{name}`")))?;
    let recipient = match channel.kind {
        ChannelKind::Email => Some(own_address(&app, &auth.principal).await?),
        _ => None,
    };
    let (link, key) = (absolute(&app, "/admin/connectors"), format!("test/{}", uuid::Uuid::new_v4()));
    let text = format!("{} tests the channel `{name}`.", auth.principal.name);
    let letter = Letter {
        recipient: recipient.as_deref(),
        title: "A test of the portal",
        text: Some(&text),
        link: Some(&link),
        key: &key,
        at: app.clock.now(),
    };
    let began = std::time::Instant::now();
    send(&app, channel, letter).await.map_err(|fault| ApiError::Unavailable(format!("`{name}`: {}", fault.message)))?;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(ChannelTest { recipient, milliseconds }))
}

async fn own_address(app: &App, principal: &Principal) -> ApiResult<String> {
    let user: Vec<String> = principal.user.iter().cloned().collect();
    let found = store::profiles(app.db.reader(), &user).await?;
    let absent = || ApiError::conflict("no_address", "the catalog has no e-mail address of yours".to_owned());
    found.into_values().next().ok_or_else(absent)
}
