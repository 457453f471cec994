//! Whether a target that hangs delays what goes to others: the time from a request for an
//! action to its effect, alone and beside many that go to a target which takes the
//! connection and never answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::files;
use crate::http::{Client, Reply, Server};
use crate::server::{Portal, Setup};

use super::load;
use super::scenes::{Figures, Scene};
use super::table::milliseconds;

/// Of each kind.
const INVOCATIONS: u64 = 200;
/// Between two to the target that answers.
const PACE: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(120);

/// When each invocation had its effect.
type Effects = Arc<Mutex<HashMap<u64, Instant>>>;

/// Measures both, and enters the figures.
pub fn measure(scene: &Scene, figures: &mut Figures) -> Result<()> {
    let effects = Effects::default();
    let own = effects.clone();
    let fast = Server::start(Ipv4Addr::LOCALHOST, move |asked| {
        let message: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        if let Some(number) = message["data"]["number"].as_u64() {
            lock(&own).entry(number).or_insert_with(Instant::now);
        }
        Reply::Answer(200, "{}".to_owned())
    })?;
    // Another host: the pace at which one host is asked is not what is measured.
    let hanging = Server::start(Ipv4Addr::new(127, 0, 0, 2), |_| Reply::Silence)?;
    let portal = start(scene, &fast, &hanging)?;
    let client = &mut Client::new(&portal.door);
    let began = Instant::now();
    while client.get_json("/api/v1/actions")?["total"] != 2 {
        ensure!(began.elapsed() < LIMIT, "the actions are not there");
        thread::sleep(Duration::from_millis(20));
    }
    // The first ones pay for what is made once.
    times(client, &effects, 0..20)?;
    let alone = times(client, &effects, 1000..1000 + INVOCATIONS)?;
    for number in 0..INVOCATIONS {
        invoke(client, "hang", number)?;
    }
    let beside = times(client, &effects, 2000..2000 + INVOCATIONS)?;
    let open = ["queued", "running", "waiting"].iter().try_fold(0, |open, state| {
        let page = client.get_json(&format!("/api/v1/runs?state={state}&limit=1"))?;
        Ok::<_, anyhow::Error>(open + page["total"].as_u64().unwrap_or(0))
    })?;
    ensure!(open >= INVOCATIONS / 2, "{open} of {INVOCATIONS} runs still hang: the others were not beside them");
    let percentile = |times: &[Duration], percent| milliseconds(load::percentile(times, percent));
    let ratio = |percent| percentile(&beside, percent) / percentile(&alone, percent);
    println!(
        "  {:<9}{:.0} and {:.0} ms alone, {:.0} and {:.0} ms beside {INVOCATIONS} that hang (p50 and p95 until the effect)",
        "targets",
        percentile(&alone, 50),
        percentile(&alone, 95),
        percentile(&beside, 50),
        percentile(&beside, 95),
    );
    figures.push(("action to its effect, p50", percentile(&alone, 50)));
    figures.push(("action to its effect, p95", percentile(&alone, 95)));
    figures.push(("the same, 200 hang elsewhere, to alone, p50", ratio(50)));
    figures.push(("the same, 200 hang elsewhere, to alone, p95", ratio(95)));
    Ok(())
}

fn start(scene: &Scene, fast: &Server, hanging: &Server) -> Result<Portal> {
    let folder = scene.folder.with_extension("targets");
    let action = |name: &str| {
        let input = json!({ "connector": name, "body": { "number": "${{ parameters.number }}" } });
        json!({
            "apiVersion": "portal.dev/v1alpha1",
            "kind": "Action",
            "metadata": { "name": name },
            "spec": {
                "owner": "bench",
                "parameters": { "properties": { "number": { "type": "integer" } } },
                "steps": [{ "id": "ask", "action": "webhook", "input": input }],
            },
        })
    };
    let catalog = folder.join("catalog-info.yaml");
    files::write_if_changed(&catalog, format!("{}\n---\n{}\n", action("fast"), action("hang")).as_bytes())?;
    let connector = |name: &str, server: &Server| {
        format!("[[connector]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"http://{}\"\n", server.address)
    };
    let config = folder.join("portal.toml");
    let text = format!("[egress]\ncalls_per_second = 100\n{}{}", connector("fast", fast), connector("hang", hanging));
    files::write_if_changed(&config, text.as_bytes())?;
    let arguments = ["--config", &config.display().to_string(), "--catalog", &catalog.display().to_string()];
    let setup = Setup {
        variables: &[],
        name: "bench-targets",
        program: scene.program.to_owned(),
        data: &folder.join("data"),
        database: scene.database,
        arguments: arguments.map(str::to_owned).into(),
    };
    Portal::start(scene.workspace, &setup)
}

fn invoke(client: &mut Client, action: &str, number: u64) -> Result<()> {
    let run = client.post_json("/api/v1/runs", &json!({ "action": action, "values": { "number": number } }))?;
    run["id"].as_i64().map(drop).context("a run without an id")
}

/// How long it took from each request to its effect, in order.
fn times(client: &mut Client, effects: &Effects, numbers: std::ops::Range<u64>) -> Result<Vec<Duration>> {
    let mut sent = HashMap::new();
    let began = Instant::now();
    for number in numbers.clone() {
        let due = began + PACE * (number - numbers.start) as u32;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        sent.insert(number, Instant::now());
        invoke(client, "fast", number)?;
    }
    let waited = Instant::now();
    loop {
        let seen = lock(effects);
        let mut times: Vec<Duration> =
            sent.iter().filter_map(|(number, sent)| Some(seen.get(number)?.duration_since(*sent))).collect();
        drop(seen);
        if times.len() == sent.len() {
            times.sort_unstable();
            return Ok(times);
        }
        ensure!(waited.elapsed() < LIMIT, "{} of {} invocations had their effect", times.len(), sent.len());
        thread::sleep(Duration::from_millis(20));
    }
}

fn lock(effects: &Effects) -> MutexGuard<'_, HashMap<u64, Instant>> {
    effects.lock().unwrap_or_else(PoisonError::into_inner)
}
