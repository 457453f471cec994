//! A run within a run: a step that runs a template, and waits for its end.

use portal_core::runs::RunState;
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use serde_json::{Map, Value, json};

use super::steps::{database, time, wrong};
use crate::calls;
use crate::clock::later;
use crate::db::{DbError, Priority};
use crate::error::ApiError;
use crate::runs::live::Live;
use crate::runs::{handlers::drafted, service, store as runs};
use crate::templates::perform::{Call, Log, waits};

/// Seconds that the end of the other run is waited for, where nothing is said.
const USUAL: u64 = 24 * 3600;
/// Seconds between two looks at it.
const PACE: u64 = 3;
/// Runs within runs.
const DEEPEST: u64 = 5;

/// Starts it once, whatever becomes of this process, with the rights of whoever started the
/// run above.
pub async fn run(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
    let limit = time(&call.input, "timeout")?.unwrap_or(USUAL);
    let now = live.app.clock.now();
    let row = calls::open(live, call.place, later(now, limit)).await?;
    let known = row.handle.as_deref().and_then(|text| text.parse::<i64>().ok());
    let id = match known {
        Some(id) => id,
        None => start(live, &call.input, row.id, log).await?,
    };
    let Some(child) = runs::find(live.app.db.reader(), id).await.map_err(database)? else {
        return Err(Trouble::new("not_found", format!("run {id} was forgotten")));
    };
    let output = || {
        let output: Value = serde_json::from_str(&child.run.output).unwrap_or_default();
        json!({ "runId": id, "url": format!("/runs/{id}"), "output": output }).as_object().cloned().unwrap_or_default()
    };
    if call.input.get("wait") == Some(&Value::Bool(false)) {
        return Ok(output());
    }
    match child.state() {
        RunState::Succeeded => Ok(output()),
        state if state.is_final() => {
            let why = child.run.error.as_deref().map_or(String::new(), |error| format!(": {error}"));
            Err(Trouble::new("run_failed", format!("run {id} is {}{why}", state.as_str())))
        }
        _ if now >= row.deadline => Err(Trouble::new("too_long", format!("run {id} did not end within {limit} s"))),
        _ => Err(waits(later(now, PACE).min(row.deadline))),
    }
}

async fn start(live: &Live, input: &Input<'_>, call: i64, log: &mut Log<'_>) -> Result<i64, Trouble> {
    let template = input.must("template")?;
    let depth = runs::find(live.app.db.reader(), live.run_id).await.map_err(database)?;
    let depth = depth.map_or(0, |above| above.spec()["portal"]["depth"].as_u64().unwrap_or(0)) + 1;
    if depth > DEEPEST {
        return Err(Trouble::new("too_deep", format!("{DEEPEST} runs are within one another; is it a loop?")));
    }
    let values = input.object("values")?.cloned().unwrap_or_default();
    let writing = live.writing_now();
    let draft = drafted(&live.app, &live.starter, &writing, (template, "/template"), &values, Map::new()).await;
    let mut draft = draft.map_err(|error| match error {
        ApiError::Unavailable(text) => Trouble::new("database", text),
        ApiError::Internal(text) => Trouble::new("database_error", text),
        error => wrong("template", &error.to_string()),
    })?;
    draft.run.spec["portal"]["depth"] = depth.into();
    let app = live.app.clone();
    let work = live.app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            let id = service::start(&app, txn, &writing, draft).await?;
            calls::store::keep(txn, call, &id.to_string()).await?;
            Ok::<_, DbError>(id)
        })
    });
    let id = work.await.map_err(database)?;
    log(format!("started run {id} of `{template}`"));
    Ok(id)
}
