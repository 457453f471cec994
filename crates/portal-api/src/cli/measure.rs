//! Commands of `cargo xtask bench`, hidden from the help: catalogs to measure
//! with, and a bare handler to compare with.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::routing::get;
use clap::Args;
use portal_core::generate;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::http::crowd::Crowd;
use crate::serve::{self, Capacity};

/// Writes a generated catalog.
#[derive(Debug, Args)]
pub struct Generate {
    #[arg(long)]
    entities: usize,
    /// An empty or new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, default_value_t = 100)]
    files: usize,
    /// The same seed gives the same catalog
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Serves an answer of two bytes, to learn what HTTP itself costs.
#[derive(Debug, Args)]
pub struct Baseline {
    #[arg(long, default_value = "127.0.0.1:7079")]
    listen: SocketAddr,
}

pub fn generate(Generate { entities, out, files, seed }: &Generate) -> Result<()> {
    ensure!(*entities > 0 && *files > 0, "a catalog needs an entity and a file at least");
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let per_file = entities.div_ceil(*files);
    let mut catalog = generate::catalog(*entities, *seed).peekable();
    for number in 0.. {
        if catalog.peek().is_none() {
            break;
        }
        let path = out.join(format!("catalog-{number:04}.yaml"));
        let mut file =
            BufWriter::new(File::create(&path).with_context(|| format!("cannot create {}", path.display()))?);
        for entity in catalog.by_ref().take(per_file) {
            file.write_all(generate::to_yaml(&entity).as_bytes())?;
        }
        file.flush().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The same listener as the portal's, around nothing.
pub async fn baseline(Baseline { listen }: &Baseline) -> Result<()> {
    ensure!(listen.ip().is_loopback(), "the comparison listens on this machine only");
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let router = Router::new().route("/", get(|| async { "ok" }));
    let capacity = Capacity { connections: 800, crowd: Crowd::new(800, Arc::new([])), tls: None };
    serve::serve(listener, router, capacity, CancellationToken::new()).await;
    Ok(())
}
