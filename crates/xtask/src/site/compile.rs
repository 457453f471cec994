//! Compiles `portal-app` for the browser.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::process;
use crate::wasm_target::{TARGET, WasmToolchain};
use crate::workspace::Workspace;

use super::Profile;

pub fn compile(workspace: &Workspace, toolchain: &WasmToolchain, profile: Profile) -> Result<(PathBuf, &'static str)> {
    let (name, folder) = match profile {
        Profile::Release => ("wasm-release", "wasm-release"),
        Profile::Dev => ("dev", "debug"),
    };
    let wasm = workspace.artifact(&format!("{TARGET}/{folder}/portal_app.wasm"));
    let before = modified(&wasm);
    let mut cargo = toolchain.cargo(workspace);
    cargo.args(["build", "-p", "portal-app", "--lib", "--no-default-features", "--features", "hydrate"]);
    cargo.args(["--target", TARGET, "--profile", name]);
    process::run(&mut cargo)?;
    let after = modified(&wasm).with_context(|| format!("cargo did not build {}", wasm.display()))?;
    Ok((wasm, if before == Some(after) { "up to date" } else { "built" }))
}

fn modified(path: &std::path::Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
