//! Git repositories, without a checkout: a bare fetch of one commit into a
//! temporary folder, then blobs by object id. No file of the repository is ever
//! written under its own name, so links, hooks and odd names have nothing to
//! act on; entries that are not plain files are left out with a note.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use axum::body::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use url::Url;

use super::super::credential::Secret;
use super::super::settings::{GitBudget, SourceSettings};
use super::git_command::{Folder, Remote, git, kill_group, run};
use super::{Context, DEFAULT_GLOB, FILE_COUNT, FetchError, Fetched, Note, Outcome, Request, Tree, compile};

/// Bytes of a listing, at most: 50 000 entries with long paths fit.
const LISTING: usize = 32 << 20;
const HEAD: &str = "refs/portal/head";

/// A plain file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Blob {
    id: String,
    size: u64,
    executable: bool,
}

/// The files of one commit.
pub struct GitTree {
    files: BTreeMap<String, Blob>,
    /// `cat-file --batch`, which answers ids with contents.
    reader: Mutex<BlobReader>,
    blob_limit: u64,
    /// Dropped last: the reader works in it.
    _folder: Folder,
}

struct BlobReader {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    _child: Child,
}

/// Judges a target when it is saved.
///
/// # Errors
/// The form or the transport is not allowed, or the gate refuses the host.
pub async fn check_target(context: &Context, target: &str) -> Result<(), FetchError> {
    remote(context, target).await.map(|_| ())
}

/// Before the name of a repository that the portal keeps itself.
pub(super) const LOCAL: &str = "local:";

