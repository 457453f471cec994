//! Servers that never outlive xtask, however it ends.
//!
//! A small shell starts the server and waits for the end of a pipe that only
//! xtask holds. When xtask returns, fails, is interrupted or is killed, the pipe
//! closes; the shell then stops the server and removes its folder. Its own
//! process group keeps the terminal's Ctrl-C away from this order of events.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{files, process};

/// `$1` the signal that stops the server, `$2` the folder to remove or nothing,
/// `$3` its log, `$4…` the server. Prints the server's process id.
const SCRIPT: &str = r#"
signal=$1; folder=$2; log=$3; shift 3
exec 3<&0 </dev/null
"$@" 3<&- >>"$log" 2>&1 & server=$!
echo "$server"; exec >>"$log" 2>&1
( read -r _ <&3; kill -s "$signal" "$server" ) 2>/dev/null & leash=$!
wait "$server"; status=$?
kill "$leash" 2>/dev/null
[ -z "$folder" ] || rm -rf "$folder"
exit "$status"
"#;

/// A folder for temporary data, removed with its content however xtask ends.
pub struct Folder {
    pub path: PathBuf,
    shell: Child,
}

impl Folder {
    pub fn create(name: &str) -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("portal-{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        files::create_dir(&path)?;
        // Twice: a server that is stopped at the same moment may still write.
        let script = r#"read -r _; rm -rf "$1" || { sleep 2; rm -rf "$1"; }"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "folder"]).arg(&path).process_group(0).stdin(Stdio::piped());
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Folder { path, shell: shell.spawn().context("cannot start `sh`")? })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error here means that the shell is gone already.
        let _ = self.shell.wait();
    }
}

/// A running server, and the folder that goes with it when one is given.
pub struct Leash {
    shell: Child,
    name: &'static str,
    log: PathBuf,
    server: String,
}

impl Leash {
    /// Starts `command`, with `log` for what it prints. `folder` is removed when
    /// the server ends.
    pub fn start(
        name: &'static str,
        command: &Command,
        signal: &str,
        folder: Option<&Path>,
        log: PathBuf,
    ) -> Result<Leash> {
        if let Some(parent) = log.parent() {
            files::create_dir(parent)?;
        }
        File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "leash", signal]).arg(folder.unwrap_or(Path::new(""))).arg(&log);
        shell.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            shell.current_dir(directory);
        }
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = shell.spawn().with_context(|| format!("cannot start `{}`", process::show(command)))?;
        let mut server = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut server)?;
        }
        Ok(Leash { shell: child, name, log, server: server.trim().to_owned() })
    }

    /// Waits until `ready` says so; fails when the server ends or takes longer.
    pub fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.shell.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.last_lines());
            }
            if start.elapsed() > limit {
                bail!("{} is not ready after {}:\n{}", self.name, process::seconds(limit), self.last_lines());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The process id of the server itself.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Kills the server so that it cannot say goodbye, and waits for its end.
    pub fn kill(mut self) -> Result<()> {
        process::run(Command::new("kill").args(["-KILL", &self.server]))?;
        self.shell.wait()?;
        Ok(())
    }

    /// Whether the server is still there.
    pub fn lives(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// What the server printed last.
    pub fn last_lines(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error here means that the shell is gone already.
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letting_go_stops_the_server_and_removes_its_folder() -> Result<()> {
        let base = std::env::temp_dir().join(format!("portal-xtask-leash-{}", std::process::id()));
        let (folder, log) = (base.join("data"), base.join("log"));
        files::create_dir(&folder)?;
        let leash = Leash::start("sleep", Command::new("sleep").arg("600"), "TERM", Some(&folder), log)?;
        let server = leash.server().to_owned();
        assert!(process::succeeds(Command::new("kill").args(["-0", &server])));
        drop(leash);
        assert!(!folder.exists());
        assert!(!process::succeeds(Command::new("kill").args(["-0", &server])));
        std::fs::remove_dir_all(&base)?;
        Ok(())
    }

    #[test]
    fn a_server_that_ends_early_shows_what_it_said() -> Result<()> {
        let base = std::env::temp_dir().join(format!("portal-xtask-early-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo the port is taken; exit 3"]);
        let mut leash = Leash::start("server", &command, "TERM", Some(&base.join("data")), base.join("log"))?;
        let error = leash.wait_until(Duration::from_secs(5), || false).expect_err("it ended");
        assert!(error.to_string().contains("the port is taken"), "{error}");
        std::fs::remove_dir_all(&base)?;
        Ok(())
    }

    #[test]
    fn a_killed_server_is_gone_and_its_folder_stays() -> Result<()> {
        let folder = Folder::create("xtask-kill")?;
        let path = folder.path.clone();
        let leash = Leash::start("sleep", Command::new("sleep").arg("600"), "TERM", None, path.join("log"))?;
        leash.kill()?;
        assert!(path.exists());
        drop(folder);
        assert!(!path.exists());
        Ok(())
    }
}
