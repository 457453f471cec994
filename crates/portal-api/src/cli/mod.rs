//! The command line: one program, one subcommand a task.

mod audit;
mod database;
mod measure;
mod seal;
mod serve;
mod template;
mod token;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{self, Flags, ServeFlags};

#[derive(Debug, Parser)]
#[command(name = "portal", version, about = "An internal developer portal")]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal
    Serve(ServeFlags),
    /// Do background work only: read sources, work jobs off
    Worker(ServeFlags),
    /// Bring the database's schema up to date, then stop
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Check the database and the configuration
    Doctor,
    /// Tokens and links, made on the server
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The key that seals secrets in the database
    #[command(subcommand)]
    Seal(seal::SealCommand),
    /// Software templates, for their authors
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// Judge descriptors: 0 all valid, 1 something is not, 2 wrong call
    Validate(validate::ValidateFlags),
    #[command(hide = true)]
    Generate(measure::Generate),
    #[command(hide = true)]
    BenchBaseline(measure::Baseline),
}

/// Runs the program and answers its exit status.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let Arguments { flags, command } = arguments;
    let result = match command {
        Command::Serve(serve) => runtime.block_on(serve::serve(&flags, &serve, serve::Role::Server)),
        Command::Worker(serve) => runtime.block_on(serve::serve(&flags, &serve, serve::Role::Worker)),
        Command::Migrate => runtime.block_on(database::migrate(&flags)),
        Command::Openapi => database::print_openapi(),
        Command::Doctor => runtime.block_on(database::examine(&flags)),
        Command::Token(command) => runtime.block_on(token::run(&flags, command)),
        Command::Audit(command) => runtime.block_on(audit::run(&flags, command)),
        Command::Seal(command) => runtime.block_on(seal::run(&flags, command)),
        Command::Template(command) => match runtime.block_on(template::run(command)) {
            Ok(code) => return code,
            Err(error) => {
                fail(&error);
                return ExitCode::from(2);
            }
        },
        Command::Validate(flags) => return validate::run(&flags),
        Command::Generate(generate) => measure::generate(&generate),
        Command::BenchBaseline(baseline) => runtime.block_on(measure::baseline(&baseline)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the command line speaks to people")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

fn start_log() {
    let log =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(config::log_filter())).with_writer(std::io::stderr);
    if config::log_as_json() { log.json().init() } else { log.init() }
}
