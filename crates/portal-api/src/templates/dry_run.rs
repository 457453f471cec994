//! Runs a template without any effect: what would be written, logged and answered.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use portal_core::catalog::{Entity, EntityRef};
use portal_core::document::{self, Budget};
use portal_core::templates::definition::{Definition, Step};
use portal_core::templates::plan::{Scope, Turn};
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{Trouble, actions};
use serde_json::{Map, Value, json};

use super::perform::{Call, Log, Outside, Place, Published, perform};

/// The commit that a dry run would have made.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    Done,
    Skipped,
    /// It is not an action of the portal; its outputs are empty.
    Stubbed,
    Failed,
}

#[derive(Debug, Clone)]
pub struct StepReport {
    pub id: String,
    pub name: String,
    pub action: String,
    pub became: Became,
    pub log: Vec<String>,
}

/// All that a dry run found.
#[derive(Debug, Clone)]
pub struct Report {
    pub workspace: Workspace,
    pub steps: Vec<StepReport>,
    pub output: Map<String, Value>,
    /// The repository that the files would go to, where there is one, and where in it.
    pub compared: Option<Compared>,
    /// The step that failed first, and why.
    pub failure: Option<(String, Trouble)>,
}

/// A repository that a step would publish to.
#[derive(Debug, Clone)]
pub struct Compared {
    pub repository: Published,
    /// The folder of the workspace that is published, and where it goes.
    pub source: FilePath,
    pub target: FilePath,
}

impl Compared {
    /// The file of the repository that a file of the workspace would become; nothing where
    /// it is not published.
    pub fn before(&self, path: &FilePath) -> Option<Option<&File>> {
        let name = FilePath::file(path.within(&self.source)?).ok()?;
        Some(self.repository.files.get(&name.below(&self.target)))
    }
}

/// Runs every step. Actions among `stubs` do nothing.
pub async fn run(definition: &Definition, mut scope: Scope, outside: &dyn Outside, stubs: &BTreeSet<String>) -> Report {
    let mut report = Report {
        workspace: Workspace::default(),
        steps: Vec::new(),
        output: Map::new(),
        compared: None,
        failure: None,
    };
    let dry = Dry { outside, compared: Mutex::new(None) };
    for step in &definition.steps {
        let mut log = Vec::new();
        let done = run_step(&dry, step, &scope, &mut report.workspace, stubs, &mut log).await;
        let became = match done {
            Ok(Some((became, output))) => {
                scope.outputs.insert(step.id.clone(), output);
                became
            }
            Ok(None) => Became::Skipped,
            Err(trouble) => {
                log.push(trouble.message.clone());
                if !step.goes_on {
                    scope.failed = true;
                    report.failure.get_or_insert((step.id.clone(), trouble));
                }
                Became::Failed
            }
        };
        let Step { id, name, action, .. } = step.clone();
        report.steps.push(StepReport { id, name, action, became, log });
    }
    report.compared = dry.compared.into_inner().unwrap_or_default();
    if report.failure.is_none() {
        match scope.output(definition) {
            Ok(output) => report.output = output,
            Err(trouble) => report.failure = Some(("output".to_owned(), trouble)),
        }
    }
    report
}

async fn run_step(
    outside: &Dry<'_>,
    step: &Step,
    scope: &Scope,
    workspace: &mut Workspace,
    stubs: &BTreeSet<String>,
    log: &mut Vec<String>,
) -> Result<Option<(Became, Value)>, Trouble> {
    let turns = if scope.failed && !scope.runs(step, None)? { return Ok(None) } else { scope.turns(step)? };
    let is_stubbed = actions::find(&step.action).is_none() && stubs.contains(&step.action);
    let one = async |turn: Option<&Turn>, workspace: &mut Workspace, log: &mut Vec<String>| {
        if !scope.runs(step, turn)? {
            return Ok(None);
        }
        let input = scope.input(step, turn)?;
        if is_stubbed {
            log.push(format!("`{}` is stubbed: nothing is done, its outputs are empty", step.action));
            return Ok(Some(Map::new()));
        }
        let mut write = |line| log.push(line);
        perform(outside, &step.action, &input, workspace, &scope.hosts, Place::default(), &mut write).await.map(Some)
    };
    let became = if is_stubbed { Became::Stubbed } else { Became::Done };
    let Some(turns) = turns else {
        return Ok(one(None, workspace, log).await?.map(|output| (became, Value::Object(output))));
    };
    let mut outputs: Map<String, Value> = Map::new();
    for turn in &turns {
        for (name, value) in one(Some(turn), workspace, log).await?.unwrap_or_default() {
            if let Value::Array(list) = outputs.entry(name).or_insert_with(|| json!([])) {
                list.push(value);
            }
        }
    }
    Ok(Some((became, Value::Object(outputs))))
}

