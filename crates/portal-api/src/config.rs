//! Configuration: flags, environment variables and `portal.toml`, in this order
//! of precedence. The only place that reads the environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use portal_core::connectors::ConnectorKind;
use portal_core::problem::FieldError;
use portal_core::sources::wire::SourceType;
use serde::Deserialize;
use url::Url;

use crate::access::jwt::CiConfig;
pub use crate::access::oidc::config::OidcConfig;
use crate::approvals::ApprovalsConfig;
use crate::connectors::{self, ConnectorConfig, check};
use crate::db::DatabaseUrl;
pub use crate::http::tls::TlsConfig;
use crate::outbox::{self, ChannelConfig};
use crate::sources::credential::CredentialRef;
use crate::templates::hosts::HostConfig;

/// What `serve` and the other commands on the database can be told.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Folder of the embedded database and of the search index [default: ./portal-data]
    #[arg(long, env = "PORTAL_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// `postgres://…` or `sqlite:PATH` [default: a SQLite file in the data folder]
    #[arg(long, env = "PORTAL_DATABASE_URL", value_name = "URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// Configuration file [default: portal.toml, when it exists]
    #[arg(long, env = "PORTAL_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What only `serve` can be told.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeFlags {
    /// Address to listen on [default: 127.0.0.1:7070]
    #[arg(long, env = "PORTAL_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// A source of descriptors: a file, a folder, a glob, a repository or a document's URL; repeatable
    #[arg(long, env = "PORTAL_CATALOG", value_name = "PATH|URL", value_delimiter = ',')]
    pub catalog: Vec<String>,
    /// Start with a sample organisation
    #[arg(long, env = "PORTAL_SAMPLE")]
    pub sample: bool,
    /// Reads of one caller a second; 0 is no limit [default: 5000]
    #[arg(long, env = "PORTAL_READS_PER_SECOND", value_name = "NUMBER")]
    pub reads_per_second: Option<u32>,
    /// Writes of one caller a second; 0 is no limit [default: 50]
    #[arg(long, env = "PORTAL_WRITES_PER_SECOND", value_name = "NUMBER")]
    pub writes_per_second: Option<u32>,
}

/// The whole configuration, complete and checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database: DatabaseUrl,
    pub sample: bool,
    pub sources: Vec<SourceConfig>,
    pub egress: EgressConfig,
    /// Where connectors and channels of this file lead, as rules of the gate that they alone
    /// go through.
    pub platforms: Vec<String>,
    pub catalog: CatalogConfig,
    pub limits: Limits,
    pub access: AccessConfig,
    pub proxy: ProxyConfig,
    pub templates: TemplatesConfig,
    pub runs: RunsConfig,
    /// Platforms that actions work with.
    pub connectors: Vec<ConnectorConfig>,
    /// What carries messages that leave the portal.
    pub channels: Vec<ChannelConfig>,
    pub approvals: ApprovalsConfig,
    /// Secrets that definitions of trusted sources may name, each as `env:NAME` or `file:PATH`.
    pub credentials: BTreeMap<String, String>,
    pub tls: Option<TlsConfig>,
}

/// What templates may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemplatesConfig {
    /// Allows `local:NAME`, a repository in the data folder: to try templates out. The
    /// sample organisation has it.
    pub local_repositories: bool,
    /// Where `http:backstage:request` finds paths: the address of a Backstage.
    pub backstage_url: Option<String>,
    /// Hosts of repositories beside the public ones, and credentials for all.
    pub host: Vec<HostConfig>,
}

/// A source from the command line or `portal.toml`; such sources are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    #[serde(rename = "type")]
    pub source_type: SourceType,
    pub target: String,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub globs: Vec<String>,
    #[serde(default)]
    pub interval_seconds: Option<u32>,
    /// `env:NAME` or `file:PATH`
    #[serde(default)]
    pub credential: Option<String>,
    /// `env:NAME` or `file:PATH`
    #[serde(default)]
    pub webhook_secret: Option<String>,
}

