//! When things go that runs made, and the clean-up.

mod handlers;
pub mod store;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use portal_core::catalog::EntityRef;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actions::running;
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::runs::{service, store as runs};
use crate::state::App;

pub use store::{ExpiryRow, NewExpiry};

const QUEUE: &str = "expire";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::extend_entity))
}

/// Starts the worker; it ends when the portal stops.
pub fn start(app: &App) {
    tokio::spawn(runner::run(app.clone(), QUEUE, 4, work, app.stop.clone()));
}

/// Something goes at a time from now on.
///
/// # Errors
/// The database.
pub async fn set(txn: &DatabaseTransaction, new: NewExpiry, now: DateTime<Utc>) -> DbResult<()> {
    let (entity_ref, at) = (new.entity_ref.clone(), new.expires_at);
    store::set(txn, new).await?;
    ask(txn, &entity_ref, at, now).await
}

async fn ask(txn: &DatabaseTransaction, entity_ref: &str, at: DateTime<Utc>, now: DateTime<Utc>) -> DbResult<()> {
    let key = format!("{QUEUE}:{entity_ref}:{}", at.timestamp_millis());
    let job = NewJob { queue: QUEUE, payload: entity_ref.to_owned(), run_at: at, idempotency_key: Some(key) };
    queue::enqueue(txn, job, now).await
}

/// Puts the end off. Answers when it is now.
///
/// # Errors
/// The database.
pub async fn extend(
    txn: &DatabaseTransaction,
    row: ExpiryRow,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DbResult<()> {
    let name = row.entity_ref.clone();
    store::update(txn, ExpiryRow { expires_at: until, extensions: row.extensions + 1, ..row }).await?;
    ask(txn, &name, until, now).await
}

fn work(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move { expire(&app, &job.payload).await.map(|()| job.payload) })
}

/// Starts the clean-up of what has come to its end. Once: the run's id is kept with it.
async fn expire(app: &App, entity_ref: &str) -> Result<(), String> {
    let told = |error: DbError| error.to_string();
    let db = app.db.reader();
    let Some(row) = store::find(db, entity_ref).await.map_err(told)? else { return Ok(()) };
    // It was put off, or is being cleaned up already.
    if row.expires_at > app.clock.now() || row.clean_up.is_some() {
        return Ok(());
    }
    let Some(made) = runs::find(db, row.run_id).await.map_err(told)? else { return Ok(()) };
    let principal = service::starter(&made.run, &made.spec());
    let writing = Writing {
        actor: principal.actor.clone(),
        cause: format!("expiry:{entity_ref}"),
        at: app.clock.now(),
        by: None,
    };
    let answers: Map<String, Value> = serde_json::from_str(&row.answers).unwrap_or_default();
    let target = entity_ref.parse::<EntityRef>().ok().map(|one| one.to_string());
    let asked = running::Asked {
        action: row.action.as_deref().unwrap_or_default(),
        entity: target.as_deref(),
        values: &answers,
        secrets: Map::new(),
        asks_nobody: true,
    };
    let draft = match row.action {
        Some(_) => running::drafted(app, &principal, &writing, asked).await.map_err(|error| error.to_string()),
        None => Err("no action cleans it up".to_owned()),
    };
    let (work_app, entity_ref) = (app.clone(), entity_ref.to_owned());
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            let Some(row) = store::find(txn, &entity_ref).await?.filter(|row| row.clean_up.is_none()) else {
                return Ok(());
            };
            let done = match draft {
                Ok(draft) => format!("run:{}", service::start(&work_app, txn, &writing, draft).await?),
                Err(reason) => reason,
            };
            store::update(txn, ExpiryRow { clean_up: Some(done), ..row }).await?;
            Ok::<_, DbError>(())
        })
    });
    work.await.map_err(told)
}
