//! Running git as a child that obeys nothing but our arguments: a cleared
//! environment, an empty home, no configuration, no prompts, no hooks, only the
//! protocols that are allowed, and the checked address pinned for curl.
//!
//! Options travel in environment variables (`GIT_CONFIG_KEY_n`), so that a
//! credential never stands in an argument list.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::super::credential::Secret;
use super::{Context, FetchError};
use crate::egress::Target;

/// Faults of objects that harm nobody who reads blobs by id. Entries named `..`
/// or `.git` are left out when the tree is listed, with a note.
const TOLERATED: [&str; 22] = [
    "hasDot",
    "hasDotdot",
    "hasDotgit",
    "fullPathname",
    "emptyName",
    "zeroPaddedFilemode",
    "missingSpaceBeforeEmail",
    "missingSpaceBeforeDate",
    "missingNameBeforeEmail",
    "badEmail",
    "badName",
    "badTimezone",
    "zeroPaddedDate",
    "gitmodulesBlob",
    "gitmodulesLarge",
    "gitmodulesMissing",
    "gitmodulesName",
    "gitmodulesParse",
    "gitmodulesPath",
    "gitmodulesSymlink",
    "gitmodulesUpdate",
    "gitmodulesUrl",
];

/// What git says on its error stream, at most.
const ERRORS: usize = 16 << 10;

/// How the remote is reached.
#[derive(Debug, Clone)]
pub(super) enum Remote {
    /// Through the gate, to a checked address.
    Http(Target),
    Ssh(Target),
    /// A path on our own disk.
    File(String),
}

impl Remote {
    /// The URL for git's command line; it stands after `--`.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Http(target) | Self::Ssh(target) => target.url.to_string(),
            Self::File(path) => format!("file://{path}"),
        }
    }

    fn protocol(&self) -> &str {
        match self {
            Self::Http(target) => target.url.scheme(),
            Self::Ssh(_) => "ssh",
            Self::File(_) => "file",
        }
    }
}

/// A temporary bare repository; removed when dropped.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(parent: &Path) -> Result<Self, FetchError> {
        let path = parent.join(format!("git-{}", uuid::Uuid::new_v4().simple()));
        let failed = |error: std::io::Error| FetchError::Git(format!("cannot create a folder to work in: {error}"));
        std::fs::create_dir_all(path.join("home")).map_err(failed)?;
        Ok(Self(path))
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.0.join("repository")
    }

    /// Bytes of all files below.
    pub(super) fn size(&self) -> u64 {
        let mut total = 0;
        let mut open = vec![self.0.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                    Ok(metadata) => total += metadata.len(),
                    // A temporary pack that was just renamed.
                    Err(_) => {}
                }
            }
        }
        total
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "could not remove a temporary repository");
        }
    }
}

