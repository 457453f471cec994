//! Sources from the command line and `portal.toml`, and what the settings of
//! the portal mean for reading.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use portal_core::sources::wire::{SourceOrigin, SourceState, SourceType};
use url::Url;

use super::fetch::Context;
use super::settings::SourceSettings;
use super::store::{self, Source};
use super::{Trigger, jobs, sample, service};
use crate::changes::Writing;
use crate::config::{self, Config, SourceConfig};
use crate::db::{DbError, Priority};
use crate::egress::{Egress, EgressPolicy, Mirror, SystemResolver};
use crate::state::App;

/// What reading sources needs, from the configuration.
///
/// # Errors
/// A rule of the egress gate that cannot be understood.
pub fn context(config: &Config) -> Result<Context, String> {
    let mirror = |(origin, replacement): (&String, &String)| {
        let read = |text: &str| Url::parse(text).map_err(|error| format!("`egress.mirrors`: `{text}`: {error}"));
        Ok(Mirror { origin: read(origin)?, replacement: read(replacement)? })
    };
    let mirrors = config.egress.mirrors.iter().map(mirror).collect::<Result<Vec<_>, String>>()?;
    let policy = EgressPolicy { mirrors, ..policy(config, &config.egress.allow_private)? };
    let settings = SourceSettings {
        allow_file_git: config.egress.allow_file_git,
        allow_ssh_git: config.egress.allow_ssh,
        local_repositories: (config.sample || config.templates.local_repositories)
            .then(|| absolute(&config.data_dir).join("repositories")),
        ssh_known_hosts: config.egress.ssh_known_hosts.clone(),
        path_roots: config.catalog.path_roots.clone(),
        orphan_grace_days: config.catalog.orphan_grace_days,
        ..SourceSettings::default()
    };
    Ok(Context {
        egress: Egress::new(policy, Arc::new(SystemResolver)),
        settings: Arc::new(settings),
        work_dir: absolute(&config.data_dir).join("work"),
        search_path: config::variable("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()),
        variable: config::variable,
        sample: sample::files,
    })
}

/// The gate of requests that people send to APIs of the catalog: stricter than that
/// of sources, since whoever writes a descriptor names the host. Nothing private but
/// what is listed for it, and no mirror, which would get what is meant for another.
///
/// # Errors
/// A rule that cannot be understood.
pub fn calls(config: &Config) -> Result<Egress, String> {
    Ok(Egress::new(policy(config, &config.egress.allow_calls)?, Arc::new(SystemResolver)))
}

/// The gate of connectors and channels: beside what sources may reach, what the configuration
/// names for them. Steps such as `http:request`, which anybody may write, do not go through it.
///
/// # Errors
/// A rule that cannot be understood.
pub fn platforms(config: &Config) -> Result<Egress, String> {
    let allow: Vec<String> = config.egress.allow_private.iter().chain(&config.platforms).cloned().collect();
    Ok(Egress::new(policy(config, &allow)?, Arc::new(SystemResolver)))
}

fn policy(config: &Config, allow: &[String]) -> Result<EgressPolicy, String> {
    let allow_private = allow.iter().map(|rule| rule.parse()).collect::<Result<Vec<_>, _>>()?;
    let calls_per_second = config.egress.calls_per_second;
    let mut policy = EgressPolicy { allow_private, calls_per_second, ..EgressPolicy::default() };
    policy.ports.extend(&config.egress.ports);
    for file in &config.egress.certificates {
        let told = |reason: String| format!("[egress] certificates: {}: {reason}", file.display());
        let pem = std::fs::read(file).map_err(|error| told(error.to_string()))?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(all) if !all.is_empty() => policy.certificates.push(pem),
            _ => return Err(told("has no certificate in PEM".to_owned())),
        }
    }
    Ok(policy)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Makes the stored sources of origin `config` those of the configuration.
///
/// # Errors
/// The database. A configured source that is not valid is left out with a log line.
pub async fn sync(app: &App) -> Result<(), DbError> {
    let now = app.clock.now();
    let mut wanted: Vec<Source> = app.config.sources.iter().map(|source| configured(app, source, now)).collect();
    if app.config.sample {
        let sample = SourceConfig {
            source_type: SourceType::Sample,
            target: "Kestrel Freight".to_owned(),
            branch: None,
            globs: Vec::new(),
            interval_seconds: Some(86_400),
            credential: None,
            webhook_secret: None,
        };
        wanted.push(configured(app, &sample, now));
    }
    let writing = Writing::system("configuration", now);
    app.db
        .write(Priority::Interactive, move |txn| {
            Box::pin(async move {
                let stored = store::list(txn).await?;
                let uids: HashSet<&str> = wanted.iter().map(|source| source.uid.as_str()).collect();
                for source in stored.iter().filter(|source| source.origin == SourceOrigin::Config) {
                    if !uids.contains(source.uid.as_str()) {
                        service::remove(txn, &writing, source).await?;
                    }
                }
                for mut source in wanted {
                    match stored.iter().find(|stored| stored.uid == source.uid) {
                        Some(stored) => {
                            service::keep_history(&mut source, stored);
                            if source != *stored {
                                service::replace(txn, &writing, stored, source).await?;
                            } else if stored.source_type == SourceType::Path || stored.source_type == SourceType::Sample
                            {
                                // What lies on our own disk may have changed while nobody looked.
                                jobs::ask(txn, stored.id, Trigger::Schedule, now).await?;
                            }
                        }
                        None => {
                            service::add(txn, &writing, source, Trigger::Start).await?;
                        }
                    }
                }
                Ok::<_, DbError>(())
            })
        })
        .await
}

fn configured(app: &App, source: &SourceConfig, now: DateTime<Utc>) -> Source {
    let SourceConfig { source_type, target, branch, globs, interval_seconds, credential, webhook_secret } =
        source.clone();
    // A path means the same wherever the portal is started from next time.
    let target = match source_type {
        SourceType::Path => absolute(Path::new(&target)).display().to_string(),
        _ => target,
    };
    let interval_seconds = interval_seconds.unwrap_or(app.config.catalog.interval_seconds).clamp(60, 86_400);
    Source {
        id: 0,
        uid: service::uid(source_type, &target, branch.as_deref()),
        source_type,
        target,
        branch,
        globs,
        origin: SourceOrigin::Config,
        trusted: true,
        interval_seconds,
        credential,
        webhook_secret,
        state: SourceState::New,
        failure: None,
        revision: None,
        read_at: None,
        next_pass_at: None,
        etag: service::new_etag(),
        created_at: now,
    }
}
