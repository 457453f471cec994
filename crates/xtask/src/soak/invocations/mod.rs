//! Invocations of actions happen exactly once: three replicas on one PostgreSQL are killed,
//! stopped and cut off from the database and from what they ask, while callers send each
//! invocation until it is answered. In the end each has one run, and one effect.

mod faults;
mod proxy;
mod replicas;
mod sink;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::Client;
use crate::leash::Folder;
use crate::postgres::Postgres;
use crate::process;
use crate::random::Random;
use crate::workspace::Workspace;

use self::faults::Fault;
use self::replicas::{COUNT, Replicas};
use self::sink::Sink;

/// Who invoke at the same time, and who send the sink's reports.
const CALLERS: usize = 12;
const REPORTERS: usize = 4;
/// Invocations that have no effect yet; more would only lengthen the queue.
const AHEAD: u64 = 200;
/// An answer is waited for that long before another replica is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// Everything has ended so long after the last fault, at the latest.
const SETTLING: Duration = Duration::from_secs(120);
/// Until which an invocation is answered, at the latest.
const ANSWERED: Duration = Duration::from_secs(120);

const ACTIONS: &str = r#"apiVersion: portal.dev/v1alpha1
kind: Action
metadata: { name: invoke-now, title: Invoke }
spec:
  owner: soak
  parameters:
    required: [number]
    properties: { number: { type: integer } }
  steps:
    - id: ask
      action: webhook
      input: { connector: sink, path: invocations, body: { number: "${{ parameters.number }}" } }
    - id: say
      action: debug:log
      input: { message: "done ${{ parameters.number }}" }
---
apiVersion: portal.dev/v1alpha1
kind: Action
metadata: { name: invoke-later, title: Invoke and be told }
spec:
  owner: soak
  parameters:
    required: [number]
    properties: { number: { type: integer } }
  steps:
    - id: ask
      action: webhook
      input: { connector: sink, path: invocations, waitForCallback: true, body: { number: "${{ parameters.number }}" } }
    - id: say
      action: debug:log
      input: { message: "told ${{ steps.ask.output.number }}" }
"#;

/// Invokes under faults; returns figures, fails when an invocation is lost or done twice.
pub fn run(workspace: &Workspace, program: &Path, postgres: &Postgres, invocations: u64, seed: u64) -> Result<Value> {
    let again = format!("repeat it with `cargo xtask soak --invocations {invocations} --seed {seed}`");
    let folder = Folder::create("soak-invocations")?;
    let database = format!("soak_invocations_{}", std::process::id());
    let sink = Sink::start(seed)?;
    let to = (postgres, database.as_str());
    let replicas = Replicas::start(workspace, program, &folder.path, to, sink.server.address, ACTIONS)?;
    let mut random = Random::new(seed);
    let faults = faults::plan(&mut random, invocations);
    let load = Load { replicas: &replicas, sink: &sink, invocations, seed, state: State::default() };
    load.all(&faults, &mut random).context(again)
}

/// Everything that goes on at the same time.
struct Load<'a> {
    replicas: &'a Replicas<'a>,
    sink: &'a Sink,
    invocations: u64,
    seed: u64,
    state: State,
}

#[derive(Default)]
struct State {
    /// The next invocation.
    next: AtomicU64,
    answered: AtomicU64,
    /// Requests that were sent again because nobody answered, or not well.
    resent: AtomicU64,
    faults: AtomicUsize,
    /// How often each status was answered.
    statuses: Mutex<BTreeMap<u16, u64>>,
    /// The run of each invocation, as it was answered.
    runs: Mutex<BTreeMap<u64, BTreeSet<i64>>>,
    /// Something went wrong: the others stop.
    is_over: AtomicBool,
}