/// The folder of a repository that the portal keeps itself.
pub(super) fn local(name: &str, settings: &SourceSettings) -> Result<String, FetchError> {
    let refuse = |reason: &str| FetchError::Refused(format!("`{LOCAL}{name}`: {reason}"));
    let Some(folder) = &settings.local_repositories else {
        return Err(refuse("the portal keeps no repositories itself; set `templates.local_repositories`"));
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    if name.is_empty() || name.len() > 100 || name.starts_with(['.', '-']) || !name.chars().all(is_plain) {
        return Err(refuse("a name has letters, digits, dots, dashes and underscores"));
    }
    Ok(folder.join(format!("{name}.git")).display().to_string())
}

enum Form {
    Url(Url),
    File(String),
}

/// Reads the forms that git knows, and refuses what its transports would run.
fn form(target: &str, settings: &SourceSettings) -> Result<Form, FetchError> {
    let refuse = |reason: &str| Err(FetchError::Refused(format!("`{target}`: {reason}")));
    if target.is_empty()
        || target.starts_with('-')
        || target.contains("::") && !target.contains("://[")
        || target.chars().any(char::is_control)
    {
        return refuse("not a repository URL such as `https://host/owner/repository`");
    }
    if let Some(name) = target.strip_prefix(LOCAL) {
        return local(name, settings).map(Form::File);
    }
    if let Some(path) = target.strip_prefix("file://").or_else(|| target.starts_with('/').then_some(target)) {
        if !settings.allow_file_git {
            return refuse("repositories on the server's disk are not allowed; set `egress.allow_file_git`");
        }
        return match path.starts_with('/') {
            true => Ok(Form::File(path.to_owned())),
            false => refuse("a `file://` URL needs an absolute path"),
        };
    }
    let text = match target.split_once("://") {
        Some(_) => target.to_owned(),
        // `user@host:path`, the short form of ssh.
        None => match target.split_once(':') {
            Some((place, path)) if place.contains('@') && !path.is_empty() && !place.contains('/') => {
                format!("ssh://{place}/{}", path.trim_start_matches('/'))
            }
            _ => return refuse("not a repository URL such as `https://host/owner/repository`"),
        },
    };
    let Ok(url) = Url::parse(&text) else { return refuse("not a URL") };
    match url.scheme() {
        "https" | "http" => {}
        "ssh" if settings.allow_ssh_git => {
            let plain = |text: &str| {
                let mut characters = text.chars();
                let first =
                    characters.next().is_none_or(|first| first.is_ascii_alphanumeric() || first == '_' || first == '[');
                first && characters.all(|character| character.is_ascii_alphanumeric() || "._-:[]".contains(character))
            };
            if !plain(url.username()) || !plain(url.host_str().unwrap_or("-")) || url.password().is_some() {
                return refuse("user and host must be plain names");
            }
        }
        "ssh" => return refuse("git over ssh is not allowed; set `egress.allow_ssh`"),
        _ => return refuse("only `https` and, where configured, `ssh` and `file` repositories can be read"),
    }
    Ok(Form::Url(url))
}

pub(super) async fn remote(context: &Context, target: &str) -> Result<Remote, FetchError> {
    match form(target, &context.settings)? {
        Form::File(path) => Ok(Remote::File(path)),
        Form::Url(url) => {
            let checked = context.egress.check(url.as_str()).await?;
            match checked.url.scheme() {
                "ssh" => Ok(Remote::Ssh(checked)),
                _ => Ok(Remote::Http(checked)),
            }
        }
    }
}

/// Opens a repository at the head of its branch, unless that is `previous`.
pub(super) async fn open(
    context: &Context,
    request: &Request,
    secret: Option<Secret>,
    previous: Option<&str>,
) -> Result<Outcome, FetchError> {
    let budget = context.settings.git;
    if let Some(name) = request.target.strip_prefix(LOCAL)
        && !Path::new(&local(name, &context.settings)?).exists()
    {
        // Git would name the folder, which is nobody's business.
        return Err(FetchError::Absent(request.target.clone()));
    }
    let remote = remote(context, &request.target).await?;
    if let Remote::Http(place) | Remote::Ssh(place) = &remote {
        context.egress.turn(&place.host).await?;
    }
    let folder = Folder::new(&context.work_dir)?;
    let mut init = git(context, &folder, None, None);
    init.args(["init", "--quiet", "--bare", "--template="]);
    run(init, budget.ask, 1 << 16, None).await?;
    let (name, id) = head(context, &folder, &remote, secret.as_ref(), request.branch.as_deref()).await?;
    if previous == Some(id.as_str()) {
        return Ok(Outcome::NotModified);
    }
    let id = download(context, &folder, &remote, secret.as_ref(), &name).await?;
    let mut notes = Vec::new();
    let files = list(context, &folder, &id, &budget, &mut notes).await?;
    let reader = blob_reader(context, &folder)?;
    let tree = GitTree { files, reader: Mutex::new(reader), blob_limit: budget.blob, _folder: folder };
    let globs = if request.globs.is_empty() { vec![DEFAULT_GLOB.to_owned()] } else { request.globs.clone() };
    let entries = tree.matching(&globs)?;
    // What was left out matters only where a glob asked for it.
    let compiled = globs.iter().map(|glob| compile(glob)).collect::<Result<Vec<_>, _>>()?;
    notes.retain(|note| note.rule == "unsafe_path" || compiled.iter().any(|glob| glob.matches(&note.path)));
    notes.truncate(500);
    let tree = Tree::Git(Box::new(tree));
    Ok(Outcome::Read(Box::new(Fetched { revision: Some(id), tree, entries, notes, secret })))
}

/// Asks the remote for the full name and the commit of a branch or tag.
async fn head(
    context: &Context,
    folder: &Folder,
    remote: &Remote,
    secret: Option<&Secret>,
    branch: Option<&str>,
) -> Result<(String, String), FetchError> {
    let mut command = git(context, folder, Some(remote), secret);
    command.args(["ls-remote", "--quiet", "--", &remote.url()]);
    let wanted: Vec<String> = match branch {
        // A repository may have been made with another first branch than the one it got.
        None => ["HEAD", "refs/heads/main", "refs/heads/master"].map(str::to_owned).to_vec(),
        Some(branch) if is_ref_name(branch) => {
            let name =
                branch.strip_prefix("refs/heads/").or_else(|| branch.strip_prefix("refs/tags/")).unwrap_or(branch);
            vec![format!("refs/heads/{name}"), format!("refs/tags/{name}^{{}}"), format!("refs/tags/{name}")]
        }
        Some(branch) => return Err(FetchError::Refused(format!("`{branch}` is not a name of a branch or tag"))),
    };
    command.args(&wanted);
    let output = run(command, context.settings.git.ask, 1 << 20, None).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some((id, name)) = line.split_once('\t') {
            found.insert(name.to_owned(), id.to_owned());
        }
    }
    let known = wanted.iter().find_map(|name| found.get(name).map(|id| (name.clone(), id.clone())));
    let (name, id) = known.ok_or_else(|| match branch {
        Some(branch) => FetchError::Git(format!("the repository has no branch or tag `{branch}`")),
        None => FetchError::Git("the repository is empty".to_owned()),
    })?;
    if !is_object_id(&id) {
        return Err(FetchError::Git("the remote answered something that is not an object id".to_owned()));
    }
    Ok((name.trim_end_matches("^{}").to_owned(), id))
}

/// Fetches one commit into the folder, and answers its id.
async fn download(
    context: &Context,
    folder: &Folder,
    remote: &Remote,
    secret: Option<&Secret>,
    name: &str,
) -> Result<String, FetchError> {
    let budget = context.settings.git;
    let mut fetch = git(context, folder, Some(remote), secret);
    fetch.args([
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--no-auto-gc",
        "--",
        &remote.url(),
        &format!("+{name}:{HEAD}"),
    ]);
    run(fetch, budget.fetch, 1 << 16, Some((folder, budget.pack))).await?;
    let mut parse = git(context, folder, None, None);
    parse.args(["rev-parse", "--verify", "--end-of-options", &format!("{HEAD}^{{commit}}")]);
    let output = run(parse, budget.ask, 1 << 16, None).await?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if is_object_id(&id) { Ok(id) } else { Err(FetchError::Git("the branch does not lead to a commit".to_owned())) }
}

