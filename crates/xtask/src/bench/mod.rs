//! `cargo xtask bench`: the numbers that the portal holds itself to, measured
//! over HTTP on the release binary, on both databases, on catalogs that the
//! portal generates (the same ones every time).
//!
//! Beside them stand a bare axum handler, measured in the same run with the same
//! clients, and Backstage 1.55 as it was measured once on two cores, with
//! catalogs of the same size (default application, PostgreSQL, production build).
//!
//! Rows of the browser are medians of page loads with an empty cache on a warm
//! server; `slow` is a CPU four times slower behind 10 Mbit/s and 40 ms.

mod browser;
mod load;
mod pushes;
mod runs;
mod scenes;
mod table;
mod targets;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::leash::Folder;
use crate::postgres::Postgres;
use crate::process::{self, stage};
use crate::site::{self, Profile};
use crate::workspace::Workspace;
use crate::{results, server, tools};

use self::browser::Browser;
use self::scenes::{Figures, Scene};
use self::table::{Row, Unit};

#[derive(Args)]
pub struct Arguments {
    /// Measure on one database only
    #[arg(long)]
    database: Option<Database>,
    /// Seconds for each measurement under load
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Leave the catalog of 100 000 entities out
    #[arg(long)]
    quick: bool,
    /// Take the release binary that is there
    #[arg(long)]
    no_build: bool,
    /// Measure runs of templates only
    #[arg(long)]
    runs: bool,
    /// Measure only whether a target that hangs delays others
    #[arg(long, conflicts_with = "runs")]
    targets: bool,
    /// Take the debug binary that is there: to try a measurement out, its figures tell little
    #[arg(long)]
    debug: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let program = if arguments.debug { server::debug_binary(workspace) } else { workspace.artifact("release/portal") };
    if !arguments.no_build && !arguments.debug {
        build(workspace)?;
    }
    let browser = Browser::find(workspace)?;
    let data = Folder::create("bench")?;
    let mut catalogs = Vec::new();
    for size in sizes(arguments) {
        catalogs.push((size, generate(&program, &data, size)?));
    }
    let baseline = stage("baseline", || Ok((scenes::baseline(workspace, &program, arguments.seconds)?, "measured")))?;

