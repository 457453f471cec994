//! Publishing files as the first commit of a branch: the commit is built from objects in a
//! temporary repository, pushed, and looked for on the other side.

use std::path::Path;
use std::process::Stdio;

use chrono::{DateTime, Utc};
use portal_core::templates::workspace::Workspace;

use super::super::credential::Secret;
use super::git::{LOCAL, is_object_id, is_ref_name, local, remote};
use super::git_command::{Folder, Remote, git, run};
use super::{Context, FetchError};

/// What is published, and where.
#[derive(Debug)]
pub struct Push<'p> {
    pub target: &'p str,
    pub branch: &'p str,
    pub files: &'p Workspace,
    pub message: &'p str,
    pub author: (&'p str, &'p str),
    /// The commit is the same whenever it is made again.
    pub at: DateTime<Utc>,
    pub secret: Option<&'p Secret>,
}

/// Publishes, and answers the id of the commit. What is there already is not pushed again.
///
/// # Errors
/// The repository cannot be reached or written, or its branch holds something else.
pub async fn push(context: &Context, push: &Push<'_>) -> Result<String, FetchError> {
    let Push { target, branch, secret, .. } = *push;
    if !is_ref_name(branch) {
        return Err(FetchError::Refused(format!("`{branch}` is not a name of a branch")));
    }
    if let Some(name) = target.strip_prefix(LOCAL) {
        keep(context, &local(name, &context.settings)?).await?;
    }
    let remote = remote(context, target).await?;
    if let Remote::Http(place) | Remote::Ssh(place) = &remote {
        context.egress.turn(&place.host).await?;
    }
    let folder = Folder::new(&context.work_dir)?;
    let name = format!("refs/heads/{branch}");
    let commit = build(context, &folder, push, &name).await?;
    match head(context, &folder, &remote, secret, &name).await? {
        Some(there) if there == commit => return Ok(commit),
        Some(_) => {
            return Err(FetchError::Taken(format!("`{target}` has a branch `{branch}` already, with other content")));
        }
        None => {}
    }
    let mut command = git(context, &folder, Some(&remote), secret);
    command.args(["push", "--quiet", "--no-verify", "--", &remote.url(), &format!("{name}:{name}")]);
    let pushed = run(command, context.settings.git.fetch, 1 << 16, None).await;
    // Whatever it said: what counts is what is there.
    let there = head(context, &folder, &remote, secret, &name).await;
    match (there, pushed) {
        (Ok(Some(there)), _) if there == commit => Ok(commit),
        (_, Err(error)) | (Err(error), _) => Err(error),
        (Ok(_), Ok(_)) => {
            Err(FetchError::Git(format!("the push was accepted, but `{branch}` does not lead to what was pushed")))
        }
    }
}

/// Makes a repository of our own, when it is not there.
async fn keep(context: &Context, path: &str) -> Result<(), FetchError> {
    if Path::new(path).join("HEAD").exists() {
        return Ok(());
    }
    let folder = Folder::new(&context.work_dir)?;
    let mut init = git(context, &folder, None, None);
    init.env_remove("GIT_DIR").args(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--", path]);
    run(init, context.settings.git.ask, 1 << 16, None).await.map(drop)
}

/// The commit that a branch of the other side leads to.
async fn head(
    context: &Context,
    folder: &Folder,
    remote: &Remote,
    secret: Option<&Secret>,
    name: &str,
) -> Result<Option<String>, FetchError> {
    let mut command = git(context, folder, Some(remote), secret);
    command.args(["ls-remote", "--quiet", "--", &remote.url(), name]);
    let output = run(command, context.settings.git.ask, 1 << 16, None).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().filter_map(|line| line.split_once('\t')).find(|(_, own)| *own == name);
    Ok(found.map(|(id, _)| id.to_owned()).filter(|id| is_object_id(id)))
}

/// Makes the commit in the temporary repository.
async fn build(context: &Context, folder: &Folder, push: &Push<'_>, name: &str) -> Result<String, FetchError> {
    let budget = context.settings.git;
    let mut init = git(context, folder, None, None);
    init.args(["init", "--quiet", "--bare", "--template="]);
    run(init, budget.ask, 1 << 16, None).await?;
    let failed = |error: std::io::Error| FetchError::Git(format!("cannot write the files to be pushed: {error}"));
    let path = folder.0.join("commit");
    tokio::fs::write(&path, stream(push, name)).await.map_err(failed)?;
    let mut import = git(context, folder, None, None);
    import.args(["fast-import", "--quiet", "--date-format=raw"]);
    import.stdin(Stdio::from(std::fs::File::open(&path).map_err(failed)?));
    run(import, budget.fetch, 1 << 16, None).await?;
    let mut parse = git(context, folder, None, None);
    parse.args(["rev-parse", "--verify", "--end-of-options", name]);
    let output = run(parse, budget.ask, 1 << 16, None).await?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if is_object_id(&id) { Ok(id) } else { Err(FetchError::Git("git made no commit".to_owned())) }
}

/// The commit, as `git fast-import` reads it.
fn stream(push: &Push<'_>, name: &str) -> Vec<u8> {
    // A name or an address ends where these begin.
    let plain =
        |text: &str| text.chars().filter(|sign| !sign.is_control() && !"<>".contains(*sign)).collect::<String>();
    let (author, address) = (plain(push.author.0), plain(push.author.1));
    let when = push.at.timestamp();
    let mut bytes = format!("commit {name}\ncommitter {author} <{address}> {when} +0000\n").into_bytes();
    let mut data = |head: String, content: &[u8]| {
        bytes.extend(head.as_bytes());
        bytes.extend(format!("data {}\n", content.len()).as_bytes());
        bytes.extend(content);
        bytes.push(b'\n');
    };
    data(String::new(), push.message.as_bytes());
    for (path, file) in push.files.files() {
        let mode = if file.executable { "100755" } else { "100644" };
        let quoted = path.as_str().replace('"', "\\\"");
        data(format!("M {mode} inline \"{quoted}\"\n"), &file.content);
    }
    bytes
}
