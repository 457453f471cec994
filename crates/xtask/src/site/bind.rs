//! Makes the wasm callable from JavaScript.
//!
//! wasm-bindgen's two halves, the library in the wasm and the binder here, have
//! a private format between them and must be of one version to the last digit.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::files;
use crate::workspace::Workspace;

use super::state::State;

const LIBRARY: &str = "wasm-bindgen";
const BINDER: &str = "wasm-bindgen-cli-support";

pub fn bind(state: &mut State, workspace: &Workspace, wasm: &Path) -> Result<((), &'static str)> {
    let site = workspace.site();
    let lock = read_lock(workspace)?;
    let input = files::content_hash(&[&files::read(wasm)?, locked_version(&lock, BINDER)?.as_bytes()]);
    if state.is_current(&site, "bind", &input) {
        return Ok(((), "up to date"));
    }
    let folder = std::env::temp_dir().join(format!("portal-bind-{}", std::process::id()));
    let outputs = bind_into(&folder, wasm).and_then(|()| copy(&folder, &site));
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    state.record("bind", &input, &outputs?);
    Ok(((), "bound"))
}

/// Compares the two halves in Cargo.lock, where xtask's own binder stands too.
pub fn check_version(workspace: &Workspace) -> Result<()> {
    let lock = read_lock(workspace)?;
    let (library, binder) = (locked_version(&lock, LIBRARY)?, locked_version(&lock, BINDER)?);
    if library != binder {
        bail!(
            "{LIBRARY} is {library} and {BINDER} is {binder} in Cargo.lock: \
             set both to one version in Cargo.toml and crates/xtask/Cargo.toml"
        );
    }
    Ok(())
}

fn read_lock(workspace: &Workspace) -> Result<String> {
    let path = workspace.root.join("Cargo.lock");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn bind_into(folder: &Path, wasm: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("portal").typescript(false).web(true)?;
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("cannot bind {}", wasm.display()))
}

fn copy(folder: &Path, site: &Path) -> Result<Vec<String>> {
    let mut outputs = Vec::new();
    for path in files::list(folder)? {
        let name = format!("pkg/{}", files::slashed(&path));
        files::write_if_changed(&site.join(&name), &files::read(&folder.join(&path))?)?;
        outputs.push(name);
    }
    Ok(outputs)
}

fn locked_version<'lock>(lock: &'lock str, package: &str) -> Result<&'lock str> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.with_context(|| format!("Cargo.lock has no package `{package}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_version_in_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"registry\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").expect("it is there"), "0.2.130");
        assert!(locked_version(lock, "leptos").is_err());
    }
}
