//! Changes a few fields of an entity where it is kept: in the catalog when the API owns it,
//! by a request to change its file when it comes from a repository.

use std::collections::BTreeMap;

use portal_core::catalog::update::EntityUpdate;
use portal_core::catalog::validate::{nowhere, validate};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::document::edit::edit;
use portal_core::document::{self, Budget};
use portal_core::patch;
use portal_core::sources::wire::SourceType;
use portal_core::templates::input::Input;
use portal_core::templates::language::HostKind;
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{Trouble, actions};
use portal_core::yaml::to_yaml;
use serde_json::{Map, Value, json};
use url::Url;

use super::resources::may_write;
use super::steps::{database, wrong};
use crate::catalog::service::{self, EntityDraft, Upserted};
use crate::catalog::state::EntityState;
use crate::catalog::view::Snapshot;
use crate::catalog::{lists, store};
use crate::db::{DbError, Priority};
use crate::runs::live::{Live, trouble};
use crate::sources::fetch::{self, Outcome, Request, remote};
use crate::sources::places::is_url;
use crate::sources::store as source_store;
use crate::templates::hosts;
use crate::templates::perform::{Call, Log};

type Output = Result<Map<String, Value>, Trouble>;

/// Times that a change is made anew because somebody else was quicker.
const TRIES: usize = 5;

/// Does the step.
pub async fn update(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let asked = Asked::read(&call.input)?;
    for _ in 0..TRIES {
        let state = asked.current(live).await?;
        if state.source_id.is_some() {
            return request(live, call, &asked, &state, log).await;
        }
        if let Some(done) = asked.write(live, state, log).await? {
            return Ok(done);
        }
    }
    let message = format!("`{}` is changed by others all the time; try again", asked.reference);
    Err(Trouble::new("changed_meanwhile", message))
}

/// What would become of the entity, as `diff -u` says it; empty where nothing would.
///
/// # Errors
/// As the step itself.
pub async fn difference(live: &Live, call: &Call<'_>) -> Result<String, Trouble> {
    let asked = Asked::read(&call.input)?;
    let state = asked.current(live).await?;
    if let Some(source_id) = state.source_id {
        let home = Home::find(live, &asked.reference, &state, source_id).await?;
        // What nobody has vetted reads nothing with the portal's credentials.
        if !live.anonymous {
            let written = asked.in_file(live, &home).await?;
            return Ok(patch::unified(&home.path, &written.before, &written.after));
        }
    }
    let snapshot = live.app.catalog.snapshot();
    let entity = whole(live, &state).await?;
    let changed = Entity(asked.update.applied(&entity.0));
    if state.source_id.is_none() {
        asked.check(live, &snapshot, &entity, &changed).await?;
    }
    Ok(patch::unified(&asked.reference.to_string(), &to_yaml(&entity.0), &to_yaml(&changed.0)))
}

/// The entity that is meant, and what is to be different.
struct Asked {
    reference: EntityRef,
    update: EntityUpdate,
}

impl Asked {
    fn read(input: &Input<'_>) -> Result<Self, Trouble> {
        let reference = EntityRef::parse(input.must("entity")?, None, EntityRef::DEFAULT_NAMESPACE);
        let reference = reference.map_err(|error| wrong("entity", &error.to_string()))?;
        Ok(Self { reference, update: EntityUpdate::read(input)? })
    }

    /// The entity as it is, if whoever started the run may change it.
    async fn current(&self, live: &Live) -> Result<EntityState, Trouble> {
        let snapshot = live.app.catalog.snapshot();
        let absent = || Trouble::new("entity_not_found", format!("the catalog has no `{}`", self.reference));
        let row = snapshot.index.row(&self.reference).ok_or_else(absent)?;
        if !snapshot.visibility(&live.starter).admits(row) {
            return Err(absent());
        }
        may_write(live, &snapshot, &self.reference, None).await?;
        let found = store::by_ref(live.app.db.reader(), &self.reference.to_string()).await.map_err(database)?;
        let state = found.ok_or_else(absent)?;
        if state.orphan_since.is_some() {
            let message = format!("no source declares `{}` any more; restore it first, or remove it", self.reference);
            return Err(Trouble::new("not_writable", message));
        }
        Ok(state)
    }