/// What outbound connections may reach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// Hosts, `host:port`, addresses or networks that are private and allowed all the same.
    pub allow_private: Vec<String>,
    /// The same for requests that people send to APIs of the catalog.
    pub allow_calls: Vec<String>,
    /// Files with certificates (PEM) that are trusted beside the public ones.
    pub certificates: Vec<PathBuf>,
    /// Allows `file://` repositories.
    pub allow_file_git: bool,
    /// Allows `ssh://` repositories.
    pub allow_ssh: bool,
    /// Known host keys of ssh; the system's when absent.
    pub ssh_known_hosts: Option<PathBuf>,
    /// Ports of public hosts, beside 443, 80 and 22.
    pub ports: Vec<u16>,
    /// Calls to one host in a second.
    pub calls_per_second: u32,
    /// Origins that are read from another place, as `"https://github.com" = "https://mirror.internal/github"`.
    pub mirrors: BTreeMap<String, String>,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            allow_calls: Vec::new(),
            certificates: Vec::new(),
            allow_file_git: false,
            allow_ssh: false,
            ssh_known_hosts: None,
            ports: Vec::new(),
            calls_per_second: 10,
            mirrors: BTreeMap::new(),
        }
    }
}

/// How long what has happened is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunsConfig {
    /// Days after its end until a run is forgotten; one that made an entity keeps its
    /// answers and steps, and loses its log. 0 is never.
    pub keep_days: u32,
    /// Days until a notification is forgotten, and a message that left the portal or was
    /// given up; 0 is never.
    pub keep_notifications_days: u32,
}

impl Default for RunsConfig {
    fn default() -> Self {
        Self { keep_days: 365, keep_notifications_days: 90 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogConfig {
    /// Days after which an orphan is removed.
    pub orphan_grace_days: u32,
    /// Seconds between passes of a source that names none.
    pub interval_seconds: u32,
    /// Folders that path sources added over the API must lie in; anywhere when empty.
    pub path_roots: Vec<PathBuf>,
}

impl Default for CatalogConfig {
    fn default() -> Self {
        Self { orphan_grace_days: 7, interval_seconds: 300, path_roots: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once, as far as the system has files for them; more wait in its queue.
    pub connections: usize,
    /// Of these from one address, unless it is a declared proxy; more are closed.
    pub connections_per_address: usize,
    /// Seconds for a whole request.
    pub request_seconds: u64,
    /// Names under which browsers may reach the portal, beside this machine's own.
    pub hosts: Vec<String>,
    /// Reads of one caller; 0 is no limit.
    pub reads_per_second: u32,
    /// Writes of one caller; 0 is no limit.
    pub writes_per_second: u32,
    /// Seconds after which work is taken over from a process that has not been heard of.
    pub lease_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 512,
            request_seconds: 30,
            hosts: Vec::new(),
            reads_per_second: 5000,
            writes_per_second: 50,
            lease_seconds: 30,
        }
    }
}

/// Who may come in, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Whether anybody may look around without signing in: with the sample
    /// organisation on loopback when nothing is said.
    pub guests: Option<bool>,
    /// Hours after which a session ends.
    pub session_hours: u32,
    /// Hours after which a session ends that is not used.
    pub idle_hours: u32,
    /// Listens beyond loopback without a proxy that speaks TLS: cookies and tokens
    /// can be read on their way.
    pub plain_http: bool,
    /// Where browsers reach the portal, e.g. `https://portal.example.com`; on loopback
    /// the address that they used when nothing is said.
    pub public_url: Option<String>,
    /// Providers with which people sign in.
    pub oidc: Vec<OidcConfig>,
    /// Issuers whose CI jobs may come in.
    pub ci: Vec<CiConfig>,
    /// The key that seals secrets in the database: `env:NAME` or `file:PATH`;
    /// `seal.key` in the data directory, made at the first start, when nothing is said.
    pub seal_key: Option<String>,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            guests: None,
            session_hours: 14 * 24,
            idle_hours: 3 * 24,
            plain_http: false,
            public_url: None,
            oidc: Vec::new(),
            ci: Vec::new(),
            seal_key: None,
        }
    }
}

