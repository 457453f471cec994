//! A portal for the browser tests, for real clients, for soak and for bench.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::http::{self, Door};
use crate::leash::Leash;
use crate::process;
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(120);

/// How to start a portal.
pub struct Setup<'a> {
    /// Names its log, `target/xtask/<name>-server.log`.
    pub name: &'a str,
    pub program: PathBuf,
    pub data: &'a Path,
    /// PostgreSQL instead of the file in `data`.
    pub database: Option<&'a str>,
    /// More arguments of `portal serve`.
    pub arguments: Vec<String>,
    /// Of its environment.
    pub variables: &'a [(&'a str, &'a str)],
}

impl Setup<'_> {
    /// Makes a token of an administrator.
    pub fn token(&self) -> Result<Arc<str>> {
        let mut command = self.on_its_data(&["token", "create", "--user", "xtask", "--role", "admin"]);
        Ok(process::output(&mut command).context("no token for the portal")?.trim().into())
    }

    /// A command of the program on the data of this portal.
    fn on_its_data(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--data-dir").arg(self.data);
        if let Some(url) = self.database {
            command.args(["--database-url", url]);
        }
        command
    }
}

/// Stopped when dropped.
pub struct Portal {
    pub door: Door,
    /// From the start of the process to the first 200 of `/readyz`.
    pub ready_after: Duration,
    leash: Leash,
}

impl Portal {
    /// Starts it on a free port and waits until it is ready.
    pub fn start(workspace: &Workspace, setup: &Setup) -> Result<Portal> {
        let token = setup.token()?;
        Portal::start_with(workspace, setup, token)
    }

    /// The same, with a token that there is already.
    pub fn start_with(workspace: &Workspace, setup: &Setup, token: Arc<str>) -> Result<Portal> {
        let address = http::free_address()?;
        let mut command = setup.on_its_data(&["serve", "--listen", &address.to_string()]);
        command.args(&setup.arguments).current_dir(&workspace.root);
        command.envs(setup.variables.iter().copied());
        // One client asks here as much as everybody does.
        command.env("PORTAL_READS_PER_SECOND", "1000000").env("PORTAL_WRITES_PER_SECOND", "100000");
        let log = workspace.state(&format!("{}-server.log", setup.name));
        let start = Instant::now();
        let mut leash = Leash::start("portal serve", &command, "TERM", None, log)?;
        leash.wait_until(START_LIMIT, || http::status(address, "/readyz") == Some(200))?;
        let door = Door { address, token: Some(token) };
        Ok(Portal { door, ready_after: start.elapsed(), leash })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.door.address)
    }

    /// What opens it for scripts.
    pub fn token(&self) -> &str {
        self.door.token.as_deref().unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub fn kill(self) -> Result<()> {
        self.leash.kill()
    }

    /// Stops it where it is (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, signal: &str) -> Result<()> {
        process::run(Command::new("kill").args(["-s", signal, self.leash.server()]))
    }

    pub fn lives(&mut self) -> bool {
        self.leash.lives()
    }

    pub fn last_lines(&self) -> String {
        self.leash.last_lines()
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.leash.server());
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().context("VmRSS is not a number")?;
        Ok(kilobytes * 1024)
    }
}

/// The sample platform that the tests built.
pub fn debug_platform(workspace: &Workspace) -> PathBuf {
    workspace.artifact("debug/sample-platform")
}

/// The binary that the tests built.
pub fn debug_binary(workspace: &Workspace) -> PathBuf {
    workspace.artifact("debug/portal")
}
