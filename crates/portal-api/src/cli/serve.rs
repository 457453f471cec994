//! `portal serve` and `portal worker`.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::first_start;
use crate::clock::SystemClock;
use crate::config::{Config, Flags, ServeFlags};
use crate::db::{self, Db};
use crate::error::ApiResult;
use crate::http::crowd::Crowd;
use crate::http::tls::Tls;
use crate::state::App;
use crate::{router, serve as server};

/// What a process does besides its background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Server,
    Worker,
}

#[expect(clippy::print_stdout, reason = "what tells where the portal is, and how to get in")]
pub async fn serve(flags: &Flags, serve: &ServeFlags, role: Role) -> Result<()> {
    let config = Config::load(flags, serve)?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create the data folder {}", config.data_dir.display()))?;
    // Bound first: a taken port should be known before anything is written.
    let listener = match role {
        Role::Server => {
            let listen = config.listen;
            Some(TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?)
        }
        Role::Worker => None,
    };
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let db = Db::open(&config.database).await.context("cannot open the database")?;
    let limits = config.limits.clone();
    let tls = config.tls.as_ref().map(Tls::open).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let crowd = Crowd::new(limits.connections_per_address, config.proxy.trusted.clone().into());
    let app = App::start(db.clone(), Arc::new(SystemClock), config, stop.clone()).await?;
    if role == Role::Server {
        // A worker may have been started without the server's flags.
        db::patiently(|| crate::sources::configured::sync(&app)).await?;
    }
    crate::workers::start(&app).await?;
    match listener {
        Some(listener) => {
            let address = listener.local_addr()?;
            let router = router::outer(&app);
            println!("portal is ready at {scheme}://{address}");
            match first_link(&app).await {
                Ok(Some(path)) => {
                    println!("nobody has signed in yet; within 15 minutes, this link signs the administrator in once:");
                    println!("  {scheme}://{address}{path}");
                }
                Ok(None) => {}
                // It serves all the same; the next start makes one.
                Err(error) => tracing::warn!(error = %error, "no link was made for the first administrator"),
            }
            if let Some(tls) = tls.clone() {
                tokio::spawn(tls.follow(stop.clone()));
            }
            let capacity = server::Capacity { connections: limits.connections, crowd, tls };
            server::serve(listener, router, capacity, stop).await;
        }
        None => {
            println!("portal is working");
            stop.cancelled().await;
        }
    }
    db.close().await;
    Ok(())
}

/// Ctrl-C and SIGTERM end the process in order; a second one at once.
fn stop_on_signal(stop: CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("stopping");
            stop.cancel();
        }
    });
    Ok(())
}

/// Where the first administrator signs in, as long as nobody has.
async fn first_link(app: &App) -> ApiResult<Option<String>> {
    if first_start::is_set_up(&app.db).await? {
        return Ok(None);
    }
    Ok(Some(first_start::admin_link(&app.db, app.config.sample, app.clock.now()).await?))
}
