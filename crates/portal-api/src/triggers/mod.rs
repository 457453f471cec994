//! Actions that start by themselves: on a time, on a change, on a request from outside, on
//! the end of another run. Whoever notices it first starts the run, in the transaction that
//! notes it as answered, so that several replicas start one.

pub mod chain;
mod fire;
mod follow;
mod handlers;
mod reconcile;
mod schedules;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::db::DbResult;
use crate::state::App;

/// The actor of a triggered run begins so; the reference of the action follows.
pub const SUBJECT: &str = "trigger:";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::list_triggers)).routes(routes!(handlers::receive_hook))
}

/// Starts the workers; they end when the portal stops.
///
/// # Errors
/// The database.
pub async fn start(app: &App) -> DbResult<()> {
    let seq = crate::db::patiently(|| follow::begin(app)).await?;
    schedules::start(app);
    tokio::spawn(follow::follow(app.clone(), seq));
    Ok(())
}
