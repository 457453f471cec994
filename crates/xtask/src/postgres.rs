//! A throw-away PostgreSQL: its own cluster in a temporary folder, on a free
//! loopback port, gone when it is dropped or when xtask ends in any way.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::leash::Leash;
use crate::workspace::Workspace;
use crate::{files, http, process, tools};

const START_LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "portal";

/// A running cluster.
pub struct Postgres {
    address: SocketAddr,
    programs: PathBuf,
    _leash: Leash,
}

impl Postgres {
    /// Makes a cluster and waits until it answers. Commits reach the disk as in
    /// production; only the creation of the cluster itself is not synced.
    pub fn start(workspace: &Workspace) -> Result<Postgres> {
        let [programs] = tools::require([&tools::POSTGRES])?;
        let folder = std::env::temp_dir().join(format!("portal-postgres-{}", std::process::id()));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        files::create_dir(&folder)?;
        let owner = Owner::find()?;
        owner.take(&folder)?;
        let data = folder.join("data");
        let mut initdb = owner.command(&programs.join("initdb"), &folder);
        initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username", USER, "-D"]);
        process::output(initdb.arg(&data))?;

        let address = http::free_address()?;
        let mut server = owner.command(&programs.join("postgres"), &folder);
        server.arg("-D").arg(&data).args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
        for setting in
            ["unix_socket_directories=", "max_connections=200", "shared_buffers=128MB", "logging_collector=off"]
        {
            server.args(["-c", setting]);
        }
        // QUIT is an immediate shutdown: nobody needs the data any more.
        let mut leash = Leash::start("postgres", &server, "QUIT", Some(&folder), workspace.state("postgres.log"))?;
        let ready = || {
            let mut probe = Command::new(programs.join("pg_isready"));
            probe.args(["-q", "-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
            process::succeeds(&mut probe)
        };
        leash.wait_until(START_LIMIT, ready)?;
        Ok(Postgres { address, programs, _leash: leash })
    }

    /// The maintenance database, from which others are created.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Creates an empty database and returns its URL.
    pub fn create(&self, name: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-q", "-X", "-d", &self.url(), "-c", &format!("create database \"{name}\"")]);
        process::output(&mut psql)?;
        Ok(self.url_of(name))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn url_of(&self, database: &str) -> String {
        url_at(self.address, database)
    }
}

/// A database as it is reached at another address: through a proxy.
pub fn url_at(address: SocketAddr, database: &str) -> String {
    format!("postgres://{USER}@{address}/{database}")
}

/// PostgreSQL refuses to run as root, so root hands it to another user.
enum Owner {
    Myself,
    Other { user: &'static str, ids: [String; 2] },
}

impl Owner {
    fn find() -> Result<Owner> {
        if !tools::is_root() {
            return Ok(Owner::Myself);
        }
        for user in ["postgres", "nobody"] {
            if let Some(ids) = ids(user) {
                return Ok(Owner::Other { user, ids });
            }
        }
        bail!("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as")
    }

    fn take(&self, folder: &Path) -> Result<()> {
        match self {
            Owner::Myself => Ok(()),
            Owner::Other { user, .. } => process::run(Command::new("chown").arg(user).arg(folder)),
        }
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = match self {
            Owner::Myself => Command::new(program),
            Owner::Other { ids: [user, group], .. } => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
                command.arg(program);
                command
            }
        };
        // The current folder may be closed to that user.
        command.current_dir(folder).env("HOME", folder).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn ids(user: &str) -> Option<[String; 2]> {
    let id = |flag| {
        let output = Command::new("id").args([flag, user]).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    Some([id("-u")?, id("-g")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_answers_and_leaves_nothing_behind() -> Result<()> {
        if (tools::POSTGRES.find)().is_none() {
            println!("skipped: PostgreSQL is not installed");
            return Ok(());
        }
        let postgres = Postgres::start(&Workspace::locate()?)?;
        let url = postgres.create("one")?;
        let mut psql = Command::new(postgres.programs.join("psql"));
        psql.args(["-X", "-A", "-t", "-d", &url, "-c", "select current_database(), current_setting('fsync')"]);
        assert_eq!(process::output(&mut psql)?.trim(), "one|on");
        let folder = std::env::temp_dir().join(format!("portal-postgres-{}", std::process::id()));
        assert!(folder.exists());
        drop(postgres);
        assert!(!folder.exists());
        Ok(())
    }
}