impl AccessConfig {
    fn check_oidc(&self, exposed: bool) -> Result<()> {
        if let Some(url) = &self.public_url
            && !Url::parse(url).is_ok_and(|url| url.has_host() && url.query().is_none() && url.path() == "/")
        {
            bail!("[access]: `public_url` is scheme and host, e.g. `https://portal.example.com`, not `{url}`");
        }
        for (number, provider) in self.oidc.iter().enumerate() {
            provider.check()?;
            if self.oidc[..number].iter().any(|other| other.name == provider.name) {
                bail!("[[access.oidc]]: two providers are called `{}`", provider.name);
            }
        }
        for issuer in &self.ci {
            issuer.check()?;
        }
        if exposed && !self.oidc.is_empty() && self.public_url.is_none() {
            bail!(
                "[[access.oidc]] needs to know where browsers reach the portal: set `public_url` under [access] in \
                 portal.toml, e.g. `public_url = \"https://portal.example.com\"`"
            );
        }
        Ok(())
    }
}

/// The proxy in front.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyConfig {
    /// Addresses from which `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted: Vec<IpAddr>,
}

/// `portal.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    sample: bool,
    source: Vec<SourceConfig>,
    egress: EgressConfig,
    catalog: CatalogConfig,
    limits: Limits,
    access: AccessConfig,
    proxy: ProxyConfig,
    templates: TemplatesConfig,
    runs: RunsConfig,
    connector: Vec<ConnectorConfig>,
    channel: Vec<ChannelConfig>,
    approvals: ApprovalsConfig,
    credentials: BTreeMap<String, String>,
    tls: Option<TlsConfig>,
}

impl Config {
    /// Puts flags, environment and file together.
    ///
    /// # Errors
    /// A file that cannot be read or says what nobody understands.
    pub fn load(flags: &Flags, serve: &ServeFlags) -> Result<Self> {
        let mut file = File::load(flags.config.as_deref())?;
        let data_dir = flags.data_dir.clone().or(file.data_dir).unwrap_or_else(|| PathBuf::from("portal-data"));
        let database = match flags.database_url.clone().or(file.database_url) {
            Some(url) => DatabaseUrl::parse(&url).map_err(anyhow::Error::msg)?,
            None => DatabaseUrl::in_data_dir(&data_dir),
        };
        let mut sources = file.source;
        sources.extend(serve.catalog.iter().map(|target| SourceConfig::guess(target)));
        let listen = serve.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 7070)));
        let exposed = !listen.ip().is_loopback();
        if exposed && file.proxy.trusted.is_empty() && file.tls.is_none() && !file.access.plain_http {
            bail!(
                "refusing to listen on {listen}: passwords and tokens would cross the network unencrypted. Name a \
                 certificate under [tls] in portal.toml, or put a proxy that speaks TLS in front and name its address as \
                 `trusted` under [proxy], or allow this with `plain_http = true` under [access]"
            );
        }
        file.access.check_oidc(exposed)?;
        let is_sample = serve.sample || file.sample;
        if is_sample && !file.connector.iter().any(|connector| connector.name == SAMPLE_PLATFORM) {
            file.connector.push(sample_platform());
        }
        let mut platforms = Vec::new();
        for (number, connector) in file.connector.iter().enumerate() {
            let ConnectorConfig { name, url, .. } = connector;
            if file.connector[..number].iter().any(|other| other.name == *name) {
                bail!("[[connector]]: two connectors are called `{name}`");
            }
            if let Some(FieldError { pointer, message }) = check::slips(connector).into_iter().next() {
                bail!("[[connector]] `{name}`: `{}`: {message}", pointer.trim_start_matches('/'));
            }
            // Whoever writes this file may say where the portal sends to.
            platforms.extend(check::place(url));
        }
        platforms.extend(outbox::config::check(&file.channel, &file.approvals, variable)?);
        for (name, reference) in &file.credentials {
            if let Err(error) = reference.parse::<CredentialRef>() {
                bail!("[credentials]: `{name}`: {error}");
            }
        }
        let public =
            file.access.public_url.as_deref().and_then(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
        file.limits.hosts.extend(public);
        file.limits.reads_per_second = serve.reads_per_second.unwrap_or(file.limits.reads_per_second);
        file.limits.writes_per_second = serve.writes_per_second.unwrap_or(file.limits.writes_per_second);
        Ok(Self {
            listen,
            data_dir,
            database,
            sample: is_sample,
            sources,
            egress: file.egress,
            platforms,
            catalog: file.catalog,
            limits: file.limits,
            access: file.access,
            proxy: file.proxy,
            templates: file.templates,
            runs: file.runs,
            connectors: file.connector,
            channels: file.channel,
            approvals: file.approvals,
            credentials: file.credentials,
            tls: file.tls,
        })
    }

    /// Where browsers reach the portal, without a slash at the end, if it is known.
    pub fn public_url(&self) -> Option<String> {
        self.access.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned())
    }

    /// Where the key that seals secrets is when nothing is said.
    pub fn seal_file(&self) -> PathBuf {
        self.data_dir.join("seal.key")
    }

    /// How the portal names itself in the tokens that it signs.
    pub fn issuer(&self) -> String {
        self.public_url()
            .unwrap_or_else(|| format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.listen))
    }

    /// Whether anybody may look around without signing in.
    pub fn guests(&self) -> bool {
        self.access.guests.unwrap_or(self.sample && self.listen.ip().is_loopback())
    }
}

