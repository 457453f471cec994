//! Schedules: a job for the next time of each. A time that was missed, however often, comes
//! once, and the next one is counted from now.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use portal_core::actions::definition;
use portal_core::actions::triggers::{HOURLY, On};
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Filter, Selection};
use portal_core::cel::Expression;
use serde_json::{Map, Value, json};

use super::fire::{self, Occasion, Patience};
use super::store::{self, TriggerRow};
use crate::actions::vetting::Vetting;
use crate::changes;
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::error::{ApiError, ApiResult};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::state::App;

const QUEUE: &str = "trigger";
/// How often schedules are looked for that nobody waits for.
const LOST: Duration = Duration::from_secs(20);
/// Schedules that are asked for again at once.
const SLICE: u64 = 100;
/// Days for which what was answered to is known.
const KEPT: i64 = 7;
/// Documents that are read at once.
const BATCH: usize = 200;

/// Starts the workers; they end when the portal stops.
pub fn start(app: &App) {
    tokio::spawn(runner::run(app.clone(), QUEUE, 4, work, app.stop.clone()));
    let (stop, watched) = (app.stop.clone(), app.clone());
    tokio::spawn(async move { stop.run_until_cancelled(watch(watched)).await });
}

/// Asks for a schedule to be looked at when it comes.
///
/// # Errors
/// The database.
pub async fn ask(txn: &DatabaseTransaction, row: &TriggerRow, now: DateTime<Utc>) -> DbResult<()> {
    let Some(at) = row.next_at else { return Ok(()) };
    let payload = format!("{} {} {}", row.action_ref, row.position, at.timestamp());
    let job = NewJob { queue: QUEUE, run_at: at, idempotency_key: Some(format!("{QUEUE}:{payload}")), payload };
    queue::enqueue(txn, job, now).await
}

fn work(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move { come(&app, &job.payload).await.map(|()| job.payload).map_err(|error| error.to_string()) })
}

/// The time of a schedule has come.
async fn come(app: &App, payload: &str) -> ApiResult<()> {
    let mut parts = payload.split(' ');
    let (Some(action_ref), Some(position), Some(at)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(());
    };
    let (Ok(position), Ok(at)) = (position.parse::<i32>(), at.parse::<i64>()) else { return Ok(()) };
    let row = store::find(app.db.reader(), action_ref, position).await?;
    // It was changed, taken away, or has come already.
    let Some(row) = row.filter(|row| row.next_at.is_some_and(|next| next.timestamp() == at)) else { return Ok(()) };
    let Some(due) = row.next_at else { return Ok(()) };
    let Some(trigger) = fire::trigger(&row) else { return Ok(()) };
    let On::Schedule { schedule, entities } = &trigger.on else { return Ok(()) };
    let mut answers = Vec::new();
    for entity in on(app, &row, entities.as_deref()).await? {
        let of = entity.as_ref().map_or("", |(reference, _)| reference.as_str());
        let key = format!("schedule:{action_ref}:{position}:{at}:{of}");
        let event = json!({ "kind": "schedule", "time": due.to_rfc3339() });
        let occasion = Occasion { key, row: row.clone(), event, entity, above: Vec::new() };
        answers.extend(fire::answer(app, &trigger, occasion, Patience::More).await?);
    }
    let now = app.clock.now();
    let next = schedule.next(now.max(due));
    let work_app = app.clone();
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            // Before anything that another replica may hold while it waits for this.
            changes::store::reserve(txn).await?;
            if !store::reschedule(txn, &row, due, next).await? {
                return Ok(());
            }
            ask(txn, &TriggerRow { next_at: next, ..row }, now).await?;
            for answer in answers {
                fire::start(&work_app, txn, answer).await?;
            }
            Ok::<_, DbError>(())
        })
    });
    Ok(work.await?)
}

/// What a schedule starts runs on: `None` alone for an action without a scope. Of entities,
/// one more than may be started, so that it is told.
async fn on(app: &App, row: &TriggerRow, rule: Option<&Expression>) -> ApiResult<Vec<Option<(String, Value)>>> {
    let kinds: Vec<String> = serde_json::from_str(&row.scope).unwrap_or_default();
    if kinds.is_empty() {
        return Ok(vec![None]);
    }
    let snapshot = app.catalog.snapshot();
    let Some(action_row) = snapshot.index.row_of(&row.action_ref) else { return Ok(Vec::new()) };
    let owner = crate::catalog::permission::owners(&snapshot.index, action_row).into_iter().next();
    let principal = fire::principal(&row.action_ref, owner.as_deref().unwrap_or_default());
    let visibility: Visibility = snapshot.visibility(&principal);
    let documents = &app.catalog.documents;
    let found = documents.get(&app.db, &snapshot.index, &Visibility::All, &[action_row]).await?;
    let Some(document) = found.into_iter().next().flatten() else { return Ok(Vec::new()) };
    if !Vetting::of(app.db.reader(), &row.action_ref, document.source_id).await?.is_trusted {
        return Ok(Vec::new());
    }
    let (action, _) = definition::read(&serde_json::from_slice(&document.json).unwrap_or_default());
    let filters: Vec<String> = kinds.iter().map(|kind| format!("kind={kind}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let filter = Filter::parse(&filters).map_err(|error| ApiError::Internal(error.to_string()))?;
    let selection = Selection { filter, ..Selection::default() };
    let rows: Vec<u32> = snapshot.index.select(&selection, &visibility).into_iter().collect();
    let (parameters, caller) = (Map::new(), definition::caller(&principal, &[]));
    let mut chosen = Vec::new();
    for some in rows.chunks(BATCH) {
        for document in documents.get(&app.db, &snapshot.index, &visibility, some).await?.into_iter().flatten() {
            let entity: Value = serde_json::from_slice(&document.json).unwrap_or_default();
            let asked = definition::Asked { entity: Some(&entity), parameters: &parameters, caller: &caller };
            let is_meant = rule.is_none_or(|rule| rule.holds(&[("entity", &entity)]).unwrap_or(false));
            if is_meant && action.does_not_fit(&asked).is_none() {
                chosen.push(Some((document.entity_ref.clone(), entity)));
            }
            if chosen.len() as u64 > HOURLY {
                return Ok(chosen);
            }
        }
    }
    Ok(chosen)
}

/// Finds schedules whose job was given up while the database was in trouble, and forgets
/// what is old.
async fn watch(app: App) {
    let mut tick = tokio::time::interval(LOST);
    loop {
        tick.tick().await;
        if let Err(error) = tidy(&app).await {
            tracing::warn!(error = %error, "could not look for schedules that nobody waits for");
        }
    }
}

async fn tidy(app: &App) -> DbResult<()> {
    let now = app.clock.now();
    let known = queue::keys(app.db.reader(), QUEUE).await?;
    let key = |row: &TriggerRow| {
        let at = row.next_at.map(|at| at.timestamp()).unwrap_or_default();
        format!("{QUEUE}:{} {} {at}", row.action_ref, row.position)
    };
    let mut lost = store::due(app.db.reader(), now, SLICE).await?;
    lost.retain(|row| !known.contains(&key(row)));
    let before = now - TimeDelta::days(KEPT);
    let is_old = store::has_before(app.db.reader(), before).await?;
    if lost.is_empty() && !is_old {
        return Ok(());
    }
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            for row in lost {
                ask(txn, &row, now).await?;
            }
            store::delete_before(txn, before).await
        })
    });
    work.await
}
