//! What the operator decides about sources; [`super::configured`] makes it from
//! the configuration.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

/// Limits and permissions of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// Git repositories on the server's own disk, by `file://` or path.
    pub allow_file_git: bool,
    /// Where the portal keeps repositories itself, as `local:NAME`: to try templates out.
    pub local_repositories: Option<PathBuf>,
    /// Git over ssh; host keys must be known.
    pub allow_ssh_git: bool,
    /// Known host keys of ssh; the system's when absent.
    pub ssh_known_hosts: Option<PathBuf>,
    /// Folders that path sources added by the API must lie in; anywhere when empty.
    pub path_roots: Vec<PathBuf>,
    /// Days that an entity which no source declares any more is kept.
    pub orphan_grace_days: u32,
    /// Sources read at the same time. Most of them wait for the network, so that
    /// many that hang delay no other.
    pub concurrency: usize,
    /// Entities of one source that is not trusted; trusted ones may have ten times as many.
    pub entity_limit: usize,
    pub git: GitBudget,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            allow_file_git: false,
            local_repositories: None,
            allow_ssh_git: false,
            ssh_known_hosts: None,
            path_roots: Vec::new(),
            orphan_grace_days: 7,
            concurrency: 64,
            entity_limit: 20_000,
            git: GitBudget::default(),
        }
    }
}

impl SourceSettings {
    /// How long an orphan is kept.
    pub fn orphan_grace(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.orphan_grace_days))
    }
}

/// What reading a git repository may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitBudget {
    /// Bytes on disk.
    pub pack: u64,
    /// Entries of the tree.
    pub entries: usize,
    /// Bytes of one file.
    pub blob: u64,
    /// For asking the remote what it has.
    pub ask: Duration,
    /// For a whole fetch.
    pub fetch: Duration,
}

impl Default for GitBudget {
    fn default() -> Self {
        Self {
            pack: 100 << 20,
            entries: 50_000,
            blob: 1 << 20,
            ask: Duration::from_secs(15),
            fetch: Duration::from_secs(60),
        }
    }
}
