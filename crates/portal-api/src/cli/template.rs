//! `portal template`: for authors of templates, and for CI. Needs no server.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use portal_core::document::{self, Budget, Document};
use portal_core::templates::actions;
use portal_core::templates::definition::{self, Definition};
use portal_core::templates::form;
use portal_core::templates::plan::Scope;
use portal_core::templates::secrets;
use portal_core::templates::workspace::Workspace;
use serde_json::{Map, Value, json};

use crate::templates::dry_run::{self, Became, Report};
use crate::templates::local::Local;

#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Run a template without any effect and write the files that it makes
    DryRun(DryRun),
    /// Print the documentation of all steps, as Markdown
    Reference,
}

#[derive(Debug, Args)]
pub struct DryRun {
    /// The descriptor of the template
    template: PathBuf,
    /// The answers: a JSON or YAML file
    #[arg(long)]
    values: Option<PathBuf>,
    /// Folder that the files are written into; it is made, and must be empty
    #[arg(long)]
    out: Option<PathBuf>,
    /// An action that the portal does not have, and that is to do nothing
    #[arg(long = "stub", value_name = "ACTION")]
    stubs: Vec<String>,
    /// What is read instead of an address
    #[arg(long = "fetch", value_name = "URL=FOLDER")]
    fixtures: Vec<String>,
}

/// Answers 0 when the run ends well, 1 when it fails.
///
/// # Errors
/// The call is wrong: a file that cannot be read, a folder that is not empty.
pub async fn run(command: TemplateCommand) -> Result<ExitCode> {
    match command {
        TemplateCommand::DryRun(dry_run) => run_dry(dry_run).await,
        TemplateCommand::Reference => {
            say(actions::reference().trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn run_dry(arguments: DryRun) -> Result<ExitCode> {
    let DryRun { template, values, out, stubs, fixtures } = arguments;
    let bytes = fs::read(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let documents = read(&template, &bytes)?;
    let Some(document) = documents.iter().find(|document| document.value["kind"] == "Template") else {
        bail!("{}: there is no document of kind `Template`", template.display());
    };
    let values = values.map_or_else(|| Ok(Map::new()), |path| read_values(&path))?;
    if let Some(out) = &out {
        prepare(out)?;
    }
    let (definition, findings) = definition::read(&document.value);
    let mut is_broken = false;
    for finding in findings {
        let (line, column) = document.position(&finding.pointer);
        let level = if finding.is_error { "error" } else { "warning" };
        is_broken |= finding.is_error;
        say(&format!("{}:{line}:{column}: {level}: {}", template.display(), finding.message));
    }
    let (values, given) = secrets::part(&definition.pages, &values);
    let values = form::with_defaults(&definition.pages, &values);
    let fields = secrets::fields(&definition.pages, &values);
    for fault in secrets::without(&fields, form::faults(&definition.pages, &values)) {
        is_broken = true;
        say(&format!("values: error: `{}` {}", fault.pointer, fault.message));
    }
    if is_broken {
        return Ok(ExitCode::FAILURE);
    }
    let folder = template.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let local = Local { folder, fixtures: read_fixtures(&fixtures)? };
    let user = json!({ "ref": "user:default/author", "entity": null });
    let parameters = secrets::put(&fields, &values, &given);
    let scope = Scope { parameters, secrets: given, user, run: "dry-run".to_owned(), ..Scope::default() };
    let report = dry_run::run(&definition, scope, &local, &stubs.into_iter().collect::<BTreeSet<_>>()).await;
    tell(&report, &definition, document, &template);
    if let Some(out) = out {
        write(&report.workspace, &out)?;
    }
    Ok(if report.failure.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Document>> {
    let reading = document::read(bytes, &Budget::default());
    if let Some((_, fault)) = reading.faults.first() {
        bail!("{}:{}:{}: {}", path.display(), fault.line, fault.column, fault.message);
    }
    Ok(reading.documents)
}

fn read_values(path: &Path) -> Result<Map<String, Value>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match read(path, &bytes)?.into_iter().next().map(|document| document.value) {
        Some(Value::Object(values)) => Ok(values),
        _ => bail!("{}: the answers are one object", path.display()),
    }
}

fn read_fixtures(texts: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let one = |text: &String| {
        let (url, folder) = text.rsplit_once('=').with_context(|| format!("`{text}` is not of the form URL=FOLDER"))?;
        Ok((url.to_owned(), PathBuf::from(folder)))
    };
    texts.iter().map(one).collect()
}

fn prepare(out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    if fs::read_dir(out)?.next().is_some() {
        bail!("{} is not empty", out.display());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line speaks to people")]
fn say(line: &str) {
    println!("{line}");
}

fn tell(report: &Report, definition: &Definition, document: &Document, template: &Path) {
    for (index, step) in report.steps.iter().enumerate() {
        let mark = match step.became {
            Became::Done => "done",
            Became::Skipped => "skipped",
            Became::Stubbed => "stubbed",
            Became::Failed => "failed",
        };
        say(&format!("{mark:<8} {} ({})", step.name, step.action));
        step.log.iter().for_each(|line| say(&format!("         {line}")));
        let is_first = report.failure.as_ref().is_some_and(|(id, _)| *id == step.id && step.became == Became::Failed);
        if is_first {
            let (line, column) = document.position(&format!("/spec/steps/{index}"));
            let step = &definition.steps[index];
            say(&format!("{}:{line}:{column}: error: step `{}` failed", template.display(), step.id));
        }
    }
    if let Some((id, trouble)) = report.failure.as_ref().filter(|(id, _)| id == "output") {
        say(&format!("{}: error: {id}: {trouble}", template.display()));
    }
    say(&format!("{} files", report.workspace.len()));
    if !report.output.is_empty() {
        say(&serde_json::to_string_pretty(&report.output).unwrap_or_default());
    }
}

fn write(workspace: &Workspace, out: &Path) -> Result<()> {
    for (path, file) in workspace.files() {
        let full = out.join(path.as_str());
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&full, &file.content).with_context(|| format!("cannot write {}", full.display()))?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&full, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}
