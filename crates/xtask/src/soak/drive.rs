//! Writes over HTTP and on disk until the portal is killed.
//!
//! Each entity has one writer, so an answer tells for certain what it holds.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::files;
use crate::http::Client;
use crate::random::Random;
use crate::server::Portal;

use super::model::{Model, Version};

/// Where an entity says which write it comes from.
pub const ANNOTATION: &str = "soak.example.com/version";
pub const FILES: usize = 12;
const ENTITIES_PER_FILE: usize = 25;
const WRITERS: u64 = 2;
const NAMES_PER_WRITER: u64 = 300;

/// Drives the portal for a while, then kills it in the middle of things.
pub fn until_killed(
    mut portal: Portal,
    model: &Mutex<Model>,
    tree: &FileTree,
    random: &mut Random,
    patience: Duration,
) -> Result<()> {
    let door = portal.door.clone();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut drivers = Vec::new();
        for writer in 0..WRITERS {
            let (mut random, over, door) = (random.fork(), &over, &door);
            drivers.push(scope.spawn(move || {
                let mut client = Client::new(door);
                while !over.load(Ordering::Relaxed) {
                    write_some(&mut client, model, writer, &mut random)?;
                }
                Ok(())
            }));
        }
        let (mut file_random, over_ref, door) = (random.fork(), &over, &door);
        drivers.push(scope.spawn(move || {
            let mut client = Client::new(door);
            while !over_ref.load(Ordering::Relaxed) {
                tree.change_some(&mut client, model, &mut file_random)?;
            }
            Ok(())
        }));
        drivers.push(scope.spawn(|| {
            let mut client = Client::new(door);
            while !over.load(Ordering::Relaxed) {
                observe(&mut client, model)?;
            }
            Ok(())
        }));
        thread::sleep(patience);
        // Told first: what fails from now on fails because of the kill.
        over.store(true, Ordering::SeqCst);
        let crashed = (!portal.lives()).then(|| portal.last_lines());
        let killed = portal.kill();
        for driver in drivers {
            let result: Result<()> = driver.join().map_err(|_| anyhow::anyhow!("a driver panicked"))?;
            match result {
                Err(error) if error.downcast_ref::<Refused>().is_some() => return Err(error),
                _ => {}
            }
        }
        match crashed {
            Some(lines) => bail!("the portal ended by itself:\n{lines}"),
            None => killed,
        }
    })
}

/// The portal answered, and not as it should: a fault of its own, not the kill's.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn write_some(client: &mut Client, model: &Mutex<Model>, writer: u64, random: &mut Random) -> Result<()> {
    if random.range(0, 5) == 0 {
        return delete_one(client, model, writer, random);
    }
    let first = random.range(0, NAMES_PER_WRITER);
    let mut writes: Vec<(String, Version)> = Vec::new();
    let mut body = String::new();
    for number in first..first + random.range(1, 40) {
        let name = format!("w{writer}-{}", number % NAMES_PER_WRITER);
        let mut model = lock(model)?;
        let version = model.next_version();
        let entity_ref = format!("component:default/{name}");
        model.send(&entity_ref, Some(version.clone()));
        body.push_str(&component(&name, &version).to_string());
        body.push('\n');
        writes.push((entity_ref, Some(version)));
    }
    let headers = [("content-type", "application/x-ndjson")];
    let response = client.send("POST", "/api/v1/entities/bulk", &headers, body.as_bytes())?;
    if response.status != 207 {
        return Err(Refused(format!("a bulk write answered {}: {}", response.status, text(&response.body))).into());
    }
    let result = response.json("a bulk write")?;
    let items = result["items"].as_array().context("a bulk answer without items")?;
    if items.len() != writes.len() {
        return Err(Refused(format!("{} lines were sent and {} answered", writes.len(), items.len())).into());
    }
    let mut model = lock(model)?;
    for (item, (entity_ref, version)) in items.iter().zip(writes) {
        if item["status"].as_u64().is_none_or(|status| status >= 300) {
            return Err(Refused(format!("a line of a bulk write was refused: {item}")).into());
        }
        if let Some(seq) = item["seq"].as_i64() {
            model.observed.insert(seq, format!("entity:{entity_ref}"));
        }
        model.acknowledge(&entity_ref, version);
    }
    Ok(())
}

fn delete_one(client: &mut Client, model: &Mutex<Model>, writer: u64, random: &mut Random) -> Result<()> {
    let name = format!("w{writer}-{}", random.range(0, NAMES_PER_WRITER));
    let entity_ref = format!("component:default/{name}");
    lock(model)?.send(&entity_ref, None);
    let response = client.send("DELETE", &format!("/api/v1/entities/component/default/{name}"), &[], b"")?;
    if !response.is_success() && response.status != 404 {
        return Err(Refused(format!("a deletion answered {}: {}", response.status, text(&response.body))).into());
    }
    lock(model)?.acknowledge(&entity_ref, None);
    Ok(())
}

