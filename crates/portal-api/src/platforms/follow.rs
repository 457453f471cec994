//! Beginning something once, and watching it until it ends.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use portal_core::actions::wire::{CallbackLink, CallbackReport, CallbackStatus};
use portal_core::templates::Trouble;
use portal_core::templates::actions::Effect;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::{github, gitlab, jenkins, kind_of, kubernetes, orchestrator};
use crate::actions::steps::{connector, database, time};
use crate::calls::{self, store::CallRow};
use crate::clock::later;
use crate::connectors;
use crate::db::{DbError, Priority};
use crate::runs::live::Live;
use crate::state::App;
use crate::templates::perform::{Call, LATER, Log, until, waits};

type Output = Result<Map<String, Value>, Trouble>;

/// Seconds that an end is waited for, where nothing is said.
const USUAL: u64 = 3600;
/// Looks in a row that may fail before the step does.
const MISSES: u64 = 20;
/// Stands in the row from before something is begun until its handle is known.
const ASKED: &str = "asked";

/// What a look at something showed.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// What the next look begins with.
    pub(super) handle: Value,
    /// Percent.
    pub(super) progress: Option<u8>,
    pub(super) lines: Vec<String>,
    pub(super) links: Vec<CallbackLink>,
    pub(super) end: Option<Output>,
    /// When to look again; soon, where it says nothing.
    pub(super) next: Option<DateTime<Utc>>,
}

impl Look {
    pub(super) fn link(&mut self, title: &str, url: Option<&str>) {
        let link = url.map(|url| CallbackLink { title: title.to_owned(), url: url.to_owned() });
        self.links.extend(link);
    }

    pub(super) fn failed(&mut self, message: String) {
        self.end = Some(Err(Trouble::new("platform_failed", message)));
    }
}

/// Does a step of a platform.
///
/// # Errors
/// What it failed at; that it is under way.
pub async fn follow(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let Some(kind) = kind_of(call.action.id) else {
        return Err(Trouble::new("unsupported_action", format!("`{}` belongs to no platform", call.action.id)));
    };
    let connector = connector(live, &call.input, kind).await?;
    let limit = time(&call.input, "timeout")?.unwrap_or(USUAL);
    let now = live.app.clock.now();
    let mut row = calls::open(live, call.place, later(now, limit)).await?;
    let client = Client::new(&live.app, &connector).await?;
    let known = row.handle.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let handle = match known {
        Some(handle) if handle.get(ASKED).is_none() => handle,
        asked => {
            let lost = match asked {
                Some(_) if call.action.effect == Effect::Lookup => find(&client, &call, &row).await?,
                _ => None,
            };
            let handle = match lost {
                Some(handle) => handle,
                None => {
                    keep(live, &mut row, &json!({ ASKED: now.to_rfc3339() }), None).await?;
                    start(live, &client, &call, &row, log).await?
                }
            };
            keep(live, &mut row, &handle, None).await?;
            handle
        }
    };
    if now >= row.deadline {
        let told = stop(&client, call.action.id, &handle).await;
        log(told.unwrap_or_else(|trouble| trouble.message));
        return Err(Trouble::new("too_long", format!("it did not end within {limit} s")));
    }
    let look = match look(live, &client, &call, &row, &handle).await {
        Ok(look) => look,
        Err(trouble) if trouble.code == LATER => Look { handle, next: until(&trouble), ..Look::default() },
        Err(trouble) if is_passing(trouble.code) => missed(handle, &trouble, now)?,
        Err(trouble) => return Err(trouble),
    };
    look.lines.iter().for_each(|line| log(line.clone()));
    keep(live, &mut row, &look.handle, Some(&look)).await?;
    match look.end {
        Some(end) => end,
        None => Err(waits(look.next.unwrap_or_else(|| now + pace(now - row.created_at)).min(row.deadline))),
    }
}

/// It is looked at again, some times.
fn missed(mut handle: Value, trouble: &Trouble, now: DateTime<Utc>) -> Result<Look, Trouble> {
    let misses = handle["misses"].as_u64().unwrap_or(0) + 1;
    if misses > MISSES {
        return Err(Trouble::new(trouble.code, trouble.message.clone()));
    }
    handle["misses"] = misses.into();
    let line = (misses == 1).then(|| format!("it cannot be looked at now: {}", trouble.message));
    let next = Some(later(now, (1 << misses.min(6)).min(60)));
    Ok(Look { handle, lines: line.into_iter().collect(), next, ..Look::default() })
}

fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "rate_limited"
            | "unavailable"
            | "timeout"
            | "unreachable"
            | "unresolvable_host"
            | "busy"
            | "resting"
            | "no_answer"
    )
}

/// Time between two looks, by how long it has been under way.
fn pace(age: TimeDelta) -> Duration {
    Duration::from_secs(match age.num_seconds() {
        ..60 => 2,
        60..600 => 5,
        _ => 15,
    })
}

