//! What keeps one platform in trouble from holding up the others: so many calls to a
//! connector are under way at a time, and one that does not answer is left alone for a
//! while. Kept in memory, by each process for itself; a step that is not let through waits
//! durably, and may come to another process. A connector that was changed begins anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use portal_core::connectors::{ConnectorState, ConnectorTest};
use portal_core::templates::Trouble;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Connector, ConnectorConfig};
use crate::clock::later;
use crate::egress::{Call, Called, EgressError};
use crate::state::App;
use crate::templates::http_request::no_answer;
use crate::templates::perform;

/// Calls in a row without an answer, or with one of a server in trouble, until it rests.
const FAILURES: u32 = 5;
/// Longest wait for a place among the calls, while a worker is held.
const PATIENCE: Duration = Duration::from_millis(100);
/// Longest wait until a step that was not let through is looked at again.
const LONGEST: u64 = 15_000;
/// Seconds until a host that was asked too often is asked again.
const BUSY: u64 = 5;

/// The gates of all connectors, by name.
#[derive(Default)]
pub struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

impl Gates {
    /// The gate of a connector as it is now.
    pub fn of(&self, connector: &Connector) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match gates.get(&connector.name).filter(|gate| gate.version == connector.version()) {
            Some(gate) => gate.clone(),
            None => {
                let gate = Arc::new(Gate::new(connector, connector.version()));
                gates.insert(connector.name.clone(), gate.clone());
                gate
            }
        }
    }

    /// Forgets those of connectors that are gone.
    pub fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| is_there(name));
    }
}

/// The gate of one connector.
pub struct Gate {
    /// Of the connector.
    version: String,
    limit: usize,
    rest: TimeDelta,
    places: Arc<Semaphore>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In a row.
    failures: u32,
    /// Until when it is left alone; afterwards one call tries.
    rests_until: Option<DateTime<Utc>>,
    is_trying: bool,
    /// Not let through since a call ended.
    refused: u64,
    tested: Option<ConnectorTest>,
}

/// Why a call is not made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    Full { limit: usize },
    Resting,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nothing was sent, for the gate is closed; when to ask again.
    Closed(Closed, DateTime<Utc>),
    /// Nothing was sent, for too much is asked of its host from here; when to ask again.
    Busy(DateTime<Utc>),
    Silent(EgressError),
}

impl Unanswered {
    /// Why it is waited for, where it is.
    pub fn wait(&self, connector: &str) -> Option<String> {
        Some(match self {
            Self::Closed(Closed::Full { limit }, _) => format!("waiting: {limit} calls to {connector} are under way"),
            Self::Closed(Closed::Resting, _) => {
                format!("waiting: {connector} does not answer and is left alone for a while")
            }
            Self::Busy(_) => format!("{connector} is asked too often; waiting"),
            Self::Silent(_) => return None,
        })
    }

    /// What the step makes of it: what was not sent is sent later, and is no attempt.
    pub fn trouble(self, method: &Method) -> Trouble {
        match self {
            Self::Closed(_, again) | Self::Busy(again) => perform::later(again),
            Self::Silent(error) => no_answer(method, &error),
        }
    }
}

impl Gate {
    fn new(connector: &ConnectorConfig, version: &str) -> Self {
        let limit = connector.limit.clamp(1, Semaphore::MAX_PERMITS);
        let rest = TimeDelta::seconds(i64::from(connector.rest_seconds));
        let (version, places) = (version.to_owned(), Arc::new(Semaphore::new(limit)));
        Self { version, limit, rest, places, kept: Mutex::default() }
    }

    /// Sends a request when there is a place for it, and notes how it ended. `entered` is
    /// called just before it is sent.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn send(self: &Arc<Self>, app: &App, call: Call, entered: impl FnOnce()) -> Result<Called, Unanswered> {
        let closed = |(closed, again)| Unanswered::Closed(closed, again);
        let place = self.enter(app.clock.now()).await.map_err(closed)?;
        entered();
        let called = app.platforms.call(call).await;
        let now = app.clock.now();
        match called {
            // It says nothing about the connector.
            Err(EgressError::Busy { .. } | EgressError::Resting { .. }) => Err(Unanswered::Busy(later(now, BUSY))),
            Err(error) => {
                place.ended(false, now);
                Err(Unanswered::Silent(error))
            }
            Ok(called) => {
                place.ended(!called.status.is_server_error(), now);
                Ok(called)
            }
        }
    }

    /// What came of the last test.
    pub fn tested(&self) -> Option<ConnectorTest> {
        self.kept().tested.clone()
    }

    pub fn note(&self, test: ConnectorTest) {
        self.kept().tested = Some(test);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is at this moment.
    pub fn state(&self, now: DateTime<Utc>) -> ConnectorState {
        match self.kept().rests_until {
            None => ConnectorState::Ready,
            Some(until) if until > now => ConnectorState::Resting,
            Some(_) => ConnectorState::Trying,
        }
    }

    /// A place among the calls.
    ///
    /// # Errors
    /// There is none, and when to ask again.
    async fn enter(self: &Arc<Self>, now: DateTime<Utc>) -> Result<Entered, (Closed, DateTime<Utc>)> {
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let mut kept = self.kept();
        let Ok(Ok(place)) = place else {
            return Err((Closed::Full { limit: self.limit }, kept.refuse(self.limit, now)));
        };
        let is_trial = kept.rests_until.is_some();
        if kept.rests_until.is_some_and(|until| until > now) || (is_trial && kept.is_trying) {
            return Err((Closed::Resting, kept.refuse(self.limit, now)));
        }
        kept.is_trying = is_trial;
        Ok(Entered { gate: self.clone(), is_trial, _place: place })
    }
}

