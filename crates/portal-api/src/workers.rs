//! Everything that works in the background, started in one place.

use anyhow::Result;

use crate::state::App;

/// Starts the workers; they end when the portal stops.
pub async fn start(app: &App) -> Result<()> {
    crate::sources::jobs::start(app);
    crate::runs::engine::start(app);
    crate::runs::keeping::start(app);
    crate::expiry::start(app);
    crate::outbox::start(app);
    crate::approvals::reminders::start(app);
    crate::triggers::start(app).await?;
    tokio::spawn(crate::access::identity::follow(app.clone()));
    tokio::spawn(crate::http::limit::Usage::tidy(app.clone()));
    Ok(())
}
