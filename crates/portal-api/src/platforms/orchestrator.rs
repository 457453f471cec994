//! Deployments by an orchestrator: plan, approval of exactly that plan, deployment.

use axum::http::Method;
use portal_core::connectors::ConnectorKind;
use portal_core::score;
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::client::{Body, Client};
use super::contract::{Contract, PRESETS};
use super::follow::Look;
use crate::actions::steps::{Decision, connector, decided};
use crate::calls::{message_id, store::CallRow};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

/// Bytes of a plan that are shown to those who decide.
const SHOWN: usize = 64 << 10;

async fn contract(live: &Live, call: &Call<'_>) -> Result<Contract, Trouble> {
    let connector = connector(live, &call.input, ConnectorKind::Orchestrator).await?;
    if let Some(contract) = &connector.contract {
        return Ok(contract.clone());
    }
    let name = connector.preset.as_deref().unwrap_or(PRESETS[0]);
    let unknown =
        || format!("connector `{}`: there is no preset `{name}`; there are {}", connector.name, PRESETS.join(", "));
    Contract::preset(name).ok_or_else(|| Trouble::new("invalid_input", unknown()))
}

/// The Score file of a step, with what is only known when it is deployed.
fn workload(live: &Live, call: &Call<'_>) -> Result<Value, Trouble> {
    let wrong = |slips: Vec<score::Slip>| {
        let all: Vec<String> = slips.iter().take(5).map(ToString::to_string).collect();
        Trouble::new("invalid_score", format!("the Score file: {}", all.join("; ")))
    };
    let given = call.input.required("score")?;
    let file = match given.as_str().filter(|text| text.starts_with("./")) {
        Some(_) => {
            let path = call.input.file("score")?;
            let found = call.workspace.get(&path).and_then(|file| file.as_text()).map(str::to_owned);
            Some(found.ok_or_else(|| Trouble::new("not_found", format!("the workspace has no text file `{path}`")))?)
        }
        None => None,
    };
    let mut score = match file.as_deref().or(given.as_str()) {
        Some(text) => score::read(text).map_err(wrong)?,
        None => match score::slips(given) {
            slips if slips.is_empty() => given.clone(),
            slips => return Err(wrong(slips)),
        },
    };
    score::with_image(&mut score, call.input.text("image")?).map_err(|slip| wrong(vec![slip]))?;
    Ok(live.reveal_in(&score))
}

/// What paths and bodies see.
fn values(live: &Live, call: &Call<'_>, is_plan: bool, plan: Option<&str>) -> Result<Map<String, Value>, Trouble> {
    let score = workload(live, call)?;
    let values = json!({
        "workloads": manifest(&score),
        "project": call.input.text("project")?,
        "environment": call.input.must("environment")?,
        "score": score,
        "params": call.input.object("params")?.map(|params| live.reveal_in(&Value::Object(params.clone()))),
        "isPlan": is_plan,
        "planId": plan,
    });
    Ok(values.as_object().cloned().unwrap_or_default())
}

/// The workload as a manifest names it: itself and its resources, by their names.
fn manifest(score: &Value) -> Value {
    let mut resources = score["resources"].as_object().cloned().unwrap_or_default();
    let params =
        json!({ "metadata": score["metadata"], "service": score["service"], "containers": score["containers"] });
    resources.insert("score-workload".to_owned(), json!({ "type": "score-workload", "params": params }));
    let name = score["metadata"]["name"].as_str().unwrap_or_default();
    Value::Object([(name.to_owned(), json!({ "resources": resources }))].into_iter().collect())
}

/// Asks for a plan or a deployment, under a key by which a second request is the same.
async fn ask(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    key: &str,
    is_plan: bool,
    plan: Option<&str>,
) -> Result<String, Trouble> {
    let contract = contract(live, call).await?;
    let values = values(live, call, is_plan, plan)?;
    let path = Contract::path(&contract.start, &values)?;
    let answer =
        client.with("idempotency-key", key)?.ask(Method::POST, &path, Body::Json(&contract.body(&values)?)).await?;
    let body = answer.good(&Method::POST, &path)?;
    match body.pointer(&contract.id) {
        Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        _ => Err(Trouble::new("bad_answer", format!("the answer has no id at `{}`", contract.id))),
    }
}

pub(super) async fn start(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    log: &mut Log<'_>,
) -> Result<Value, Trouble> {
    let id = ask(live, client, call, &format!("{}_plan_0", message_id(row)), true, None).await?;
    log(format!("planning for `{}`, as {id}", call.input.must("environment")?));
    let cancel = contract(live, call).await?.cancel;
    Ok(json!({ "connector": call.input.must("connector")?, "phase": "plan", "id": id, "plans": 0, "cancel": cancel }))
}