/// Remembers what the feed shows: whoever saw a change may rely on it.
fn observe(client: &mut Client, model: &Mutex<Model>) -> Result<()> {
    let page = client.get_json("/api/v1/changes?limit=50")?;
    let mut model = lock(model)?;
    for change in page["items"].as_array().into_iter().flatten() {
        if let (Some(seq), Some(subject)) = (change["seq"].as_i64(), change["subject"].as_str()) {
            model.observed.insert(seq, subject.to_owned());
        }
    }
    drop(model);
    thread::sleep(Duration::from_millis(20));
    Ok(())
}

/// A folder of descriptors that the portal reads. Each start gets a new one
/// beside the old: a pass that a kill interrupts goes on only when its lease
/// has run out, and until then its source would not be read again.
pub struct FileTree {
    pub path: PathBuf,
    number: u32,
}

impl FileTree {
    pub fn create(path: PathBuf, number: u32) -> Result<FileTree> {
        files::create_dir(&path)?;
        Ok(FileTree { path, number })
    }

    /// Writes new versions of some files. Returns what the catalog holds once
    /// they are read.
    pub fn rewrite(&self, model: &Mutex<Model>, numbers: Range<usize>) -> Result<Vec<(String, Version)>> {
        let mut writes = Vec::new();
        for file in numbers {
            let mut documents = Vec::new();
            for entity in 0..ENTITIES_PER_FILE {
                let name = format!("t{}-f{file}-{entity}", self.number);
                let mut model = lock(model)?;
                let version = model.next_version();
                let entity_ref = format!("component:default/{name}");
                model.send(&entity_ref, Some(version.clone()));
                documents.push(component(&name, &version).to_string());
                writes.push((entity_ref, Some(version)));
            }
            // JSON is YAML. Renamed into place, so that no half file is read.
            let temporary = self.path.join(format!(".file-{file}.tmp"));
            std::fs::write(&temporary, documents.join("\n---\n") + "\n").context("cannot write a descriptor")?;
            std::fs::rename(&temporary, self.path.join(format!("file-{file}.yaml")))?;
        }
        Ok(writes)
    }

    fn change_some(&self, client: &mut Client, model: &Mutex<Model>, random: &mut Random) -> Result<()> {
        let first = random.range(0, FILES as u64) as usize;
        let numbers = first..(first + random.range(1, 6) as usize).min(FILES);
        let writes = self.rewrite(model, numbers)?;
        self.read_again(client)?;
        let mut model = lock(model)?;
        for (entity_ref, version) in writes {
            model.acknowledge(&entity_ref, version);
        }
        Ok(())
    }

    /// Asks for a pass and waits for its end. The one that began with the
    /// portal does not count: it may have read the files before they changed.
    fn read_again(&self, client: &mut Client) -> Result<()> {
        let source = self.source(client)?;
        let log = format!("/api/v1/sources/{source}/passes");
        let last = client.get_json(&log)?["items"][0]["id"].as_i64().unwrap_or(0);
        client.post_json(&format!("/api/v1/sources/{source}/refresh"), &json!({}))?;
        for _ in 0..12_000 {
            let passes = client.get_json(&log)?;
            let is_ours = |pass: &&Value| {
                pass["id"].as_i64() > Some(last) && pass["trigger"] == "manual" && !pass["outcome"].is_null()
            };
            match passes["items"].as_array().into_iter().flatten().find(is_ours) {
                Some(pass) if pass["outcome"] == "ok" => return Ok(()),
                Some(pass) => return Err(Refused(format!("a pass did not end well: {pass}")).into()),
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
        bail!("a refresh did not end within two minutes")
    }

    fn source(&self, client: &mut Client) -> Result<i64> {
        let list = client.get_json("/api/v1/sources")?;
        let folder = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut sources = list["items"].as_array().into_iter().flatten();
        let ours = sources.find(|source| source["target"].as_str().is_some_and(|target| target.ends_with(&folder)));
        ours.and_then(|source| source["id"].as_i64()).context("the folder is not among the sources")
    }
}

fn component(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": { "name": name, "annotations": { ANNOTATION: version } },
        "spec": { "type": "service", "lifecycle": "production", "owner": "team-soak" },
    })
}

fn lock(model: &Mutex<Model>) -> Result<std::sync::MutexGuard<'_, Model>> {
    model.lock().map_err(|_| anyhow::anyhow!("a driver panicked"))
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(500).collect()
}