/// The connector of the sample organisation's actions.
const SAMPLE_PLATFORM: &str = "platform";

/// Where `cargo xtask run` starts the sample platform.
fn sample_platform() -> ConnectorConfig {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ConnectorConfig {
        name: SAMPLE_PLATFORM.to_owned(),
        kind: ConnectorKind::Webhook,
        url: std::env::var("PLATFORM_URL").unwrap_or_else(|_| "http://127.0.0.1:7272".to_owned()),
        credential: None,
        preset: None,
        contract: None,
        signing_secret: is_set("PLATFORM_SIGNING_SECRET").then(|| "env:PLATFORM_SIGNING_SECRET".to_owned()),
        limit: connectors::limit(),
        rest_seconds: connectors::rest_seconds(),
    }
}

impl File {
    fn load(named: Option<&Path>) -> Result<Self> {
        let path = named.unwrap_or(Path::new("portal.toml"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
    }
}

impl SourceConfig {
    /// What a target on the command line means: a URL that ends like a
    /// document is one, any other URL is a repository, the rest is a path.
    pub fn guess(target: &str) -> Self {
        let is_document = |target: &str| {
            let path = target.split(['?', '#']).next().unwrap_or_default();
            [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
        };
        let source_type = match target {
            target if target.starts_with("http://") || target.starts_with("https://") => {
                if is_document(target) {
                    SourceType::Http
                } else {
                    SourceType::Git
                }
            }
            target if target.starts_with("ssh://") || target.starts_with("git@") || target.starts_with("file://") => {
                SourceType::Git
            }
            _ => SourceType::Path,
        };
        Self {
            source_type,
            target: target.to_owned(),
            branch: None,
            globs: Vec::new(),
            interval_seconds: None,
            credential: None,
            webhook_secret: None,
        }
    }
}

/// A variable of the environment: credentials given by reference, and `PATH`.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The level of the log: `PORTAL_LOG`, as in `portal_api=debug,info`.
pub fn log_filter() -> String {
    std::env::var("PORTAL_LOG").unwrap_or_else(|_| "warn,portal_api=info,portal=info".to_owned())
}

/// Whether the log is written as JSON, one object a line: `PORTAL_LOG_FORMAT=json`.
pub fn log_as_json() -> bool {
    std::env::var("PORTAL_LOG_FORMAT").is_ok_and(|format| format == "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_tell_their_type() {
        for (target, expected) in [
            ("./catalog", SourceType::Path),
            ("services/*/catalog-info.yaml", SourceType::Path),
            ("https://git.example.com/team/repo.git", SourceType::Git),
            ("https://git.example.com/team/repo", SourceType::Git),
            ("https://example.com/all.yaml?x=1", SourceType::Http),
            ("git@example.com:team/repo.git", SourceType::Git),
        ] {
            assert_eq!(SourceConfig::guess(target).source_type, expected, "{target}");
        }
    }

    #[test]
    fn unknown_keys_are_named() {
        let error = toml::from_str::<File>("lissten = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(error.contains("lissten"), "{error}");
    }
}
