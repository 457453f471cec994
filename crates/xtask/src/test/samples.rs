//! What the sample templates make is tried by its own tests: a golden path whose
//! first commit is red is none.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::leash::Folder;
use crate::process::stage;
use crate::workspace::Workspace;
use crate::{files, process, server, tools};

const ANSWERS: &str =
    r#"{"name": "sample-made", "owner": "group:default/booking", "description": "Says \"yes\" & <no>: it's here"}"#;

/// Renders each template, validates the descriptor that it made, and runs the
/// tests that came with it, where this machine can.
pub fn check(workspace: &Workspace) -> Result<()> {
    let [node, python] = tools::require([&tools::NODE, &tools::PYTHON])?;
    let folder = Folder::create("samples")?;
    let answers = folder.path.join("answers.json");
    files::write_if_changed(&answers, ANSWERS.as_bytes())?;
    let templates = workspace.root.join("crates/portal-api/sample/templates");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&templates).context("there are no sample templates")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names {
        let made = folder.path.join(&name);
        let test = match name.as_str() {
            "rust-service" => Some(cargo(workspace)),
            "node-service" => Some(with(&node, &["--test"])),
            "python-library" => Some(with(&python, &["-m", "unittest", "discover", "--start-directory", "tests"])),
            "static-site" => Some(with(&python, &["check.py"])),
            // MkDocs and Terraform are not in Debian's packages.
            "documentation-site" | "terraform-module" => None,
            other => bail!("how is what `{other}` makes tested? Say it in {}", file!()),
        };
        stage(&name, || {
            let template = templates.join(&name).join("catalog-info.yaml");
            let mut render = Command::new(server::debug_binary(workspace));
            render.args(["template", "dry-run"]).arg(template).arg("--values").arg(&answers).arg("--out").arg(&made);
            process::output(&mut render)?;
            let mut validate = Command::new(server::debug_binary(workspace));
            process::output(validate.arg("validate").arg(made.join("catalog-info.yaml")))?;
            let Some(mut test) = test else { return Ok(((), "validated")) };
            process::run(test.current_dir(&made).env("PYTHONPATH", "src"))?;
            Ok(((), "validated, and its tests passed"))
        })?;
    }
    Ok(())
}

/// With a target folder that the next run finds again.
fn cargo(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--quiet"]).env("CARGO_TARGET_DIR", workspace.state("samples"));
    cargo
}

fn with(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
