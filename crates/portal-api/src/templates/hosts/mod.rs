//! Hosts of repositories: what a template publishes to. Each is a few requests over the
//! egress gate; files go there by git.

pub(crate) mod client;
mod gitea;
mod github;
mod gitlab;

use axum::http::Method;
use portal_core::templates::Trouble;
use portal_core::templates::language::{HostKind, Hosts, repository};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::runs::live::Live;
use crate::sources::credential::{CredentialRef, Secret};
use crate::templates::perform::{Call, Log};

use client::Client;

/// A host, as `portal.toml` says it under `[[templates.host]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostConfig {
    /// As in `repoUrl`, with the port if it is not the usual one: `git.example.com`.
    pub name: String,
    pub kind: Kind,
    /// Address of its API; made from the name when absent.
    #[serde(default)]
    pub api: Option<String>,
    /// `env:NAME` or `file:PATH`: what steps use that bring no token of their own.
    #[serde(default)]
    pub credential: Option<String>,
}

/// What runs on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Github,
    Gitlab,
    Gitea,
}

impl From<Kind> for HostKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Github => HostKind::GitHub,
            Kind::Gitlab => HostKind::GitLab,
            Kind::Gitea => HostKind::Gitea,
        }
    }
}

/// The hosts that expressions know: the public ones, and those of the configuration.
pub fn known(configured: &[HostConfig]) -> Hosts {
    let mut hosts = Hosts::default();
    hosts.0.extend(configured.iter().map(|host| (host.name.clone(), host.kind.into())));
    hosts
}

/// Does a step that belongs to a host; nothing for every other.
pub async fn act(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Option<Result<Map<String, Value>, Trouble>> {
    Some(match call.action.id {
        "publish:github" => github::publish(live, call, log).await,
        "publish:github:pull-request" => github::pull_request(live, call, None, log).await,
        "github:actions:dispatch" => github::dispatch(live, call, log).await,
        "publish:gitlab" => gitlab::publish(live, call, log).await,
        "publish:gitlab:merge-request" => gitlab::merge_request(live, call, None, log).await,
        "publish:gitea" => gitea::publish(live, call, log).await,
        _ => return None,
    })
}

/// Opens a request of a change to files as they are at a commit: if they are others by now,
/// the host says so.
///
/// # Errors
/// The host refuses, or the step opens none.
pub(crate) async fn request(
    live: &Live,
    call: Call<'_>,
    commit: Option<&str>,
    log: &mut Log<'_>,
) -> Result<Map<String, Value>, Trouble> {
    match call.action.id {
        "publish:github:pull-request" => github::pull_request(live, call, commit, log).await,
        "publish:gitlab:merge-request" => gitlab::merge_request(live, call, commit, log).await,
        other => Err(Trouble::new("unsupported_action", format!("`{other}` opens no requests"))),
    }
}

/// A repository that is there already: its address for git, and its branch.
pub struct Found {
    pub address: String,
    pub branch: String,
    pub secret: Secret,
}

/// Where a step of a host would publish to; nothing where the repository is not there yet,
/// or the step is of no host.
///
/// # Errors
/// The host does not answer, or there is no token for it.
pub async fn find(live: &Live, call: &Call<'_>) -> Result<Option<Found>, Trouble> {
    let kind = match call.action.id {
        "publish:github" | "publish:github:pull-request" => Kind::Github,
        "publish:gitlab" | "publish:gitlab:merge-request" => Kind::Gitlab,
        "publish:gitea" => Kind::Gitea,
        _ => return Ok(None),
    };
    let (place, client) = open(live, call, kind).await?;
    let path = match kind {
        Kind::Gitlab => gitlab::project_path(&place),
        Kind::Github | Kind::Gitea => repo_path(&place),
    };
    let found = client.ask(Method::GET, &path, None).await?;
    if found.status == 404 {
        return Ok(None);
    }
    let repository = found.good(&Method::GET, &path)?;
    let address = text(&repository, if kind == Kind::Gitlab { "/http_url_to_repo" } else { "/clone_url" })?;
    let branch = match call.input.text("targetBranchName")?.or(call.input.text("defaultBranch")?) {
        Some(branch) => branch.to_owned(),
        None => text(&repository, "/default_branch")?,
    };
    Ok(Some(Found { address, branch, secret: client.git_secret() }))
}

/// A repository as a `RepoUrlPicker` names it.
struct Place {
    owner: String,
    repo: String,
}

/// The repository in the API of GitHub, and of Gitea.
fn repo_path(place: &Place) -> String {
    format!("/repos/{}/{}", segment(&place.owner), segment(&place.repo))
}

/// The repository that a step works on, and the client of its host.
async fn open(live: &Live, call: &Call<'_>, wanted: Kind) -> Result<(Place, Client), Trouble> {
    let url = call.input.must("repoUrl")?;
    let hosts = known(&live.app.config.templates.host);
    let parts = repository(&hosts, url).map_err(|message| Trouble::new("invalid_input", message))?;
    let host = parts.get("host").map(String::as_str).unwrap_or_default();
    if hosts.0.get(host) != Some(&wanted.into()) {
        return Err(Trouble::new(
            "invalid_input",
            format!("`{host}` is not a host that `{}` publishes to", call.action.id),
        ));
    }
    let configured = live.app.config.templates.host.iter().find(|own| own.name == host);
    let api = configured.and_then(|host| host.api.clone()).unwrap_or_else(|| match wanted {
        Kind::Github if host == "github.com" => "https://api.github.com".to_owned(),
        Kind::Github => format!("https://{host}/api/v3"),
        Kind::Gitlab => format!("https://{host}/api/v4"),
        Kind::Gitea => format!("https://{host}/api/v1"),
    });
    let token = match live.secret(&call.input, "token")? {
        Some(token) => Some(token),
        None => credential(live, configured.and_then(|host| host.credential.as_deref())).await?,
    };
    let Some(token) = token else {
        let message = format!(
            "there is no token for `{host}`: give the step one, or set `credential` of the host under [[templates.host]]"
        );
        return Err(Trouble::new("credential", message));
    };
    let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
    Ok((Place { owner: part("owner"), repo: part("repo") }, Client::new(live.app.clone(), api, token, wanted)))
}

async fn credential(live: &Live, reference: Option<&str>) -> Result<Option<Secret>, Trouble> {
    let Some(reference) = reference else { return Ok(None) };
    let failed = |error: crate::sources::credential::CredentialError| Trouble::new("credential", error.to_string());
    let reference: CredentialRef = reference.parse().map_err(failed)?;
    reference.resolve(live.app.sources.variable).await.map(Some).map_err(failed)
}

fn output<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `name` as one part of an address.
fn segment(name: &str) -> String {
    portal_core::percent::encode(name, b"-_.")
}

/// What is there already, and is not what this run makes.
fn taken(what: &str) -> Trouble {
    Trouble::new("exists_already", format!("{what} exists already"))
}

/// Parts of an answer that must be there.
fn text(value: &Value, pointer: &str) -> Result<String, Trouble> {
    let found = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Trouble::new("bad_answer", format!("the host's answer has no `{pointer}`")))
}
