//! Load: some clients, each sending its next request when the last is answered.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http::{Client, Door, Response};

/// What a load measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub per_second: f64,
    pub median: Duration,
    pub p99: Duration,
}

/// Sends `paths` in turn for `seconds` from `clients` connections. Another
/// answer than 200 fails the measurement: a fast refusal is no result.
pub fn measure(door: &Door, paths: &[String], clients: usize, seconds: u64) -> Result<Measured> {
    // Warm caches and connections are what a running portal has.
    run(door, paths, clients, Duration::from_millis(500))?;
    let start = Instant::now();
    let mut latencies = run(door, paths, clients, Duration::from_secs(seconds))?;
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Ok(Measured {
        per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        median: percentile(&latencies, 50),
        p99: percentile(&latencies, 99),
    })
}

/// Of sorted durations.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn run(door: &Door, paths: &[String], clients: usize, time: Duration) -> Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let results: Vec<Result<Vec<Duration>>> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..clients).map(|client| scope.spawn(move || one_client(door, paths, client, end))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a client panicked"))).collect()
    });
    let mut latencies = Vec::new();
    for result in results {
        latencies.append(&mut result?);
    }
    Ok(latencies)
}

fn one_client(door: &Door, paths: &[String], first: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::new(door);
    let requests: Vec<Vec<u8>> = paths.iter().map(|path| client.request("GET", path, &[], b"")).collect();
    let mut response = Response::default();
    let mut latencies = Vec::with_capacity(1 << 16);
    // Clients start at different places, so that they do not march in step.
    for turn in first * requests.len() / 16.. {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let request = turn % requests.len();
        client.exchange(&requests[request], &mut response)?;
        latencies.push(start.elapsed());
        if response.status != 200 {
            let body: String = String::from_utf8_lossy(&response.body).chars().take(500).collect();
            bail!("{} answered {}: {body}", paths[request], response.status);
        }
    }
    Ok(latencies)
}

/// Waits until the machine has little to do, for a minute at most.
pub fn wait_for_quiet() {
    const BUSY: f64 = 0.1;
    let began = Instant::now();
    let mut before = processor_time();
    while began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(500));
        let now = processor_time();
        if let (Some((busy_before, before)), Some((busy, all))) = (before, now)
            && (busy - busy_before) as f64 <= BUSY * (all - before) as f64
        {
            return;
        }
        before = now;
    }
}

/// Ticks that the processors were busy, and all ticks, since the machine started.
fn processor_time() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks = text.lines().next()?.split_whitespace().skip(1).map_while(|ticks| ticks.parse::<u64>().ok());
    let ticks: Vec<u64> = ticks.take(8).collect();
    let all: u64 = ticks.iter().sum();
    // Idle, and waiting for the disk.
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((all - idle, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(198));
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