    /// That the entity may become this: by its kind, and by the rights of whoever started
    /// the run.
    async fn check(&self, live: &Live, snapshot: &Snapshot, old: &Entity, new: &Entity) -> Result<(), Trouble> {
        refuse_faults(snapshot, &old.0, &new.0)?;
        may_write(live, snapshot, &self.reference, Some(new)).await
    }

    /// Writes into the catalog; nothing where somebody else wrote meanwhile.
    async fn write(
        &self,
        live: &Live,
        state: EntityState,
        log: &mut Log<'_>,
    ) -> Result<Option<Map<String, Value>>, Trouble> {
        let (snapshot, name) = (live.app.catalog.snapshot(), self.reference.to_string());
        let old = whole(live, &state).await?;
        let entity = Entity(self.update.applied(&old.0));
        if entity == old {
            log(format!("`{name}` says so already"));
            return Ok(Some(unchanged(&name)));
        }
        self.check(live, &snapshot, &old, &entity).await?;
        let EntityState { location, document_index, line, etag, .. } = state;
        let draft = EntityDraft { entity, source_id: None, location, document_index, line };
        let (writing, told) = (live.writing_now(), name.clone());
        let work = live.app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move {
                let current = store::by_ref(txn, &told).await?;
                if !current.is_some_and(|current| current.etag == etag && current.source_id.is_none()) {
                    return Ok(None);
                }
                Ok::<_, DbError>(service::upsert(txn, &writing, vec![draft]).await?.pop())
            })
        });
        let Some(Upserted::Updated { seq } | Upserted::Created { seq }) = work.await.map_err(database)? else {
            return Ok(None);
        };
        lists::wait(&live.app, seq).await.map_err(|error| Trouble::new("database", error.to_string()))?;
        log(format!("changed {} of `{name}`", self.update.words()));
        Ok(Some(fields(json!({ "entityRef": name, "changed": true }))))
    }

    /// The file that declares the entity, as it is and as it is to be.
    async fn in_file(&self, live: &Live, home: &Home) -> Result<Written, Trouble> {
        let Home { request, path, .. } = home;
        let fetched = match fetch::fetch(&live.app.sources, request, None).await {
            Ok(Outcome::Read(fetched)) => fetched,
            Ok(Outcome::NotModified) => return Err(home.cannot("answered nothing")),
            Err(error) => return Err(trouble(&error)),
        };
        let content = fetched.tree.read(path).await.map_err(|error| trouble(&error))?;
        let Ok(before) = String::from_utf8(content.to_vec()) else { return Err(home.cannot("is not text")) };
        let documents = document::read(before.as_bytes(), &Budget::default()).documents;
        let is_meant = |value: &Value| Entity(value.clone()).entity_ref().as_ref() == Some(&self.reference);
        let Some(found) = documents.into_iter().find(|document| is_meant(&document.value)) else {
            return Err(home.cannot(&format!("does not declare `{}` any more", self.reference)));
        };
        let wanted = self.update.applied(&found.value);
        let after = edit(&before, found.index, &wanted).map_err(|error| home.cannot(&error.to_string()))?;
        refuse_faults(&live.app.catalog.snapshot(), &found.value, &wanted)?;
        Ok(Written { before, after, executable: fetched.tree.is_executable(path), revision: fetched.revision })
    }
}

/// A file before and after.
struct Written {
    before: String,
    after: String,
    executable: bool,
    /// The commit that it was read at.
    revision: Option<String>,
}

/// The repository that keeps an entity.
struct Home {
    request: Request,
    path: String,
    /// As the picker of a template names it.
    repo_url: String,
    /// The step that opens a request there.
    opens: &'static actions::Action,
}