impl Load<'_> {
    fn all(&self, faults: &[Fault], random: &mut Random) -> Result<Value> {
        wait_for_actions(self.replicas)?;
        let began = Instant::now();
        let reports_are_over = AtomicBool::new(false);
        let (invoked, settled, seen) = thread::scope(|scope| {
            for _ in 0..REPORTERS {
                let (mut random, is_over) = (random.fork(), &reports_are_over);
                scope.spawn(move || self.sink.report(self.replicas, &mut random, is_over));
            }
            let result = self.invoke(faults, random).and_then(|invoked| {
                let healed = Instant::now();
                let seen = self.settle(healed)?;
                Ok((invoked, healed.elapsed(), seen))
            });
            reports_are_over.store(true, Ordering::Relaxed);
            result
        })?;
        let figures = self.judge(&seen)?;
        let per_second = self.invocations as f64 / invoked.as_secs_f64();
        let (counts, seconds) = (faults::counted(faults), began.elapsed());
        println!(
            "  {:<9}{} of {} replicas in {}, {per_second:.0}/s, under {} kills, {} stops and {} partitions: each once",
            "invoked",
            self.invocations,
            COUNT,
            process::seconds(seconds),
            counts["kills"],
            counts["stops"],
            counts["partitions"],
        );
        let mut all = json!({
            "invocations": self.invocations,
            "replicas": COUNT,
            "seconds": seconds.as_secs(),
            "per_second": (per_second * 10.0).round() / 10.0,
            "settled_ms": settled.as_millis() as u64,
        });
        for part in [counts, figures] {
            if let (Some(all), Value::Object(part)) = (all.as_object_mut(), part) {
                all.extend(part);
            }
        }
        Ok(all)
    }

    /// Sends all invocations while the faults happen. Returns how long it took until the
    /// last was answered.
    fn invoke(&self, faults: &[Fault], random: &mut Random) -> Result<Duration> {
        let began = Instant::now();
        thread::scope(|scope| {
            let mut working: Vec<_> = (0..CALLERS)
                .map(|_| {
                    let mut caller = Caller { load: self, random: random.fork(), clients: Vec::new() };
                    scope.spawn(move || caller.work(faults.len()))
                })
                .collect();
            working.push(scope.spawn(|| {
                for fault in faults {
                    self.state.faults.fetch_add(1, Ordering::Relaxed);
                    self.replicas.suffer(fault).with_context(|| format!("{fault:?}"))?;
                    if self.state.is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                Ok(())
            }));
            let mut result = Ok(());
            for one in working {
                let one: Result<()> = one.join().unwrap_or_else(|_| bail!("a thread panicked"));
                result = result.and(one);
            }
            result
        })?;
        Ok(began.elapsed())
    }

    /// Waits until every run has ended; returns all of them.
    fn settle(&self, since: Instant) -> Result<Vec<Value>> {
        let client = &mut Client::new(&self.replicas.door(0));
        loop {
            let mut open = 0;
            for state in ["queued", "running", "waiting"] {
                let page = client.get_json(&format!("/api/v1/runs?state={state}&limit=1"))?;
                open += page["total"].as_u64().context("a list without a total")?;
            }
            if open == 0 {
                break;
            }
            if since.elapsed() > SETTLING {
                let page = client.get_json("/api/v1/runs?state=waiting&limit=3")?;
                bail!(
                    "{open} runs have not ended {} after the last fault; such as {}",
                    process::seconds(SETTLING),
                    page["items"]
                );
            }
            thread::sleep(Duration::from_millis(200));
        }
        self.replicas.all_live()?;
        let (mut runs, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = client.get_json(&format!("/api/v1/runs?limit=200{cursor}"))?;
            runs.append(page["items"].as_array_mut().context("a list without items")?);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(runs),
            }
        }
    }

    /// Each invocation has one run, which succeeded, and one effect.
    fn judge(&self, runs: &[Value]) -> Result<Value> {
        let answered = lock(&self.state.runs).clone();
        let (effects, counts) = (self.sink.effects(), self.sink.counts());
        let mut of: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        let mut states: BTreeMap<&str, u64> = BTreeMap::new();
        for run in runs {
            let number = run["answers"]["number"].as_u64().context("a run without a number")?;
            of.entry(number).or_default().push(run);
            *states.entry(run["state"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let (mut duplicates, mut lost, mut faults) = (0, 0, Vec::new());
        for number in 0..self.invocations {
            let own = of.remove(&number).unwrap_or_default();
            let ids: BTreeSet<i64> = own.iter().filter_map(|run| run["id"].as_i64()).collect();
            let effect = effects.get(&number).map_or(0, BTreeSet::len);
            if own.is_empty() || effect == 0 {
                lost += 1;
            }
            if own.len() > 1 || effect > 1 {
                duplicates += 1;
            }
            let is_well = own.iter().all(|run| run["state"] == "succeeded");
            if own.len() != 1 || effect != 1 || !is_well || answered.get(&number) != Some(&ids) {
                let told: Vec<_> = own.iter().map(|run| (&run["state"], &run["error"], &run["steps"])).collect();
                faults.push(format!(
                    "invocation {number}: effects {:?}, answered {:?}, runs {told:?}",
                    effects.get(&number),
                    answered.get(&number)
                ));
            }
        }
        let statuses = lock(&self.state.statuses).clone();
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let figures = json!({
            "duplicates": duplicates,
            "lost": lost,
            "states": states,
            "answers": statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect::<BTreeMap<_, _>>(),
            "sent_again": count(&self.state.resent),
            "sink": {
                "requests": count(&counts.requests),
                "repeated": count(&counts.repeated),
                "answered_503": count(&counts.answered_503),
                "dropped": count(&counts.dropped),
                "refused_reports": count(&counts.refused_reports),
            },
        });
        ensure!(of.is_empty(), "runs of invocations that nobody made: {:?}", of.keys());
        ensure!(count(&counts.malformed) == 0, "the sink could not read {} requests", count(&counts.malformed));
        ensure!(
            faults.is_empty(),
            "{} of {} invocations are not as they should be: {figures}\n{}",
            faults.len(),
            self.invocations,
            faults[..faults.len().min(10)].join("\n")
        );
        // A fault that nobody felt proves nothing.
        ensure!(count(&self.state.resent) > 0 && count(&counts.repeated) > 0, "the faults came to nothing: {figures}");
        Ok(figures)
    }
}

/// One of those who invoke.
struct Caller<'a> {
    load: &'a Load<'a>,
    random: Random,
    /// A connection to each replica.
    clients: Vec<Option<Client>>,
}

impl Caller<'_> {
    fn work(&mut self, faults: usize) -> Result<()> {
        self.clients.resize_with(COUNT, || None);
        let Load { state, invocations, .. } = self.load;
        loop {
            let number = state.next.fetch_add(1, Ordering::Relaxed);
            if number >= *invocations {
                return Ok(());
            }
            // Spread over the faults, and not far ahead of what is done.
            while number * (faults as u64 + 1) > *invocations * (state.faults.load(Ordering::Relaxed) as u64 + 1)
                || number > self.load.sink.reached() + AHEAD
            {
                if state.is_over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(10));
            }
            if let Err(error) = self.invoke(number) {
                state.is_over.store(true, Ordering::Relaxed);
                return Err(error.context(format!("invocation {number}")));
            }
        }
    }

    /// Sends one until it is answered, now and then twice.
    fn invoke(&mut self, number: u64) -> Result<()> {
        let action = if number.is_multiple_of(2) { "invoke-now" } else { "invoke-later" };
        let body = json!({ "action": action, "values": { "number": number } }).to_string();
        let key = format!("soak-{}-{number}", self.load.seed);
        let state = &self.load.state;
        if self.random.range(0, 50) == 0 {
            let (mut one, mut other) = (self.twin(), self.twin());
            thread::scope(|scope| {
                scope.spawn(|| one.send(number, &key, &body));
                // Whatever becomes of them: what counts is how many runs there are.
                let _ = other.send(number, &key, &body);
            });
        }
        let began = Instant::now();
        while self.send(number, &key, &body)?.is_none() {
            ensure!(began.elapsed() < ANSWERED, "nobody answered for {}", process::seconds(ANSWERED));
            state.resent.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(50));
        }
        state.answered.fetch_add(1, Ordering::Relaxed);
        if self.random.range(0, 20) == 0 {
            self.send(number, &key, &body)?;
        }
        Ok(())
    }

    fn twin(&mut self) -> Self {
        let mut clients = Vec::new();
        clients.resize_with(COUNT, || None);
        Self { load: self.load, random: self.random.fork(), clients }
    }

    /// Sends it once, to any replica; nothing when there is no good answer.
    ///
    /// # Errors
    /// An answer that sending it again does not change.
    fn send(&mut self, number: u64, key: &str, body: &str) -> Result<Option<i64>> {
        let replica = self.random.range(0, COUNT as u64) as usize;
        let door = self.load.replicas.door(replica);
        let kept = self.clients[replica].take().filter(|client| client.address() == door.address);
        let mut client = kept.unwrap_or_else(|| Client::with_patience(&door, PATIENCE));
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let Ok(answer) = client.send("POST", "/api/v1/runs", &headers, body.as_bytes()) else { return Ok(None) };
        self.clients[replica] = Some(client);
        *lock(&self.load.state.statuses).entry(answer.status).or_default() += 1;
        match answer.status {
            202 => {
                let id = answer.json("a run")?["id"].as_i64().context("a run without an id")?;
                lock(&self.load.state.runs).entry(number).or_default().insert(id);
                Ok(Some(id))
            }
            // The same key at the same moment, or no database.
            409 | 503 => Ok(None),
            _ => answer.json("a run").map(|_| None),
        }
    }
}

fn lock<T>(kept: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits until every replica knows what is invoked.
fn wait_for_actions(replicas: &Replicas) -> Result<()> {
    let began = Instant::now();
    for number in 0..COUNT {
        let client = &mut Client::new(&replicas.door(number));
        while client.get_json("/api/v1/actions")?["total"] != 2 {
            ensure!(began.elapsed() < Duration::from_secs(60), "the actions are not there");
            thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}
