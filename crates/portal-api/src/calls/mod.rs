//! What steps ask for outside and hear of later: one row each, written before anything is
//! sent, so that a request that is sent again after a crash is the same request.

mod handlers;
pub mod store;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use portal_core::templates::Trouble;
use sha2::Sha256;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actions::steps::database;
use crate::db::Priority;
use crate::runs::live::Live;
use crate::state::App;
use crate::templates::perform::Place;

use store::{CallRow, NewCall};

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::receive_callback))
}

/// The call of this turn of a step: the one that is open, or a new one.
///
/// # Errors
/// The database, or a key that cannot be made.
pub async fn open(live: &Live, place: Place, deadline: DateTime<Utc>) -> Result<CallRow, Trouble> {
    let (run_id, now) = (live.run_id, live.app.clock.now());
    let (position, turn) = (number(place.position), number(place.turn));
    if let Some(row) = store::last(live.app.db.reader(), run_id, position, turn).await.map_err(database)?
        && row.ended_at.is_none()
    {
        return Ok(row);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| Trouble::new("unavailable", error.to_string()))?;
    let sealed = live.app.sealer.seal(&sealed_at(run_id, position, turn), &key);
    let signing_key = sealed.map_err(|error| Trouble::new("unavailable", format!("{error:#}")))?;
    let new = NewCall { run_id, position, turn, signing_key, at: now, deadline };
    let work = live.app.db.write(Priority::Background, move |txn| Box::pin(async move { store::open(txn, new).await }));
    work.await.map_err(database)
}

fn number(place: usize) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

fn sealed_at(run_id: i64, position: i32, turn: i32) -> String {
    format!("run/{run_id}/call/{position}/{turn}")
}

/// The same for every attempt to send it: the other side keeps a second one apart by it.
pub fn message_id(row: &CallRow) -> String {
    format!("run_{}_{}_{}_{}", row.run_id, row.position, row.turn, row.generation)
}

/// Where the other side answers: an address that only the portal can make, for this call
/// and until its deadline.
///
/// # Errors
/// The key cannot be opened.
pub fn address(app: &App, row: &CallRow) -> Result<String, Trouble> {
    let signature = hex::encode(mac(app, row)?.finalize().into_bytes());
    let (base, id, expires) = (app.config.issuer(), row.id, row.deadline.timestamp());
    Ok(format!("{base}/api/v1/callbacks/{id}?expires={expires}&signature={signature}"))
}

/// Whether an address is that of a call.
///
/// # Errors
/// The key cannot be opened.
pub fn is_signed(app: &App, row: &CallRow, expires: i64, signature: &str) -> Result<bool, Trouble> {
    let Ok(claimed) = hex::decode(signature) else { return Ok(false) };
    Ok(expires == row.deadline.timestamp() && mac(app, row)?.verify_slice(&claimed).is_ok())
}

fn mac(app: &App, row: &CallRow) -> Result<Hmac<Sha256>, Trouble> {
    let place = sealed_at(row.run_id, row.position, row.turn);
    let closed =
        |error: String| Trouble::new("credential", format!("the key of the callback cannot be opened: {error}"));
    let key = app.sealer.unseal(&place, &row.signing_key).map_err(|error| closed(error.to_string()))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| closed(error.to_string()))?;
    mac.update(format!("callback.{}.{}.{}", row.id, row.run_id, row.deadline.timestamp()).as_bytes());
    Ok(mac)
}
