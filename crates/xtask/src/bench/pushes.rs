//! From a push, announced by its webhook, to the change in list and search.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::http::Client;
use crate::server::{Portal, Setup};
use crate::{files, process};

use super::load;
use super::scenes::Scene;

const PUSHES: usize = 40;
const SECRET: &str = "bench-webhook-secret";
const LIMIT: Duration = Duration::from_secs(10);

/// The 99th percentile of some pushes to a repository beside the catalog.
pub fn measure(scene: &Scene) -> Result<Duration> {
    let folder = scene.folder.join("push");
    let repository = Repository::create(&folder.join("repository"))?;
    files::write_if_changed(&folder.join("secret"), SECRET.as_bytes())?;
    files::write_if_changed(&folder.join("portal.toml"), b"[egress]\nallow_file_git = true\n")?;
    let setup = Setup {
        variables: &[],
        name: "bench-push",
        program: scene.program.to_owned(),
        data: &scene.folder,
        database: scene.database,
        arguments: ["--config".to_owned(), folder.join("portal.toml").display().to_string()]
            .into_iter()
            .chain(["--catalog".to_owned(), scene.catalog.display().to_string()])
            .collect(),
    };
    let portal = Portal::start(scene.workspace, &setup)?;
    let client = &mut Client::new(&portal.door);
    let source = client.post_json(
        "/api/v1/sources",
        &json!({
            "type": "git",
            "target": format!("file://{}", repository.path.display()),
            "webhook_secret": format!("file:{}", folder.join("secret").display()),
        }),
    )?;
    let webhook = source["webhook_path"].as_str().context("a source without `webhook_path`")?;
    // The pass that follows the creation is not what is measured.
    visible(client, &repository.word)?;

    let mut times = Vec::new();
    let mut repository = repository;
    for number in 0..PUSHES {
        repository.push(number)?;
        let began = Instant::now();
        announce(client, webhook, number)?;
        visible(client, &repository.word)?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("  {:<9}median {:.0} ms", "pushes", load::percentile(&times, 50).as_secs_f64() * 1000.0);
    Ok(load::percentile(&times, 99))
}

fn announce(client: &mut Client, webhook: &str, number: usize) -> Result<()> {
    let body = json!({ "ref": "refs/heads/main", "project": { "default_branch": "main" } }).to_string();
    let delivery = format!("bench-{number}");
    let headers = [
        ("content-type", "application/json"),
        ("x-gitlab-event", "Push Hook"),
        ("x-gitlab-token", SECRET),
        ("x-gitlab-event-uuid", delivery.as_str()),
    ];
    let response = client.send("POST", webhook, &headers, body.as_bytes())?;
    if !response.is_success() {
        bail!("the webhook answered {}: {}", response.status, String::from_utf8_lossy(&response.body));
    }
    Ok(())
}

/// Waits until list and search both show an entity with this word.
fn visible(client: &mut Client, word: &str) -> Result<()> {
    let list = format!("/api/v1/entities?limit=0&filter=metadata.annotations.bench.example.com/word={word}");
    let search = format!("/api/v1/search?limit=1&q={word}");
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let is_there = client.get_json(&list)?["total"] == 1 && client.get_json(&search)?["total"].as_u64() > Some(0);
        if is_there {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    bail!("a push is not visible after {LIMIT:?}")
}

struct Repository {
    path: PathBuf,
    /// Stands in the description and in an annotation of the newest version.
    word: String,
}

impl Repository {
    fn create(path: &Path) -> Result<Repository> {
        files::create_dir(path)?;
        let mut repository = Repository { path: path.to_owned(), word: String::new() };
        repository.git(&["init", "-q", "-b", "main"])?;
        repository.push(usize::MAX)?;
        Ok(repository)
    }

    fn push(&mut self, number: usize) -> Result<()> {
        // A word that no other version holds, and no typo of one.
        self.word = format!("{:x}", (number as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .replace(|digit: char| digit.is_ascii_digit(), "z");
        self.word = format!("w{}n{number}", self.word);
        let document = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {
                "name": "pushed-by-bench",
                "description": format!("holds {}", self.word),
                "annotations": { "bench.example.com/word": self.word },
            },
            "spec": { "type": "service", "lifecycle": "production", "owner": "team-bench" },
        });
        files::write_if_changed(&self.path.join("catalog-info.yaml"), document.to_string().as_bytes())?;
        self.git(&["add", "catalog-info.yaml"])?;
        self.git(&["-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "push"])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.path).args(["-c", "commit.gpgsign=false"]).args(arguments);
        process::run(&mut git)
    }
}