/// A `git` command in the clean environment.
pub(super) fn git(context: &Context, folder: &Folder, remote: Option<&Remote>, secret: Option<&Secret>) -> Command {
    let mut config: Vec<(String, String)> = Vec::new();
    let mut set = |key: &str, value: &str| config.push((key.to_owned(), value.to_owned()));
    set("credential.helper", "");
    set("core.hooksPath", "/dev/null");
    set("core.symlinks", "false");
    set("core.fsmonitor", "false");
    set("core.bigFileThreshold", "1m");
    set("pack.threads", "1");
    set("gc.auto", "0");
    set("maintenance.auto", "false");
    set("fetch.recurseSubmodules", "false");
    set("fetch.unpackLimit", "1");
    set("transfer.bundleURI", "false");
    set("protocol.version", "2");
    set("safe.directory", "*");
    set("http.followRedirects", "false");
    set("http.proxy", "");
    set("transfer.fsckObjects", "true");
    for fault in TOLERATED {
        set(&format!("fetch.fsck.{fault}"), "ignore");
    }
    if let Some(Remote::Http(target)) = remote {
        // A literal address is not looked up.
        let literal = target.host.parse::<std::net::IpAddr>().is_ok();
        let addresses: Vec<_> = target
            .addresses
            .iter()
            .map(|address| if address.is_ipv6() { format!("[{address}]") } else { address.to_string() })
            .collect();
        if !literal {
            set("http.curloptResolve", &format!("{}:{}:{}", target.host, target.port, addresses.join(",")));
        }
        if let Some(header) = secret.and_then(Secret::git_authorization) {
            let header = header.to_str().unwrap_or_default().to_owned();
            set("http.extraHeader", &format!("Authorization: {header}"));
        }
    }
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", &context.search_path)
        .env("HOME", folder.0.join("home"))
        // Not the repository that our own folder may lie in.
        .env("GIT_DIR", folder.repository())
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_PROTOCOL_FROM_USER", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "100")
        .env("GIT_HTTP_LOW_SPEED_TIME", "20")
        .env("GIT_ALLOW_PROTOCOL", remote.map_or("none", Remote::protocol))
        .env("GIT_CONFIG_COUNT", config.len().to_string());
    for (index, (key, value)) in config.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    if let Some(Remote::Ssh(target)) = remote {
        command.env("GIT_SSH_COMMAND", ssh_command(context, target, secret)).env("GIT_SSH_VARIANT", "ssh");
    }
    command
        .current_dir(&folder.0)
        .process_group(0)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// `ssh`, connecting to the checked address under the name of the host, with
/// known host keys only. For ssh, the credential is the path of a private key.
fn ssh_command(context: &Context, target: &Target, secret: Option<&Secret>) -> String {
    let mut words = vec!["ssh".to_owned(), "-F".to_owned(), "/dev/null".to_owned()];
    let mut option = |text: String| words.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".to_owned());
    option("StrictHostKeyChecking=yes".to_owned());
    option("ConnectTimeout=5".to_owned());
    option("ProxyCommand=none".to_owned());
    option("ForwardAgent=no".to_owned());
    option("PermitLocalCommand=no".to_owned());
    option(format!("HostName={}", target.address()));
    option(format!("HostKeyAlias={}", target.host));
    if let Some(known_hosts) = &context.settings.ssh_known_hosts {
        option(format!("UserKnownHostsFile={}", known_hosts.display()));
    }
    if let Some(key) = secret {
        option("IdentitiesOnly=yes".to_owned());
        words.extend(["-i".to_owned(), key.expose().to_owned()]);
    }
    // Git hands this to a shell.
    words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect::<Vec<_>>().join(" ")
}

/// What a finished child printed.
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, takes longer than `time`, prints more than `limit`
/// bytes, makes `folder` larger than `disk`, or fails; then the error is what
/// git says, in one line.
pub(super) async fn run(
    mut command: Command,
    time: Duration,
    limit: usize,
    watch: Option<(&Folder, u64)>,
) -> Result<Output, FetchError> {
    let mut child = command.spawn().map_err(|error| FetchError::Git(format!("cannot start git: {error}")))?;
    let group = child.id();
    let result = tokio::select! {
        result = finish(&mut child, limit) => result,
        () = tokio::time::sleep(time) => Err(FetchError::Git(format!("no complete answer within {} s", time.as_secs()))),
        error = outgrown(watch) => Err(error),
    };
    if result.is_err() {
        kill_group(group).await;
        let _ = child.kill().await;
    }
    result
}

async fn finish(child: &mut Child, limit: usize) -> Result<Output, FetchError> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::join!(capped(stdout, limit), capped(stderr, ERRORS));
    let stdout = stdout.ok_or_else(|| FetchError::Budget(format!("git printed more than {limit} bytes")))?;
    let status = child.wait().await.map_err(|error| FetchError::Git(error.to_string()))?;
    if !status.success() {
        let said = complaint(&stderr.unwrap_or_default());
        return Err(if is_lasting(&said) { FetchError::Refused(said) } else { FetchError::Git(said) });
    }
    Ok(Output { stdout })
}

/// Whether git says something that the same question will be answered with again. Git has no
/// exit codes for it; these are its words, which `LC_ALL` keeps in English. A host that could
/// not lock a branch would take it a moment later.
fn is_lasting(said: &str) -> bool {
    const WORDS: [&str; 7] = [
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "Permission denied",
        "[remote rejected]",
        "does not appear to be a git repository",
        "not found",
    ];
    !said.contains("cannot lock ref") && WORDS.iter().any(|words| said.contains(words))
}

/// Everything a stream yields; `None` when it is more than `limit` bytes.
async fn capped(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // A broken pipe ends the stream; the exit status tells the rest.
        let _ = stream.take(limit as u64 + 1).read_to_end(&mut bytes).await;
    }
    (bytes.len() <= limit).then_some(bytes)
}

/// Ends when the folder is larger than allowed.
async fn outgrown(watch: Option<(&Folder, u64)>) -> FetchError {
    let Some((folder, limit)) = watch else { return std::future::pending().await };
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if folder.size() > limit {
            return FetchError::Budget(format!("the repository is larger than {} MiB at depth 1", limit >> 20));
        }
    }
}

/// Ends git and the helpers it started.
pub(super) async fn kill_group(group: Option<u32>) {
    let Some(group) = group else { return };
    let kill = Command::new("sh").args(["-c", "kill -s KILL -- \"-$0\" 2>/dev/null", &group.to_string()]).status();
    if let Err(error) = kill.await {
        tracing::warn!(%error, "could not end the children of git");
    }
}

/// The lines in which git says what is wrong, without addresses and hints.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    // What ssh says stands before, in words of its own.
    let ssh = ["Permission denied", "Host key verification failed", "Connection refused", "Connection timed out"];
    let telling = |line: &&str| {
        line.starts_with("fatal:")
            || line.starts_with("error:")
            || line.starts_with("remote:")
            || ssh.iter().any(|words| line.contains(words))
    };
    let mut lines: Vec<&str> = text.lines().filter(telling).map(str::trim).collect();
    if lines.is_empty() {
        lines = text.lines().filter(|line| !line.trim().is_empty()).take(3).collect();
    }
    let joined = lines.join("; ").chars().filter(|character| !character.is_control()).take(400).collect::<String>();
    if joined.is_empty() { "git failed without a word".to_owned() } else { joined }
}
