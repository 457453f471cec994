//! What each lane does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::leash::{Folder, Leash};
use crate::postgres::Postgres;
use crate::process::stage;
use crate::server::{self, Portal, Setup};
use crate::site::{self, Profile};
use crate::workspace::Workspace;
use crate::{files, http, node, process, schemathesis, soak, tools};

use super::{Lane, samples};

/// Wasm and JavaScript of the whole interface, as brotli.
const PAYLOAD_BUDGET: u64 = 400_000;
/// Of the fifty that `cargo xtask soak` does.
const KILLS: u32 = 5;

/// Of the ten thousand that `cargo xtask soak` does.
const INVOCATIONS: u64 = 300;

/// Of one operation in one phase of Schemathesis, and cases in all.
const EXAMPLES: u32 = 3;
const CASES: u64 = 2000;

/// What lanes share: the server's binary, the site and PostgreSQL are made once.
pub struct Bench<'a> {
    workspace: &'a Workspace,
    only: Option<&'a str>,
    postgres: Option<Postgres>,
    has_binary: bool,
    has_site: bool,
}

impl<'a> Bench<'a> {
    pub fn new(workspace: &'a Workspace, only: Option<&'a str>) -> Bench<'a> {
        Bench { workspace, only, postgres: None, has_binary: false, has_site: false }
    }

    pub fn run(&mut self, lane: Lane) -> Result<()> {
        match lane {
            Lane::Fmt => process::run(self.workspace.cargo().args(["fmt", "--all", "--check"])),
            Lane::Native => self.native(&[], self.only),
            Lane::Core => self.core(),
            Lane::Api => self.native(&["--test", "it"], self.only),
            Lane::Tidy => self.native(&["--test", "it"], Some("tidy")),
            Lane::Soak => self.soak(),
            Lane::Schemathesis => self.schemathesis(),
            Lane::Samples => self.samples(),
            Lane::Wasm => self.wasm(),
            Lane::Backstage => self.backstage(),
            Lane::Browser => self.browser(),
        }
    }

    /// One build serves clippy, the tests and the binary.
    fn native(&mut self, selection: &[&str], only: Option<&str>) -> Result<()> {
        let [sshd, npm, python] = tools::require([&tools::SSHD, &tools::NPM, &tools::PYTHON])?;
        self.build()?;
        let contracts = self.workspace.end2end().join("contracts");
        stage("contracts", || Ok(((), node::install(self.workspace, &npm, &contracts)?)))?;
        let references = self.workspace.state("references");
        let installed = std::fs::read_to_string(references.join("ready")).unwrap_or_default();
        if installed != REFERENCES.join("\n") {
            stage("references", || Ok((reference_libraries(&python, &references)?, "installed")))?;
        }
        let github = contracts.join("node_modules/@octokit/openapi/generated/ghec.json");
        let url = self.postgres()?.url();
        let mut cargo = self.workspace.cargo_test();
        cargo.args(selection).args(only).env("PORTAL_TEST_POSTGRES", url).env("PORTAL_TEST_SSHD", sshd);
        let python = references.join("bin/python");
        cargo.env("PORTAL_TEST_GITHUB", github).env("PORTAL_TEST_STANDARDWEBHOOKS", &python);
        cargo.env("PORTAL_TEST_KUBERNETES_VALIDATE", &python).env("PORTAL_TEST_AIOSMTPD", python);
        process::run(&mut cargo)
    }

    fn core(&mut self) -> Result<()> {
        let mut cargo = self.workspace.cargo();
        cargo.args(["test", "--package", "portal-core", "--all-features"]).args(self.only);
        process::run(&mut cargo)
    }

    fn build(&mut self) -> Result<()> {
        if !self.has_binary {
            site::ensure_folder(self.workspace)?;
            stage("build", || {
                process::run(self.workspace.cargo_test().arg("--no-run"))?;
                Ok(((), "built"))
            })?;
            self.has_binary = true;
        }
        Ok(())
    }

    fn postgres(&mut self) -> Result<&Postgres> {
        if self.postgres.is_none() {
            self.postgres = Some(stage("postgres", || Ok((Postgres::start(self.workspace)?, "started")))?);
        }
        self.postgres.as_ref().context("PostgreSQL was just started")
    }

    fn soak(&mut self) -> Result<()> {
        self.build()?;
        self.postgres()?;
        let postgres = self.postgres.as_ref().context("PostgreSQL was just started")?;
        let program = server::debug_binary(self.workspace);
        soak::kills(self.workspace, &program, postgres, KILLS, soak::TEST_SEED)?;
        soak::kills_of_runs(self.workspace, &program, postgres, 2 * KILLS, soak::TEST_SEED)?;
        soak::invocations(self.workspace, &program, postgres, INVOCATIONS, soak::TEST_SEED)?;
        Ok(())
    }

    fn schemathesis(&mut self) -> Result<()> {
        self.build()?;
        let program = server::debug_binary(self.workspace);
        let (workspace, seed) = (self.workspace, soak::TEST_SEED);
        schemathesis::Run { workspace, program: &program, examples: EXAMPLES, wanted: CASES, seed }.all()?;
        Ok(())
    }

    fn samples(&mut self) -> Result<()> {
        self.build()?;
        samples::check(self.workspace)
    }

    fn wasm(&mut self) -> Result<()> {
        site::build(self.workspace, Profile::Release)?;
        self.has_site = true;
        let payload = site::payload(self.workspace)?;
        if payload > PAYLOAD_BUDGET {
            bail!("the browser loads {payload} bytes of wasm and JavaScript, and the budget is {PAYLOAD_BUDGET}");
        }
        Ok(())
    }

    fn site(&mut self) -> Result<()> {
        if !self.has_site {
            site::build(self.workspace, Profile::Release)?;
            self.has_site = true;
        }
        Ok(())
    }

    fn browser(&mut self) -> Result<()> {
        let [node, npm, chromium] = tools::require([&tools::NODE, &tools::NPM, &tools::CHROMIUM])?;
        self.build()?;
        self.site()?;
        let folder = self.workspace.end2end();
        stage("packages", || Ok(((), node::install(self.workspace, &npm, &folder)?)))?;
        let data = Folder::create("browser")?;
        let address = http::free_address()?;
        let mut platform = Command::new(server::debug_platform(self.workspace));
        platform.args(["--listen", &address.to_string(), "--pace", "150"]);
        let log = self.workspace.state("platform.log");
        let mut platform = Leash::start("sample platform", &platform, "TERM", None, log)?;
        platform.wait_until(Duration::from_secs(20), || http::status(address, "/") == Some(200))?;
        let url = format!("http://{address}");
        let config = folder.join("support/portal.toml").display().to_string();
        let arguments = vec!["--sample".to_owned(), "--config".to_owned(), config];
        let portal = self.portal_with("browser", &data.path, arguments, &[("PLATFORM_URL", &url)])?;
        let mut playwright = Command::new(node);
        playwright
            .arg(node::program(&folder, "playwright"))
            .arg("test")
            .args(self.only.map(|only| ["-g", only]).into_iter().flatten());
        playwright
            .current_dir(&folder)
            .env("PORTAL_URL", portal.url())
            .env("PORTAL_CHROMIUM", chromium)
            .env("PORTAL_TOKEN", portal.token());
        process::run(&mut playwright)
    }

    /// The client runs on the corpus where there is one, else on the catalog
    /// that lies beside its test.
    fn backstage(&mut self) -> Result<()> {
        let [_, npm] = tools::require([&tools::NODE, &tools::NPM])?;
        let folder = self.workspace.end2end().join("backstage-client");
        if !folder.join("package.json").exists() {
            bail!("{} has no package.json", folder.display());
        }
        self.build()?;
        stage("packages", || Ok(((), node::install(self.workspace, &npm, &folder)?)))?;
        let data = Folder::create("backstage")?;
        let catalog = self.corpus().unwrap_or_else(|| folder.join("catalog"));
        // The documents of its locations are served by the test itself.
        let config = data.path.join("portal.toml");
        files::write_if_changed(&config, b"[egress]\nallow_private = [\"127.0.0.1:*\"]\n")?;
        let arguments = ["--config", &config.display().to_string(), "--catalog", &catalog.display().to_string()];
        let portal = self.portal("backstage", &data.path, arguments.map(str::to_owned).to_vec())?;
        let mut test = Command::new(npm);
        test.args(["test", "--silent"]).current_dir(&folder);
        test.env("PORTAL_URL", portal.url())
            .env("PORTAL_CATALOG", catalog)
            .env("PORTAL_ALLOWS_LOOPBACK", "1")
            .env("PORTAL_TOKEN", portal.token());
        process::run(&mut test)
    }

    fn corpus(&self) -> Option<PathBuf> {
        let folder = std::env::var_os("PORTAL_CORPUS")
            .map_or_else(|| self.workspace.root.join("../shared/corpus"), PathBuf::from);
        let catalogs = folder.join("catalogs");
        catalogs.is_dir().then_some(catalogs)
    }

    fn portal(&self, name: &str, data: &Path, arguments: Vec<String>) -> Result<Portal> {
        self.portal_with(name, data, arguments, &[])
    }

    fn portal_with(
        &self,
        name: &str,
        data: &Path,
        arguments: Vec<String>,
        variables: &[(&str, &str)],
    ) -> Result<Portal> {
        let program = server::debug_binary(self.workspace);
        stage("server", || {
            let portal =
                Portal::start(self.workspace, &Setup { name, program, data, database: None, arguments, variables })?;
            Ok((portal, "ready"))
        })
    }
}

/// The reference library of Standard Webhooks, a mail server, and the schemas of Kubernetes.
const REFERENCES: [&str; 3] = ["standardwebhooks==1.1.0", "aiosmtpd==1.4.6", "kubernetes-validate==1.37.0"];

/// What others have written and tests compare with, in a virtual environment of its own.
fn reference_libraries(python: &Path, folder: &Path) -> Result<()> {
    process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(REFERENCES);
    process::run(&mut pip)?;
    files::write_if_changed(&folder.join("ready"), REFERENCES.join("\n").as_bytes())?;
    Ok(())
}
