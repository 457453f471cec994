//! GitHub: <https://docs.github.com/rest>, version 2022-11-28.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use super::{Kind, Place, client::Client, open, output, repo_path, segment, taken, text};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

type Output = Result<Map<String, Value>, Trouble>;

/// Options of a repository: as templates name them, and as GitHub does.
const OPTIONS: [(&str, &str); 10] = [
    ("description", "description"),
    ("homepage", "homepage"),
    ("deleteBranchOnMerge", "delete_branch_on_merge"),
    ("allowMergeCommit", "allow_merge_commit"),
    ("allowSquashMerge", "allow_squash_merge"),
    ("allowRebaseMerge", "allow_rebase_merge"),
    ("allowAutoMerge", "allow_auto_merge"),
    ("hasIssues", "has_issues"),
    ("hasWiki", "has_wiki"),
    ("hasProjects", "has_projects"),
];

pub(super) async fn publish(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let (place, client) = open(live, &call, Kind::Github).await?;
    let path = repo_path(&place);
    let found = client.ask(Method::GET, &path, None).await?;
    let repository = if found.status == 404 {
        log(format!("creating {}/{}", place.owner, place.repo));
        create(&client, &place, &call).await?
    } else {
        found.good(&Method::GET, &path)?
    };
    let (remote, page) = (text(&repository, "/clone_url")?, text(&repository, "/html_url")?);
    let branch = call.input.text("defaultBranch")?.unwrap_or("main");
    // A repository that has something else is not touched: the push refuses it.
    let commit = live.push(&call, &remote, branch, Some(&client.git_secret()), log).await?;
    let topics = call.input.texts("topics")?;
    if !topics.is_empty() {
        client.good(Method::PUT, &format!("{path}/topics"), Some(&json!({ "names": topics }))).await?;
    }
    if call.input.flag("protectDefaultBranch")? {
        protect(&client, &path, branch, &call, log).await?;
    }
    Ok(output([
        ("remoteUrl", remote.into()),
        ("repoContentsUrl", format!("{page}/blob/{branch}").into()),
        ("commitHash", commit.into()),
    ]))
}

async fn create(client: &Client, place: &Place, call: &Call<'_>) -> Result<Value, Trouble> {
    let owner = client.ask(Method::GET, &format!("/users/{}", segment(&place.owner)), None).await?;
    let is_organisation = owner.body["type"] == "Organization";
    let path =
        if is_organisation { format!("/orgs/{}/repos", segment(&place.owner)) } else { "/user/repos".to_owned() };
    let visibility = call.input.text("repoVisibility")?.unwrap_or("private");
    let mut body = json!({ "name": place.repo, "private": visibility != "public", "auto_init": false });
    if is_organisation {
        body["visibility"] = visibility.into();
    }
    for (name, own) in OPTIONS {
        if let Some(value) = call.input.get(name) {
            body[own] = value.clone();
        }
    }
    let made = client.ask(Method::POST, &path, Some(&body)).await?;
    // Made in this moment by an attempt of ours whose answer was lost, or by somebody else:
    // the push finds out.
    if made.status == 422 && made.body.to_string().contains("already exists") {
        return client.get(&repo_path(place)).await;
    }
    made.good(&Method::POST, &path)
}

async fn protect(client: &Client, path: &str, branch: &str, call: &Call<'_>, log: &mut Log<'_>) -> Result<(), Trouble> {
    let body = json!({
        "required_status_checks": null,
        "enforce_admins": call.input.get("protectEnforceAdmins").is_none_or(|value| value != false),
        "required_pull_request_reviews": {
            "required_approving_review_count": call.input.get("requiredApprovingReviewCount").and_then(Value::as_u64).unwrap_or(1),
            "require_code_owner_reviews": call.input.flag("requireCodeOwnerReviews")?,
        },
        "restrictions": null,
    });
    let path = format!("{path}/branches/{}/protection", segment(branch));
    let answer = client.ask(Method::PUT, &path, Some(&body)).await?;
    if answer.status == 403 {
        log(format!("`{branch}` is not protected: this account's plan does not have it"));
        return Ok(());
    }
    answer.good(&Method::PUT, &path).map(drop)
}

