//! Clusters: server-side apply and jobs, after
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/> and `…/api-concepts/`.

use std::collections::HashMap;

use axum::http::Method;
use portal_core::document::{self, Budget};
use portal_core::templates::Trouble;
use serde_json::{Value, json};

use super::client::{Answer, Body, Client, segment};
use super::follow::{Look, fresh};
use crate::calls::{message_id, store::CallRow};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

const MANAGER: &str = "portal";
/// Media type of an apply; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";
const MOST_OBJECTS: usize = 200;
/// Bytes of what one container prints that are told.
const PRINTED: usize = 1 << 20;

/// An object that is applied, and where it stands.
struct Applied {
    manifest: Value,
    path: String,
    label: String,
}

/// Applies all of them dry, then in earnest.
pub(super) async fn apply(live: &Live, client: &Client, call: &Call<'_>, log: &mut Log<'_>) -> Result<Value, Trouble> {
    let usual = call.input.text("namespace")?.unwrap_or("default");
    let mut objects = Vec::new();
    let mut groups = HashMap::new();
    for (index, manifest) in manifests(call)?.into_iter().enumerate() {
        objects.push(placed(client, &mut groups, live.reveal_in(&manifest), usual, index).await?);
    }
    let force = if call.input.flag("force")? { "&force=true" } else { "" };
    for object in &objects {
        let path = format!("{}?fieldManager={MANAGER}&dryRun=All{force}", object.path);
        let answer = client.ask(Method::PATCH, &path, Body::As(APPLY, &object.manifest)).await?;
        // What stands in a namespace that is applied too cannot be tried before it is there.
        let namespace = &object.manifest["metadata"]["namespace"];
        let is_early = answer.status == 404
            && objects
                .iter()
                .any(|other| other.manifest["kind"] == "Namespace" && other.manifest["metadata"]["name"] == *namespace);
        if !is_early {
            accepted(answer, &path, &object.label)?;
        }
    }
    log(format!("the cluster would take all {} objects", objects.len()));
    let mut applied = Vec::new();
    for object in &objects {
        let path = format!("{}?fieldManager={MANAGER}{force}", object.path);
        let answer = client.ask(Method::PATCH, &path, Body::As(APPLY, &object.manifest)).await?;
        let is_new = answer.status == 201;
        let stored = accepted(answer, &path, &object.label)?;
        log(format!("{} {}", object.label, if is_new { "made" } else { "applied" }));
        let metadata = &stored["metadata"];
        applied.push(json!({
            "path": object.path, "label": object.label, "kind": object.manifest["kind"],
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
        }));
    }
    let waits = call.input.get("wait") != Some(&Value::Bool(false));
    Ok(json!({ "connector": call.input.must("connector")?, "objects": applied, "wait": waits }))
}

fn accepted(answer: Answer, path: &str, label: &str) -> Result<Value, Trouble> {
    let is_conflict = answer.status == 409;
    answer.good(&Method::PATCH, path).map_err(|trouble| {
        let hint = if is_conflict { "; `force: true` takes the fields over" } else { "" };
        Trouble::new(if is_conflict { "conflict" } else { trouble.code }, format!("{label}: {}{hint}", trouble.message))
    })
}

fn manifests(call: &Call<'_>) -> Result<Vec<Value>, Trouble> {
    let wrong = |message: String| Trouble::new("invalid_input", format!("`manifests`: {message}"));
    let all: Vec<Value> = match call.input.required("manifests")? {
        Value::String(text) => {
            let reading = document::read(text.as_bytes(), &Budget::default());
            if let Some((_, fault)) = reading.faults.first() {
                return Err(wrong(format!("line {}, column {}: {}", fault.line, fault.column, fault.message)));
            }
            reading.documents.into_iter().map(|document| document.value).collect()
        }
        Value::Array(items) => items.clone(),
        one @ Value::Object(_) => vec![one.clone()],
        _ => return Err(wrong("is a list of objects, or their YAML".to_owned())),
    };
    // A list is its items.
    let all: Vec<Value> = all
        .into_iter()
        .flat_map(|one| match &one["items"] {
            Value::Array(items) if one["kind"] == "List" => items.clone(),
            _ => vec![one],
        })
        .collect();
    if all.is_empty() || all.len() > MOST_OBJECTS {
        return Err(wrong(format!("{} objects; there are 1 to {MOST_OBJECTS}", all.len())));
    }
    Ok(all)
}

