//! The world as the steps of a run meet it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use portal_core::catalog::EntityRef;
use portal_core::sources::wire::{SourceCreate, SourceState, SourceType};
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use portal_core::templates::workspace::{File, FilePath, Workspace};
use serde_json::{Map, Value, json};
use url::Url;

use super::published;
use crate::actions;
use crate::actions::steps::database;
use crate::catalog::{handlers, store as catalog_store};
use crate::changes::Writing;
use crate::db::{DbError, Priority};
use crate::error::ApiError;
use crate::notifications;
use crate::outbox;
use crate::sources::credential::{CredentialRef, Secret};
use crate::sources::fetch::push::{Push, push};
use crate::sources::fetch::{self, FetchError, Outcome, Request, Tree, remote};
use crate::sources::{Trigger, jobs, service, store as source_store};
use crate::state::App;
use crate::templates::perform::{Call, Log, Outside, Published};
use crate::templates::{hosts, http_request};

/// How long a source that a run adds may take to be read.
const READ_LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// The portal's own world, for one run.
pub struct Live {
    pub app: App,
    pub run_id: i64,
    pub writing: Writing,
    /// When the run was started, which is also the time of its commits.
    pub at: DateTime<Utc>,
    /// Whom its commits name.
    pub author: String,
    /// Where the template lies: its source, and its path there.
    pub place: Option<(i64, String)>,
    /// Whose rights it has.
    pub starter: Principal,
    /// Nobody has vetted the template: what it reads, it reads without the credentials of
    /// the portal.
    pub anonymous: bool,
    /// The definition comes from a trusted source, and may use connectors.
    pub is_trusted: bool,
    /// What is run, in words.
    pub title: String,
    /// Handles, and the secrets that they stand for.
    pub secrets: Arc<[(String, Secret)]>,
}

pub(crate) fn trouble(error: &FetchError) -> Trouble {
    Trouble::new(error.code(), error.to_string())
}

impl Live {
    /// The world of a dry run: nothing of it is stored.
    pub fn dry(
        app: &App,
        starter: &Principal,
        writing: Writing,
        place: Option<(i64, String)>,
        anonymous: bool,
    ) -> Self {
        Self {
            app: app.clone(),
            run_id: 0,
            at: writing.at,
            writing,
            author: starter.name.clone(),
            place,
            starter: starter.clone(),
            anonymous,
            is_trusted: false,
            title: String::new(),
            secrets: Arc::from([]),
        }
    }

    /// Who writes, and now.
    pub fn writing_now(&self) -> Writing {
        Writing { at: self.app.clock.now(), ..self.writing.clone() }
    }

    /// The secret that a handle in an input stands for.
    pub fn secret(&self, input: &Input<'_>, name: &str) -> Result<Option<Secret>, Trouble> {
        let Some(text) = input.text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        let found = self.secrets.iter().find(|(handle, _)| handle == text);
        Ok(Some(found.map_or_else(|| Secret::new(text.to_owned()), |(_, secret)| secret.clone())))
    }

