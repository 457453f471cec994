//! Servers that never outlive xtask, however it ends.
//!
//! A small shell starts the server and waits for the end of a pipe that only
//! xtask holds. When xtask returns, fails, is interrupted or is killed, the pipe
//! closes; the shell then stops the server and removes its folder. Its own
//! process group keeps the terminal's Ctrl-C away from this order of events.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{files, process};

/// `$1` the signal that stops the server, `$2` its folder, `$3…` the server.
const SCRIPT: &str = r#"
signal=$1; folder=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
( read -r _ <&3; kill -s "$signal" "$server" ) 2>/dev/null & leash=$!
wait "$server"; status=$?
kill "$leash" 2>/dev/null
rm -rf "$folder"
exit "$status"
"#;

/// A running server and the folder that goes with it.
pub struct Leash {
    shell: Child,
    name: &'static str,
    log: PathBuf,
}

impl Leash {
    /// Starts `command`, with `folder` as its own and `log` for what it prints.
    pub fn start(name: &'static str, command: &Command, signal: &str, folder: &Path, log: PathBuf) -> Result<Leash> {
        if let Some(parent) = log.parent() {
            files::create_dir(parent)?;
        }
        let output = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "leash", signal]).arg(folder).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            shell.current_dir(directory);
        }
        shell.process_group(0).stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
        let child = shell.spawn().with_context(|| format!("cannot start `{}`", process::show(command)))?;
        Ok(Leash { shell: child, name, log })
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
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn last_lines(&self) -> String {
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
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0/pid\"; exec sleep 600"]).arg(&folder);
        let mut leash = Leash::start("sleep", &command, "TERM", &folder, log)?;
        let pid_file = folder.join("pid");
        leash.wait_until(Duration::from_secs(5), || pid_file.metadata().is_ok_and(|file| file.len() > 0))?;
        let pid = std::fs::read_to_string(&pid_file)?;
        drop(leash);
        assert!(!folder.exists());
        assert!(!process::succeeds(Command::new("kill").args(["-0", pid.trim()])));
        std::fs::remove_dir_all(&base)?;
        Ok(())
    }

    #[test]
    fn a_server_that_ends_early_shows_what_it_said() -> Result<()> {
        let base = std::env::temp_dir().join(format!("portal-xtask-early-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo the port is taken; exit 3"]);
        let mut leash = Leash::start("server", &command, "TERM", &base.join("data"), base.join("log"))?;
        let error = leash.wait_until(Duration::from_secs(5), || false).expect_err("it ended");
        assert!(error.to_string().contains("the port is taken"), "{error}");
        std::fs::remove_dir_all(&base)?;
        Ok(())
    }
}