impl Kept {
    /// When whoever is not let through asks again: the later the more there are, and not all
    /// at once.
    fn refuse(&mut self, limit: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        self.refused += 1;
        let most = (1000 + 1000 * self.refused / limit as u64).min(LONGEST);
        let mut random = [0; 8];
        // Without randomness all ask at the same time.
        let drawn = getrandom::fill(&mut random).map_or(0, |()| u64::from_le_bytes(random));
        now + TimeDelta::milliseconds(i64::try_from(most / 2 + drawn % (most / 2)).unwrap_or_default())
    }
}

/// A call that is under way. One that tells nothing of its end (it was cancelled) says
/// nothing about the connector.
struct Entered {
    gate: Arc<Gate>,
    is_trial: bool,
    _place: OwnedSemaphorePermit,
}

impl Entered {
    /// Notes whether the connector answered, and not that it is in trouble.
    fn ended(self, is_well: bool, now: DateTime<Utc>) {
        let mut kept = self.gate.kept();
        kept.refused = 0;
        if is_well {
            (kept.failures, kept.rests_until) = (0, None);
            return;
        }
        kept.failures += 1;
        // What was under way when the rest began does not prolong it.
        if self.is_trial || (kept.failures >= FAILURES && kept.rests_until.is_none()) {
            kept.rests_until = Some(now + self.gate.rest);
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if self.is_trial {
            self.gate.kept().is_trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(limit: usize) -> Arc<Gate> {
        let text = format!("name = 'x'\nkind = 'webhook'\nurl = 'http://x'\nlimit = {limit}");
        Arc::new(Gate::new(&toml::from_str(&text).unwrap(), ""))
    }

    #[tokio::test]
    async fn so_many_are_under_way_and_no_more() {
        let (gate, now) = (gate(2), DateTime::UNIX_EPOCH);
        let (_one, two) = (gate.enter(now).await.ok().unwrap(), gate.enter(now).await.ok().unwrap());
        let (closed, again) = gate.enter(now).await.err().unwrap();
        assert_eq!(closed, Closed::Full { limit: 2 });
        assert!(again > now && again <= now + TimeDelta::seconds(2), "{again}");
        for _ in 0..200 {
            gate.kept().refuse(2, now);
        }
        assert!(gate.kept().refuse(2, now) >= now + TimeDelta::milliseconds(7500));
        two.ended(true, now);
        assert!(gate.enter(now).await.is_ok());
    }

    #[tokio::test]
    async fn after_five_failures_it_rests_and_one_call_tries() {
        let (gate, now) = (gate(8), DateTime::UNIX_EPOCH);
        let late = gate.enter(now).await.ok().unwrap();
        for number in 0..5 {
            assert_eq!(gate.state(now), ConnectorState::Ready, "{number}");
            gate.enter(now).await.ok().unwrap().ended(false, now);
        }
        assert_eq!(gate.state(now), ConnectorState::Resting);
        assert_eq!(gate.enter(now).await.err().unwrap().0, Closed::Resting);
        late.ended(false, now + TimeDelta::seconds(20));
        let then = now + TimeDelta::seconds(30);
        assert_eq!(gate.state(then), ConnectorState::Trying);
        let trial = gate.enter(then).await.ok().unwrap();
        assert_eq!(gate.enter(then).await.err().unwrap().0, Closed::Resting);
        trial.ended(false, then);
        assert_eq!(gate.state(then), ConnectorState::Resting);
        let then = then + TimeDelta::seconds(30);
        // A trial that tells nothing leaves its place to the next.
        drop(gate.enter(then).await.ok().unwrap());
        gate.enter(then).await.ok().unwrap().ended(true, then);
        assert_eq!(gate.state(then), ConnectorState::Ready);
        assert!(gate.enter(then).await.is_ok());
    }
}
