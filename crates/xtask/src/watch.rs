//! `cargo xtask watch`: builds and starts a debug portal again whenever a file
//! of the sources changes. The page in the browser is reloaded by hand.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::Args;

use crate::leash::Leash;
use crate::site::{self, Profile};
use crate::workspace::Workspace;
use crate::{files, process, server};

/// What is looked at, below the top of the repository.
const SOURCES: [&str; 5] = ["crates", "style", "public", "Cargo.toml", "Cargo.lock"];
const PAUSE: Duration = Duration::from_millis(400);

#[derive(Args)]
pub struct Arguments {
    /// Passed to `portal serve`; `--sample` when there are none
    #[arg(last = true)]
    portal: Vec<String>,
}

/// Runs until it is interrupted.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    loop {
        let built_from = newest(workspace)?;
        // Held until the next change; a build that fails leaves nothing running.
        let _portal = match start(workspace, arguments) {
            Ok(portal) => Some(portal),
            Err(error) => {
                eprintln!("error: {error:#}");
                None
            }
        };
        println!("  waiting for changes");
        while newest(workspace)? == built_from {
            thread::sleep(PAUSE);
        }
        println!();
    }
}

fn start(workspace: &Workspace, arguments: &Arguments) -> Result<Leash> {
    site::build(workspace, Profile::Dev)?;
    process::stage("server", || {
        let mut cargo = workspace.cargo();
        cargo.args([
            "build",
            "--workspace",
            "--exclude",
            "portal-app",
            "--features",
            "portal-api/ui",
            "--bin",
            "portal",
        ]);
        process::run(&mut cargo)?;
        Ok(((), "built"))
    })?;
    let mut portal = std::process::Command::new(server::debug_binary(workspace));
    portal.arg("serve").current_dir(&workspace.root);
    match arguments.portal.is_empty() {
        true => portal.arg("--sample"),
        false => portal.args(&arguments.portal),
    };
    let log = workspace.state("watch-server.log");
    println!("  starting {} (its log: {})", process::show(&portal), log.display());
    Leash::start("portal serve", &portal, "TERM", None, log)
}

/// The time of the newest source, and how many there are: one of the two
/// changes with every edit, new file and removal.
fn newest(workspace: &Workspace) -> Result<(Option<SystemTime>, usize)> {
    let mut newest = (None, 0);
    for source in SOURCES {
        let path = workspace.root.join(source);
        let below = if path.is_dir() { files::list(&path)? } else { vec![std::path::PathBuf::new()] };
        for file in below {
            // A file that was just removed is no longer counted.
            if let Ok(data) = path.join(file).metadata() {
                newest = (newest.0.max(data.modified().ok()), newest.1 + 1);
            }
        }
    }
    Ok(newest)
}
