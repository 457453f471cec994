//! The log of a run as a stream of events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use portal_core::runs::wire::LogLine;
use serde_json::json;
use tokio::sync::watch;

use super::store::{self, Stored};
use super::tail::{LINES, Seen};
use super::views;
use crate::access::identity::{Credential, until_refused};
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, ReadRuns};
use crate::http::params::Params;
use crate::state::App;

/// Follows the log of a run as server-sent events.
///
/// Each line is an event `log` with `id` = its sequence; `Last-Event-ID` (or `after=`)
/// resumes. When the run has ended and all lines are sent, an event `end` says how, and
/// the stream closes.
#[utoipa::path(
    get, path = "/runs/{id}/log/stream", tag = "runs", operation_id = "stream_run_log",
    params(
        ("id" = i64, Path, example = 1),
        ("after" = Option<i64>, Query, minimum = 0, description = "Sequence of the last line that is known"),
        ("Last-Event-ID" = Option<String>, Header, description = "Sent by browsers when they reconnect; what is no sequence is passed over"),
    ),
    responses((status = 200, description = "Lines until the run has ended", content_type = "text/event-stream", body = String,
        example = json!("id: 7\nevent: log\ndata: {\"seq\":7,\"step\":\"fetch\",\"text\":\"wrote 8 of 8 files\"}\n\n"))),
)]
pub async fn stream_run_log(
    auth: Authorized<ReadRuns>,
    State(app): State<App>,
    Path(id): Path<String>,
    credential: Option<Extension<Credential>>,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let after = params.sequence("after")?;
    params.finish()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<i64>().ok());
    let stored = views::visible(&app, &auth.principal, &id).await?;
    let follower = Follower::new(&app, stored.run.id, last.or(after).unwrap_or(0));
    let hello = Event::default().retry(Duration::from_secs(2)).comment("portal");
    let events = stream::once(async move { Ok(hello) }).chain(follow(follower, credential, event));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// What is told of a run.
pub enum Told {
    Line(LogLine),
    /// How it ended, and the sequence of its last line.
    End(Box<Stored>, i64),
}

/// Events until the run has ended, or the caller may not hear of it any more.
pub fn follow(
    follower: Follower,
    credential: Option<Extension<Credential>>,
    event: impl Fn(&Told) -> Event,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let refused = until_refused(follower.app.clone(), credential.map(|credential| credential.0));
    let told = stream::unfold(follower, |mut follower| async move {
        let told = follower.next().await?;
        Some((stream::iter(told), follower))
    });
    told.flatten().map(move |told| Ok(event(&told))).take_until(Box::pin(refused)).fuse()
}

/// Hears of a run what it has not heard yet.
pub struct Follower {
    app: App,
    run_id: i64,
    last: i64,
    /// Once all older lines are told.
    tail: Option<watch::Receiver<Seen>>,
    ended: bool,
}

impl Follower {
    /// `last` is the sequence of the last line that is known.
    pub fn new(app: &App, run_id: i64, last: i64) -> Self {
        Self { app: app.clone(), run_id, last, tail: None, ended: false }
    }

    /// What is next, as soon as there is something; nothing when all has been said.
    pub async fn next(&mut self) -> Option<Vec<Told>> {
        if self.ended {
            return None;
        }
        loop {
            let Some(tail) = &mut self.tail else {
                let lines = store::log_after(self.app.db.reader(), self.run_id, self.last, LINES).await.ok()?;
                self.last = lines.last().map_or(self.last, |line| line.seq);
                if (lines.len() as u64) < LINES {
                    self.tail = Some(self.app.tails.of(&self.app, self.run_id, self.last));
                }
                if lines.is_empty() {
                    continue;
                }
                return Some(lines.into_iter().map(Told::Line).collect());
            };
            let seen = tail.borrow_and_update().clone();
            let Some(lines) = seen.after(self.last) else {
                self.tail = None;
                continue;
            };
            self.last = lines.last().map_or(self.last, |line| line.seq);
            let mut told: Vec<Told> = lines.iter().cloned().map(Told::Line).collect();
            if let Some(stored) = &seen.ended {
                self.ended = true;
                told.push(Told::End(Box::new(stored.as_ref().clone()), self.last));
            }
            if !told.is_empty() {
                return Some(told);
            }
            if seen.is_lost || tail.changed().await.is_err() {
                return None;
            }
        }
    }
}

fn event(told: &Told) -> Event {
    match told {
        Told::Line(line) => {
            let data = serde_json::to_string(line).unwrap_or_default();
            Event::default().event("log").id(line.seq.to_string()).data(data)
        }
        Told::End(stored, _) => {
            let state = stored.state();
            Event::default().event("end").data(json!({ "state": state }).to_string())
        }
    }
}
