//! `cargo xtask run`: from a fresh clone to a portal that answers.

use std::fs::File;
use std::io::Read as _;
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

/// What the portal and the platform prove themselves with.
fn secret() -> Result<String> {
    let mut bytes = [0; 24];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).context("no random numbers")?;
    // Letters are Base64 of something, whatever they are.
    let letter = |byte: u8| char::from(b'a' + byte % 26);
    Ok(format!(
        "whsec_{}",
        bytes.iter().flat_map(|byte| [letter(*byte), letter(byte / 3)]).take(32).collect::<String>()
    ))
}

/// Ends by becoming the server, so that signals and its status are its own.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    stage("tools", || Ok((tools::require([&tools::C_COMPILER, &tools::GIT])?, "found")))?;
    site::build(workspace, Profile::Release)?;
    stage("server", || {
        process::run(&mut workspace.cargo_release())?;
        Ok(((), "built"))
    })?;
    let secret = secret()?;
    let mut platform = Command::new(workspace.artifact("release/sample-platform"));
    // It ends with this process, which is the portal's from here on.
    platform.arg("--with-parent").env("PLATFORM_SIGNING_SECRET", &secret);
    println!("  starting {}", process::show(&platform));
    platform.spawn().context("cannot start the sample platform")?;
    let mut portal = Command::new(workspace.artifact("release/portal"));
    portal.args(["serve", "--sample"]).args(&arguments.portal).env("PLATFORM_SIGNING_SECRET", secret);
    println!("  starting {}", process::show(&portal));
    let error = portal.exec();
    Err(error).with_context(|| format!("cannot start {}", workspace.artifact("release/portal").display()))
}
