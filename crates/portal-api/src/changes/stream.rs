//! The feed as a stream of events, for pages and tools that stay current.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::{Change, store};
use crate::access;
use crate::access::identity::{Credential, until_refused};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadChanges};
use crate::http::params::Params;
use crate::state::App;

/// Changes that a client may have missed and still gets; beyond, it is told to reload.
const REPLAY: u64 = 1000;

/// Follows the feed as server-sent events.
///
/// Each event is `change` with `id` = sequence and a small JSON body: sequence,
/// time, subject, operation. `Last-Event-ID` (or `after=`) resumes where a
/// connection broke; an event `reset` says that too much was missed and that the
/// client should load its page anew.
#[utoipa::path(
    get, path = "/changes/stream", tag = "changes", operation_id = "stream_changes",
    params(
        ("after" = Option<i64>, Query, description = "Sequence after which to start; now when absent"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Sent by browsers when they reconnect"),
    ),
    responses((status = 200, description = "A stream that does not end", content_type = "text/event-stream", body = String,
        example = json!("id: 42\nevent: change\ndata: {\"seq\":42,\"subject\":\"entity:component:default/booking-api\",\"operation\":\"update\"}\n\n"))),
)]
pub async fn stream_changes(
    auth: Authorized<ReadChanges>,
    State(app): State<App>,
    credential: Option<Extension<Credential>>,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let after = params.one("after")?;
    params.finish()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned).or(after);
    let last = last.map(|text| text.parse::<i64>());
    let Ok(last) = last.transpose() else {
        return Err(ApiError::parameter("after", "not a sequence, which is a whole number"));
    };
    let own = format!("person:{}", auth.principal.actor.0);
    // Subscribed before the replay is read, so that nothing falls between.
    let live = app.catalog.subscribe();
    let mut missed = Vec::new();
    if let Some(last) = last {
        let changes = store::after(app.db.reader(), last, REPLAY + 1).await?;
        if changes.len() as u64 > REPLAY {
            missed.push(reset());
        } else {
            missed.extend(changes.iter().filter(|change| shown(change, &own)).map(event));
        }
    }
    let stop = app.stop.clone();
    let mine = own.clone();
    let follow = stream::unfold(live, move |mut live| {
        let (stop, mine) = (stop.clone(), mine.clone());
        async move {
            loop {
                let event = match stop.run_until_cancelled(live.recv()).await? {
                    Ok(change) if !shown(&change, &mine) => continue,
                    Ok(change) => event(&Arc::unwrap_or_clone(change)),
                    Err(RecvError::Lagged(_)) => reset(),
                    Err(RecvError::Closed) => return None,
                };
                return Some((event, live));
            }
        }
    });
    let hello = Event::default().retry(Duration::from_secs(2)).comment("portal");
    let events = stream::iter(std::iter::once(hello).chain(missed)).chain(follow).map(Ok);
    let refused = until_refused(app.clone(), credential.map(|credential| credential.0));
    let events = events.take_until(Box::pin(refused)).fuse();
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// What others mark and save is theirs; accounts are nobody's business.
fn shown(change: &Change, own: &str) -> bool {
    let subject = &change.subject;
    !subject.starts_with(access::SUBJECT) && (!subject.starts_with("person:") || subject == own)
}

fn event(change: &Change) -> Event {
    let Change { seq, at, subject, operation, .. } = change;
    let body = json!({"seq": seq, "at": at, "subject": subject, "operation": operation});
    Event::default().id(seq.to_string()).event("change").data(body.to_string())
}

fn reset() -> Event {
    Event::default().event("reset").data("{}")
}