impl Home {
    /// # Errors
    /// It comes from where the portal cannot write.
    async fn find(live: &Live, reference: &EntityRef, state: &EntityState, source_id: i64) -> Result<Self, Trouble> {
        let source = source_store::find(live.app.db.reader(), source_id).await.map_err(database)?;
        let Some(source) = source else {
            return Err(Trouble::new("not_writable", format!("the source of `{reference}` is gone")));
        };
        let path = &state.location;
        let refused = |why: &str| {
            let kept = format!("`{reference}` is kept by source {source_id}, `{}`, in `{path}`", source.target);
            Trouble::new("not_writable", format!("{kept}: {why}; change it there"))
        };
        let hosted = Url::parse(path).ok().filter(|_| is_url(path)).and_then(|url| remote::hosted_file(&url));
        let (target, branch, file) = match (hosted, source.source_type) {
            (Some(file), _) => (
                format!("{}/{}", file.origin, file.repository),
                Some(file.revision).filter(|at| at != "HEAD"),
                file.path,
            ),
            (None, SourceType::Git) if !is_url(path) => (source.target.clone(), source.branch.clone(), path.clone()),
            (None, SourceType::Git | SourceType::Http) => return Err(refused("an address takes no pull requests")),
            (None, SourceType::Path) => return Err(refused("files on the server are not written by the portal")),
            (None, SourceType::Sample) => return Err(refused("the sample organisation is part of the program")),
        };
        let no_host = || refused("only hosts that are configured take pull requests, and only GitHub and GitLab");
        let (host, repo_url) = repo_url(&target).ok_or_else(no_host)?;
        let id = match hosts::known(&live.app.config.templates.host).0.get(&host) {
            Some(HostKind::GitHub) => "publish:github:pull-request",
            Some(HostKind::GitLab) => "publish:gitlab:merge-request",
            _ => return Err(no_host()),
        };
        let is_own = target == source.target;
        let credential = if is_own {
            let parsed = source.credential.as_deref().map(str::parse).transpose();
            parsed.map_err(|_| Trouble::new("credential", "the source has a credential that is none"))?
        } else {
            live.credential(&target).await?
        };
        let globs = vec![file.clone()];
        let request = Request { source_type: SourceType::Git, target, branch, globs, trusted: false, credential };
        let opens = actions::find(id).ok_or_else(no_host)?;
        Ok(Self { request, path: file, repo_url, opens })
    }

    fn cannot(&self, why: &str) -> Trouble {
        Trouble::new("not_writable", format!("`{}` in `{}` {why}", self.path, self.request.target))
    }
}

/// Asks whoever keeps the file to change it.
async fn request(live: &Live, call: Call<'_>, asked: &Asked, state: &EntityState, log: &mut Log<'_>) -> Output {
    let (input, name) = (call.input, asked.reference.to_string());
    let home = Home::find(live, &asked.reference, state, state.source_id.unwrap_or_default()).await?;
    let Written { before, after, executable, revision } = asked.in_file(live, &home).await?;
    if before == after {
        log(format!("`{}` says so already", home.path));
        return Ok(unchanged(&name));
    }
    patch::unified(&home.path, &before, &after).lines().for_each(|line| log(line.to_owned()));
    let mut workspace = Workspace::default();
    workspace.write(FilePath::file(&home.path)?, File { content: after.into_bytes().into(), executable })?;
    let title = match input.text("pullRequestTitle")?.filter(|text| !text.is_empty()) {
        Some(title) => title.to_owned(),
        None => format!("Change {} of {name}", asked.update.words()),
    };
    let description = match input.text("pullRequestDescription")? {
        Some(description) => description.to_owned(),
        None => format!("{} asks for this: {}/runs/{}", live.author, live.app.config.issuer(), live.run_id),
    };
    let branch = match input.text("branchName")?.filter(|text| !text.is_empty()) {
        Some(branch) => branch.to_owned(),
        // The same when the step is done again, and of no other.
        None => {
            let place = format!("{}-{}-{}", live.run_id, call.place.position, call.place.turn);
            format!("portal-{}-{place}", asked.reference.name())
        }
    };
    let mut sent = json!({
        "repoUrl": home.repo_url, "branchName": branch, "title": title, "description": description, "commitAction": "update",
    });
    let optional =
        [("targetBranchName", home.request.branch.as_deref().map(Value::from)), ("token", input.get("token").cloned())];
    for (key, value) in optional {
        if let Some(value) = value {
            sent[key] = value;
        }
    }
    let sent = fields(sent);
    let opening = Call { action: home.opens, input: Input(&sent), workspace: &workspace, place: call.place };
    let answer = hosts::request(live, opening, revision.as_deref(), log).await?;
    let given = |key: &str| answer.get(key).cloned().unwrap_or_default();
    let url = answer.get("remoteUrl").or(answer.get("mergeRequestUrl")).cloned().unwrap_or_default();
    let mut output = json!({
        "entityRef": name, "changed": true, "pullRequestUrl": url, "remoteUrl": url,
        "targetBranchName": given("targetBranchName"),
    });
    if let Some(number) = answer.get("pullRequestNumber") {
        output["pullRequestNumber"] = number.clone();
    }
    log(format!("asked for the change: {}", url.as_str().unwrap_or_default()));
    Ok(fields(output))
}

