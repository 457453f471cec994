//! `portal validate`: judges descriptors without a server, as a check in CI or
//! before a commit. It reads files and nothing else: placeholders stay
//! unresolved, and references may point anywhere.

mod files;
mod report;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use portal_core::catalog::kinds::{self, KindRegistry};
use portal_core::catalog::validate;
use portal_core::catalog::wire::DocumentVerdict;
use portal_core::document::Budget;

/// Exit status of a call that cannot be carried out, as of a wrong flag.
const USAGE: u8 = 2;

#[derive(Debug, Args)]
pub struct ValidateFlags {
    /// Files; folders: the *.yaml and *.yml below that are not plainly something else; or globs such as 'services/**/catalog-info.yaml'
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// How to print the verdicts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A file that declares further kinds; may be repeated
    #[arg(long, value_name = "FILE")]
    kinds: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a fault, then a summary on standard error
    Text,
    /// A list of verdicts, one a document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// Exit status: 0 all valid, 1 something is not or is a template that cannot run, 2 the call itself is wrong.
pub fn run(flags: &ValidateFlags) -> ExitCode {
    match judge(flags).and_then(|judged| print(flags.format, &judged).map(|()| judged)) {
        Ok(judged) if judged.verdicts.iter().all(|verdict| verdict.valid && !cannot_run(verdict)) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

/// What was found.
struct Judged {
    files: usize,
    verdicts: Vec<DocumentVerdict>,
}

/// A template that the catalog takes in, but that cannot run.
fn cannot_run(verdict: &DocumentVerdict) -> bool {
    verdict.warnings.iter().any(|fault| fault.rule == validate::CANNOT_RUN)
}

fn judge(flags: &ValidateFlags) -> Result<Judged> {
    let kinds = registry(&flags.kinds)?;
    let budget = Budget::default();
    let files = files::find(&flags.paths)?;
    let mut verdicts = Vec::new();
    let mut judged = 0;
    for (file, named) in &files {
        let bytes = files::read(file, budget.bytes)?;
        if !named && files::is_foreign(file, &bytes) {
            continue;
        }
        judged += 1;
        verdicts.extend(validate::verdicts(&files::shown(file), &bytes, &kinds, &budget));
    }
    Ok(Judged { files: judged, verdicts })
}

fn registry(paths: &[PathBuf]) -> Result<KindRegistry> {
    let mut declared = Vec::new();
    for path in paths {
        let bytes = files::read(path, Budget::default().bytes)?;
        match kinds::parse(&bytes) {
            Ok(kinds) => declared.extend(kinds),
            Err(faults) => {
                let lines: Vec<_> = faults.iter().map(|fault| report::line(&files::shown(path), fault)).collect();
                bail!("the kinds cannot be read\n{}", lines.join("\n"));
            }
        }
    }
    KindRegistry::with(declared).context("the kinds cannot be used")
}

fn print(format: Format, judged: &Judged) -> Result<()> {
    let mut out = io::stdout().lock();
    let printed = match format {
        Format::Text => report::text(judged, &mut out),
        Format::Json => serde_json::to_writer_pretty(&mut out, &judged.verdicts).map_err(io::Error::from),
        Format::Sarif => serde_json::to_writer_pretty(&mut out, &report::sarif(judged)).map_err(io::Error::from),
    };
    match printed.and_then(|()| if format == Format::Text { Ok(()) } else { writeln!(out) }) {
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot print the verdicts"),
    }
}
