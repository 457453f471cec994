//! Short-lived tokens: signed statements of who somebody is, for a few minutes.
//!
//! They are made in exchange for a session, an API token, or the token of a CI job,
//! and signed with Ed25519. Other systems check them with the keys at
//! `/.well-known/jwks.json`; this portal also asks whether what they were made from
//! still opens anything, so that they end with it.

mod ci;
mod claims;
mod exchange;
mod handlers;
mod keys;
mod store;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use ci::{CiConfig, CiIssuers};
pub use claims::{Claims, LEEWAY, Parent};
pub use keys::Keys;

use super::seal::Sealer;
use crate::db::{Db, Priority};
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Where the public keys are.
pub const JWKS: &str = "/.well-known/jwks.json";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::create_access_token))
        .routes(routes!(exchange::exchange_token))
        .routes(routes!(handlers::list_ci_issuers))
}

/// What other systems read.
pub fn well_known() -> Router<App> {
    Router::new().route(JWKS, get(handlers::show_keys))
}

/// Seals every key anew, with the first key of the sealer. Answers how many it sealed
/// and how many it could not open.
///
/// # Errors
/// The database does not answer.
pub async fn reseal(db: &Db, sealer: &Sealer) -> ApiResult<(u64, u64)> {
    let (mut sealed, mut foreign) = (0, 0);
    for key in store::all(db.reader()).await? {
        let place = keys::place(&key.kid);
        let Ok(secret) = sealer.unseal(&place, &key.sealed) else {
            foreign += 1;
            continue;
        };
        let again = sealer.seal(&place, &secret).map_err(|error| ApiError::Internal(error.to_string()))?;
        let work = db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { store::reseal(txn, &key.kid, again).await })
        });
        work.await?;
        sealed += 1;
    }
    Ok((sealed, foreign))
}

/// Whether a text that came as a bearer token is one of these, and not an API token.
pub fn looks_like_one(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// What a token says that this portal has signed for itself.
///
/// # Errors
/// 401 with the rule that it breaks.
pub async fn verified(app: &App, token: &str) -> ApiResult<Claims> {
    let unfit = |unfit: claims::Unfit| ApiError::Unauthenticated(format!("the token is refused: {unfit}"));
    let kid = claims::key_id(token).map_err(unfit)?;
    let key = app.keys.verifying(app, &kid).await?.ok_or_else(|| unfit(claims::Unfit::UnknownKey))?;
    claims::check(token, &key, &app.config.issuer(), app.clock.now()).map_err(unfit)
}