    let mut rows = rows();
    for database in [Database::Sqlite, Database::Postgres] {
        if arguments.database.is_some_and(|only| only != database) {
            continue;
        }
        let cluster = if database == Database::Postgres { Some(Postgres::start(workspace)?) } else { None };
        for (size, catalog) in &catalogs {
            let name = format!("bench_{size}");
            let url = cluster.as_ref().map(|cluster| cluster.create(&name)).transpose()?;
            let folder = data.path.join(format!("{}-{size}", if url.is_some() { "postgres" } else { "sqlite" }));
            let scene = Scene {
                workspace,
                browser: browser.as_ref(),
                program: &program,
                folder,
                catalog,
                size: *size,
                database: url.as_deref(),
                seconds: arguments.seconds,
                runs_only: arguments.runs,
                targets_only: arguments.targets,
            };
            let label = format!("{}/{}k", if url.is_some() { "postgres" } else { "sqlite" }, size / 1000);
            let figures = scene.measure().with_context(|| format!("measuring {label}"))?;
            enter(&mut rows, &figures, database);
        }
    }
    rows.retain(|row| row.sqlite.is_some() || row.postgres.is_some());
    println!("\n{}", table::render(&rows));
    println!(
        "A bare axum handler, same clients: {:.0}/s, p99 {:.2} ms.",
        baseline.per_second,
        table::milliseconds(baseline.p99)
    );
    let figures = json!({
        "debug": arguments.debug,
        "rows": table::json(&rows),
        "bare_axum_per_second": baseline.per_second.round(),
        "seconds_each": arguments.seconds,
    });
    results::append(workspace, "bench", figures)?;
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    println!("{} rows hold their target, {missed} do not.", rows.len() - missed);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build(workspace: &Workspace) -> Result<()> {
    tools::require([&tools::C_COMPILER, &tools::GIT])?;
    site::build(workspace, Profile::Release)?;
    stage("server", || {
        process::run(&mut workspace.cargo_release())?;
        Ok(((), "built"))
    })
}

fn sizes(arguments: &Arguments) -> Vec<usize> {
    if arguments.quick || arguments.runs || arguments.targets { vec![10_000] } else { vec![10_000, 100_000] }
}

fn generate(program: &PathBuf, data: &Folder, size: usize) -> Result<PathBuf> {
    let folder = data.path.join(format!("catalog-{size}"));
    stage("generate", || {
        let mut command = Command::new(program);
        command.args(["generate", "--entities", &size.to_string(), "--out"]).arg(&folder);
        process::output(&mut command)?;
        Ok(((), "written"))
    })?;
    Ok(folder)
}

/// The table, without figures. The keys are those of [`Figures`].
fn rows() -> Vec<Row> {
    let row = Row::new;
    vec![
        row("start to ready, 10 000 entities", Unit::Seconds, Some(1.0), Some(4.0)),
        row("memory after it", Unit::Megabytes, Some(100.0), Some(905.0)),
        row("first ingest of 10 000 in 100 files", Unit::Seconds, Some(5.0), Some(59.0)),
        row("unchanged re-ingest of them", Unit::Seconds, Some(1.0), None),
        row("list of 20, 16 clients, 10 000", Unit::PerSecond, Some(4000.0), Some(186.0)),
        row("list of 20 filtered, 10 000", Unit::PerSecond, Some(4000.0), None),
        row("list of 20 sorted, 10 000", Unit::PerSecond, Some(4000.0), Some(79.0)),
        row("list of 20 with text, 10 000", Unit::PerSecond, None, Some(206.0)),
        row("entity by name, 10 000", Unit::PerSecond, Some(15_000.0), Some(423.0)),
        row("facet kind, 10 000", Unit::PerSecond, None, Some(496.0)),
        row("facet metadata.tags, 10 000", Unit::PerSecond, None, Some(65.0)),
        row("search, 10 000", Unit::PerSecond, None, Some(324.0)),
        row("catalog page rendered, 10 000", Unit::PerSecond, Some(300.0), None),
        row("catalog page rendered, p99", Unit::Milliseconds, Some(50.0), None),
        row("browser: first content", Unit::Milliseconds, Some(150.0), None),
        row("browser: rows visible", Unit::Milliseconds, Some(200.0), Some(1597.0)),
        row("browser: interactive", Unit::Milliseconds, Some(500.0), None),
        row("browser: rows visible, slow", Unit::Milliseconds, Some(700.0), Some(4668.0)),
        row("browser: interactive, slow", Unit::Milliseconds, Some(2000.0), None),
        row("browser: layout shift, at worst", Unit::Number, Some(0.0), None),
        row("browser: layout shift, slow, at worst", Unit::Number, Some(0.0), None),
        row("browser: requests, at worst", Unit::Number, Some(8.0), Some(78.0)),
        row("browser: key to result in the list, p95", Unit::Milliseconds, Some(50.0), None),
        row("browser: key to result in the palette, p95", Unit::Milliseconds, Some(50.0), None),
        row("browser: key to result, picking an owner, p95", Unit::Milliseconds, Some(50.0), None),
        row("push to visible in list and search, p99", Unit::Seconds, Some(1.0), None),
        row("runs started, 8 clients", Unit::PerSecond, Some(100.0), None),
        row("runs worked off", Unit::PerSecond, Some(100.0), None),
        row("list p99, 200 viewers of a log to idle", Unit::Number, Some(2.0), None),
        row("action to its effect, p50", Unit::Milliseconds, None, None),
        row("action to its effect, p95", Unit::Milliseconds, None, None),
        row("the same, 200 hang elsewhere, to alone, p50", Unit::Number, Some(2.0), None),
        row("the same, 200 hang elsewhere, to alone, p95", Unit::Number, Some(2.0), None),
        row("start to ready, 100 000 entities", Unit::Seconds, None, None),
        row("memory after it, 100 000", Unit::Megabytes, Some(512.0), None),
        row("first ingest of 100 000", Unit::Seconds, None, None),
        row("page, total and 4 facets, 100 000, p99", Unit::Milliseconds, Some(5.0), None),
        row("list of 20, 100 000", Unit::PerSecond, Some(4000.0), None),
        row("list of 20 filtered, 100 000", Unit::PerSecond, Some(4000.0), None),
        row("list of 20 sorted, 100 000", Unit::PerSecond, Some(4000.0), None),
        row("full text as you type, 100 000, p99", Unit::Milliseconds, Some(10.0), None),
    ]
}

fn enter(rows: &mut [Row], figures: &Figures, database: Database) {
    for (what, value) in figures {
        if let Some(row) = rows.iter_mut().find(|row| row.what == *what) {
            match database {
                Database::Sqlite => row.sqlite = Some(*value),
                Database::Postgres => row.postgres = Some(*value),
            }
        }
    }
}