pub(super) async fn look(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    handle: &Value,
) -> Result<Look, Trouble> {
    let mut look = Look { handle: handle.clone(), ..Look::default() };
    look.handle["misses"] = 0.into();
    if handle["phase"] == "approval" {
        return approval(live, client, call, row, handle, look).await;
    }
    let contract = contract(live, call).await?;
    let values: Map<String, Value> = [("id".to_owned(), handle["id"].clone())].into_iter().collect();
    let found = client.get(&Contract::path(&contract.status, &values)?).await?;
    let at = |pointer: &Option<String>| pointer.as_deref().and_then(|pointer| found.pointer(pointer));
    let told = usize::try_from(handle["lines"].as_u64().unwrap_or(0)).unwrap_or(0);
    let lines = at(&contract.log).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    look.lines
        .extend(lines.iter().skip(told).map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned)));
    look.handle["lines"] = lines.len().max(told).into();
    look.progress =
        at(&contract.progress).and_then(Value::as_u64).and_then(|percent| u8::try_from(percent.min(100)).ok());
    look.link("Deployment", at(&contract.url).and_then(Value::as_str));
    let state = found.pointer(&contract.state).and_then(Value::as_str).unwrap_or_default();
    if contract.failed.iter().any(|one| one == state) {
        let why = at(&contract.message).and_then(Value::as_str).unwrap_or(state);
        let what = if handle["phase"] == "deploy" { "deployment" } else { "plan" };
        look.failed(format!("the {what} failed: {why}"));
        return Ok(look);
    }
    if !contract.succeeded.iter().any(|one| one == state) {
        return Ok(look);
    }
    if handle["phase"] == "deploy" {
        let outputs = at(&contract.outputs).cloned().unwrap_or_else(|| json!({}));
        let output = json!({
            "deploymentId": handle["id"], "plan": handle["plan"], "planHash": handle["hash"],
            "outputs": outputs, "url": at(&contract.url),
        });
        look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
        return Ok(look);
    }
    let answer = match &contract.plan_at {
        Some(path) => client.get(&Contract::path(path, &values)?).await?,
        None => found.clone(),
    };
    let plan = contract.plan.as_deref().and_then(|pointer| answer.pointer(pointer));
    let plan = plan.map(|plan| plan.as_str().map_or_else(|| format!("{plan:#}"), str::to_owned)).unwrap_or_default();
    planned(live, client, call, row, handle, &plan, look).await
}

/// There is a plan: it is shown and agreed to, or it is the one that was agreed to.
async fn planned(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    handle: &Value,
    plan: &str,
    mut look: Look,
) -> Result<Look, Trouble> {
    let hash = hex::encode(Sha256::digest(plan.as_bytes()));
    let shown: String = plan.chars().take(SHOWN).collect();
    let is_asked = call.input.object("approval")?.is_some();
    let is_agreed = handle["agreed"] == hash.as_str();
    look.handle["hash"] = hash.as_str().into();
    look.handle["plan"] = shown.as_str().into();
    look.handle["lines"] = 0.into();
    if !is_asked || is_agreed {
        let id = handle["id"].as_str().unwrap_or_default();
        let deployment = ask(live, client, call, &format!("{}_deploy", message_id(row)), false, Some(id)).await?;
        look.lines.push(format!("deploying as {deployment}, plan {}", &hash[..12]));
        look.handle["phase"] = "deploy".into();
        look.handle["id"] = deployment.into();
        return Ok(look);
    }
    if !handle["agreed"].is_null() {
        look.lines.push("the plan has changed since it was agreed to; it is asked for anew".to_owned());
    }
    look.lines.push(format!("the plan, {}:", &hash[..12]));
    look.lines.extend(shown.lines().take(200).map(str::to_owned));
    look.handle["phase"] = "approval".into();
    let handle = look.handle.clone();
    approval(live, client, call, row, &handle, look).await
}

/// Asks people about the plan; when they have agreed, plans once more, so that what is
/// deployed is what they saw.
async fn approval(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    handle: &Value,
    mut look: Look,
) -> Result<Look, Trouble> {
    let empty = Map::new();
    let input = Input(call.input.object("approval")?.unwrap_or(&empty));
    let text = |name: &str| handle[name].as_str().unwrap_or_default().to_owned();
    let mut told = Vec::new();
    let decision =
        decided(live, &input, call.place, Some((text("plan"), text("hash"))), &mut |line| told.push(line)).await?;
    look.lines.extend(told);
    match decision {
        Decision::Pending(until) => look.next = Some(until),
        Decision::Approved(_) => {
            let plans = handle["plans"].as_u64().unwrap_or(0) + 1;
            let id = ask(live, client, call, &format!("{}_plan_{plans}", message_id(row)), true, None).await?;
            look.lines.push(format!("planning once more, as {id}: only what was agreed to is deployed"));
            look.handle["agreed"] = handle["hash"].clone();
            look.handle["phase"] = "plan".into();
            look.handle["plans"] = plans.into();
            look.handle["id"] = id.into();
        }
    }
    Ok(look)
}

pub(super) async fn cancel(client: &Client, handle: &Value) -> Result<String, Trouble> {
    let (Some(template), Some(id)) = (handle["cancel"].as_str(), handle["id"].as_str()) else {
        return Ok("the orchestrator offers no way to stop it, so it goes on".to_owned());
    };
    let values = [("id".to_owned(), id.into())].into_iter().collect();
    let path = Contract::path(template, &values)?;
    client.ask(Method::POST, &path, Body::Nothing).await?.good(&Method::POST, &path)?;
    Ok(format!("deployment {id} is stopped"))
}
