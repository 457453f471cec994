//! How often a host is asked: a few calls a second, and not at all while it
//! has asked to be left alone.
//!
//! The rate is kept by the generic cell rate algorithm (ITU-T I.371): each call
//! moves the host's next free moment on, and a burst may run ahead of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::DateTime;
use tokio::time::Instant;

use super::EgressError;

/// Hosts that are remembered, at most.
const HOSTS: usize = 1000;
/// Longest time for which a host is left alone, whatever it asks for.
const LONGEST: Duration = Duration::from_secs(900);
/// Longest wait for a turn; whoever would wait longer comes again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time for which it is left alone when it does not say how long.
const USUAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Pace {
    /// Time of one call.
    interval: Duration,
    /// How far calls may run ahead.
    burst: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug, Clone, Copy)]
struct Host {
    /// When the calls so far are paid for.
    paid: Instant,
    resting: Option<Instant>,
}

impl Pace {
    pub(super) fn new(calls_per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / calls_per_second.max(1);
        Self { interval, burst: Duration::from_secs(1), hosts: Mutex::default() }
    }

    /// Waits for the turn of a call.
    ///
    /// # Errors
    /// The host asked to be left alone.
    pub(super) async fn turn(&self, host: &str) -> Result<(), EgressError> {
        let wait = self.reserve(host, Instant::now())?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn reserve(&self, host: &str, now: Instant) -> Result<Duration, EgressError> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS {
            hosts.retain(|_, host| host.paid > now || host.resting.is_some_and(|until| until > now));
        }
        let entry = hosts.entry(host.to_owned()).or_insert(Host { paid: now, resting: None });
        if let Some(until) = entry.resting.filter(|until| *until > now) {
            return Err(EgressError::Resting { host: host.to_owned(), seconds: (until - now).as_secs() + 1 });
        }
        let paid = entry.paid.max(now) + self.interval;
        let wait = (paid - now).saturating_sub(self.burst);
        if wait > PATIENCE {
            return Err(EgressError::Resting { host: host.to_owned(), seconds: wait.as_secs() });
        }
        entry.paid = paid;
        Ok(wait)
    }

    /// Notes that a host answered 429 or 503.
    pub(super) fn rest(&self, host: &str, headers: &HeaderMap) {
        let until = Instant::now() + retry_after(headers).unwrap_or(USUAL).min(LONGEST);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = hosts.entry(host.to_owned()).or_insert(Host { paid: until, resting: None });
        entry.resting = entry.resting.max(Some(until));
    }
}

/// How long a host wants to be left alone, where it says so.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    text(header::RETRY_AFTER).and_then(|after| wait_of(after, text(header::DATE)))
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), which is compared with
/// the `Date` of the same clock.
fn wait_of(after: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = after.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let read = |text: &str| DateTime::parse_from_rfc2822(text.trim()).ok();
    Some((read(after)? - read(date?)?).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_free_and_then_calls_wait() {
        let (pace, now) = (Pace::new(10), Instant::now());
        let waits: Vec<u128> = (0..13).map(|_| pace.reserve("a", now).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300]);
        assert_eq!(pace.reserve("b", now).unwrap(), Duration::ZERO);
        assert_eq!(pace.reserve("a", now + Duration::from_secs(5)).unwrap(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_host_that_asks_for_it_is_left_alone() {
        let pace = Pace::new(10);
        pace.rest("a", &HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("60"))]));
        let error = pace.reserve("a", Instant::now()).unwrap_err();
        assert!(error.to_string().contains("60 s"), "{error}");
        assert!(pace.reserve("b", Instant::now()).is_ok());
        assert!(pace.reserve("a", Instant::now() + Duration::from_secs(61)).is_ok());
    }

    #[test]
    fn it_says_how_long_in_two_ways() {
        let now = Some("Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(wait_of("120", None), Some(Duration::from_secs(120)));
        assert_eq!(wait_of("Thu, 01 Jan 1970 00:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(wait_of("Wed, 31 Dec 1969 00:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait_of("Thu, 01 Jan 1970 00:01:00 GMT", None), None);
        assert_eq!(wait_of("soon", now), None);
    }
}
