//! Runs of templates under `kill -9`, at whatever they are doing: each reaches an end, no
//! repository is half pushed, and nothing happens twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::Client;
use crate::leash::Folder;
use crate::postgres::Postgres;
use crate::random::Random;
use crate::server::{Portal, Setup};
use crate::workspace::Workspace;
use crate::{files, process};

/// Runs that are started between two kills.
const RUNS: u64 = 6;
/// Files of the skeleton, so that rendering and pushing take a while.
const FILES: usize = 40;
/// A run ends so long after the restart, at the latest.
const PATIENCE: Duration = Duration::from_secs(60);

const TEMPLATE: &str = r#"apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: soak, title: Soak }
spec:
  type: service
  parameters:
    required: [name]
    properties: { name: { type: string } }
  steps:
    - id: first
      action: debug:log
      input: { message: "begins ${{ parameters.name }}" }
    - id: fetch
      action: fetch:template
      input: { url: ./skeleton, values: { name: "${{ parameters.name }}" } }
    - id: write
      action: roadiehq:utils:fs:write
      each: [one, two, three]
      input: { path: "${{ each.value }}.txt", content: "${{ each.key }}" }
    - id: publish
      action: publish:git
      input: { remoteUrl: "local:${{ parameters.name }}" }
    - id: register
      action: catalog:register
      input: { repoContentsUrl: "${{ steps.publish.output.repoContentsUrl }}" }
    - id: last
      if: ${{ always() }}
      action: debug:log
      input: { message: "ends ${{ parameters.name }}" }
"#;
const DESCRIPTOR: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${{ values.name }}\nspec:\n  type: service\n  lifecycle: production\n  owner: soak\n";

/// Kills a portal with runs under way on each database; returns figures, fails on the
/// first promise that is broken.
pub fn kills(workspace: &Workspace, program: &Path, postgres: &Postgres, kills: u32, seed: u64) -> Result<Value> {
    let url = postgres.create(&format!("soak_runs_{}", std::process::id()))?;
    let mut figures = json!({});
    for (name, database) in [("sqlite", None), ("postgres", Some(url.as_str()))] {
        let soak = Soak { workspace, program, name, database, folder: Folder::create(&format!("soak-runs-{name}"))? };
        figures[name] = soak.all(kills, seed).with_context(|| format!("{name}: runs under kill -9, seed {seed}"))?;
    }
    Ok(figures)
}

struct Soak<'a> {
    workspace: &'a Workspace,
    program: &'a Path,
    name: &'a str,
    database: Option<&'a str>,
    folder: Folder,
}

