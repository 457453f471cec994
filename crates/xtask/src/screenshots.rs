//! Pictures of every page of the sample organisation, to be looked at.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::leash::Folder;
use crate::process::{self, stage};
use crate::server::{self, Portal, Setup};
use crate::site::{self, Profile};
use crate::workspace::Workspace;
use crate::{node, tools};

#[derive(clap::Args)]
pub struct Arguments {
    /// Where the pictures go
    #[arg(long, default_value = "target/screenshots")]
    out: PathBuf,
}

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let [node, npm, chromium] = tools::require([&tools::NODE, &tools::NPM, &tools::CHROMIUM])?;
    site::build(workspace, Profile::Release)?;
    stage("server", || Ok((process::run(workspace.cargo_test().arg("--no-run"))?, "built")))?;
    let folder = workspace.end2end();
    stage("packages", || Ok(((), node::install(workspace, &npm, &folder)?)))?;
    let data = Folder::create("screenshots")?;
    let setup = Setup {
        variables: &[],
        name: "screenshots",
        program: server::debug_binary(workspace),
        data: &data.path,
        database: None,
        arguments: vec!["--sample".to_owned()],
    };
    let portal = Portal::start(workspace, &setup)?;
    let mut pictures = Command::new(node);
    pictures.arg("screenshots.mjs").arg(portal.url()).arg(workspace.root.join(&arguments.out));
    process::run(pictures.current_dir(&folder).env("PORTAL_CHROMIUM", chromium).env("PORTAL_TOKEN", portal.token()))?;
    Ok(ExitCode::SUCCESS)
}
