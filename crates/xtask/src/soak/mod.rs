//! `cargo xtask soak`: what was acknowledged is still there after `kill -9`.
//!
//! A portal is driven over HTTP (bulk writes, deletions, a folder that is read
//! again and again) and killed at a random moment, so that it cannot say
//! goodbye. After the restart every acknowledged write must be there, the
//! catalog must agree with its change feed and its own counts, and nothing that
//! anybody was shown may be gone. Runs of templates end whenever the portal is killed, and
//! invocations of actions happen exactly once over several replicas. Schemathesis, the fuzz targets, and the browser tests in
//! every variant, run in the same command.

mod drive;
mod fuzz;
mod invocations;
mod model;
mod runs;
mod verify;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::leash::Folder;
use crate::postgres::Postgres;
use crate::random::{self, Random};
use crate::server::{self, Portal, Setup};
use crate::workspace::Workspace;
use crate::{process, results, schemathesis, site};

use self::drive::FileTree;
use self::model::Model;

#[derive(Args)]
pub struct Arguments {
    /// How often the portal is killed on each database
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// How often it is killed on each database while runs of templates are under way
    #[arg(long, default_value_t = 100)]
    run_kills: u32,
    /// Invocations of actions over three replicas that are killed, stopped and cut off
    #[arg(long, default_value_t = 10_000)]
    invocations: u64,
    /// Repeats a run; printed by each
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds for each fuzz target; 0 leaves them out
    #[arg(long, default_value_t = 60)]
    fuzz: u32,
    /// Cases of Schemathesis that there must be; 0 leaves it out
    #[arg(long, default_value_t = 10_000)]
    cases: u32,
    /// Leave out the browser tests in both themes and at both widths
    #[arg(long)]
    no_pages: bool,
    /// Take the binary that is there
    #[arg(long)]
    no_build: bool,
    /// Kill the release build, as it runs in earnest, and not the debug build
    #[arg(long)]
    release: bool,
}

/// Of one operation in one phase of Schemathesis.
const EXAMPLES: u32 = 60;

/// Schedules of the life of a run; the test command plays a tenth.
const SCHEDULES: u32 = 100_000;

