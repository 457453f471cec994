//! The OpenAPI document tried out by Schemathesis: every check and every phase, as an
//! administrator, and again as two developers who must not see what is the other's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::leash::Folder;
use crate::process::{self, stage};
use crate::server::{Portal, Setup};
use crate::workspace::Workspace;
use crate::{files, tools};

const VERSION: &str = "4.32.5";
/// It does not end.
const STREAM: &str = "/api/v1/changes/stream";
/// They take away what the run itself comes in with.
const OWN: [&str; 5] = ["delete_token", "end_session", "delete_session", "create_session", "change_password"];

/// How much is tried, and what the machine has.
pub struct Run<'a> {
    pub workspace: &'a Workspace,
    pub program: &'a Path,
    /// Most examples of one operation in one phase.
    pub examples: u32,
    /// Cases that there must be.
    pub wanted: u64,
    pub seed: u64,
}

impl Run<'_> {
    /// Answers how many cases there were.
    pub fn all(&self) -> Result<u64> {
        let st = self.installed()?;
        let mut cases = 0;
        for peers in [false, true] {
            cases += stage(if peers { "peers" } else { "checks" }, || Ok((self.once(&st, peers)?, "nothing found")))?;
        }
        println!("  cases    {cases}");
        if cases < self.wanted {
            bail!("{cases} cases, and there should be {}", self.wanted);
        }
        Ok(cases)
    }

    /// In a virtual environment of its own.
    fn installed(&self) -> Result<PathBuf> {
        let [python] = tools::require([&tools::PYTHON])?;
        let folder = self.workspace.state(&format!("schemathesis-{VERSION}"));
        let st = folder.join("bin/st");
        if !st.is_file() {
            stage("st", || {
                process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
                let mut pip = Command::new(folder.join("bin/pip"));
                pip.args(["install", "--quiet", "--disable-pip-version-check", &format!("schemathesis=={VERSION}")]);
                process::run(&mut pip)?;
                Ok(((), "installed"))
            })?;
        }
        Ok(st)
    }

    fn once(&self, st: &Path, peers: bool) -> Result<u64> {
        let folder = self.workspace.end2end();
        let (data, hooks) = (Folder::create("schemathesis")?, folder.join("schemathesis"));
        let catalog = folder.join("backstage-client/catalog").display().to_string();
        let setup = Setup {
            variables: &[],
            name: "schemathesis",
            program: self.program.to_owned(),
            data: &data.path,
            database: None,
            // Many wrong credentials from one address are what it sends.
            arguments: ["--catalog", &catalog, "--writes-per-second", "0"].map(str::to_owned).to_vec(),
        };
        let portal = Portal::start(self.workspace, &setup)?;
        let log = self.workspace.state("schemathesis.log");
        let mut config = std::fs::read_to_string(hooks.join("schemathesis.toml"))?;
        let mut command = Command::new(st);
        let token = |role: &str| {
            let mut token = Command::new(self.program);
            token.args(["token", "create", "--expires", "1h", "--role", role, "--data-dir"]).arg(&data.path);
            token
        };
        if peers {
            let mut users = Vec::new();
            for name in ["one", "two"] {
                let text = process::output(token("developer").args(["--user", name]))?;
                let header = json!({"name": "Authorization", "value": format!("Bearer {}", text.trim())});
                users.push(json!({"name": name, "fixedHeaders": [header]}));
            }
            let path = data.path.join("users.json");
            files::write_if_changed(&path, json!({ "auth": users }).to_string().as_bytes())?;
            config.push_str(&format!("\n[auth.wfc]\npath = \"{}\"\npeers = [\"one\", \"two\"]\n", path.display()));
        } else {
            // As JSON, so that no path needs quoting.
            let token = token("admin");
            let words = std::iter::once(token.get_program()).chain(token.get_args()).map(|word| word.to_string_lossy());
            command.env("PORTAL_TOKEN_COMMAND", json!(words.collect::<Vec<_>>()).to_string());
        }
        let written = data.path.join("schemathesis.toml");
        files::write_if_changed(&written, config.as_bytes())?;
        command.arg("--config-file").arg(&written).arg("run").arg(format!("{}/api/openapi.json", portal.url()));
        command.args(["--exclude-path", STREAM, "--no-color", "--continue-on-failure"]);
        command.args(["--max-examples", &self.examples.to_string(), "--seed", &self.seed.to_string()]);
        for operation in OWN.into_iter().filter(|_| peers) {
            command.args(["--exclude-operation-id", operation]);
        }
        command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &hooks).env("PYTHONDONTWRITEBYTECODE", "1");
        command.current_dir(&data.path);
        let answer = command.output().context("cannot start Schemathesis")?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        files::write_if_changed(&log, text.as_bytes())?;
        let cases = text.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse().ok());
        let cases: u64 = cases.unwrap_or_default();
        if !answer.status.success() || cases == 0 {
            let errors = String::from_utf8_lossy(&answer.stderr);
            let end: Vec<&str> = text.lines().rev().take(80).collect();
            let end: Vec<&str> = end.into_iter().rev().collect();
            bail!("Schemathesis found faults; all of it is in {}\n{}\n{errors}", log.display(), end.join("\n"));
        }
        Ok(cases)
    }
}
