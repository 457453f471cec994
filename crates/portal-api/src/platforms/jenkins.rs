//! Builds of Jenkins, after <https://www.jenkins.io/doc/book/using/remote-access-api/>. The
//! credential of the connector is `user:token`.

use axum::http::Method;
use portal_core::templates::Trouble;
use serde_json::{Value, json};

use super::client::{Body, Client, segment};
use super::follow::Look;
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

pub(super) async fn start(live: &Live, client: &Client, call: &Call<'_>, log: &mut Log<'_>) -> Result<Value, Trouble> {
    let job = call.input.must("job")?;
    let base: String = job.split('/').map(|part| format!("/job/{}", segment(part))).collect();
    let parameters: Vec<String> = call
        .input
        .object("parameters")?
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| live.reveal(text));
            format!("{}={}", segment(name), segment(&text))
        })
        .collect();
    let path = format!("{base}/{}", if parameters.is_empty() { "build" } else { "buildWithParameters" });
    let answer = crumbed(client).await?.ask(Method::POST, &path, Body::Form(parameters.join("&"))).await?;
    // `…/queue/item/12/`, at whatever address Jenkins believes to be its own.
    let place = answer.header("location").and_then(|text| text.trim_end_matches('/').rsplit('/').next());
    let item = place.and_then(|text| text.parse::<u64>().ok());
    answer.good(&Method::POST, &path)?;
    let Some(item) = item else {
        return Err(Trouble::new("bad_answer", "Jenkins did not say where in its queue the build is"));
    };
    log(format!("`{job}` is in the queue as {item}"));
    Ok(json!({ "connector": call.input.must("connector")?, "base": base, "item": item }))
}

/// With the crumb that guards against forged requests, where Jenkins wants one.
async fn crumbed(client: &Client) -> Result<Client, Trouble> {
    let path = "/crumbIssuer/api/json";
    let answer = client.ask(Method::GET, path, Body::Nothing).await?;
    if answer.status == 404 {
        return client.with("x-portal", "1");
    }
    // The crumb is of the session that it was issued in.
    let cookie = answer.header("set-cookie").and_then(|text| text.split(';').next()).map(str::to_owned);
    let crumb = answer.good(&Method::GET, path)?;
    let (field, value) = (crumb["crumbRequestField"].as_str(), crumb["crumb"].as_str());
    let client = client.with(field.unwrap_or("Jenkins-Crumb"), value.unwrap_or_default())?;
    match cookie {
        Some(cookie) => client.with("cookie", &cookie),
        None => Ok(client),
    }
}

pub(super) async fn look(client: &Client, handle: &Value) -> Result<Look, Trouble> {
    let base = handle["base"].as_str().unwrap_or_default();
    let mut look = Look { handle: handle.clone(), ..Look::default() };
    look.handle["misses"] = 0.into();
    let Some(number) = handle["number"].as_u64() else {
        let item = client.get(&format!("/queue/item/{}/api/json", handle["item"])).await?;
        if item["cancelled"] == true {
            look.failed("the build was taken out of the queue".to_owned());
        } else if let Some(number) = item["executable"]["number"].as_u64() {
            look.handle["number"] = number.into();
            look.lines.push(format!("build {number} has begun"));
            look.link("Build", item["executable"]["url"].as_str());
        } else if let Some(why) = item["why"].as_str().filter(|why| handle["why"] != *why) {
            look.handle["why"] = why.into();
            look.lines.push(why.to_owned());
        }
        return Ok(look);
    };
    let tree = "building,result,url,timestamp,estimatedDuration,duration";
    let build = client.get(&format!("{base}/{number}/api/json?tree={tree}")).await?;
    let told = handle["bytes"].as_u64().unwrap_or(0);
    let path = format!("{base}/{number}/logText/progressiveText?start={told}");
    let console = client.ask(Method::GET, &path, Body::Nothing).await?;
    let size = console.header("x-text-size").and_then(|text| text.parse::<u64>().ok());
    if console.status == 200 {
        look.lines.extend(console.text().lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
        look.handle["bytes"] = size.unwrap_or(told).into();
    }
    look.link("Build", build["url"].as_str());
    if build["building"] == true {
        return Ok(look);
    }
    match build["result"].as_str() {
        Some(result @ "SUCCESS") => {
            let output = json!({ "number": number, "url": build["url"], "result": result });
            look.end = Some(Ok(output.as_object().cloned().unwrap_or_default()));
        }
        Some(result) => look.failed(format!("build {number} ended with `{result}`")),
        None => {}
    }
    Ok(look)
}

pub(super) async fn cancel(client: &Client, handle: &Value) -> Result<String, Trouble> {
    let base = handle["base"].as_str().unwrap_or_default();
    let (path, what) = match handle["number"].as_u64() {
        Some(number) => (format!("{base}/{number}/stop"), format!("build {number} is stopped")),
        None => (format!("/queue/cancelItem?id={}", handle["item"]), "the build is taken out of the queue".to_owned()),
    };
    let answer = crumbed(client).await?.ask(Method::POST, &path, Body::Form(String::new())).await?;
    // It answers with a redirect to a page.
    if matches!(answer.status, 200..=399) { Ok(what) } else { answer.good(&Method::POST, &path).map(|_| what) }
}