impl Soak<'_> {
    fn all(&self, kills: u32, seed: u64) -> Result<Value> {
        let began = Instant::now();
        let mut random = Random::new(seed);
        let catalog = self.write_template()?;
        let mut started: BTreeMap<i64, String> = BTreeMap::new();
        let mut killed_in: BTreeMap<String, u64> = BTreeMap::new();
        let mut slowest = Duration::ZERO;
        for kill in 0..kills {
            let portal = self.start(&catalog)?;
            let client = &mut Client::new(&portal.door);
            wait_for_template(client)?;
            for number in 0..RUNS {
                let name = format!("soak-{kill}-{number}");
                let body = json!({ "template": "soak", "values": { "name": name } }).to_string();
                let headers = [("content-type", "application/json")];
                let answer = client.send("POST", "/api/v1/runs", &headers, body.as_bytes())?;
                ensure!(
                    answer.status == 202,
                    "a run was answered {}: {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
                let id = answer.json("a run")?["id"].as_i64().context("a run without an id")?;
                started.insert(id, name);
            }
            thread::sleep(Duration::from_millis(random.range(0, 900)));
            for step in under_way(client, &started)? {
                *killed_in.entry(step).or_default() += 1;
            }
            portal.kill()?;
            let restarted = Instant::now();
            let portal = self.start(&catalog)?;
            let client = &mut Client::new(&portal.door);
            self.all_end(client, &started, restarted)?;
            slowest = slowest.max(restarted.elapsed());
            self.judge(client, &started)?;
            portal.kill()?;
        }
        println!(
            "  {:<9}{kills} kills with runs under way, {} runs, all ended, the slowest {} after the restart, in {}",
            self.name,
            started.len(),
            process::seconds(slowest),
            process::seconds(began.elapsed())
        );
        Ok(json!({
            "kills": kills,
            "runs": started.len(),
            "killed_in": killed_in,
            "slowest_end_ms": slowest.as_millis() as u64,
            "seconds": began.elapsed().as_secs(),
        }))
    }

    fn write_template(&self) -> Result<PathBuf> {
        let catalog = self.folder.path.join("catalog");
        files::write_if_changed(&catalog.join("catalog-info.yaml"), TEMPLATE.as_bytes())?;
        files::write_if_changed(&catalog.join("skeleton/catalog-info.yaml"), DESCRIPTOR.as_bytes())?;
        for number in 0..FILES {
            let text = "this is ${{ values.name }}\n".repeat(50);
            files::write_if_changed(&catalog.join(format!("skeleton/src/{number}.txt")), text.as_bytes())?;
        }
        let config = "[templates]\nlocal_repositories = true\n[limits]\nlease_seconds = 3\n";
        files::write_if_changed(&self.folder.path.join("portal.toml"), config.as_bytes())?;
        Ok(catalog)
    }

    fn start(&self, catalog: &Path) -> Result<Portal> {
        let (data, config) = (self.folder.path.join("data"), self.folder.path.join("portal.toml"));
        // The descriptor only: the one of the skeleton is none yet.
        let descriptor = catalog.join("catalog-info.yaml");
        let arguments = [
            "--config".to_owned(),
            config.display().to_string(),
            "--catalog".to_owned(),
            descriptor.display().to_string(),
        ];
        let name = format!("soak-runs-{}", self.name);
        let (program, arguments) = (self.program.to_owned(), arguments.into());
        Portal::start(
            self.workspace,
            &Setup { name: &name, program, data: &data, database: self.database, arguments, variables: &[] },
        )
    }

    fn all_end(&self, client: &mut Client, started: &BTreeMap<i64, String>, since: Instant) -> Result<()> {
        loop {
            let open: Vec<i64> =
                states(client, started)?.into_iter().filter(|(_, run)| !is_final(run)).map(|(id, _)| id).collect();
            if open.is_empty() {
                return Ok(());
            }
            ensure!(since.elapsed() < PATIENCE, "runs {open:?} have not ended {PATIENCE:?} after the restart");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Nothing half, nothing twice.
    fn judge(&self, client: &mut Client, started: &BTreeMap<i64, String>) -> Result<()> {
        for (id, run) in states(client, started)? {
            let name = &started[&id];
            ensure!(run["state"] == "succeeded", "run {id} ended as {}: {}", run["state"], run["error"]);
            let repository = self.folder.path.join("data/repositories").join(format!("{name}.git"));
            let commits = git(&repository, &["rev-list", "--count", "--all"])?;
            ensure!(commits == "1", "`{name}` has {commits} commits");
            git(&repository, &["fsck", "--strict", "--no-progress"])?;
            let listed = git(&repository, &["ls-tree", "-r", "--name-only", "main"])?;
            ensure!(listed.lines().count() == FILES + 4, "`{name}` has {} files", listed.lines().count());
            let entity = client.send("GET", &format!("/api/v1/entities/component/default/{name}"), &[], b"")?;
            ensure!(entity.status == 200, "`{name}` is not in the catalog");
            let log = client.get_json(&format!("/api/v1/runs/{id}/log"))?;
            let lines = log["items"].as_array().context("a log without items")?;
            let count = |text: &str| lines.iter().filter(|line| line["text"] == text).count();
            // What has no effect may be done again after a kill; it is stored once.
            ensure!(
                count(&format!("ends {name}")) == 1,
                "the last step of `{name}` ended {} times",
                count(&format!("ends {name}"))
            );
        }
        Ok(())
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    Ok(process::output(&mut command)?.trim().to_owned())
}

fn wait_for_template(client: &mut Client) -> Result<()> {
    let began = Instant::now();
    while client.get_json("/api/v1/templates")?["total"] != 1 {
        ensure!(began.elapsed() < PATIENCE, "the template is not there");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The runs that were started since the last kill, and before.
fn states(client: &mut Client, started: &BTreeMap<i64, String>) -> Result<Vec<(i64, Value)>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get_json(&format!("/api/v1/runs?limit=200{cursor}"))?;
        for run in page["items"].as_array().context("a list without items")? {
            all.push((run["id"].as_i64().context("a run without an id")?, run.clone()));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    ensure!(all.len() == started.len(), "{} runs were acknowledged, and {} are there", started.len(), all.len());
    Ok(all)
}

fn under_way(client: &mut Client, started: &BTreeMap<i64, String>) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    for (_, run) in states(client, started)? {
        let running = run["steps"].as_array().into_iter().flatten().find(|step| step["state"] == "running");
        steps.extend(running.and_then(|step| step["id"].as_str().map(str::to_owned)));
    }
    Ok(steps)
}

fn is_final(run: &Value) -> bool {
    !matches!(run["state"].as_str(), Some("queued" | "running" | "waiting"))
}
