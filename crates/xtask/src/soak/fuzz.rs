//! The fuzz targets, each for a while, with AddressSanitizer.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::workspace::Workspace;
use crate::{files, process};

const VERSION: &str = "0.13.2";

/// Runs every target that `crates/portal-core/fuzz` lists. A crash is an error
/// that names the input; kept inputs are replayed by the tests.
pub fn run(workspace: &Workspace, seconds: u32) -> Result<Value> {
    install(workspace)?;
    let list = process::output(fuzz(workspace).arg("list"))?;
    let targets: Vec<&str> = list.split_whitespace().collect();
    if targets.is_empty() {
        bail!("cargo fuzz lists no targets");
    }
    for target in &targets {
        // What it finds interesting goes into the first folder; the second, with
        // the kept inputs, is only read.
        let found = workspace.state("fuzz").join(target);
        files::create_dir(&found)?;
        let kept = workspace.root.join("crates/portal-core/fuzz/corpus").join(target);
        let mut command = fuzz(workspace);
        command.arg("run").arg("--target-dir").arg(workspace.artifact("fuzz")).arg(target).arg(found).arg(kept);
        command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-verbosity=0"]);
        process::stage("fuzz", || {
            process::run(&mut command).with_context(|| format!("target {target}"))?;
            Ok(((), "ran"))
        })?;
    }
    Ok(json!({ "targets": targets, "seconds_each": seconds }))
}

fn fuzz(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.arg("fuzz").current_dir(workspace.root.join("crates/portal-core"));
    // The sanitizer is a flag of nightly compilers; ours takes it when told so.
    cargo.env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_TARGET_DIR");
    let tools = workspace.state("tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        cargo.env("PATH", path);
    }
    cargo
}

fn install(workspace: &Workspace) -> Result<()> {
    if process::succeeds(fuzz(workspace).arg("--version")) {
        return Ok(());
    }
    println!("  missing: cargo-fuzz; installing it below target/");
    let mut cargo = workspace.cargo();
    cargo.args(["install", "cargo-fuzz", "--version", VERSION, "--locked", "--root"]).arg(workspace.state("tools"));
    process::run(&mut cargo).context("cannot install cargo-fuzz")
}
