//! How often one caller may ask: so many reads and writes a second, with room for
//! bursts, so that nobody slows down everybody.
//!
//! Somebody with an account is counted by it, wherever they call from; others, and
//! credentials that open nothing, by their address.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use portal_core::access::Principal;

use super::origin::Origin;
use crate::config::Limits;
use crate::error::ApiError;
use crate::state::App;

/// Seconds of reads that may come at once.
const READ_BURST: u32 = 2;
/// Seconds of writes that may come at once: a script that puts a hundred things in
/// order should not have to wait.
const WRITE_BURST: u32 = 10;
/// Credentials that open nothing, a second.
const FAILURES: u32 = 5;
const FAILURE_BURST: u32 = 20;
/// Between two rounds of forgetting who has not asked for a while.
const FORGET: Duration = Duration::from_secs(60);

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// What every caller has used up.
pub struct Usage {
    reads: Option<Allowance>,
    writes: Option<Allowance>,
    failures: Option<Allowance>,
}

struct Allowance {
    limiter: RateLimiter<String, HashMapStateStore<String>, DefaultClock, StateInformationMiddleware>,
    a_second: u32,
}

/// What is left to a caller.
struct Left {
    burst: u32,
    remaining: u32,
    a_second: u32,
}

impl Usage {
    /// 0 a second is no limit.
    pub fn new(limits: &Limits) -> Self {
        let Limits { reads_per_second, writes_per_second, .. } = limits;
        Self {
            reads: Allowance::new(*reads_per_second, READ_BURST.saturating_mul(*reads_per_second)),
            writes: Allowance::new(*writes_per_second, WRITE_BURST.saturating_mul(*writes_per_second)),
            failures: Allowance::new(if *writes_per_second == 0 { 0 } else { FAILURES }, FAILURE_BURST),
        }
    }

    /// Counts a credential that opened nothing.
    ///
    /// # Errors
    /// 429 after too many from one address.
    pub fn failed(&self, address: &str) -> Result<(), ApiError> {
        match &self.failures {
            Some(failures) => failures.take(address).map(drop),
            None => Ok(()),
        }
    }

    /// Forgets callers whose allowance is whole again, until the portal stops.
    pub async fn tidy(app: App) {
        while app.stop.run_until_cancelled(tokio::time::sleep(FORGET)).await.is_some() {
            let Self { reads, writes, failures } = &app.usage;
            for allowance in [reads, writes, failures].into_iter().flatten() {
                allowance.limiter.retain_recent();
                allowance.limiter.shrink_to_fit();
            }
        }
    }
}

impl Allowance {
    fn new(a_second: u32, burst: u32) -> Option<Self> {
        let quota = Quota::per_second(NonZeroU32::new(a_second)?).allow_burst(NonZeroU32::new(burst)?);
        let limiter = RateLimiter::hashmap_with_clock(quota, DefaultClock::default());
        Some(Self { limiter: limiter.with_middleware(), a_second })
    }

    fn take(&self, who: &str) -> Result<Left, ApiError> {
        match self.limiter.check_key(&who.to_owned()) {
            Ok(state) => Ok(Left {
                burst: state.quota().burst_size().get(),
                remaining: state.remaining_burst_capacity(),
                a_second: self.a_second,
            }),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Err(ApiError::TooMany(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)))
            }
        }
    }
}

/// Passes what its caller may still ask for; the answers of the API say how much is left.
pub async fn check(app: App, request: Request, next: Next) -> Response {
    let allowance = if request.method().is_safe() { &app.usage.reads } else { &app.usage.writes };
    let Some(allowance) = allowance else { return next.run(request).await };
    let principal = request.extensions().get::<Principal>();
    let who = match principal.filter(|principal| principal.has_account()) {
        Some(principal) => principal.actor.0.clone(),
        None => request.extensions().get::<Origin>().map(|origin| origin.address.clone()).unwrap_or_default(),
    };
    let told = request.uri().path().starts_with("/api/");
    let left = match allowance.take(&who) {
        Ok(left) => left,
        Err(error) => return error.into_response(),
    };
    let mut response = next.run(request).await;
    if told {
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(left.burst));
        headers.insert(REMAINING, HeaderValue::from(left.remaining));
        headers.insert(RESET, HeaderValue::from((left.burst - left.remaining).div_ceil(left.a_second)));
    }
    response
}
