//! `cargo xtask test`: every check of the repository, lane by lane.
//!
//! A lane that fails does not stop the next, so that one run tells everything;
//! the last lines say what passed. What a lane needs and this machine lacks is
//! installed when that is allowed (see `tools`).

mod lanes;
mod samples;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::process;
use crate::workspace::Workspace;

use self::lanes::Bench;

#[derive(Args)]
pub struct Arguments {
    /// The lanes to run; without any: fmt, native, soak, schemathesis, samples, wasm, backstage and browser
    lanes: Vec<Lane>,
    /// Only tests whose name contains this (native, core, api, browser)
    #[arg(long)]
    only: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lane {
    /// rustfmt changes nothing
    Fmt,
    /// clippy without a warning, and every Rust test, the API on SQLite and PostgreSQL
    Native,
    /// Part of native: portal-core alone
    Core,
    /// Part of native: the API alone, on SQLite and PostgreSQL
    Api,
    /// Part of native: the invariants of the style guide
    Tidy,
    /// A few of the kills of `cargo xtask soak`, on both databases
    Soak,
    /// Schemathesis finds nothing in what the OpenAPI document promises
    Schemathesis,
    /// What the sample templates make is valid, and its own tests pass
    Samples,
    /// The site is built and small enough
    Wasm,
    /// Backstage's own catalog client against a running portal
    Backstage,
    /// Playwright and axe in Chromium
    Browser,
}

const ALL: [Lane; 8] = [
    Lane::Fmt,
    Lane::Native,
    Lane::Soak,
    Lane::Schemathesis,
    Lane::Samples,
    Lane::Wasm,
    Lane::Backstage,
    Lane::Browser,
];

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let chosen = if arguments.lanes.is_empty() { &ALL[..] } else { &arguments.lanes };
    let mut bench = Bench::new(workspace, arguments.only.as_deref());
    let mut outcomes = Vec::new();
    let start = Instant::now();
    for lane in chosen {
        println!("── {} ──", name(*lane));
        let began = Instant::now();
        let result = bench.run(*lane);
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        outcomes.push((*lane, result, began.elapsed()));
    }
    Ok(summary(&outcomes, start.elapsed()))
}

/// The verdict on each lane, and at the very end why some failed: a log that is
/// cut short keeps its last lines.
fn summary(outcomes: &[(Lane, Result<()>, Duration)], total: Duration) -> ExitCode {
    println!("── summary ──");
    for (lane, result, time) in outcomes {
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        println!("  {:<14}{verdict} in {}", name(*lane), process::seconds(*time));
    }
    let failures: Vec<_> =
        outcomes.iter().filter_map(|(lane, result, _)| Some((name(*lane), result.as_ref().err()?))).collect();
    let failed = failures.len();
    println!("  {:<10}{}", "total", process::seconds(total));
    for (lane, error) in &failures {
        println!("{lane}: {error:#}");
    }
    println!("lanes: {} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn name(lane: Lane) -> String {
    lane.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