/// The plain files of a commit; what else there is becomes a note.
async fn list(
    context: &Context,
    folder: &Folder,
    id: &str,
    budget: &GitBudget,
    notes: &mut Vec<Note>,
) -> Result<BTreeMap<String, Blob>, FetchError> {
    let mut command = git(context, folder, None, None);
    command.args(["ls-tree", "-r", "-l", "-z", "--full-tree", id]);
    let mut child = command.spawn().map_err(|error| FetchError::Git(format!("cannot start git: {error}")))?;
    let group = child.id();
    let listing = async {
        let stdout = child.stdout.take().ok_or_else(|| FetchError::Git("git has no output".to_owned()))?;
        let mut stdout = BufReader::new(stdout).take(LISTING as u64);
        let (mut files, mut count, mut record) = (BTreeMap::new(), 0, Vec::new());
        loop {
            record.clear();
            let read = stdout.read_until(0, &mut record).await.map_err(|error| FetchError::Git(error.to_string()))?;
            if read == 0 {
                break;
            }
            count += 1;
            if count > budget.entries || stdout.limit() == 0 {
                return Err(FetchError::Budget(format!("the repository has more than {} files", budget.entries)));
            }
            entry(record.strip_suffix(&[0]).unwrap_or(&record), &mut files, notes);
        }
        let status = child.wait().await.map_err(|error| FetchError::Git(error.to_string()))?;
        if status.success() { Ok(files) } else { Err(FetchError::Git("the tree cannot be listed".to_owned())) }
    };
    let result = match tokio::time::timeout(budget.fetch, listing).await {
        Ok(result) => result,
        Err(_) => Err(FetchError::Budget(format!("listing the tree took longer than {} s", budget.fetch.as_secs()))),
    };
    if result.is_err() {
        kill_group(group).await;
    }
    result
}

/// Reads `<mode> <type> <id> <size>\t<path>`.
fn entry(record: &[u8], files: &mut BTreeMap<String, Blob>, notes: &mut Vec<Note>) {
    let mut note = |path: &str, rule: &'static str, message: &str| {
        if notes.len() < 10_000 {
            let path = path.chars().take(300).collect();
            notes.push(Note { path, rule, message: message.to_owned() });
        }
    };
    let Some(tab) = record.iter().position(|byte| *byte == b'\t') else { return };
    let path = String::from_utf8_lossy(&record[tab + 1..]).into_owned();
    let head = String::from_utf8_lossy(&record[..tab]).into_owned();
    let mut fields = head.split_ascii_whitespace();
    let (Some(mode), Some(_), Some(id), Some(size)) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return;
    };
    if !is_safe(&path) {
        return note(&path, "unsafe_path", "the name of this entry is not a path inside a repository; it was left out");
    }
    match mode {
        "120000" => return note(&path, "symbolic_link", "symbolic links are not followed; it was left out"),
        "160000" => return note(&path, "submodule", "submodules are not read; it was left out"),
        _ => {}
    }
    // One that is too large is told when somebody reads it.
    let size = size.parse().unwrap_or(u64::MAX);
    files.insert(path, Blob { id: id.to_owned(), size, executable: mode == "100755" });
}

/// Whether each part of a path is an ordinary name.
fn is_safe(path: &str) -> bool {
    path.split('/').all(|part| {
        let lower = part.trim_end_matches([' ', '.']).to_ascii_lowercase();
        !part.is_empty()
            && part != "."
            && part != ".."
            && lower != ".git"
            && !lower.starts_with("git~")
            && !part.contains(['\\', '\u{fffd}'])
            && !part.chars().any(char::is_control)
    })
}

pub(super) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The rules of git for names of branches and tags, as far as they matter here.
pub fn is_ref_name(name: &str) -> bool {
    let allowed = |character: char| !character.is_control() && !" ~^:?*[\\".contains(character);
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("@{")
        && name.chars().all(allowed)
}

fn blob_reader(context: &Context, folder: &Folder) -> Result<BlobReader, FetchError> {
    let mut command = git(context, folder, None, None);
    command.args(["cat-file", "--batch"]);
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let failed = || FetchError::Git("cannot read objects".to_owned());
    let mut child = command.spawn().map_err(|error| FetchError::Git(format!("cannot start git: {error}")))?;
    let stdin = child.stdin.take().ok_or_else(failed)?;
    let stdout = BufReader::new(child.stdout.take().ok_or_else(failed)?);
    Ok(BlobReader { stdin, stdout, _child: child })
}