/// `parent` is the commit that the files are changes to; the newest of the branch if absent.
pub(super) async fn pull_request(live: &Live, call: Call<'_>, parent: Option<&str>, log: &mut Log<'_>) -> Output {
    let (place, client) = open(live, &call, Kind::Github).await?;
    let path = repo_path(&place);
    let repository = client.get(&path).await?;
    let base = match call.input.text("targetBranchName")? {
        Some(base) => base.to_owned(),
        None => text(&repository, "/default_branch")?,
    };
    let branch = call.input.must("branchName")?;
    let head = format!("{}:{branch}", place.owner);
    let query = format!("{path}/pulls?state=open&head={}&base={}", segment(&head), segment(&base));
    let open_ones = client.get(&query).await?;
    if let Some(there) = open_ones.as_array().and_then(|all| all.first()) {
        log(format!("{} is open already", text(there, "/html_url")?));
        return answer(there, &base);
    }
    let commit = commit(live, &client, &path, (&base, parent), branch, &call, log).await?;
    log(format!("`{branch}` is at {commit}"));
    let body = json!({
        "title": call.input.must("title")?,
        "body": call.input.text("description")?.unwrap_or_default(),
        "head": branch,
        "base": base,
        "draft": call.input.flag("draft")?,
    });
    let made = client.good(Method::POST, &format!("{path}/pulls"), Some(&body)).await?;
    let (people, teams) = (call.input.texts("reviewers")?, call.input.texts("teamReviewers")?);
    if !people.is_empty() || !teams.is_empty() {
        let asked = format!("{path}/pulls/{}/requested_reviewers", made["number"]);
        client.good(Method::POST, &asked, Some(&json!({ "reviewers": people, "team_reviewers": teams }))).await?;
    }
    answer(&made, &base)
}

fn answer(request: &Value, base: &str) -> Output {
    Ok(output([
        ("remoteUrl", text(request, "/html_url")?.into()),
        ("pullRequestNumber", request["number"].clone()),
        ("targetBranchName", base.into()),
    ]))
}

/// The workspace on top of a branch, as a branch of its own.
async fn commit(
    live: &Live,
    client: &Client,
    path: &str,
    (base, parent): (&str, Option<&str>),
    branch: &str,
    call: &Call<'_>,
    log: &mut Log<'_>,
) -> Result<String, Trouble> {
    let parent = match parent {
        Some(parent) => parent.to_owned(),
        None => text(&client.get(&format!("{path}/git/ref/heads/{}", segment(base))).await?, "/object/sha")?,
    };
    let tree = client.get(&format!("{path}/git/commits/{parent}")).await?;
    let tree = text(&tree, "/tree/sha")?;
    let (files, target) = (live.files(call)?, call.input.folder("targetPath")?);
    let mut entries = Vec::new();
    for (file, content) in files.files() {
        let body = json!({ "content": STANDARD.encode(&content.content), "encoding": "base64" });
        let blob = client.good(Method::POST, &format!("{path}/git/blobs"), Some(&body)).await?;
        let mode = if content.executable { "100755" } else { "100644" };
        entries.push(
            json!({ "path": file.below(&target).as_str(), "mode": mode, "type": "blob", "sha": text(&blob, "/sha")? }),
        );
    }
    log(format!("{} files on top of `{base}`", entries.len()));
    let made = client
        .good(Method::POST, &format!("{path}/git/trees"), Some(&json!({ "base_tree": tree, "tree": entries })))
        .await?;
    let message = call.input.text("commitMessage")?.or(call.input.text("title")?).unwrap_or("Change");
    let who = json!({ "name": live.author, "email": "portal@localhost", "date": live.at.to_rfc3339() });
    let body = json!({ "message": message, "tree": text(&made, "/sha")?, "parents": [parent], "author": who, "committer": who });
    let commit = client.good(Method::POST, &format!("{path}/git/commits"), Some(&body)).await?;
    let commit = text(&commit, "/sha")?;
    let reference = json!({ "ref": format!("refs/heads/{branch}"), "sha": commit });
    let made = client.ask(Method::POST, &format!("{path}/git/refs"), Some(&reference)).await?;
    // "Reference already exists": ours from before, or somebody else's.
    if made.status == 422 {
        let there = client.get(&format!("{path}/git/ref/heads/{}", segment(branch))).await?;
        if text(&there, "/object/sha")? != commit && !call.input.flag("update")? {
            return Err(taken(&format!("the branch `{branch}`")));
        }
        let moved = json!({ "sha": commit, "force": false });
        client.good(Method::PATCH, &format!("{path}/git/refs/heads/{}", segment(branch)), Some(&moved)).await?;
        return Ok(commit);
    }
    made.good(&Method::POST, "refs")?;
    let there = client.get(&format!("{path}/git/ref/heads/{}", segment(branch))).await?;
    if text(&there, "/object/sha")? != commit {
        return Err(Trouble::new(
            "bad_answer",
            format!("the host accepted `{branch}`, but it does not lead to the commit"),
        ));
    }
    Ok(commit)
}

pub(super) async fn dispatch(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let (place, client) = open(live, &call, Kind::Github).await?;
    let workflow = call.input.must("workflowId")?;
    let branch = call.input.must("branchOrTagName")?;
    let path = format!("{}/actions/workflows/{}/dispatches", repo_path(&place), segment(workflow));
    let inputs = call.input.object("workflowInputs")?.cloned().unwrap_or_default();
    client.good(Method::POST, &path, Some(&json!({ "ref": branch, "inputs": inputs }))).await?;
    log(format!("started `{workflow}` on `{branch}`"));
    Ok(Map::new())
}
