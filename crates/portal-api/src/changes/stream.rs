//! The feed as a stream of events, for pages and tools that stay current.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use portal_core::access::Principal;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::seeing::Seeing;
use super::{Change, store};
use crate::access::identity::{Credential, again, until_refused};
use crate::access::{self, policies};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadChanges};
use crate::http::params::Params;
use crate::runs;
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
        ("after" = Option<i64>, Query, minimum = 0, description = "Sequence after which to start; now when absent"),
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
            let mut seeing = Seeing::new(&app, &auth.principal);
            for change in &changes {
                if shown(change, &own) && seeing.sees(&change.subject).await? {
                    missed.push(event(change));
                }
            }
        }
    }
    let credential = credential.map(|credential| credential.0);
    let caller = Listener { app: app.clone(), principal: auth.principal, credential: credential.clone(), own };
    let follow = stream::unfold((live, caller), move |(mut live, mut caller)| {
        async move {
            loop {
                let event = match caller.app.stop.run_until_cancelled(live.recv()).await? {
                    // What is theirs to see may be another catalog from here on.
                    Ok(change) if change.subject.starts_with(policies::SUBJECT) => reset(),
                    Ok(change) if !caller.hears(&change).await => continue,
                    Ok(change) => event(&Arc::unwrap_or_clone(change)),
                    Err(RecvError::Lagged(_)) => reset(),
                    Err(RecvError::Closed) => return None,
                };
                return Some((event, (live, caller)));
            }
        }
    });
    let hello = Event::default().retry(Duration::from_secs(2)).comment("portal");
    let events = stream::iter(std::iter::once(hello).chain(missed)).chain(follow).map(Ok);
    let refused = until_refused(app, credential);
    let events = events.take_until(Box::pin(refused)).fuse();
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Whoever follows the feed.
struct Listener {
    app: App,
    principal: Principal,
    credential: Option<Credential>,
    /// The subject of what they do for themselves.
    own: String,
}

impl Listener {
    /// Whether they may know of a change, being in the groups that they are in now.
    async fn hears(&mut self, change: &Change) -> bool {
        if !shown(change, &self.own) {
            return false;
        }
        if !Seeing::new(&self.app, &self.principal).is_restricted() {
            return true;
        }
        if let Some(credential) = &self.credential {
            match again(&self.app, credential).await {
                Ok(Some(principal)) => self.principal = principal,
                _ => return false,
            }
        }
        let sees = Seeing::new(&self.app, &self.principal).sees(&change.subject).await;
        sees.unwrap_or(false)
    }
}

/// What others mark, save and run is theirs; accounts are nobody's business.
fn shown(change: &Change, own: &str) -> bool {
    let subject = &change.subject;
    if subject.starts_with(runs::SUBJECT) {
        return own == format!("person:{}", change.actor.0);
    }
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