/// Finds out where an object of its kind stands.
async fn placed(
    client: &Client,
    groups: &mut HashMap<String, Value>,
    mut manifest: Value,
    usual: &str,
    index: usize,
) -> Result<Applied, Trouble> {
    let wrong = |message: &str| Trouble::new("invalid_input", format!("`manifests`: object {index}: {message}"));
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    let name = text("/metadata/name").map(str::to_owned).ok_or_else(|| wrong("`metadata.name` is missing"))?;
    let version = version.map(str::to_owned).ok_or_else(|| wrong("`apiVersion` is missing"))?;
    let kind = kind.map(str::to_owned).ok_or_else(|| wrong("`kind` is missing"))?;
    let group: String = version.split('/').map(|part| format!("/{}", segment(part))).collect();
    let group = if version.contains('/') { format!("/apis{group}") } else { format!("/api{group}") };
    if !groups.contains_key(&group) {
        let answer = client.ask(Method::GET, &group, Body::Nothing).await?;
        if answer.status == 404 {
            return Err(wrong(&format!("the cluster has no API `{version}`")));
        }
        groups.insert(group.clone(), answer.good(&Method::GET, &group)?);
    }
    let resources = groups[&group]["resources"].as_array().into_iter().flatten();
    let is_own = |one: &&Value| one["kind"] == kind.as_str() && !one["name"].as_str().unwrap_or("/").contains('/');
    let Some(resource) = resources.filter(|_| true).find(is_own) else {
        return Err(wrong(&format!("the cluster has no kind `{kind}` in `{version}`")));
    };
    let plural = resource["name"].as_str().unwrap_or_default();
    let place = if resource["namespaced"] == true {
        let namespace = text("/metadata/namespace").unwrap_or(usual).to_owned();
        manifest["metadata"]["namespace"] = namespace.as_str().into();
        format!("/namespaces/{}", segment(&namespace))
    } else {
        String::new()
    };
    Ok(Applied {
        path: format!("{group}{place}/{plural}/{}", segment(&name)),
        label: format!("{kind} {name}"),
        manifest,
    })
}

pub(super) async fn look_at_objects(client: &Client, handle: &Value) -> Result<Look, Trouble> {
    let mut look = Look { handle: handle.clone(), ..Look::default() };
    look.handle["misses"] = 0.into();
    let objects = handle["objects"].as_array().map_or(&[][..], Vec::as_slice);
    let mut ready = 0;
    for (index, object) in objects.iter().enumerate().filter(|_| handle["wait"] == true) {
        let label = object["label"].as_str().unwrap_or_default();
        let found = client.get(object["path"].as_str().unwrap_or_default()).await?;
        let state = readiness(&found);
        let text = match &state {
            Readiness::Ready => "ready".to_owned(),
            Readiness::NotYet(text) | Readiness::Failed(text) => text.clone(),
        };
        if object["told"] != text.as_str() {
            look.lines.push(format!("{label}: {text}"));
            look.handle["objects"][index]["told"] = text.as_str().into();
        }
        match state {
            Readiness::Ready => ready += 1,
            Readiness::NotYet(_) => {}
            Readiness::Failed(text) => look.failed(format!("{label}: {text}")),
        }
    }
    let is_over = handle["wait"] != true || ready == objects.len();
    look.progress = Some(u8::try_from(ready * 100 / objects.len().max(1)).unwrap_or(100)).filter(|_| !is_over);
    if is_over {
        let shown = |one: &Value| json!({ "kind": one["kind"], "name": one["name"], "namespace": one["namespace"], "uid": one["uid"] });
        let output = json!({ "objects": objects.iter().map(shown).collect::<Vec<_>>() });
        look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
    }
    Ok(look)
}

#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    NotYet(String),
    Failed(String),
}

