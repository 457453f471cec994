//! The browser's half of the portal: `target/site`, which the server embeds.
//!
//! File names are stable (`pkg/portal.js`, `pkg/portal_bg.wasm`,
//! `pkg/portal.css`); `manifest.json` gives a content hash for each, so that the
//! server can hand out `?v=…` addresses that never change their content. Every
//! step is skipped when what it reads is what it read last time.

mod bind;
mod compile;
mod precompress;
mod state;
mod styles;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Map, Value};

use crate::process::stage;
use crate::workspace::Workspace;
use crate::{files, wasm_target};

use self::state::State;

#[derive(Args)]
pub struct Arguments {
    /// Compile quickly instead of small
    #[arg(long)]
    dev: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Profile {
    Release,
    Dev,
}

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    build(workspace, if arguments.dev { Profile::Dev } else { Profile::Release })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds what changed, stage by stage.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    bind::check_version(workspace)?;
    let toolchain = stage("target", || wasm_target::ensure(workspace))?;
    let mut state = State::load(workspace);
    let site = workspace.site();

    let wasm = stage("wasm", || compile::compile(workspace, &toolchain, profile))?;
    stage("bind", || bind::bind(&mut state, workspace, &wasm))?;
    stage("styles", || styles::bundle(&mut state, &workspace.root.join("style"), &site))?;
    let public = stage("public", || copy_public(workspace))?;

    let mut names: BTreeSet<String> = state.outputs("bind").chain(state.outputs("styles")).collect();
    for name in public {
        if !names.insert(name.clone()) {
            bail!("public/{name} would overwrite a file of the build");
        }
    }
    stage("compress", || precompress::precompress(&mut state, &site, &names, profile))?;
    write_manifest(workspace, &names)?;
    prune(workspace, &names)?;
    state.save(workspace)?;
    report_size(workspace, profile)
}

/// Bytes of the whole interface that are code: wasm and every script, as brotli.
pub fn payload(workspace: &Workspace) -> Result<u64> {
    let site = workspace.site();
    let mut total = 0;
    for path in files::list(&site)? {
        let name = files::slashed(&path);
        if name.ends_with(".wasm.br") || name.ends_with(".js.br") {
            let path = site.join(path);
            total += path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
        }
    }
    Ok(total)
}

/// The server's build looks at this folder even when it does not need it.
pub fn ensure_folder(workspace: &Workspace) -> Result<()> {
    files::create_dir(&workspace.site())
}

fn copy_public(workspace: &Workspace) -> Result<(Vec<String>, &'static str)> {
    let source = workspace.root.join("public");
    let mut names = Vec::new();
    let mut changed = false;
    for path in files::list(&source)? {
        changed |= files::write_if_changed(&workspace.site().join(&path), &files::read(&source.join(&path))?)?;
        names.push(files::slashed(&path));
    }
    Ok((names, if changed { "copied" } else { "up to date" }))
}

fn write_manifest(workspace: &Workspace, names: &BTreeSet<String>) -> Result<()> {
    let site = workspace.site();
    let mut manifest = Map::new();
    for name in names {
        let hash = files::content_hash(&[&files::read(&site.join(name))?]);
        manifest.insert(name.clone(), Value::String(hash));
    }
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    files::write_if_changed(&site.join("manifest.json"), text.as_bytes())?;
    Ok(())
}

/// Removes what an earlier build left and this one would not make.
fn prune(workspace: &Workspace, names: &BTreeSet<String>) -> Result<()> {
    let site = workspace.site();
    for path in files::list(&site)? {
        let name = files::slashed(&path);
        let original = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz")).unwrap_or(&name);
        if name != "manifest.json" && !names.contains(&name) && !names.contains(original) {
            files::remove(&site.join(&path))?;
        }
    }
    Ok(())
}

fn report_size(workspace: &Workspace, profile: Profile) -> Result<()> {
    let size = payload(workspace)?.div_ceil(1000);
    let note = if profile == Profile::Dev { ", not optimised" } else { "" };
    println!("  site     {size} kB of wasm and JavaScript as brotli{note}");
    Ok(())
}
