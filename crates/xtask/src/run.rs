//! `cargo xtask run`: from a fresh clone to a portal that answers.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::process::{self, stage};
use crate::site::{self, Profile};
use crate::tools;
use crate::workspace::Workspace;

#[derive(Args)]
pub struct Arguments {
    /// Passed to `portal serve --sample`, such as `--listen 127.0.0.1:8080`
    #[arg(last = true)]
    portal: Vec<String>,
}

/// Ends by becoming the server, so that signals and its status are its own.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    stage("tools", || Ok((tools::require([&tools::C_COMPILER, &tools::GIT])?, "found")))?;
    site::build(workspace, Profile::Release)?;
    stage("server", || {
        process::run(&mut workspace.cargo_release())?;
        Ok(((), "built"))
    })?;
    let mut portal = Command::new(workspace.artifact("release/portal"));
    portal.args(["serve", "--sample"]).args(&arguments.portal);
    println!("  starting {}", process::show(&portal));
    let error = portal.exec();
    Err(error).with_context(|| format!("cannot start {}", workspace.artifact("release/portal").display()))
}
