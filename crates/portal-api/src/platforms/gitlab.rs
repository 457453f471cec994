//! Pipelines of GitLab, after <https://docs.gitlab.com/api/pipelines/> and `…/jobs/`.

use axum::http::Method;
use portal_core::templates::Trouble;
use serde_json::{Value, json};

use super::client::{Body, Client, segment};
use super::follow::{Look, fresh};
use crate::calls::{message_id, store::CallRow};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

/// The variable by which a pipeline is found again.
const CALL: &str = "PORTAL_CALL";
/// Bytes of a job's trace that are told.
const TRACE: usize = 1 << 20;

fn base(call: &Call<'_>) -> Result<String, Trouble> {
    Ok(format!("/api/v4/projects/{}", segment(call.input.must("project")?)))
}

pub(super) async fn start(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    log: &mut Log<'_>,
) -> Result<Value, Trouble> {
    let (base, branch) = (base(call)?, call.input.text("ref")?.unwrap_or("main"));
    let mut variables = vec![json!({ "key": CALL, "value": message_id(row) })];
    for (name, value) in call.input.object("variables")?.into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), |text| live.reveal(text));
        variables.push(json!({ "key": name, "value": text }));
    }
    let made = client.post(&format!("{base}/pipeline"), &json!({ "ref": branch, "variables": variables })).await?;
    let Some(id) = made["id"].as_i64() else {
        return Err(Trouble::new("bad_answer", "the answer to the new pipeline has no id"));
    };
    log(format!("started pipeline {id} on `{branch}`"));
    Ok(handle(call, &base, id))
}

fn handle(call: &Call<'_>, base: &str, id: i64) -> Value {
    json!({ "connector": call.input.text("connector").ok().flatten(), "base": base, "pipeline": id })
}

/// The pipeline that was started with this key.
pub(super) async fn find(client: &Client, call: &Call<'_>, row: &CallRow) -> Result<Option<Value>, Trouble> {
    let (base, branch) = (base(call)?, call.input.text("ref")?.unwrap_or("main"));
    let since = row.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let path = format!("{base}/pipelines?ref={}&updated_after={}&per_page=50", segment(branch), segment(&since));
    for pipeline in client.get(&path).await?.as_array().into_iter().flatten() {
        let Some(id) = pipeline["id"].as_i64() else { continue };
        let variables = client.get(&format!("{base}/pipelines/{id}/variables")).await?;
        let is_ours = |one: &Value| one["key"] == CALL && one["value"] == message_id(row);
        if variables.as_array().is_some_and(|all| all.iter().any(is_ours)) {
            return Ok(Some(handle(call, &base, id)));
        }
    }
    Ok(None)
}

pub(super) async fn look(client: &Client, handle: &Value) -> Result<Look, Trouble> {
    let (base, id) = (handle["base"].as_str().unwrap_or_default(), handle["pipeline"].as_i64().unwrap_or_default());
    let mut look = Look { handle: handle.clone(), ..Look::default() };
    look.handle["misses"] = 0.into();
    let pipeline = client.get(&format!("{base}/pipelines/{id}")).await?;
    let jobs = client.get(&format!("{base}/pipelines/{id}/jobs?per_page=100")).await?;
    look.link("Pipeline", pipeline["web_url"].as_str());
    let (mut done, mut all) = (0, 0);
    let mut broken = Vec::new();
    // The list begins with the newest job.
    for job in jobs.as_array().into_iter().flatten().rev() {
        let (name, status) = (job["name"].as_str().unwrap_or("job"), job["status"].as_str().unwrap_or("created"));
        let key = job["id"].to_string();
        let told = &handle["jobs"][&key];
        let is_over = matches!(status, "success" | "failed" | "canceled" | "skipped");
        (done, all) = (done + usize::from(is_over), all + 1);
        let mut bytes = usize::try_from(told["bytes"].as_u64().unwrap_or(0)).unwrap_or(0);
        let has_more = told["status"] != status || status == "running";
        if has_more && !matches!(status, "created" | "pending" | "skipped" | "manual") && bytes < TRACE {
            let trace = client.text(&format!("{base}/jobs/{key}/trace")).await?.unwrap_or_default();
            let (lines, end) = fresh(&trace, bytes, is_over);
            bytes = end;
            look.lines.extend(lines.into_iter().map(|line| format!("{name} | {line}")));
        }
        if told["status"] != status {
            look.lines.push(format!("{name}: {status}"));
        }
        if status == "failed" && job["allow_failure"] != true {
            broken.push(name.to_owned());
        }
        look.handle["jobs"][&key] = json!({ "status": status, "bytes": bytes });
    }
    look.progress = (all > 0).then(|| u8::try_from(done * 100 / all).unwrap_or(100));
    match pipeline["status"].as_str().unwrap_or_default() {
        status @ "success" => {
            let output = json!({ "pipelineId": id, "url": pipeline["web_url"], "status": status });
            look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
        }
        status @ ("failed" | "canceled" | "skipped") => {
            let what = if broken.is_empty() { String::new() } else { format!(": {}", broken.join(", ")) };
            look.failed(format!("the pipeline ended with `{status}`{what}"));
        }
        "manual" => look.failed("the pipeline waits for somebody to start a job by hand".to_owned()),
        _ => {}
    }
    Ok(look)
}

pub(super) async fn cancel(client: &Client, handle: &Value) -> Result<String, Trouble> {
    let path = format!("{}/pipelines/{}/cancel", handle["base"].as_str().unwrap_or_default(), handle["pipeline"]);
    client.ask(Method::POST, &path, Body::Nothing).await?.good(&Method::POST, &path)?;
    Ok(format!("pipeline {} is cancelled", handle["pipeline"]))
}
