//! Builds, runs and tests Portal: `cargo xtask help` lists the commands.
//!
//! xtask knows how the other crates are built and started, and nothing of the
//! domain. It needs cargo, git and a C compiler; what else a command needs it
//! installs when it may, and otherwise names with the command that adds it.

mod bench;
mod files;
mod http;
mod leash;
mod node;
mod postgres;
mod process;
mod random;
mod results;
mod run;
mod schemathesis;
mod screenshots;
mod server;
mod site;
mod soak;
mod test;
mod tools;
mod wasm_target;
mod watch;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, runs and tests Portal", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything in release mode and start the portal on http://127.0.0.1:7070
    Run(run::Arguments),
    /// Build the browser's half into target/site
    Site(site::Arguments),
    /// Start a debug portal and build it again whenever a source changes
    Watch(watch::Arguments),
    /// Run the checks of the repository
    Test(test::Arguments),
    /// Kill the portal again and again and see that nothing is lost; fuzz the parsers
    Soak(soak::Arguments),
    /// Take a picture of every page, in both themes and at two sizes
    Screenshots(screenshots::Arguments),
    /// Measure the portal against the numbers it holds itself to
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    match command {
        Command::Run(arguments) => run::run(&workspace, &arguments),
        Command::Site(arguments) => site::run(&workspace, &arguments),
        Command::Watch(arguments) => watch::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Soak(arguments) => soak::run(&workspace, &arguments),
        Command::Screenshots(arguments) => screenshots::run(&workspace, &arguments),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
    }
}
