//! Which hosts of repositories are known, and what a `RepoUrlPicker` chose among them.

use std::collections::BTreeMap;

use super::run::{Outcome, Stop};
use super::value::Value;

/// What runs on a host, which decides how its repositories are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    GitHub,
    GitLab,
    Azure,
    BitbucketCloud,
    BitbucketServer,
    Gerrit,
    Gitea,
    /// Git over HTTP and nothing else.
    Git,
}

/// Hosts of repositories by name, with their port if it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(pub BTreeMap<String, HostKind>);

impl Default for Hosts {
    fn default() -> Self {
        let public = [
            ("github.com", HostKind::GitHub),
            ("gitlab.com", HostKind::GitLab),
            ("dev.azure.com", HostKind::Azure),
            ("bitbucket.org", HostKind::BitbucketCloud),
        ];
        Self(public.map(|(name, kind)| (name.to_owned(), kind)).into())
    }
}

/// The parts of `github.com?owner=o&repo=r`, those that it has, by their names.
///
/// # Errors
/// What is missing, or not known.
pub fn repository(hosts: &Hosts, text: &str) -> Result<BTreeMap<String, String>, String> {
    let parts = parts(hosts, text).map_err(|stop| stop.message)?;
    Ok(parts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

/// The same as an object, in the order that Backstage has.
pub(super) fn object(hosts: &Hosts, text: &str) -> Outcome<Value> {
    let parts = parts(hosts, text)?.into_iter().map(|(name, text)| (name.into(), Value::text(text)));
    Ok(Value::object(parts))
}

/// The text as an address, and its host with the port that is not the usual one.
pub fn split(text: &str) -> Option<(url::Url, String)> {
    let url = url::Url::parse(&format!("https://{text}")).ok()?;
    let name = url.host_str()?.to_owned();
    let host = url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
    Some((url, host))
}

fn parts(hosts: &Hosts, text: &str) -> Outcome<Vec<(&'static str, String)>> {
    let Some((url, host)) = split(text) else {
        return Err(Stop::new(format!("`{text}` is not a repository, as in `github.com?owner=o&repo=r`")));
    };
    let Some(kind) = hosts.0.get(&host) else {
        return Err(Stop::new(format!("`{host}` is not among the hosts that the portal knows")));
    };
    let parameter = |wanted: &str| {
        url.query_pairs().find(|(key, _)| key == wanted).map(|(_, value)| value.trim_matches('/').to_owned())
    };
    let has = |name: &str| parameter(name).is_some_and(|value| !value.is_empty());
    let required: &[&str] = match kind {
        HostKind::GitLab if has("project") => &[],
        HostKind::GitHub | HostKind::GitLab => &["owner", "repo"],
        HostKind::Azure | HostKind::BitbucketServer => &["project", "repo"],
        HostKind::BitbucketCloud => &["workspace", "project", "repo"],
        HostKind::Gerrit | HostKind::Gitea | HostKind::Git => &["repo"],
    };
    if let Some(missing) = required.iter().find(|name| !has(name)) {
        return Err(Stop::new(format!("`{text}` names no `{missing}`")));
    }
    let parts = ["owner", "repo", "organization", "workspace", "project"];
    let found = parts.into_iter().filter_map(|part| Some((part, parameter(part)?)));
    Ok(std::iter::once(("host", host)).chain(found).collect())
}
