//! The standard library for wasm: already there, added by rustup, or built
//! from Debian's sources where rustup's server cannot be reached.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

pub const TARGET: &str = "wasm32-unknown-unknown";
/// The name under which `.ci/wasm-toolchain.sh` links what it builds.
const FALLBACK: &str = "portal-wasm";

/// Which toolchain compiles for the browser.
pub enum WasmToolchain {
    Default,
    Fallback,
}

impl WasmToolchain {
    pub fn cargo(&self, workspace: &Workspace) -> Command {
        match self {
            WasmToolchain::Default => workspace.cargo(),
            WasmToolchain::Fallback => workspace.cargo_of(FALLBACK),
        }
    }
}

/// Finds a toolchain with the wasm target and adds what is missing.
pub fn ensure(workspace: &Workspace) -> Result<(WasmToolchain, &'static str)> {
    if has_target(Command::new("rustc").current_dir(&workspace.root)) {
        return Ok((WasmToolchain::Default, "found"));
    }
    let fallback =
        || has_target(Command::new("rustup").args(["run", FALLBACK, "rustc"]).env_remove("RUSTUP_TOOLCHAIN"));
    if fallback() {
        return Ok((WasmToolchain::Fallback, "found"));
    }
    println!("  the target {TARGET} is missing: `rustup target add {TARGET}`");
    if process::run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(&workspace.root)).is_ok() {
        return Ok((WasmToolchain::Default, "added"));
    }
    if !Path::new("/etc/debian_version").exists() {
        bail!("Rust's standard library for {TARGET} is missing: add it with `rustup target add {TARGET}`");
    }
    println!("  rustup cannot add it: building it from Debian's sources with .ci/wasm-toolchain.sh");
    process::run(Command::new("bash").arg(workspace.root.join(".ci/wasm-toolchain.sh")).current_dir(&workspace.root))
        .with_context(|| format!("neither `rustup target add {TARGET}` nor .ci/wasm-toolchain.sh worked"))?;
    if !fallback() {
        bail!(".ci/wasm-toolchain.sh ended well, but the toolchain `{FALLBACK}` has no {TARGET}");
    }
    Ok((WasmToolchain::Fallback, "built"))
}

/// rustc names the folder of a target's libraries whether it exists or not.
fn has_target(rustc: &mut Command) -> bool {
    let Ok(output) = rustc.args(["--print", "target-libdir", "--target", TARGET]).output() else {
        return false;
    };
    let folder = String::from_utf8_lossy(&output.stdout);
    output.status.success()
        && std::fs::read_dir(folder.trim()).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
        })
}