/// Whether an object does what it is there for, by the conventions of its kind.
fn readiness(object: &Value) -> Readiness {
    let (spec, status) = (&object["spec"], &object["status"]);
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let condition = |name: &str| {
        let all = status["conditions"].as_array().into_iter().flatten();
        all.filter(|one| one["type"] == name).map(|one| (one["status"] == "True", one)).next()
    };
    let said = |one: &Value| {
        let text = one["message"].as_str().or(one["reason"].as_str()).unwrap_or_default();
        text.chars().filter(|sign| !sign.is_control()).take(200).collect::<String>()
    };
    let is_seen = number(&status["observedGeneration"]) >= number(&object["metadata"]["generation"]);
    let replicas = spec["replicas"].as_i64().unwrap_or(1);
    let counted = |ready: i64, all: i64| Readiness::NotYet(format!("{ready} of {all} are ready"));
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => {
            let stuck =
                condition("Progressing").filter(|(holds, one)| !holds && one["reason"] == "ProgressDeadlineExceeded");
            if let Some((_, one)) = stuck.filter(|_| is_seen) {
                return Readiness::Failed(said(one));
            }
            let (updated, available) = (number(&status["updatedReplicas"]), number(&status["availableReplicas"]));
            let is_ready =
                is_seen && updated >= replicas && available >= replicas && number(&status["replicas"]) <= updated;
            if is_ready { Readiness::Ready } else { counted(available.min(updated), replicas) }
        }
        "StatefulSet" => {
            let (updated, ready) = (number(&status["updatedReplicas"]), number(&status["readyReplicas"]));
            if is_seen && updated >= replicas && ready >= replicas {
                Readiness::Ready
            } else {
                counted(ready.min(updated), replicas)
            }
        }
        "DaemonSet" => {
            let (wanted, ready) = (number(&status["desiredNumberScheduled"]), number(&status["numberReady"]));
            let updated = number(&status["updatedNumberScheduled"]);
            if is_seen && updated >= wanted && ready >= wanted { Readiness::Ready } else { counted(ready, wanted) }
        }
        "Job" => match (condition("Complete"), condition("Failed")) {
            (_, Some((true, one))) => Readiness::Failed(said(one)),
            (Some((true, _)), _) => Readiness::Ready,
            _ => Readiness::NotYet("running".to_owned()),
        },
        "Pod" => match status["phase"].as_str() {
            Some("Failed") => Readiness::Failed(said(status)),
            Some("Succeeded") => Readiness::Ready,
            _ if condition("Ready").is_some_and(|(holds, _)| holds) => Readiness::Ready,
            phase => Readiness::NotYet(phase.unwrap_or("Pending").to_lowercase()),
        },
        _ => match ["Ready", "Available", "Established"].into_iter().find_map(condition) {
            Some((false, one)) => Readiness::NotYet(said(one)),
            Some((true, _)) if is_seen || status["observedGeneration"].is_null() => Readiness::Ready,
            Some(_) => Readiness::NotYet("not seen yet".to_owned()),
            None => Readiness::Ready,
        },
    }
}

/// Makes a job; one of its name is ours, made before a crash.
pub(super) async fn job(
    live: &Live,
    client: &Client,
    call: &Call<'_>,
    row: &CallRow,
    log: &mut Log<'_>,
) -> Result<Value, Trouble> {
    let input = call.input;
    let namespace = input.text("namespace")?.unwrap_or("default");
    let name = format!("portal-{}", message_id(row).replace('_', "-"));
    let mut spec = match input.object("spec")? {
        Some(spec) => live.reveal_in(&Value::Object(spec.clone())),
        None => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| live.reveal(text));
            let env = input.object("env")?.into_iter().flatten();
            let env: Vec<Value> = env.map(|(name, value)| json!({ "name": name, "value": text(value) })).collect();
            let mut container = json!({ "name": "main", "image": input.must("image")?, "env": env });
            let command = input.texts("command")?;
            if !command.is_empty() {
                container["command"] = command.iter().map(|part| live.reveal(part)).collect();
            }
            let mut pod = json!({ "restartPolicy": "Never", "containers": [container] });
            if let Some(account) = input.text("serviceAccount")? {
                pod["serviceAccountName"] = account.into();
            }
            json!({ "backoffLimit": 0, "template": { "spec": pod } })
        }
    };
    if spec["ttlSecondsAfterFinished"].is_null() {
        let ttl = input.amount("ttl")?.unwrap_or(3600.0).clamp(0.0, 2_592_000.0);
        spec["ttlSecondsAfterFinished"] = (ttl as i64).into();
    }
    let labels = json!({ "app.kubernetes.io/managed-by": "portal", "portal.dev/run": live.run_id.to_string() });
    let body = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": spec,
    });
    let base = format!("/apis/batch/v1/namespaces/{}/jobs", segment(namespace));
    let path = format!("{base}?fieldManager={MANAGER}");
    let answer = client.ask(Method::POST, &path, Body::Json(&body)).await?;
    if answer.status == 409 {
        log(format!("job `{name}` is there already"));
    } else {
        answer.good(&Method::POST, &path)?;
        log(format!("made job `{name}` in `{namespace}`"));
    }
    Ok(
        json!({ "connector": input.must("connector")?, "path": format!("{base}/{name}"), "name": name, "namespace": namespace }),
    )
}

