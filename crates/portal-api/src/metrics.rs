//! Counters and latencies in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::http::authorized::{Authorized, ReadOperations};
use crate::state::App;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

const KNOWN_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

type Key = (String, String, u16);

static REQUESTS: Mutex<BTreeMap<Key, Latency>> = Mutex::new(BTreeMap::new());
static COUNTERS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Latency {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// Notes one answered request. `route` is the pattern, never the raw path.
pub fn observe(method: &str, route: &str, status: u16, duration: Duration) {
    // A label per method that somebody makes up would grow without bound.
    let method = KNOWN_METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
    let seconds = duration.as_secs_f64();
    let mut requests = REQUESTS.lock().unwrap_or_else(PoisonError::into_inner);
    let latency = requests.entry((method.to_owned(), route.to_owned(), status)).or_default();
    latency.count += 1;
    latency.seconds += seconds;
    for (bucket, bound) in latency.buckets.iter_mut().zip(BUCKETS) {
        *bucket += u64::from(seconds <= bound);
    }
}

/// Adds one to a counter.
pub fn count(name: &'static str) {
    *COUNTERS.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
}

/// `GET /metrics`
pub async fn show_metrics(_auth: Authorized<ReadOperations>, State(app): State<App>) -> impl IntoResponse {
    let snapshot = app.catalog.snapshot();
    let mut text = String::new();
    let _ = writeln!(text, "# TYPE portal_entities gauge\nportal_entities {}", snapshot.index.len());
    let _ = writeln!(text, "# TYPE portal_change_seq gauge\nportal_change_seq {}", snapshot.seq);
    for (name, value) in COUNTERS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = writeln!(text, "# TYPE {name} counter\n{name} {value}");
    }
    text.push_str("# TYPE portal_http_request_seconds histogram\n");
    for ((method, route, status), latency) in REQUESTS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        for (bucket, bound) in latency.buckets.iter().zip(BUCKETS) {
            let _ = writeln!(text, "portal_http_request_seconds_bucket{{{labels},le=\"{bound}\"}} {bucket}");
        }
        let (count, seconds) = (latency.count, latency.seconds);
        let _ = writeln!(text, "portal_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "portal_http_request_seconds_sum{{{labels}}} {seconds}");
        let _ = writeln!(text, "portal_http_request_seconds_count{{{labels}}} {count}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
