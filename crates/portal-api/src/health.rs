//! Whether the process lives, and whether it is ready to answer.

use axum::extract::State;
use axum::http::StatusCode;

use crate::changes;
use crate::state::App;

/// `GET /healthz`: the process lives.
pub async fn show_health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers and the views have caught up with it.
pub async fn show_readiness(State(app): State<App>) -> (StatusCode, String) {
    if app.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match changes::store::last_seq(app.db.reader()).await {
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned()),
        Ok(written) => {
            let applied = app.catalog.snapshot().seq;
            // A busy portal is always a little behind; only a gap that stays is a fault.
            if written - applied > 10_000 {
                return (StatusCode::SERVICE_UNAVAILABLE, format!("catching up: {applied} of {written}\n"));
            }
            (StatusCode::OK, "ready\n".to_owned())
        }
    }
}
