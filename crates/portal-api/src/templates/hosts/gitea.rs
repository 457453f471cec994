//! Gitea and Forgejo: <https://docs.gitea.com/api/>, version 1.

use axum::http::Method;
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use super::{Kind, open, output, repo_path, segment, text};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

pub(super) async fn publish(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
    let (place, client) = open(live, &call, Kind::Gitea).await?;
    let path = repo_path(&place);
    let branch = call.input.text("defaultBranch")?.unwrap_or("main");
    let found = client.ask(Method::GET, &path, None).await?;
    let repository = if found.status == 404 {
        log(format!("creating {}/{}", place.owner, place.repo));
        let organisation = client.ask(Method::GET, &format!("/orgs/{}", segment(&place.owner)), None).await?;
        let create = if organisation.status == 200 {
            format!("/orgs/{}/repos", segment(&place.owner))
        } else {
            "/user/repos".to_owned()
        };
        let body = json!({
            "name": place.repo,
            "description": call.input.text("description")?.unwrap_or_default(),
            "private": call.input.text("repoVisibility")?.unwrap_or("private") != "public",
            "auto_init": false,
            "default_branch": branch,
        });
        let made = client.ask(Method::POST, &create, Some(&body)).await?;
        if made.status == 409 { client.get(&path).await? } else { made.good(&Method::POST, &create)? }
    } else {
        found.good(&Method::GET, &path)?
    };
    let (remote, page) = (text(&repository, "/clone_url")?, text(&repository, "/html_url")?);
    let commit = live.push(&call, &remote, branch, Some(&client.git_secret()), log).await?;
    Ok(output([
        ("remoteUrl", remote.into()),
        ("repoContentsUrl", format!("{page}/src/branch/{branch}").into()),
        ("commitHash", commit.into()),
    ]))
}