/// Stores the handle, and what a look showed.
async fn keep(live: &Live, row: &mut CallRow, handle: &Value, look: Option<&Look>) -> Result<(), Trouble> {
    let report = look.map(|look| CallbackReport {
        status: CallbackStatus::Running,
        message: None,
        progress: look.progress,
        log: Vec::new(),
        links: look.links.clone(),
        output: Map::new(),
    });
    let (before, text) = (row.clone(), handle.to_string());
    row.handle = Some(text.clone());
    let work = live.app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            calls::store::keep(txn, before.id, &text).await?;
            if let Some(report) = report {
                let row = CallRow { handle: Some(text), ..before };
                calls::store::report(txn, row, &report, false).await?;
            }
            Ok::<_, DbError>(())
        })
    });
    work.await.map_err(database)
}

/// Begins it, and answers what it is known by from then on.
async fn start(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    log: &mut Log<'_>,
) -> Result<Value, Trouble> {
    match call.action.id {
        "github:workflow" => github::start(live, client, call, log).await,
        "gitlab:pipeline" => gitlab::start(live, client, call, row, log).await,
        "jenkins:build" => jenkins::start(live, client, call, log).await,
        "kubernetes:apply" => kubernetes::apply(live, client, call, log).await,
        "kubernetes:job" => kubernetes::job(live, client, call, row, log).await,
        _ => orchestrator::start(live, client, call, row, log).await,
    }
}

/// What was begun before a crash, of platforms that can be asked.
async fn find(client: &Client, call: &Call<'_>, row: &CallRow) -> Result<Option<Value>, Trouble> {
    match call.action.id {
        "gitlab:pipeline" => gitlab::find(client, call, row).await,
        _ => Ok(None),
    }
}

async fn look(live: &Live, client: &Client, call: &Call<'_>, row: &CallRow, handle: &Value) -> Result<Look, Trouble> {
    match call.action.id {
        "github:workflow" => github::look(client, handle).await,
        "gitlab:pipeline" => gitlab::look(client, handle).await,
        "jenkins:build" => jenkins::look(client, handle).await,
        "kubernetes:apply" => kubernetes::look_at_objects(client, handle).await,
        "kubernetes:job" => kubernetes::look_at_job(client, handle).await,
        _ => orchestrator::look(live, client, call, row, handle).await,
    }
}

/// Stops it over there, and says so.
async fn stop(client: &Client, action: &str, handle: &Value) -> Result<String, Trouble> {
    match action {
        "github:workflow" => github::cancel(client, handle).await,
        "gitlab:pipeline" => gitlab::cancel(client, handle).await,
        "jenkins:build" => jenkins::cancel(client, handle).await,
        "kubernetes:job" => kubernetes::cancel(client, handle).await,
        "orchestrator:deploy" => orchestrator::cancel(client, handle).await,
        _ => Ok("what was applied stays".to_owned()),
    }
}

/// Stops what a step waits for, when its run is cancelled; what is told of it.
pub async fn cancel(app: &App, action: &str, row: &CallRow) -> Option<String> {
    kind_of(action)?;
    let handle: Value = serde_json::from_str(row.handle.as_deref()?).ok()?;
    if handle.get(ASKED).is_some() {
        return None;
    }
    let told = match client(app, handle["connector"].as_str()?).await {
        Ok(client) => stop(&client?, action, &handle).await,
        Err(trouble) => Err(trouble),
    };
    Some(told.unwrap_or_else(|trouble| format!("it could not be stopped over there: {}", trouble.message)))
}

/// Of a connector, if it is still there.
async fn client(app: &App, connector: &str) -> Result<Option<Client>, Trouble> {
    match connectors::find(app, connector).await.map_err(database)? {
        Some(connector) => Client::new(app, &connector).await.map(Some),
        None => Ok(None),
    }
}

/// The lines of a text that have come since, and how much of it is told then.
pub(super) fn fresh(text: &str, told: usize, is_over: bool) -> (Vec<String>, usize) {
    let rest = text.get(told..).unwrap_or_default();
    let whole = if is_over { rest.len() } else { rest.rfind('\n').map_or(0, |at| at + 1) };
    let lines = rest[..whole].lines().filter(|line| !line.trim().is_empty());
    (lines.map(plain).collect(), told + whole)
}

/// A line without what colours it in a terminal.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        if sign == '\u{1b}' {
            signs.by_ref().find(|sign| sign.is_ascii_alphabetic());
        } else if !sign.is_control() || sign == '\t' {
            plain.push(sign);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_once_and_whole() {
        let (lines, told) = fresh("one\n\u{1b}[32mtwo\u{1b}[0m\nthr", 0, false);
        assert_eq!((lines, told), (vec!["one".to_owned(), "two".to_owned()], 17));
        let text = "one\n\u{1b}[32mtwo\u{1b}[0m\nthree";
        assert_eq!(fresh(text, told, true), (vec!["three".to_owned()], text.len()));
        assert_eq!(fresh("shorter now", 99, true), (Vec::new(), 99));
    }
}
