//! Does one step. What a step needs from the world comes from an [`Outside`]: the portal's
//! own when it is meant, one without effects in a dry run.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use portal_core::catalog::EntityRef;
use portal_core::templates::input::Input;
use portal_core::templates::language::Hosts;
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{Trouble, actions, files, skeleton};
use serde_json::{Map, Value};

/// Longest wait of one step.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What steps need from the world.
#[async_trait]
pub trait Outside: Send + Sync {
    /// The files of a folder: beside the template, or at an address.
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble>;

    /// One file.
    async fn file(&self, url: &str) -> Result<File, Trouble>;

    /// An entity of the catalog.
    async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Value>, Trouble>;

    /// Lets time pass.
    async fn wait(&self, time: Duration);

    /// What a repository holds that a step would publish to; nothing where the step
    /// publishes nothing, or makes the repository.
    async fn published(&self, _call: &Call<'_>) -> Result<Option<Published>, Trouble> {
        Ok(None)
    }

    /// What a step would change in an entity, as `diff -u` says it; nothing where that cannot
    /// be known.
    async fn difference(&self, _call: &Call<'_>) -> Result<Option<String>, Trouble> {
        Ok(None)
    }

    /// Does what has an effect elsewhere.
    async fn act(&self, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble>;
}

/// A step with an effect.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    pub action: &'static actions::Action,
    pub input: Input<'c>,
    pub workspace: &'c Workspace,
    pub place: Place,
}

/// Which step of a run it is, and which of its turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub position: usize,
    pub turn: usize,
    /// It was begun before, and waits: nothing is sent again.
    pub is_resumed: bool,
}

/// What a step answers that hears of its end from outside.
pub const WAITS: &str = "waits";

/// It was begun; somebody looks again at this time, or when there is news.
pub fn waits(until: DateTime<Utc>) -> Trouble {
    Trouble::new(WAITS, until.to_rfc3339())
}

/// What a step answers that was not begun.
pub const LATER: &str = "later";

/// Nothing was sent; it begins at this time.
pub fn later(at: DateTime<Utc>) -> Trouble {
    Trouble::new(LATER, at.to_rfc3339())
}

/// When somebody looks again.
pub fn until(trouble: &Trouble) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&trouble.message).ok().map(|at| at.to_utc())
}

/// A repository as it is.
#[derive(Debug, Clone)]
pub struct Published {
    pub address: String,
    pub branch: String,
    pub files: Workspace,
}

/// Where a step writes its lines.
pub type Log<'l> = dyn FnMut(String) + Send + 'l;

/// Does one step, with its input rendered; answers its output.
///
/// # Errors
/// What it failed at. The workspace may have been changed in part.
pub async fn perform(
    outside: &dyn Outside,
    action: &str,
    input: &Map<String, Value>,
    workspace: &mut Workspace,
    hosts: &Hosts,
    place: Place,
    log: &mut Log<'_>,
) -> Result<Map<String, Value>, Trouble> {
    let Some(known) = actions::find(action) else {
        let near = actions::nearest(action).map_or(String::new(), |near| format!("; is it `{near}`?"));
        return Err(Trouble::new("unsupported_action", format!("the portal has no action `{action}`{near}")));
    };
    let input = Input(input);
    if let Some(done) = files::run(action, &input, workspace, hosts, log) {
        return done;
    }
    match action {
        "fetch:plain" => {
            let target = input.folder("targetPath")?;
            let fetched = outside.folder(input.must("url")?).await?;
            for (path, file) in fetched.files() {
                workspace.write(path.below(&target), file.clone())?;
            }
            log(format!("copied {} files", fetched.len()));
            Ok(Map::new())
        }
        "fetch:template" => {
            let (rendering, target) = (files::rendering(&input)?, input.folder("targetPath")?);
            let fetched = outside.folder(input.must("url")?).await?;
            let written = skeleton::write(&fetched, &rendering, hosts, &target, workspace)?;
            log(format!("wrote {} of {} files", written.len(), fetched.len()));
            Ok(Map::new())
        }
        "fetch:plain:file" | "fetch:template:file" => {
            let (rendering, target) = (files::rendering(&input)?, input.file("targetPath")?);
            let file = outside.file(input.must("url")?).await?;
            let mut one = Workspace::default();
            one.write(target, file)?;
            let replaced =
                skeleton::Rendering { replaces: action == "fetch:plain:file" || rendering.replaces, ..rendering };
            if action == "fetch:plain:file" {
                for (path, file) in one.files() {
                    workspace.write(path.clone(), file.clone())?;
                }
            } else {
                skeleton::write(&one, &replaced, hosts, &FilePath::folder("")?, workspace)?;
            }
            Ok(Map::new())
        }
        "catalog:fetch" => fetch_entities(outside, &input).await,
        "debug:wait" | "roadiehq:utils:sleep" => {
            let part = |name: &str, unit: f64| Ok::<_, Trouble>(input.amount(name)?.unwrap_or(0.0) * unit);
            let seconds =
                part("minutes", 60.0)? + part("seconds", 1.0)? + part("milliseconds", 0.001)? + part("amount", 1.0)?;
            if seconds > LONGEST_WAIT.as_secs_f64() {
                let message =
                    format!("{seconds} seconds; a step waits at most {} minutes", LONGEST_WAIT.as_secs() / 60);
                return Err(Trouble::new("invalid_input", message));
            }
            log(format!("waiting {seconds} seconds"));
            outside.wait(Duration::from_secs_f64(seconds)).await;
            Ok(Map::new())
        }
        _ => outside.act(Call { action: known, input, workspace, place }, log).await,
    }
}

async fn fetch_entities(outside: &dyn Outside, input: &Input<'_>) -> Result<Map<String, Value>, Trouble> {
    let (kind, namespace) = (input.text("defaultKind")?, input.text("defaultNamespace")?.unwrap_or("default"));
    let optional = input.flag("optional")?;
    let find = async |text: &str| {
        let entity_ref = EntityRef::parse(text, kind, namespace);
        let entity_ref = entity_ref.map_err(|error| Trouble::new("invalid_input", error.to_string()))?;
        let found = outside.entity(&entity_ref).await?;
        if found.is_none() && !optional {
            return Err(Trouble::new("entity_not_found", format!("the catalog has no `{entity_ref}`")));
        }
        Ok(found.unwrap_or_default())
    };
    let (name, value) = if input.get("entityRefs").is_some() {
        let mut found = Vec::new();
        for text in input.texts("entityRefs")? {
            found.push(find(&text).await?);
        }
        ("entities", Value::Array(found))
    } else {
        ("entity", find(input.must("entityRef")?).await?)
    };
    Ok([(name.to_owned(), value)].into_iter().collect())
}
