//! GitLab: <https://docs.gitlab.com/api/rest/>, version 4.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use super::{Kind, Place, open, output, segment, text};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

type Output = Result<Map<String, Value>, Trouble>;

pub(super) fn project_path(place: &Place) -> String {
    format!("/projects/{}", segment(&format!("{}/{}", place.owner, place.repo)))
}

pub(super) async fn publish(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let (place, client) = open(live, &call, Kind::Gitlab).await?;
    let path = project_path(&place);
    let found = client.ask(Method::GET, &path, None).await?;
    let project = if found.status == 404 {
        log(format!("creating {}/{}", place.owner, place.repo));
        let group = client.get(&format!("/namespaces/{}", segment(&place.owner))).await?;
        let visibility = call.input.text("repoVisibility")?.unwrap_or("private");
        let mut body =
            json!({ "name": place.repo, "path": place.repo, "namespace_id": group["id"], "visibility": visibility });
        for (key, value) in call.input.object("settings")?.into_iter().flatten() {
            body[key] = value.clone();
        }
        let topics = call.input.texts("topics")?;
        if !topics.is_empty() {
            body["topics"] = topics.into();
        }
        let made = client.ask(Method::POST, "/projects", Some(&body)).await?;
        // Made in this moment by an attempt of ours whose answer was lost: the push finds out.
        if made.status == 400 && made.body.to_string().contains("has already been taken") {
            client.get(&path).await?
        } else {
            made.good(&Method::POST, "/projects")?
        }
    } else {
        found.good(&Method::GET, &path)?
    };
    let (remote, page) = (text(&project, "/http_url_to_repo")?, text(&project, "/web_url")?);
    let branch = call.input.text("defaultBranch")?.unwrap_or("main");
    let commit = live.push(&call, &remote, branch, Some(&client.git_secret()), log).await?;
    Ok(output([
        ("remoteUrl", remote.into()),
        ("repoContentsUrl", format!("{page}/-/blob/{branch}").into()),
        ("commitHash", commit.into()),
        ("projectId", project["id"].clone()),
    ]))
}

/// `parent` is the commit that the files are changes to; the newest of the branch if absent.
pub(super) async fn merge_request(live: &Live, call: Call<'_>, parent: Option<&str>, log: &mut Log<'_>) -> Output {
    let (place, client) = open(live, &call, Kind::Gitlab).await?;
    let path = project_path(&place);
    let project = client.get(&path).await?;
    let base = match call.input.text("targetBranchName")? {
        Some(base) => base.to_owned(),
        None => text(&project, "/default_branch")?,
    };
    let branch = call.input.must("branchName")?;
    let answer = |request: &Value| -> Output {
        Ok(output([
            ("mergeRequestUrl", text(request, "/web_url")?.into()),
            ("targetBranchName", base.clone().into()),
            ("projectid", format!("{}/{}", place.owner, place.repo).into()),
            ("projectPath", format!("{}/{}", place.owner, place.repo).into()),
        ]))
    };
    let query = format!("{path}/merge_requests?state=opened&source_branch={}", segment(branch));
    let open_ones = client.get(&query).await?;
    if let Some(there) = open_ones.as_array().and_then(|all| all.first()) {
        log(format!("{} is open already", text(there, "/web_url")?));
        return answer(there);
    }
    let (files, target) = (live.files(&call)?, call.input.folder("targetPath")?);
    let action = call.input.text("commitAction")?.filter(|action| *action != "auto").unwrap_or("create");
    let actions = files.files().map(|(file, content)| {
        json!({
            "action": action,
            "file_path": file.below(&target).as_str(),
            "content": STANDARD.encode(&content.content),
            "encoding": "base64",
            "execute_filemode": content.executable,
        })
    });
    let title = call.input.must("title")?;
    let (start, from) = parent.map_or(("start_branch", base.as_str()), |commit| ("start_sha", commit));
    let body = json!({
        "branch": branch,
        start: from,
        "commit_message": call.input.text("commitMessage")?.unwrap_or(title),
        "actions": actions.collect::<Vec<Value>>(),
    });
    let made = client.ask(Method::POST, &format!("{path}/repository/commits"), Some(&body)).await?;
    let is_there = made.status == 400 && made.body.to_string().contains("already exists");
    if is_there {
        log(format!("`{branch}` is there already"));
    } else {
        made.good(&Method::POST, "commits")?;
    }
    let body = json!({
        "source_branch": branch,
        "target_branch": base,
        "title": title,
        "description": call.input.text("description")?.unwrap_or_default(),
        "remove_source_branch": call.input.flag("removeSourceBranch")?,
    });
    let request = client.good(Method::POST, &format!("{path}/merge_requests"), Some(&body)).await?;
    answer(&request)
}
