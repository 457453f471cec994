//! The programs that a command needs: found, installed when that is possible
//! without asking (root on Debian and its relatives), or else named with the
//! command that adds them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Something that a command needs, and the Debian packages that bring it.
pub struct Tool {
    pub name: &'static str,
    pub packages: &'static [&'static str],
    pub find: fn() -> Option<PathBuf>,
}

pub const C_COMPILER: Tool =
    Tool { name: "a C compiler", packages: &["gcc", "libc6-dev"], find: || on_path(&["cc", "gcc", "clang"]) };
pub const GIT: Tool = Tool { name: "git", packages: &["git"], find: || on_path(&["git"]) };
pub const NODE: Tool = Tool { name: "Node.js", packages: &["nodejs"], find: || on_path(&["node"]) };
pub const NPM: Tool = Tool { name: "npm", packages: &["npm"], find: || on_path(&["npm"]) };
pub const CHROMIUM: Tool = Tool { name: "Chromium", packages: &["chromium", "fonts-liberation"], find: find_chromium };
pub const POSTGRES: Tool = Tool { name: "PostgreSQL's server", packages: &["postgresql"], find: find_postgres };
pub const PYTHON: Tool = Tool { name: "Python", packages: &["python3", "python3-venv"], find: find_python };
pub const SSHD: Tool = Tool { name: "an ssh server", packages: &["openssh-server"], find: find_sshd };

/// Finds every tool or installs it; returns where they are, in order.
pub fn require<const N: usize>(tools: [&Tool; N]) -> Result<[PathBuf; N]> {
    let missing: Vec<&Tool> = missing(tools).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    let mut found = [const { PathBuf::new() }; N];
    for (place, tool) in found.iter_mut().zip(tools) {
        *place = (tool.find)().with_context(|| format!("{} is installed, but cannot be found", tool.name))?;
    }
    Ok(found)
}

/// Which of the tools are not there.
pub fn missing<const N: usize>(tools: [&Tool; N]) -> impl Iterator<Item = &Tool> {
    tools.into_iter().filter(|tool| (tool.find)().is_none())
}

fn install(missing: &[&Tool]) -> Result<()> {
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    let command = format!("apt-get install -y {}", packages.join(" "));
    if on_path(&["apt-get"]).is_none() {
        bail!("missing: {names}; install it with the system's package manager (on Debian: `{command}`)");
    }
    if !is_root() {
        bail!("missing: {names}; install it with `sudo {command}`");
    }
    println!("  missing: {names}; installing with `{command}`");
    process::run(apt_get().args(["update", "-qq"]))?;
    process::run(apt_get().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))
        .with_context(|| format!("cannot install {names}"))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

pub fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The first of these programs that is on the PATH.
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// One that makes virtual environments, which Debian packs apart.
fn find_python() -> Option<PathBuf> {
    let python = on_path(&["python3"])?;
    process::succeeds(Command::new(&python).args(["-c", "import ensurepip, venv"])).then_some(python)
}

/// It lives where only root looks.
fn find_sshd() -> Option<PathBuf> {
    let usual = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].map(PathBuf::from);
    usual.into_iter().find(|path| path.is_file()).or_else(|| on_path(&["sshd"]))
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("PORTAL_CHROMIUM") {
        return Some(path.into());
    }
    on_path(&["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"])
}

/// The folder with `initdb`: Debian keeps it off the PATH, one per version.
fn find_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect();
    folders.sort();
    let newest = folders.pop().map(|(_, folder)| folder);
    newest.or_else(|| on_path(&["initdb"])?.canonicalize().ok()?.parent().map(Path::to_path_buf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(on_path(&["no-such-program", "sh"]).is_some());
        assert_eq!(on_path(&["no-such-program"]), None);
    }
}