/// The test command draws the same kills every time.
pub const TEST_SEED: u64 = 1;

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(random::fresh_seed);
    if !arguments.no_build {
        site::ensure_folder(workspace)?;
        process::stage("build", || {
            match arguments.release {
                true => process::run(&mut workspace.cargo_release())?,
                false => process::run(workspace.cargo_test().arg("--no-run"))?,
            }
            Ok(((), "built"))
        })?;
    }
    let program = match arguments.release {
        true => workspace.artifact("release/portal"),
        false => server::debug_binary(workspace),
    };
    // Each as it ends: what was seen is not lost over what comes later.
    let note = |what: &str, figures: Value| results::append(workspace, "soak", json!({ "seed": seed, what: figures }));
    if arguments.kills + arguments.run_kills > 0 || arguments.invocations > 0 {
        let postgres = Postgres::start(workspace)?;
        if arguments.kills > 0 {
            note("kills", kills(workspace, &program, &postgres, arguments.kills, seed)?)?;
        }
        if arguments.run_kills > 0 {
            note("runs", runs::kills(workspace, &program, &postgres, arguments.run_kills, seed)?)?;
            note("schedules", schedules(workspace, SCHEDULES)?)?;
        }
        if arguments.invocations > 0 {
            note("actions", invocations::run(workspace, &program, &postgres, arguments.invocations, seed)?)?;
        }
    }
    if arguments.cases > 0 {
        let (examples, wanted) = (EXAMPLES, u64::from(arguments.cases));
        let run = schemathesis::Run { workspace, program: &program, examples, wanted, seed };
        note("schemathesis", json!({ "cases": run.all()? }))?;
    }
    if arguments.fuzz > 0 {
        note("fuzz", fuzz::run(workspace, arguments.fuzz)?)?;
    }
    if !arguments.no_pages {
        let mut pages = Command::new(std::env::current_exe()?);
        process::run(pages.args(["test", "browser"]).env("PORTAL_ALL_SIZES", "1"))?;
        note("pages", json!("light and dark, 1440 and 390"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Kills a portal on each database; returns figures, fails on the first loss.
pub fn kills(workspace: &Workspace, program: &Path, postgres: &Postgres, kills: u32, seed: u64) -> Result<Value> {
    let url = postgres.create(&format!("soak_{}", std::process::id()))?;
    let mut figures = json!({});
    for (name, database) in [("sqlite", None), ("postgres", Some(url.as_str()))] {
        let run = Run { workspace, program, name, database, kills, seed };
        figures[name] = run.all().with_context(|| {
            format!("{name}: repeat it with `cargo xtask soak --kills {kills} --seed {seed} --fuzz 0`")
        })?;
    }
    Ok(figures)
}

pub use invocations::run as invocations;
pub use runs::kills as kills_of_runs;

/// Plays schedules of crashes, lost leases and lost answers.
fn schedules(workspace: &Workspace, count: u32) -> Result<Value> {
    let mut test = workspace.cargo_test();
    test.args(["--test", "run_schedules"]).env("PORTAL_SCHEDULES", count.to_string());
    process::stage("schedules", || Ok((process::run(&mut test)?, "played")))?;
    Ok(json!(count))
}

struct Run<'a> {
    workspace: &'a Workspace,
    program: &'a Path,
    name: &'a str,
    database: Option<&'a str>,
    kills: u32,
    seed: u64,
}

impl Run<'_> {
    fn all(&self) -> Result<Value> {
        let start = Instant::now();
        let folder = Folder::create(&format!("soak-{}", self.name))?;
        let mut random = Random::new(self.seed);
        let model = Mutex::new(Model::default());
        let mut trees = Vec::new();
        let mut recovery = Duration::ZERO;
        for kill in 0..self.kills {
            let tree = FileTree::create(folder.path.join(format!("catalog-{kill}")), kill)?;
            tree.rewrite(&model, 0..drive::FILES)?;
            trees.push(tree);
            let portal = self.start(&folder, &trees)?;
            recovery = recovery.max(portal.ready_after);
            self.check(&portal, &model, kill)?;
            let patience = Duration::from_millis(random.range(50, 2500));
            if let Some(tree) = trees.last() {
                drive::until_killed(portal, &model, tree, &mut random, patience)?;
            }
        }
        let portal = self.start(&folder, &trees)?;
        self.check(&portal, &model, self.kills)?;
        let model = model.into_inner().map_err(|_| anyhow::anyhow!("a driver panicked"))?;
        println!(
            "  {:<9}{} kills, {} acknowledged writes, {} changes, nothing lost, in {}",
            self.name,
            self.kills,
            model.acknowledged,
            model.observed.len(),
            process::seconds(start.elapsed())
        );
        Ok(json!({
            "kills": self.kills,
            "acknowledged_writes": model.acknowledged,
            "changes": model.observed.len(),
            "slowest_restart_ms": recovery.as_millis() as u64,
            "seconds": start.elapsed().as_secs(),
        }))
    }

    fn start(&self, folder: &Folder, trees: &[FileTree]) -> Result<Portal> {
        let data = folder.path.join("data");
        let arguments =
            trees.iter().flat_map(|tree| ["--catalog".to_owned(), tree.path.display().to_string()]).collect();
        let name = format!("soak-{}", self.name);
        let program = self.program.to_owned();
        Portal::start(
            self.workspace,
            &Setup { name: &name, program, data: &data, database: self.database, arguments, variables: &[] },
        )
    }

    fn check(&self, portal: &Portal, model: &Mutex<Model>, kill: u32) -> Result<()> {
        let mut model = model.lock().map_err(|_| anyhow::anyhow!("a driver panicked"))?;
        verify::check(&portal.door, &mut model)
            .with_context(|| format!("after kill {kill}; the server said:\n{}", portal.last_lines()))
    }
}
