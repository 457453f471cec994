//! Runs of a template: how many are started and worked off in a second, and whether many
//! who watch a log slow the catalog down.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::Client;
use crate::server::{Portal, Setup};

use super::load;
use super::scenes::{Figures, Scene};
use super::table::milliseconds;

/// Who start runs at the same time.
const STARTERS: usize = 8;
/// Who watch one log.
const VIEWERS: usize = 200;
const LIMIT: Duration = Duration::from_secs(120);

/// Measures both, and enters the figures.
pub fn measure(scene: &Scene, figures: &mut Figures) -> Result<()> {
    let setup = Setup {
        variables: &[],
        name: "bench-runs",
        program: scene.program.to_owned(),
        data: &scene.folder,
        database: scene.database,
        arguments: ["--writes-per-second", "0", "--reads-per-second", "0", "--catalog"]
            .into_iter()
            .map(str::to_owned)
            .chain([scene.catalog.display().to_string()])
            .collect(),
    };
    let portal = Portal::start(scene.workspace, &setup)?;
    let client = &mut Client::new(&portal.door);
    store(client, "bench", &json!([{ "id": "say", "action": "debug:log", "input": { "message": "hello" } }]))?;
    let (started, done) = rates(&portal, scene.seconds)?;
    println!("  {:<9}{started:.0} started, {done:.0} worked off a second", "runs");
    figures.push(("runs started, 8 clients", started));
    figures.push(("runs worked off", done));

    let list = ["/api/catalog/entities/by-query?limit=20".to_owned()];
    load::wait_for_quiet();
    let idle = load::measure(&portal.door, &list, 4, scene.seconds)?;
    // The first connection has rested for too long by now.
    let client = &mut Client::new(&portal.door);
    let waits = json!([
        { "id": "talk", "action": "debug:wait", "each": (0..900).collect::<Vec<u32>>(), "input": { "milliseconds": 50 } },
    ]);
    store(client, "talk", &waits)?;
    let id = start(client, "talk")?;
    let (stop, lines) = (AtomicBool::new(false), AtomicU64::new(0));
    let watched = thread::scope(|scope| {
        let viewers: Vec<_> = (0..VIEWERS).map(|_| scope.spawn(|| watch(&portal, id, &stop, &lines))).collect();
        thread::sleep(Duration::from_secs(1));
        let before = lines.load(Ordering::Relaxed);
        let watched = load::measure(&portal.door, &list, 4, scene.seconds);
        let seen = lines.load(Ordering::Relaxed) - before;
        stop.store(true, Ordering::Relaxed);
        Client::new(&portal.door).post_json(&format!("/api/v1/runs/{id}/cancel"), &json!({}))?;
        for viewer in viewers {
            viewer.join().unwrap_or_else(|_| bail!("a viewer panicked"))?;
        }
        ensure!(seen > VIEWERS as u64, "{VIEWERS} viewers saw {seen} lines");
        watched
    })?;
    let ratio = watched.p99.as_secs_f64() / idle.p99.as_secs_f64();
    println!(
        "  {:<9}{:.2} ms idle, {:.2} ms with {VIEWERS} viewers (p99 of a list of 20)",
        "viewers",
        milliseconds(idle.p99),
        milliseconds(watched.p99)
    );
    figures.push(("list p99, 200 viewers of a log to idle", ratio));
    Ok(())
}

/// Stores a template of these steps.
fn store(client: &mut Client, name: &str, steps: &Value) -> Result<()> {
    let template = json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": { "name": name },
        "spec": { "type": "service", "owner": "bench", "steps": steps },
    });
    let headers = [("content-type", "application/json")];
    let path = format!("/api/v1/entities/template/default/{name}");
    let response = client.send("PUT", &path, &headers, template.to_string().as_bytes())?;
    ensure!(response.is_success(), "{path} answered {}: {}", response.status, String::from_utf8_lossy(&response.body));
    Ok(())
}

fn start(client: &mut Client, template: &str) -> Result<i64> {
    let run = client.post_json("/api/v1/runs", &json!({ "template": template, "values": {} }))?;
    run["id"].as_i64().context("a run without an id")
}

/// Runs started in a second, and worked off until all had ended.
fn rates(portal: &Portal, seconds: u64) -> Result<(f64, f64)> {
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds);
    let counts: Vec<Result<u64>> = thread::scope(|scope| {
        let starters: Vec<_> = (0..STARTERS)
            .map(|_| {
                scope.spawn(move || {
                    let client = &mut Client::new(&portal.door);
                    let mut count = 0;
                    while Instant::now() < end {
                        start(client, "bench")?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        starters.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a starter panicked"))).collect()
    });
    let elapsed = began.elapsed();
    let count: u64 = counts.into_iter().sum::<Result<u64>>()?;
    let client = &mut Client::new(&portal.door);
    loop {
        let done = client.get_json("/api/v1/runs?state=succeeded&limit=1")?["total"].as_u64().unwrap_or(0);
        if done >= count {
            break;
        }
        ensure!(began.elapsed() < LIMIT, "{done} of {count} runs ended after {LIMIT:?}");
        thread::sleep(Duration::from_millis(50));
    }
    Ok((count as f64 / elapsed.as_secs_f64(), count as f64 / began.elapsed().as_secs_f64()))
}

/// Reads the stream of a log, and counts its lines.
fn watch(portal: &Portal, id: i64, stop: &AtomicBool, lines: &AtomicU64) -> Result<()> {
    let mut stream = TcpStream::connect(portal.door.address)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let request = Client::new(&portal.door).request("GET", &format!("/api/v1/runs/{id}/log/stream"), &[], b"");
    stream.write_all(&request)?;
    let mut piece = [0; 16 << 10];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut piece) {
            Ok(0) => bail!("the stream ended while the run was under way"),
            Ok(size) => {
                let seen = piece[..size].windows(6).filter(|part| part == b"\ndata:").count();
                lines.fetch_add(seen as u64, Ordering::Relaxed);
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
