//! Workflows of GitHub Actions, after <https://docs.github.com/en/rest/actions>.

use axum::http::Method;
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use super::client::{Body, Client, segment};
use super::follow::Look;
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

pub(super) async fn start(live: &Live, client: &Client, call: &Call<'_>, log: &mut Log<'_>) -> Result<Value, Trouble> {
    let repository = call.input.must("repository")?;
    let Some((owner, name)) = repository.split_once('/').filter(|(_, name)| !name.contains('/')) else {
        return Err(Trouble::new(
            "invalid_input",
            format!("`repository`: `{repository}` is not of the form `owner/name`"),
        ));
    };
    let (workflow, branch) = (call.input.must("workflow")?, call.input.text("ref")?.unwrap_or("main"));
    let base = format!("/repos/{}/{}/actions", segment(owner), segment(name));
    let path = format!("{base}/workflows/{}/dispatches", segment(workflow));
    // The inputs of a workflow are texts, whatever their type.
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| live.reveal(text));
    let inputs = call.input.object("inputs")?.into_iter().flatten();
    let inputs: Map<String, Value> = inputs.map(|(name, value)| (name.clone(), text(value).into())).collect();
    let body = json!({ "ref": branch, "inputs": inputs, "return_run_details": true });
    let answer = client.post(&path, &body).await?;
    let handle =
        json!({ "connector": call.input.must("connector")?, "base": base, "workflow": workflow, "ref": branch });
    let Some(id) = answer["workflow_run_id"].as_i64() else {
        // A server that does not tell: it is the first run that appears from now on.
        log(format!("started `{workflow}` on `{branch}`; looking for its run"));
        let since = live.app.clock.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        return Ok(with(handle, "since", since.into()));
    };
    log(format!("started `{workflow}` on `{branch}`, run {id}"));
    Ok(with(handle, "run", id.into()))
}

fn with(mut handle: Value, name: &str, value: Value) -> Value {
    handle[name] = value;
    handle
}

pub(super) async fn look(client: &Client, handle: &Value) -> Result<Look, Trouble> {
    let base = handle["base"].as_str().unwrap_or_default();
    let mut look = Look { handle: with(handle.clone(), "misses", 0.into()), ..Look::default() };
    let Some(id) = handle["run"].as_i64() else {
        let text = |name: &str| segment(handle[name].as_str().unwrap_or_default());
        let path = format!(
            "{base}/workflows/{}/runs?event=workflow_dispatch&branch={}&created=%3E%3D{}",
            text("workflow"),
            text("ref"),
            text("since")
        );
        let runs = client.get(&path).await?;
        // The list begins with the newest.
        let id = runs["workflow_runs"].as_array().and_then(|runs| runs.last()?["id"].as_i64());
        look.handle["run"] = id.into();
        return Ok(look);
    };
    let run = client.get(&format!("{base}/runs/{id}")).await?;
    let jobs = client.get(&format!("{base}/runs/{id}/jobs?per_page=100")).await?;
    look.link("Workflow run", run["html_url"].as_str());
    let (mut done, mut all) = (0, 0);
    for job in jobs["jobs"].as_array().into_iter().flatten() {
        let name = job["name"].as_str().unwrap_or("job");
        let steps = job["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let ended = steps.iter().filter(|step| step["status"] == "completed").count();
        (done, all) = (done + ended, all + steps.len().max(1));
        let key = job["id"].to_string();
        let told = usize::try_from(handle["jobs"][&key]["steps"].as_u64().unwrap_or(0)).unwrap_or(0);
        for step in steps.iter().filter(|step| step["status"] == "completed").skip(told) {
            let (step, conclusion) = (step["name"].as_str().unwrap_or("step"), step["conclusion"].as_str());
            look.lines.push(format!("{name} / {step}: {}", conclusion.unwrap_or("done")));
        }
        let state = job["conclusion"].as_str().or(job["status"].as_str()).unwrap_or("queued");
        if handle["jobs"][&key]["state"] != state {
            look.lines.push(format!("{name}: {}", state.replace('_', " ")));
        }
        look.handle["jobs"][&key] = json!({ "steps": ended, "state": state });
    }
    look.progress = (all > 0).then(|| u8::try_from(done * 100 / all).unwrap_or(100));
    if run["status"] == "completed" {
        let conclusion = run["conclusion"].as_str().unwrap_or("unknown");
        if conclusion == "success" {
            let output = json!({ "runId": id, "url": run["html_url"], "conclusion": conclusion });
            look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
        } else {
            look.failed(format!("the workflow ended with `{conclusion}`"));
        }
    }
    Ok(look)
}

pub(super) async fn cancel(client: &Client, handle: &Value) -> Result<String, Trouble> {
    let Some(id) = handle["run"].as_i64() else { return Ok("its run was not found, so it goes on".to_owned()) };
    let path = format!("{}/runs/{id}/cancel", handle["base"].as_str().unwrap_or_default());
    let answer = client.ask(Method::POST, &path, Body::Nothing).await?;
    // 409: it has ended.
    if answer.status == 409 {
        return Ok(format!("workflow run {id} had ended"));
    }
    answer.good(&Method::POST, &path)?;
    Ok(format!("workflow run {id} is cancelled"))
}