pub(super) async fn look_at_job(client: &Client, handle: &Value) -> Result<Look, Trouble> {
    let mut look = Look { handle: handle.clone(), ..Look::default() };
    look.handle["misses"] = 0.into();
    let (name, namespace) =
        (handle["name"].as_str().unwrap_or_default(), handle["namespace"].as_str().unwrap_or_default());
    let job = client.get(handle["path"].as_str().unwrap_or_default()).await?;
    let state = readiness(&json!({ "kind": "Job", "status": job["status"] }));
    let base = format!("/api/v1/namespaces/{}/pods", segment(namespace));
    let found = client
        .get(&format!("{base}?labelSelector={}", segment(&format!("batch.kubernetes.io/job-name={name}"))))
        .await?;
    let mut pods = Vec::new();
    for pod in found["items"].as_array().into_iter().flatten() {
        let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let phase = pod["status"]["phase"].as_str().unwrap_or("Pending");
        pods.push(pod_name.to_owned());
        if handle["pods"][pod_name]["phase"] != phase {
            look.lines.push(format!("{pod_name}: {}", phase.to_lowercase()));
        }
        look.handle["pods"][pod_name]["phase"] = phase.into();
        if phase == "Pending" {
            continue;
        }
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            let own = container["name"].as_str().unwrap_or_default();
            let told = usize::try_from(handle["pods"][pod_name][own].as_u64().unwrap_or(0)).unwrap_or(0);
            if told >= PRINTED {
                continue;
            }
            let path = format!("{base}/{}/log?container={}&limitBytes={PRINTED}", segment(pod_name), segment(own));
            if let Some(text) = client.text(&path).await? {
                let (lines, told) = fresh(&text, told, matches!(phase, "Succeeded" | "Failed"));
                look.lines.extend(lines);
                look.handle["pods"][pod_name][own] = told.into();
            }
        }
    }
    match state {
        Readiness::NotYet(_) => {}
        Readiness::Failed(text) => look.failed(format!("job `{name}`: {text}")),
        Readiness::Ready => {
            let output = json!({ "name": name, "pods": pods });
            look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
        }
    }
    Ok(look)
}

pub(super) async fn cancel(client: &Client, handle: &Value) -> Result<String, Trouble> {
    let path = format!("{}?propagationPolicy=Background", handle["path"].as_str().unwrap_or_default());
    let answer = client.ask(Method::DELETE, &path, Body::Nothing).await?;
    if answer.status != 404 {
        answer.good(&Method::DELETE, &path)?;
    }
    Ok(format!("job `{}` is deleted", handle["name"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_ready_by_its_own_rule() {
        let deployment = |updated: i64, available: i64, seen: i64| {
            readiness(&json!({
                "kind": "Deployment", "metadata": { "generation": 2 }, "spec": { "replicas": 3 },
                "status": { "observedGeneration": seen, "replicas": 3, "updatedReplicas": updated, "availableReplicas": available },
            }))
        };
        assert_eq!(deployment(3, 3, 2), Readiness::Ready);
        // What is ready is the version before.
        assert_eq!(deployment(3, 3, 1), Readiness::NotYet("3 of 3 are ready".to_owned()));
        assert_eq!(deployment(1, 3, 2), Readiness::NotYet("1 of 3 are ready".to_owned()));
        let with = |kind: &str, condition: &str, status: &str| {
            let condition = json!({ "type": condition, "status": status, "message": "why" });
            readiness(&json!({ "kind": kind, "status": { "conditions": [condition] } }))
        };
        assert_eq!(with("Job", "Complete", "True"), Readiness::Ready);
        assert_eq!(with("Job", "Failed", "True"), Readiness::Failed("why".to_owned()));
        assert_eq!(with("Certificate", "Ready", "False"), Readiness::NotYet("why".to_owned()));
        assert_eq!(with("Certificate", "Ready", "True"), Readiness::Ready);
        assert_eq!(readiness(&json!({ "kind": "ConfigMap" })), Readiness::Ready);
    }
}