impl GitTree {
    pub(super) fn is_executable(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|blob| blob.executable)
    }

    pub(super) async fn read(&self, path: &str) -> Result<Bytes, FetchError> {
        let blob = self.files.get(path).ok_or_else(|| FetchError::Absent(path.to_owned()))?;
        if blob.size > self.blob_limit {
            return Err(FetchError::Budget(format!("`{path}` is larger than {} bytes", self.blob_limit)));
        }
        let mut reader = self.reader.lock().await;
        let read = reader.read(&blob.id, self.blob_limit);
        match tokio::time::timeout(std::time::Duration::from_secs(10), read).await {
            Ok(result) => result,
            Err(_) => Err(FetchError::Git(format!("reading `{path}` took too long"))),
        }
    }

    pub(super) fn matching(&self, globs: &[String]) -> Result<Vec<String>, FetchError> {
        let globs = globs.iter().map(|glob| compile(glob)).collect::<Result<Vec<_>, _>>()?;
        let found: Vec<_> =
            self.files.keys().filter(|path| globs.iter().any(|glob| glob.matches(path))).cloned().collect();
        if found.len() > FILE_COUNT {
            return Err(FetchError::Budget(format!("more than {FILE_COUNT} files match")));
        }
        Ok(found)
    }
}

impl BlobReader {
    /// Sends an id; the answer is `<id> <type> <size>\n<bytes>\n`.
    async fn read(&mut self, id: &str, limit: u64) -> Result<Bytes, FetchError> {
        let broken = |error: std::io::Error| FetchError::Git(format!("reading an object: {error}"));
        let malformed = || FetchError::Git(format!("object {id} cannot be read"));
        self.stdin.write_all(format!("{id}\n").as_bytes()).await.map_err(broken)?;
        self.stdin.flush().await.map_err(broken)?;
        let mut head = String::new();
        self.stdout.read_line(&mut head).await.map_err(broken)?;
        let mut fields = head.split_ascii_whitespace();
        let (Some(_), Some("blob"), Some(size)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(malformed());
        };
        let size: u64 = size.parse().ok().filter(|size| *size <= limit).ok_or_else(malformed)?;
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| malformed())? + 1];
        self.stdout.read_exact(&mut bytes).await.map_err(broken)?;
        bytes.pop();
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_that_run_programs_are_refused() {
        let all = SourceSettings { allow_ssh_git: true, allow_file_git: true, ..SourceSettings::default() };
        let hostile = [
            "ext::sh -c touch% /x",
            "fd::17",
            "--upload-pack=touch /x",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x@h/r",
            "ssh://-oProxyCommand=x/r",
            "git@-oProxyCommand=x:r",
            "git://host/r",
            "ftp://host/r",
            "https::http://h/r",
            "file://relative",
            "host:path",
            "a\nb",
            "",
            "ssh://u:p@h/r",
            "rsync://h/r",
            "transport::address",
        ];
        for target in hostile {
            assert!(form(target, &all).is_err(), "{target}");
        }
        for target in [
            "https://h/r.git",
            "ssh://git@h/r",
            "git@h:owner/r.git",
            "ssh://git@h:2222/r",
            "/srv/r.git",
            "file:///srv/r",
        ] {
            assert!(form(target, &all).is_ok(), "{target}");
        }
        for target in ["ssh://git@h/r", "git@h:r", "/srv/r", "file:///etc"] {
            assert!(form(target, &SourceSettings::default()).is_err(), "{target}");
        }
    }

    #[test]
    fn names_of_branches_are_plain() {
        for good in ["main", "release/1.2", "feature_x-y"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in ["-x", "a..b", "a b", "a^", "a:b", "", "/a", "a/", "@{-1}", "x@{1}", "a\n"] {
            assert!(!is_ref_name(bad), "{bad}");
        }
    }

    #[test]
    fn entries_that_are_not_plain_files_become_notes() {
        let (mut files, mut notes) = (BTreeMap::new(), Vec::new());
        let records = [
            "100644 blob aa       5\ta/catalog-info.yaml",
            "120000 blob bb      11\tlink",
            "160000 commit cc       -\tsub",
            "100644 blob dd       5\ta/../../etc/passwd",
            "100644 blob ee       5\t.GIT/config",
            "100644 blob ff      50\tbig",
            "nonsense",
        ];
        for record in records {
            entry(record.as_bytes(), &mut files, &mut notes);
        }
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a/catalog-info.yaml", "big"]);
        let rules: Vec<_> = notes.iter().map(|note| note.rule).collect();
        assert_eq!(rules, ["symbolic_link", "submodule", "unsafe_path", "unsafe_path"]);
    }
}
