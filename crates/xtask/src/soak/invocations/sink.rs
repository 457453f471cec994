//! What invocations have their effect on. It is fenced: an id has its effect once, however
//! often it comes. More than one id for an invocation is an effect that happened twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::http::{Asked, Client, Reply, Server};
use crate::random::Random;

use super::replicas::Replicas;

/// Until a report is sent again that nobody took.
const AGAIN: Duration = Duration::from_millis(200);

/// The sink, and the server before it.
pub struct Sink {
    pub server: Server,
    kept: Arc<Kept>,
}

struct Kept {
    seed: u64,
    /// Ids that had their effect, by invocation.
    effects: Mutex<HashMap<u64, BTreeSet<String>>>,
    /// Ids that were troubled once already.
    troubled: Mutex<BTreeSet<String>>,
    /// Reports by their time; the number keeps those of one moment apart.
    reports: Mutex<BTreeMap<(Instant, u64), Report>>,
    counts: Counts,
}

/// What the faults came to.
#[derive(Default)]
pub struct Counts {
    pub requests: AtomicU64,
    /// That had their effect before.
    pub repeated: AtomicU64,
    pub answered_503: AtomicU64,
    pub dropped: AtomicU64,
    /// Reports that found no run that waits.
    pub refused_reports: AtomicU64,
    /// Requests that say no id or no number.
    pub malformed: AtomicU64,
}

#[derive(Clone)]
struct Report {
    number: u64,
    path: String,
}

/// What the sink does when an id comes for the first time.
enum Trouble {
    Nothing,
    /// 503, without an effect.
    Unavailable,
    /// No answer, without an effect.
    DropBefore,
    /// No answer, with its effect.
    DropAfter,
}

impl Sink {
    pub fn start(seed: u64) -> Result<Sink> {
        let kept = Arc::new(Kept {
            seed,
            effects: Mutex::default(),
            troubled: Mutex::default(),
            reports: Mutex::default(),
            counts: Counts::default(),
        });
        let own = kept.clone();
        let server = Server::start(Ipv4Addr::LOCALHOST, move |asked| own.take(asked))?;
        Ok(Sink { server, kept })
    }

    pub fn counts(&self) -> &Counts {
        &self.kept.counts
    }

    /// How many invocations had an effect.
    pub fn reached(&self) -> u64 {
        lock(&self.kept.effects).len() as u64
    }

    /// The ids that had an effect, by invocation.
    pub fn effects(&self) -> HashMap<u64, BTreeSet<String>> {
        lock(&self.kept.effects).clone()
    }

    /// Sends reports until it is over, as a platform behind a balancer would: to any replica,
    /// and to another when nobody takes it.
    pub fn report(&self, replicas: &Replicas, random: &mut Random, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let now = Instant::now();
            let due = {
                let mut reports = lock(&self.kept.reports);
                let first = reports.first_entry().filter(|entry| entry.key().0 <= now);
                first.map(|entry| entry.remove())
            };
            let Some(report) = due else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            let client = &mut Client::with_patience(&replicas.any(random), Duration::from_secs(2));
            let body = json!({ "status": "succeeded", "output": { "number": report.number } }).to_string();
            let headers = [("content-type", "application/json")];
            // Told twice now and then, unchanged.
            for _ in 0..1 + random.range(0, 10) / 9 {
                match client.send("POST", &report.path, &headers, body.as_bytes()) {
                    Ok(answer) if answer.is_success() => {}
                    Ok(answer) if answer.status < 500 && answer.status != 429 => {
                        self.kept.counts.refused_reports.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => {
                        self.kept.queue(report, AGAIN);
                        break;
                    }
                }
            }
        }
    }
}

impl Kept {
    fn take(&self, asked: &Asked) -> Reply {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let message: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let (Some(id), Some(number)) = (asked.header("webhook-id"), message["data"]["number"].as_u64()) else {
            self.counts.malformed.fetch_add(1, Ordering::Relaxed);
            return Reply::Answer(400, "{}".to_owned());
        };
        let trouble = self.trouble(id, number);
        match trouble {
            Trouble::Unavailable => {
                self.counts.answered_503.fetch_add(1, Ordering::Relaxed);
                return Reply::Answer(503, "{}".to_owned());
            }
            Trouble::DropBefore => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                return Reply::Close;
            }
            Trouble::Nothing | Trouble::DropAfter => {}
        }
        let is_first = lock(&self.effects).entry(number).or_default().insert(id.to_owned());
        if !is_first {
            self.counts.repeated.fetch_add(1, Ordering::Relaxed);
        }
        let callback = message["callback_url"].as_str();
        if let Some(path) = callback.filter(|_| is_first).and_then(path) {
            let delay = Random::new(self.seed ^ number).range(0, 1500);
            self.queue(Report { number, path }, Duration::from_millis(delay));
        }
        if matches!(trouble, Trouble::DropAfter) {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            return Reply::Close;
        }
        Reply::Answer(if callback.is_some() { 202 } else { 200 }, json!({ "number": number }).to_string())
    }

    /// Follows from the seed and the number, for the first request of an id.
    fn trouble(&self, id: &str, number: u64) -> Trouble {
        if !lock(&self.troubled).insert(id.to_owned()) {
            return Trouble::Nothing;
        }
        match Random::new(self.seed.wrapping_mul(31) ^ number).range(0, 100) {
            0..10 => Trouble::Unavailable,
            10..15 => Trouble::DropBefore,
            15..25 => Trouble::DropAfter,
            _ => Trouble::Nothing,
        }
    }

    fn queue(&self, report: Report, delay: Duration) {
        let number = report.number;
        lock(&self.reports).insert((Instant::now() + delay, number), report);
    }
}

/// Path and query of an address.
fn path(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    Some(rest[rest.find('/')?..].to_owned())
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
