//! What the platform does: a few lines, a pause, and an end.

use serde_json::{Value, json};

use super::Platform;

/// Something that was asked for.
pub(super) struct Plan {
    /// What is done, as its effect is told.
    effect: String,
    lines: Vec<String>,
    output: Value,
    /// A thing that is there afterwards, or is gone.
    thing: Option<(String, Option<Value>)>,
    /// Fails the first time.
    stumbles: bool,
}

/// What an operation comes to; nothing where there is none of the name.
pub(super) fn plan(operation: &str, data: &Value) -> Option<Plan> {
    let text = |name: &str, usual: &str| data[name].as_str().unwrap_or(usual).to_owned();
    let name = text("name", "unnamed");
    let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect();
    Some(match operation {
        "databases" => {
            let size = text("size", "small");
            let host = format!("{name}.db.kestrel.example");
            Plan {
                effect: format!("database {name}"),
                lines: vec![
                    format!("reserving a {size} volume"),
                    "starting PostgreSQL 17".to_owned(),
                    format!("creating the role and the database `{name}`"),
                    "first backup is done".to_owned(),
                ],
                thing: Some((format!("database/{name}"), Some(json!({ "size": size, "host": host })))),
                output: json!({ "host": host, "port": 5432, "database": name, "secret": format!("vault:databases/{name}") }),
                stumbles: false,
            }
        }
        "databases/delete" => Plan {
            effect: format!("database {name} removed"),
            lines: vec!["last backup is done".to_owned(), format!("removing `{name}`")],
            thing: Some((format!("database/{name}"), None)),
            output: json!({}),
            stumbles: false,
        },
        "deployments" => {
            let (version, environment) = (text("version", "latest"), text("environment", "staging"));
            let place = format!("{environment}/{name}");
            Plan {
                effect: format!("deployed {name} {version} to {environment}"),
                lines: vec![
                    format!("pulling {name}:{version}"),
                    "rolling out, one instance after the other".to_owned(),
                    "health checks pass".to_owned(),
                ],
                thing: Some((format!("deployment/{place}"), Some(json!({ "version": version })))),
                output: json!({ "url": format!("https://{name}.{environment}.kestrel.example"), "version": version }),
                stumbles: version.ends_with("-flaky"),
            }
        }
        "previews" => {
            let branch = text("branch", "main");
            Plan {
                effect: format!("preview {name}"),
                lines: vec![
                    format!("building `{branch}`"),
                    "starting two instances".to_owned(),
                    "it answers".to_owned(),
                ],
                thing: Some((format!("preview/{name}"), Some(json!({ "branch": branch })))),
                output: json!({ "url": format!("https://{name}.preview.kestrel.example") }),
                stumbles: false,
            }
        }
        "previews/delete" => Plan {
            effect: format!("preview {name} removed"),
            lines: vec![format!("stopping `{name}`")],
            thing: Some((format!("preview/{name}"), None)),
            output: json!({}),
            stumbles: false,
        },
        "restarts" => Plan {
            effect: format!("restarted {name}"),
            lines: lines(&["draining", "restarting", "it answers"]),
            thing: None,
            output: json!({ "restarted": name }),
            stumbles: false,
        },
        "on-call" => Plan {
            effect: format!("on call for {name}: {}", text("person", "nobody")),
            lines: lines(&["the rota is changed"]),
            thing: Some((format!("on-call/{name}"), Some(json!({ "person": text("person", "nobody") })))),
            output: json!({ "person": text("person", "nobody") }),
            stumbles: false,
        },
        _ => return None,
    })
}

fn done(platform: &Platform, plan: &Plan) -> Result<(), String> {
    let mut kept = platform.kept();
    if plan.stumbles && !kept.failed.contains(&plan.effect) {
        kept.failed.push(plan.effect.clone());
        return Err("an instance did not become healthy in time; the one before it goes on".to_owned());
    }
    kept.effects.push(plan.effect.clone());
    match &plan.thing {
        Some((key, Some(thing))) => drop(kept.things.insert(key.clone(), thing.clone())),
        Some((key, None)) => drop(kept.things.remove(key)),
        None => {}
    }
    Ok(())
}

pub(super) fn at_once(platform: &Platform, plan: Plan) -> Result<Value, String> {
    done(platform, &plan).map(|()| plan.output)
}

/// Does it, line by line, and tells of it.
pub(super) async fn perform(platform: Platform, plan: Plan, callback: String) {
    let count = plan.lines.len().max(1);
    for (index, line) in plan.lines.iter().enumerate() {
        tokio::time::sleep(platform.options.pace).await;
        let progress = 100 * (index + 1) / (count + 1);
        tell(&platform, &callback, &json!({ "status": "running", "progress": progress, "log": [line] })).await;
    }
    tokio::time::sleep(platform.options.pace).await;
    let last = match done(&platform, &plan) {
        Ok(()) => json!({ "status": "succeeded", "progress": 100, "output": plan.output }),
        Err(fault) => json!({ "status": "failed", "message": fault }),
    };
    tell(&platform, &callback, &last).await;
}

/// Tells until it is heard: the portal may be starting anew.
async fn tell(platform: &Platform, callback: &str, report: &Value) {
    for attempt in 0..30 {
        let body = report.to_string();
        let request = platform.client.post(callback).header("content-type", "application/json").body(body);
        match request.send().await {
            // What it refuses it refuses again.
            Ok(answer) if !answer.status().is_server_error() && answer.status() != 429 => return,
            _ => tokio::time::sleep(std::time::Duration::from_millis(200 * (attempt + 1))).await,
        }
    }
}