/// Reads as the other does, and only says what would be done.
struct Dry<'o> {
    outside: &'o dyn Outside,
    /// Of the first step that publishes.
    compared: Mutex<Option<Compared>>,
}

impl Dry<'_> {
    /// Notes what is in the repository that a step publishes to.
    async fn compare(&self, call: &Call<'_>, log: &mut Log<'_>) -> Result<(), Trouble> {
        if !call.action.id.starts_with("publish:") || self.compared.lock().is_ok_and(|found| found.is_some()) {
            return Ok(());
        }
        let (source, target) = (call.input.folder("sourcePath")?, call.input.folder("targetPath")?);
        match self.outside.published(call).await {
            Ok(Some(repository)) => {
                log(format!("compared with `{}`, branch `{}`", repository.address, repository.branch));
                // A push makes the first commit; what is there is changed by a request.
                let is_taken = !repository.files.is_empty() && !call.action.id.ends_with("-request");
                let taken = format!("`{}` has files on `{}` already", repository.address, repository.branch);
                if let Ok(mut found) = self.compared.lock() {
                    *found = Some(Compared { repository, source, target });
                }
                if is_taken {
                    return Err(Trouble::new(
                        "exists_already",
                        format!("{taken}, and `{}` would be refused", call.action.id),
                    ));
                }
            }
            Ok(None) => {}
            Err(trouble) => log(format!("not compared with a repository: {}", trouble.message)),
        }
        Ok(())
    }
}

#[async_trait]
impl Outside for Dry<'_> {
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble> {
        self.outside.folder(url).await
    }

    async fn file(&self, url: &str) -> Result<File, Trouble> {
        self.outside.file(url).await
    }

    async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Value>, Trouble> {
        self.outside.entity(entity_ref).await
    }

    async fn wait(&self, _time: Duration) {}

    async fn act(&self, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        let Call { action, input, workspace, .. } = call;
        log(format!("`{}` is not done in a dry run", action.id));
        for parameter in action.input.iter().filter(|parameter| parameter.required) {
            input.required(parameter.name)?;
        }
        self.compare(&call, log).await?;
        let answer = match action.id {
            "catalog:register" => {
                let path = input.text("catalogInfoPath")?.unwrap_or("catalog-info.yaml").trim_start_matches('/');
                let url = input.text("catalogInfoUrl")?.map(str::to_owned);
                let contents = input.text("repoContentsUrl")?.unwrap_or_default().trim_end_matches('/');
                let url = url.unwrap_or_else(|| format!("{contents}/{path}"));
                json!({ "catalogInfoUrl": url, "entityRef": declared(workspace, path) })
            }
            "catalog:update" => {
                let difference = self.outside.difference(&call).await?;
                match difference.as_deref() {
                    Some("") => log("nothing would change".to_owned()),
                    Some(lines) => lines.lines().for_each(|line| log(line.to_owned())),
                    None => {}
                }
                json!({ "entityRef": input.must("entity")?, "changed": difference.is_none_or(|lines| !lines.is_empty()) })
            }
            "notify" => {
                let (title, channel, to) = (input.must("title")?, input.must("channel")?, input.texts("to")?);
                let whom = if to.is_empty() { String::new() } else { format!(" to {}", to.join(", ")) };
                log(format!("would send `{title}` by `{channel}`{whom}"));
                json!({ "count": to.len().max(1) })
            }
            "publish:git" => {
                let remote = input.must("remoteUrl")?;
                json!({ "remoteUrl": remote, "repoContentsUrl": remote, "commitHash": NO_COMMIT })
            }
            _ => json!({}),
        };
        Ok(answer.as_object().cloned().unwrap_or_default())
    }
}

/// The first entity that a descriptor in the workspace declares.
fn declared(workspace: &Workspace, path: &str) -> Option<String> {
    let file = workspace.get(&FilePath::file(path).ok()?)?;
    let reading = document::read(&file.content, &Budget::default());
    let first = reading.documents.into_iter().next()?;
    Some(Entity(first.value).entity_ref()?.to_string())
}
