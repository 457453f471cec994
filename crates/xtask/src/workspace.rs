//! Where things are, and how cargo is called.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout that xtask was started for.
pub struct Workspace {
    pub root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    pub fn locate() -> Result<Workspace> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .join("../..")
            .canonicalize()
            .with_context(|| format!("cannot find the workspace above {}", Path::new(&manifest).display()))?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Workspace { root, target })
    }

    /// What cargo builds, below its target directory.
    pub fn artifact(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// The built site. The server embeds this folder, so its place is fixed.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// What xtask remembers between two runs.
    pub fn state(&self, name: &str) -> PathBuf {
        self.root.join("target/xtask").join(name)
    }

    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        self.prepare(&mut cargo);
        cargo
    }

    /// `cargo test` of the one set of packages and features that everything
    /// native is built with, so that nothing is built twice. clippy takes the
    /// compiler's place: what it builds is what runs, without a second pass.
    pub fn cargo_test(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["test", "--workspace", "--features", "portal-api/ui,portal-app/ssr"]);
        cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-Dwarnings");
        cargo
    }

    /// Builds the binary that is run and measured.
    pub fn cargo_release(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "--package", "portal-api", "--package", "sample-platform"]);
        cargo.args(["--features", "portal-api/ui", "--bin", "portal", "--bin", "sample-platform"]);
        cargo
    }

    /// A cargo of another rustup toolchain.
    pub fn cargo_of(&self, toolchain: &str) -> Command {
        let mut cargo = Command::new("rustup");
        cargo.args(["run", toolchain, "cargo"]);
        // Set by the outer cargo, and meant for the outer toolchain.
        cargo.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
        self.prepare(&mut cargo);
        cargo
    }

    fn prepare(&self, cargo: &mut Command) {
        cargo.current_dir(&self.root);
        // Leptos reads it while it is compiled, and would then ask for
        // `portal.wasm` where the binder writes `portal_bg.wasm`.
        cargo.env_remove("LEPTOS_OUTPUT_NAME");
        // Set for xtask by `cargo run`; build scripts must see their own.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                cargo.env_remove(name);
            }
        }
    }
}
