//! What is measured on one database with one catalog.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::{self, Client, Door};
use crate::leash::Leash;
use crate::process::stage;
use crate::server::{Portal, Setup};
use crate::workspace::Workspace;

use super::browser::Browser;
use super::load::{self, Measured};
use super::pushes;
use super::runs;
use super::table::{megabytes, milliseconds, seconds};
use super::targets;

/// Figures by the row that shows them.
pub type Figures = Vec<(&'static str, f64)>;

const CLIENTS: usize = 16;
const INGEST_LIMIT: Duration = Duration::from_secs(600);
/// Each is typed letter by letter.
const WORDS: [&str; 6] = ["payment", "service", "platform", "booking", "library", "notification"];

pub struct Scene<'a> {
    pub workspace: &'a Workspace,
    /// Where there is one.
    pub browser: Option<&'a Browser>,
    pub program: &'a Path,
    pub folder: PathBuf,
    pub catalog: &'a Path,
    pub size: usize,
    pub database: Option<&'a str>,
    pub seconds: u64,
    /// Only runs of templates.
    pub runs_only: bool,
    /// Only whether a target that hangs delays others.
    pub targets_only: bool,
}

impl Scene<'_> {
    pub fn measure(&self) -> Result<Figures> {
        let mut figures = Figures::new();
        if self.runs_only {
            runs::measure(self, &mut figures)?;
            return Ok(figures);
        }
        if self.targets_only {
            targets::measure(self, &mut figures)?;
            return Ok(figures);
        }
        self.ingest(&mut figures)?;
        let portal = self.start()?;
        self.settled(&portal)?;
        let memory = megabytes(portal.memory()?);
        println!("  start    {:.2} s, {memory:.0} MB", seconds(portal.ready_after));
        if self.size > 10_000 {
            figures.push(("start to ready, 100 000 entities", seconds(portal.ready_after)));
            figures.push(("memory after it, 100 000", memory));
            self.large(&portal, &mut figures)?;
        } else {
            figures.push(("start to ready, 10 000 entities", seconds(portal.ready_after)));
            figures.push(("memory after it", memory));
            self.small(&portal, &mut figures)?;
            drop(portal);
            self.pushes(&mut figures)?;
            runs::measure(self, &mut figures)?;
            targets::measure(self, &mut figures)?;
        }
        Ok(figures)
    }

    fn start(&self) -> Result<Portal> {
        let setup = Setup {
            variables: &[],
            name: "bench",
            program: self.program.to_owned(),
            data: &self.folder,
            database: self.database,
            arguments: vec!["--catalog".to_owned(), self.catalog.display().to_string()],
        };
        Portal::start(self.workspace, &setup)
    }

    /// From the start of an empty portal until every entity can be listed.
    fn ingest(&self, figures: &mut Figures) -> Result<()> {
        let began = Instant::now();
        let portal = self.start()?;
        let client = &mut Client::new(&portal.door);
        let mut total = 0;
        while total < self.size as u64 {
            ensure!(began.elapsed() < INGEST_LIMIT, "{total} of {} entities after {:?}", self.size, began.elapsed());
            thread::sleep(Duration::from_millis(20));
            total = client.get_json("/api/v1/entities?limit=0")?["total"].as_u64().context("a list without a total")?;
        }
        let first = seconds(began.elapsed());
        self.settled(&portal)?;
        let again = pass_seconds(client)?;
        println!("  ingest   {} entities in {first:.2} s, unchanged in {again:.2} s", self.size);
        if self.size > 10_000 {
            figures.push(("first ingest of 100 000", first));
        } else {
            figures.push(("first ingest of 10 000 in 100 files", first));
            figures.push(("unchanged re-ingest of them", again));
        }
        Ok(())
    }

    /// Waits until the pass at the start is over, and what follows it (merging of the
    /// search index, the database's own housekeeping), so that nothing else runs.
    fn settled(&self, portal: &Portal) -> Result<()> {
        let client = &mut Client::new(&portal.door);
        let began = Instant::now();
        while began.elapsed() < INGEST_LIMIT {
            let sources = client.get_json("/api/v1/sources")?;
            let all = sources["items"].as_array().context("a list without items")?;
            if all.iter().all(|source| !matches!(source["state"].as_str(), Some("new" | "reading"))) {
                load::wait_for_quiet();
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the sources are still being read after {INGEST_LIMIT:?}")
    }

    fn small(&self, portal: &Portal, figures: &mut Figures) -> Result<()> {
        let list = "/api/catalog/entities/by-query?limit=20";
        self.rate(portal, figures, "list of 20, 16 clients, 10 000", &[list.to_owned()])?;
        self.rate(portal, figures, "list of 20 filtered, 10 000", &filtered())?;
        self.rate(portal, figures, "list of 20 sorted, 10 000", &[sorted()])?;
        let text = format!("{list}&fullTextFilterTerm=service&fullTextFilterFields=metadata.name");
        self.rate(portal, figures, "list of 20 with text, 10 000", &[text])?;
        self.rate(portal, figures, "entity by name, 10 000", &names(portal)?)?;
        self.rate(portal, figures, "facet kind, 10 000", &["/api/catalog/entity-facets?facet=kind".to_owned()])?;
        let tags = "/api/catalog/entity-facets?facet=metadata.tags".to_owned();
        self.rate(portal, figures, "facet metadata.tags, 10 000", &[tags])?;
        self.rate(portal, figures, "search, 10 000", &searches("/api/search/query?term="))?;
        let page = self.rate(portal, figures, "catalog page rendered, 10 000", &["/catalog".to_owned()])?;
        figures.push(("catalog page rendered, p99", milliseconds(page.p99)));
        self.browser.map_or(Ok(()), |browser| browser.measure(portal, figures))
    }

    fn large(&self, portal: &Portal, figures: &mut Figures) -> Result<()> {
        let alone = load::measure(&portal.door, &pages(), 1, self.seconds)?;
        figures.push(("page, total and 4 facets, 100 000, p99", milliseconds(alone.p99)));
        self.rate(portal, figures, "list of 20, 100 000", &["/api/catalog/entities/by-query?limit=20".to_owned()])?;
        self.rate(portal, figures, "list of 20 filtered, 100 000", &filtered())?;
        self.rate(portal, figures, "list of 20 sorted, 100 000", &[sorted()])?;
        let typed = load::measure(&portal.door, &searches("/api/v1/search?q="), 1, self.seconds)?;
        figures.push(("full text as you type, 100 000, p99", milliseconds(typed.p99)));
        Ok(())
    }

    fn pushes(&self, figures: &mut Figures) -> Result<()> {
        let p99 = stage("pushes", || Ok((pushes::measure(self)?, "measured")))?;
        figures.push(("push to visible in list and search, p99", seconds(p99)));
        Ok(())
    }

    fn rate(&self, portal: &Portal, figures: &mut Figures, what: &'static str, paths: &[String]) -> Result<Measured> {
        let measured = load::measure(&portal.door, paths, CLIENTS, self.seconds).context(what)?;
        println!(
            "  {:<9}{:.0}/s, median {:.2} ms, p99 {:.2} ms: {what}",
            "load",
            measured.per_second,
            milliseconds(measured.median),
            milliseconds(measured.p99)
        );
        figures.push((what, measured.per_second));
        Ok(measured)
    }
}

/// A handler that answers two bytes: what HTTP itself costs here.
pub fn baseline(workspace: &Workspace, program: &Path, seconds: u64) -> Result<Measured> {
    let address = http::free_address()?;
    let mut command = Command::new(program);
    command.args(["bench-baseline", "--listen", &address.to_string()]);
    let log = workspace.state("baseline.log");
    let mut leash = Leash::start("portal bench-baseline", &command, "TERM", None, log)?;
    leash.wait_until(Duration::from_secs(10), || http::status(address, "/") == Some(200))?;
    load::measure(&Door::open(address), &["/".to_owned()], CLIENTS, seconds)
}

/// Refreshes the only source; how long the pass took by its own account.
fn pass_seconds(client: &mut Client) -> Result<f64> {
    let sources = client.get_json("/api/v1/sources")?;
    let source = sources["items"][0]["id"].as_i64().context("no source")?;
    let log = format!("/api/v1/sources/{source}/passes");
    let last = client.get_json(&log)?["items"][0]["id"].as_i64().unwrap_or(0);
    client.post_json(&format!("/api/v1/sources/{source}/refresh"), &json!({}))?;
    let began = Instant::now();
    while began.elapsed() < INGEST_LIMIT {
        thread::sleep(Duration::from_millis(10));
        let passes = client.get_json(&log)?;
        let is_new = |pass: &&Value| pass["id"].as_i64() > Some(last) && !pass["outcome"].is_null();
        if let Some(pass) = passes["items"].as_array().into_iter().flatten().find(is_new) {
            ensure!(pass["updated"] == 0 && pass["created"] == 0, "an unchanged pass wrote: {pass}");
            return Ok(pass["duration_ms"].as_f64().context("a pass without a duration")? / 1000.0);
        }
    }
    bail!("a refresh did not end within {INGEST_LIMIT:?}")
}

/// What the catalog page asks for, over all entities and over some.
fn pages() -> Vec<String> {
    let facets = ["kind", "spec.type", "spec.lifecycle", "relations.ownedBy"];
    let facets = facets.map(|facet| format!("&facet={facet}")).concat();
    let page = format!("/api/v1/entities?limit=20&sort=metadata.name&facet_limit=50{facets}");
    let narrowed = [
        "",
        "&filter=kind=component",
        "&filter=kind=component,spec.type=service",
        "&filter=kind=component,spec.lifecycle=production",
        "&filter=kind=component&q=book",
        "&q=service",
    ];
    narrowed.map(|narrowed| format!("{page}{narrowed}")).to_vec()
}

fn filtered() -> Vec<String> {
    let filters =
        ["kind=component,spec.type=service", "kind=component,spec.lifecycle=production", "kind=api", "kind=group"];
    filters.map(|filter| format!("/api/catalog/entities/by-query?limit=20&filter={filter}")).to_vec()
}

fn sorted() -> String {
    "/api/catalog/entities/by-query?limit=20&filter=kind=component&orderField=metadata.name,asc".to_owned()
}

/// Paths of a thousand entities.
fn names(portal: &Portal) -> Result<Vec<String>> {
    let client = &mut Client::new(&portal.door);
    let mut paths = Vec::new();
    let mut cursor = String::new();
    while paths.len() < 1000 {
        let page = client.get_json(&format!("/api/v1/entities?limit=500&fields=kind{cursor}"))?;
        for item in page["items"].as_array().context("a list without items")? {
            let entity_ref = item["entity_ref"].as_str().context("an item without `entity_ref`")?;
            paths.push(format!("/api/catalog/entities/by-name/{}", entity_ref.replacen(':', "/", 1)));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(paths)
}

/// Every beginning, from two letters on, of some words.
fn searches(path: &str) -> Vec<String> {
    let beginnings = WORDS.iter().flat_map(|word| (2..=word.len()).map(|letters| &word[..letters]));
    beginnings.map(|beginning| format!("{path}{beginning}")).collect()
}