/// The descriptor with its definition.
async fn whole(live: &Live, state: &EntityState) -> Result<Entity, Trouble> {
    let hashes: Vec<String> = state.definition_hash.clone().into_iter().collect();
    let mut definitions = BTreeMap::new();
    if !hashes.is_empty() {
        definitions.extend(store::definitions(live.app.db.reader(), &hashes).await.map_err(database)?);
    }
    let definition = state.definition_hash.as_ref().and_then(|hash| definitions.get(hash));
    Ok(state.whole(definition.map(String::as_str)))
}

/// What is wrong with the new document and was not with the old one.
fn refuse_faults(snapshot: &Snapshot, old: &Value, new: &Value) -> Result<(), Trouble> {
    let known = validate(old, &snapshot.kinds, &nowhere);
    let is_new =
        |pointer: &str, message: &str| !known.iter().any(|fault| fault.pointer == pointer && fault.message == message);
    match validate(new, &snapshot.kinds, &nowhere).into_iter().find(|fault| is_new(&fault.pointer, &fault.message)) {
        Some(fault) => {
            let message = format!("the entity would not be valid: `{}` {}", fault.pointer, fault.message);
            Err(Trouble::new("invalid_input", message))
        }
        None => Ok(()),
    }
}

/// The host of a repository, and the repository as a `RepoUrlPicker` names it.
fn repo_url(target: &str) -> Option<(String, String)> {
    let (host, path) = match Url::parse(target) {
        Ok(url) => {
            let name = url.host_str()?.to_owned();
            // The port of ssh is not that of the API.
            let port = url.port().filter(|_| url.scheme() != "ssh");
            (port.map_or_else(|| name.clone(), |port| format!("{name}:{port}")), url.path().to_owned())
        }
        // As git writes an address of ssh.
        Err(_) => {
            let (host, path) = target.split_once(':')?;
            (host.rsplit('@').next()?.to_owned(), path.to_owned())
        }
    };
    let path = path.trim_matches('/').trim_end_matches(".git");
    let (owner, repo) = path.rsplit_once('/').filter(|(owner, repo)| !owner.is_empty() && !repo.is_empty())?;
    let part = |text: &str| portal_core::percent::encode(text, b"-_.");
    Some((host.clone(), format!("{host}?owner={}&repo={}", part(owner), part(repo))))
}

fn unchanged(name: &str) -> Map<String, Value> {
    fields(json!({ "entityRef": name, "changed": false }))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_as_the_picker_does() {
        for (target, expected) in [
            ("https://github.com/acme/ledger", Some("github.com?owner=acme&repo=ledger")),
            ("https://git.example:8443/a/b/c.git", Some("git.example:8443?owner=a%2Fb&repo=c")),
            ("git@github.com:acme/ledger.git", Some("github.com?owner=acme&repo=ledger")),
            ("ssh://git@github.com:22/acme/ledger.git", Some("github.com?owner=acme&repo=ledger")),
            ("https://github.com/ledger", None),
            ("local:ledger", None),
            ("/srv/catalog", None),
        ] {
            assert_eq!(repo_url(target).map(|(_, url)| url).as_deref(), expected, "{target}");
        }
    }
}
