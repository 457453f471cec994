//! A portal for the browser tests, for real clients, for soak and for bench.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::http;
use crate::leash::Leash;
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
}

/// Stopped when dropped.
pub struct Portal {
    pub address: SocketAddr,
    /// From the start of the process to the first 200 of `/readyz`.
    pub ready_after: Duration,
    leash: Leash,
}

impl Portal {
    /// Starts it on a free port and waits until it is ready.
    pub fn start(workspace: &Workspace, setup: &Setup) -> Result<Portal> {
        let address = http::free_address()?;
        let mut command = Command::new(&setup.program);
        command.args(["serve", "--listen", &address.to_string()]).arg("--data-dir").arg(setup.data);
        if let Some(url) = setup.database {
            command.args(["--database-url", url]);
        }
        command.args(&setup.arguments).current_dir(&workspace.root);
        let log = workspace.state(&format!("{}-server.log", setup.name));
        let start = Instant::now();
        let mut leash = Leash::start("portal serve", &command, "TERM", None, log)?;
        leash.wait_until(START_LIMIT, || http::status(address, "/readyz") == Some(200))?;
        Ok(Portal { address, ready_after: start.elapsed(), leash })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it as a power cut would.
    pub fn kill(self) -> Result<()> {
        self.leash.kill()
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

/// The binary that the tests built.
pub fn debug_binary(workspace: &Workspace) -> PathBuf {
    workspace.artifact("debug/portal")
}