    /// A text with the secrets that its handles stand for, at the moment it is sent.
    pub fn reveal(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, (handle, secret)| text.replace(handle, secret.expose()))
    }

    /// A value whose texts hold the secrets that handles in them stand for: what is sent as
    /// JSON is put together afterwards, whatever signs a secret has.
    pub fn reveal_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.reveal(text).into(),
            Value::Array(items) => items.iter().map(|item| self.reveal_in(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, field)| (self.reveal(name), self.reveal_in(field)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// The tree that a URL leads into, and the path there.
    async fn tree(&self, url: &str) -> Result<(Tree, String), Trouble> {
        let (request, path) = match Url::parse(url) {
            Ok(parsed) if url.contains("://") || url.starts_with("local:") => {
                let file = remote::hosted_file(&parsed);
                let (target, branch, path) = match file {
                    Some(file) => (format!("{}/{}", file.origin, file.repository), Some(file.revision), file.path),
                    None => {
                        let (target, path) = repository(url);
                        (target, None, path)
                    }
                };
                let credential = self.credential(&target).await?;
                let source_type = SourceType::Git;
                (
                    Request { source_type, target, branch, globs: vec!["**".to_owned()], trusted: false, credential },
                    path,
                )
            }
            _ => {
                let Some((source_id, location)) = &self.place else {
                    let message = format!("`{url}` lies beside the template, which is in no source");
                    return Err(Trouble::new("not_fetched", message));
                };
                let source = source_store::find(self.app.db.reader(), *source_id).await.map_err(database)?;
                let Some(source) = source else {
                    return Err(Trouble::new("not_fetched", "the source of the template is gone".to_owned()));
                };
                let folder = location.rsplit_once('/').map_or("", |(folder, _)| folder);
                let path = FilePath::folder(format!("{folder}/{url}").trim_start_matches('/'))?;
                let credential = source.credential.as_deref().map(str::parse::<CredentialRef>).transpose();
                let credential = credential.map_err(|error| Trouble::new("credential", error.to_string()))?;
                let request = Request {
                    source_type: source.source_type,
                    target: source.target.clone(),
                    branch: source.branch.clone(),
                    globs: vec!["**".to_owned()],
                    trusted: source.trusted,
                    credential,
                };
                (request, path.as_str().to_owned())
            }
        };
        match fetch::fetch(&self.app.sources, &request, None).await {
            Ok(Outcome::Read(fetched)) => Ok((fetched.tree.confined(), path)),
            Ok(Outcome::NotModified) => Err(Trouble::new("not_fetched", format!("`{url}` answered nothing"))),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// The credential of a source with this address, for what else lies there.
    pub(crate) async fn credential(&self, target: &str) -> Result<Option<CredentialRef>, Trouble> {
        if self.anonymous {
            return Ok(None);
        }
        let sources = source_store::list(self.app.db.reader()).await.map_err(database)?;
        let own = sources
            .into_iter()
            .find(|source| source.target.trim_end_matches(".git") == target.trim_end_matches(".git"));
        let text = own.and_then(|source| source.credential);
        text.map(|text| text.parse().map_err(|_| Trouble::new("credential", "a credential that is none"))).transpose()
    }

    async fn publish(&self, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        let target = call.input.must("remoteUrl")?;
        let branch = call.input.text("defaultBranch")?.unwrap_or("main");
        let token = self.secret(&call.input, "token")?;
        let commit = self.push(&call, target, branch, token.as_ref(), log).await?;
        let answer = json!({ "remoteUrl": target, "repoContentsUrl": target, "commitHash": commit });
        Ok(answer.as_object().cloned().unwrap_or_default())
    }

    /// The files that a step publishes.
    ///
    /// # Errors
    /// There are none.
    pub fn files(&self, call: &Call<'_>) -> Result<Workspace, Trouble> {
        let folder = call.input.folder("sourcePath")?;
        let files = if folder.as_str().is_empty() { call.workspace.clone() } else { call.workspace.part(&folder)? };
        if files.is_empty() {
            return Err(Trouble::new("nothing_to_publish", "the workspace is empty"));
        }
        let has = |file: &File, handle: &str| file.as_text().is_some_and(|text| text.contains(handle));
        let told = files.files().find(|(_, file)| self.secrets.iter().any(|(handle, _)| has(file, handle)));
        if let Some((path, _)) = told {
            let message =
                format!("`{path}` would hold a secret; secrets are for requests and credentials, not for files");
            return Err(Trouble::new("invalid_input", message));
        }
        Ok(files)
    }

    /// Pushes the workspace as the first commit of a branch, and answers its id.
    ///
    /// # Errors
    /// The repository cannot be written, or its branch holds something else.
    pub async fn push(
        &self,
        call: &Call<'_>,
        target: &str,
        branch: &str,
        secret: Option<&Secret>,
        log: &mut Log<'_>,
    ) -> Result<String, Trouble> {
        let (input, files) = (call.input, self.files(call)?);
        let name = input.text("gitAuthorName")?.unwrap_or(&self.author);
        let address = input.text("gitAuthorEmail")?.unwrap_or("portal@localhost");
        log(format!("pushing {} files to `{target}`, branch `{branch}`", files.len()));
        let message = input.text("gitCommitMessage")?.unwrap_or("Initial commit");
        // Which run made it: another one with the same answers makes another commit.
        let message = &format!("{message}\n\nPortal-Run: {}\n", self.run_id);
        let author = (name, address);
        let published = Push { target, branch, files: &files, message, author, at: self.at, secret };
        let commit = push(&self.app.sources, &published).await.map_err(|error| trouble(&error))?;
        log(format!("`{branch}` is at {commit}"));
        Ok(commit)
    }

    async fn register(&self, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        let input = call.input;
        let url = match input.text("catalogInfoUrl")? {
            Some(url) => url.to_owned(),
            None => {
                let contents = input.must("repoContentsUrl")?.trim_end_matches('/');
                let path = input.text("catalogInfoPath")?.unwrap_or("catalog-info.yaml").trim_start_matches('/');
                format!("{contents}/{path}")
            }
        };
        let create = source_of(&url);
        log(format!("adding `{}` to the catalog", create.target));
        let (interval, now) = (self.app.config.catalog.interval_seconds, self.app.clock.now());
        let draft = service::draft(&self.app.sources, create, interval, now).await.map_err(|error| refused(&error))?;
        let uid = draft.uid.clone();
        let writing = self.writing.clone();
        let added = self.app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { service::add(txn, &writing, draft, Trigger::Start).await })
        });
        let added: Option<i64> = added.await.map_err(database)?;
        let source_id = match added {
            Some(id) => id,
            None => self.ask_again(&uid).await?,
        };
        self.read(source_id, &url, input.flag("optional")?, log).await
    }

    /// A source that is there already is read once more.
    async fn ask_again(&self, uid: &str) -> Result<i64, Trouble> {
        let sources = source_store::list(self.app.db.reader()).await.map_err(database)?;
        let Some(id) = sources.into_iter().find(|source| source.uid == uid).map(|source| source.id) else {
            return Err(Trouble::new("unavailable", "the source cannot be found".to_owned()));
        };
        let now = self.app.clock.now();
        let asked: Result<(), DbError> = self
            .app
            .db
            .write(Priority::Interactive, move |txn| {
                Box::pin(async move { jobs::ask(txn, id, Trigger::Manual, now).await })
            })
            .await;
        asked.map_err(database)?;
        Ok(id)
    }

    /// Waits until a source has been read, and tells what it declares.
    async fn read(
        &self,
        source_id: i64,
        url: &str,
        optional: bool,
        log: &mut Log<'_>,
    ) -> Result<Map<String, Value>, Trouble> {
        let began = tokio::time::Instant::now();
        loop {
            let source = source_store::find(self.app.db.reader(), source_id).await.map_err(database)?;
            let Some(source) = source else {
                return Err(Trouble::new("not_registered", "the source was removed while it was read".to_owned()));
            };
            let refs = catalog_store::refs_of_source(self.app.db.reader(), source_id).await.map_err(database)?;
            let is_quiet = !matches!(source.state, SourceState::New | SourceState::Reading);
            if !refs.is_empty() && is_quiet {
                let first = refs.iter().find(|one| !one.starts_with("location:")).or(refs.first());
                log(format!("declared {}", refs.join(", ")));
                self.note(&refs).await?;
                let answer = json!({ "catalogInfoUrl": url, "entityRef": first });
                return Ok(answer.as_object().cloned().unwrap_or_default());
            }
            if is_quiet || began.elapsed() > READ_LIMIT {
                if optional {
                    log("nothing was declared there".to_owned());
                    return Ok(Map::new());
                }
                let why = source.failure.unwrap_or_else(|| "nothing valid was declared there".to_owned());
                return Err(Trouble::new("not_registered", format!("`{url}`: {why}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Remembers what this run made.
    async fn note(&self, refs: &[String]) -> Result<(), Trouble> {
        let (run_id, refs) = (self.run_id, refs.to_vec());
        let noted: Result<(), DbError> = self
            .app
            .db
            .write(Priority::Interactive, move |txn| {
                Box::pin(async move {
                    for entity_ref in refs {
                        super::store::add_entity(txn, run_id, &entity_ref).await?;
                    }
                    Ok(())
                })
            })
            .await;
        noted.map_err(database)
    }
}

/// The repository that an address names, and the path within it.
fn repository(url: &str) -> (String, String) {
    if url.starts_with("local:") {
        let (target, path) = url.split_once('/').unwrap_or((url, ""));
        return (target.to_owned(), path.to_owned());
    }
    match url.find(".git/") {
        Some(at) => (url[..at + 4].to_owned(), url[at + 5..].trim_matches('/').to_owned()),
        None => (url.to_owned(), String::new()),
    }
}

/// The files of a folder.
pub(super) async fn files_of(tree: &Tree, folder: &FilePath) -> Result<Workspace, Trouble> {
    let pattern = if folder.as_str().is_empty() { "**".to_owned() } else { format!("{folder}/**") };
    let mut workspace = Workspace::default();
    for found in tree.matching(&pattern).await.map_err(|error| trouble(&error))? {
        let content = tree.read(&found).await.map_err(|error| trouble(&error))?;
        let full = FilePath::file(&found)?;
        let Some(name) = full.within(folder) else { continue };
        let file = File { content: content.to_vec().into(), executable: tree.is_executable(&found) };
        workspace.write(FilePath::file(name)?, file)?;
    }
    Ok(workspace)
}

/// The source that declares what an address describes.
fn source_of(url: &str) -> SourceCreate {
    let file = Url::parse(url).ok().and_then(|url| remote::hosted_file(&url));
    let (source_type, target, branch, path) = match file {
        Some(file) => (SourceType::Git, format!("{}/{}", file.origin, file.repository), Some(file.revision), file.path),
        None => match repository(url) {
            (target, path) if !path.is_empty() => (SourceType::Git, target, None, path),
            (target, _) => (SourceType::Http, target, None, String::new()),
        },
    };
    let globs = if path.is_empty() { Vec::new() } else { vec![path] };
    SourceCreate {
        source_type,
        target,
        branch,
        globs,
        trusted: false,
        interval_seconds: None,
        credential: None,
        webhook_secret: None,
    }
}

fn refused(error: &ApiError) -> Trouble {
    Trouble::new("not_registered", error.to_string())
}

#[async_trait]
impl Outside for Live {
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble> {
        let (tree, path) = self.tree(url).await?;
        let workspace = files_of(&tree, &FilePath::folder(&path)?).await?;
        if workspace.is_empty() {
            return Err(Trouble::new("not_fetched", format!("there is nothing in `{url}`")));
        }
        Ok(workspace)
    }

    async fn file(&self, url: &str) -> Result<File, Trouble> {
        let (tree, path) = self.tree(url).await?;
        let content = tree.read(&path).await.map_err(|error| trouble(&error))?;
        Ok(File { content: content.to_vec().into(), executable: tree.is_executable(&path) })
    }

    async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Value>, Trouble> {
        let snapshot = self.app.catalog.snapshot();
        match handlers::document(&self.app, &snapshot, entity_ref, &snapshot.visibility(&self.starter)).await {
            Ok((_, document)) => Ok(Some(serde_json::from_slice(&document.json).unwrap_or_default())),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(Trouble::new("database", error.to_string())),
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn published(&self, call: &Call<'_>) -> Result<Option<Published>, Trouble> {
        published::read(self, call).await
    }

    async fn difference(&self, call: &Call<'_>) -> Result<Option<String>, Trouble> {
        actions::update::difference(self, call).await.map(Some)
    }

    async fn act(&self, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        if let Some(done) = hosts::act(self, call, log).await {
            return done;
        }
        if let Some(done) = actions::steps::act(self, call, log).await {
            return done;
        }
        match call.action.id {
            "http:request" | "http:backstage:request" => http_request::request(self, call, log).await,
            "notification:send" => notifications::send(self, call, log).await,
            "notify" => outbox::notify(self, call, log).await,
            "publish:git" => self.publish(call, log).await,
            "catalog:register" => self.register(call, log).await,
            other => Err(Trouble::new("unsupported_action", format!("the portal has no action `{other}`"))),
        }
    }
}
