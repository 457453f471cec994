//! One reading of a source: fetch, compare, judge, write, settle.
//!
//! An unchanged file costs a hash. A changed file is parsed and judged off the
//! async threads, and its entities, verdicts and hash are written together, so
//! that a pass that is cut off goes on where it stopped. What no document
//! declares any more is settled at the end, from what is stored, never from
//! what this pass remembers.

mod batch;
mod documentation;
mod load;
pub mod preview;
pub(super) mod settle;
mod walk;

use chrono::{DateTime, Duration, Utc};
use portal_core::sources::wire::{SourceState, SourceType};

use super::Trigger;
use super::credential::CredentialRef;
use super::fetch::{self, FetchError, Outcome, Request};
use super::store::{self, Finish, Source};
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, DbError, Priority};
use crate::jobs::Claimed;
use crate::jobs::queue;
use crate::state::App;

/// Passes kept in the log of a source.
const PASSES: u64 = 200;

/// Why a pass ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("another process reads this source now")]
    LeaseLost,
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub removed: i64,
    /// Files that differ from the last pass, or went away.
    pub files: i64,
}

/// A pass under way.
pub(super) struct Pass<'a> {
    app: &'a App,
    job: &'a Claimed,
    source: Source,
    trigger: Trigger,
    writing: Writing,
    /// Row of the log, once there is something to tell.
    log: Option<i64>,
    tally: Tally,
}

/// How reading went.
enum Reading {
    /// Nothing differs.
    Unchanged,
    Read {
        revision: Option<String>,
    },
    Failed(FetchError),
}

/// Reads a source once, as of `at`, and leaves its state, its log and the time of its next pass.
///
/// # Errors
/// The database, or the lease of `job` was lost. That the source cannot be read
/// is not an error: it is recorded.
pub async fn run(
    app: &App,
    job: &Claimed,
    source: Source,
    trigger: Trigger,
    at: DateTime<Utc>,
) -> Result<Tally, PassError> {
    let writing = Writing::system(format!("source:{}", source.id), at);
    let interrupted = source.state == SourceState::Reading;
    let mut pass = Pass { app, job, source, trigger, writing, log: None, tally: Tally::default() };
    if trigger != Trigger::Schedule || pass.source.state == SourceState::New || interrupted {
        pass.open().await?;
    }
    let reading = pass.read(interrupted).await?;
    pass.close(reading).await?;
    Ok(pass.tally)
}

impl Pass<'_> {
    /// Writes, unless another process has taken the source over.
    async fn write<T, F>(&self, work: F) -> Result<T, PassError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> futures::future::BoxFuture<'t, Result<T, PassError>>
            + Send
            + 'static,
    {
        let job = self.job.clone();
        self.app
            .db
            .write(Priority::Background, move |txn| {
                Box::pin(async move {
                    if !queue::holds(txn, &job).await? {
                        return Err(PassError::LeaseLost);
                    }
                    work(txn).await
                })
            })
            .await
    }

    /// Begins the log entry and shows that the source is being read.
    async fn open(&mut self) -> Result<(), PassError> {
        if self.log.is_some() {
            return Ok(());
        }
        let (id, at, trigger) = (self.source.id, self.writing.at, self.trigger);
        let (change, writing) = (state_change(&self.source, SourceState::Reading, None), self.writing.clone());
        let log = self.write(move |txn| {
            Box::pin(async move {
                store::close_passes(txn, id, at).await?;
                store::set_state(txn, id, SourceState::Reading).await?;
                changes::store::append(txn, &writing, vec![change]).await?;
                Ok(store::insert_pass(txn, id, at, trigger.as_str()).await?)
            })
        });
        self.log = Some(log.await?);
        Ok(())
    }

    async fn read(&mut self, interrupted: bool) -> Result<Reading, PassError> {
        let app = self.app;
        let known = store::files(app.db.reader(), self.source.id).await?;
        let kinds = app.catalog.snapshot().kinds.clone();
        let mark = walk::mark(&kinds, self.source.trusted);
        // A file that was judged by other rules must be read again.
        let comparable = !interrupted && known.values().all(|file| file.hash.starts_with(&mark));
        let request = match request(&self.source) {
            Ok(request) => request,
            Err(error) => return Ok(Reading::Failed(error)),
        };
        let context = &app.sources;
        let previous =
            self.source.revision.as_deref().filter(|_| comparable && self.source.source_type == SourceType::Git);
        let mut outcome = fetch::fetch(context, &request, previous).await;
        if let Ok(Outcome::NotModified) = outcome {
            if !load::remote_changed(context, &request, &known, &mark).await {
                return Ok(Reading::Unchanged);
            }
            outcome = fetch::fetch(context, &request, None).await;
        }
        let fetched = match outcome {
            Ok(Outcome::Read(fetched)) => *fetched,
            Ok(Outcome::NotModified) => return Ok(Reading::Unchanged),
            Err(error) => return Ok(Reading::Failed(error)),
        };
        let revision = fetched.revision.clone();
        let mut writer = batch::Writer::new(self, &known);
        let visited = walk::walk(context, &request, &fetched, &known, kinds, &mark, &mut writer).await?;
        if let Some(error) = visited.failure {
            return Ok(Reading::Failed(error));
        }
        writer.end().await?;
        let gone: Vec<String> = known.keys().filter(|file| !visited.files.contains(*file)).cloned().collect();
        if self.tally.files > 0 || !gone.is_empty() || interrupted {
            settle::settle(self, gone).await?;
        }
        let known = if self.tally.files > 0 { store::files(app.db.reader(), self.source.id).await? } else { known };
        // Of an incomplete reading the revision does not count: the next pass reads again.
        let complete = documentation::update(self, &request, &fetched, &known).await?;
        let revision = revision.filter(|_| complete);
        let same = self.tally.files == 0 && revision.is_some() && revision == self.source.revision;
        if self.tally.files == 0 && (same || revision.is_none()) {
            return Ok(Reading::Unchanged);
        }
        Ok(Reading::Read { revision })
    }

    async fn close(&mut self, reading: Reading) -> Result<(), PassError> {
        let db = self.app.db.reader();
        let (id, started_at) = (self.source.id, self.writing.at);
        let finished_at = self.app.clock.now();
        let errors = store::count_faulty(db, id).await?;
        let healthy = if errors == 0 { SourceState::Ok } else { SourceState::Degraded };
        let (state, failure, revision, read_at) = match reading {
            Reading::Unchanged => (healthy, None, self.source.revision.clone(), Some(finished_at)),
            Reading::Read { revision } => (healthy, None, revision, Some(finished_at)),
            Reading::Failed(error) => {
                let text = error.to_string();
                tracing::warn!(source.id = id, code = error.code(), error = %text, "could not read source {id}");
                (SourceState::Failed, Some(text), self.source.revision.clone(), None)
            }
        };
        let news =
            state != self.source.state && self.source.state != SourceState::Reading || failure != self.source.failure;
        if news && state == SourceState::Failed {
            self.open().await?;
        }
        let finish = Finish {
            state,
            failure: failure.clone(),
            revision: revision.clone(),
            read_at,
            next_pass_at: next_pass_at(started_at, self.source.interval_seconds),
            started_at,
        };
        let log = match self.log {
            Some(log) => Some(self.entry(log, finished_at, state, revision, failure.clone(), errors).await?),
            None => None,
        };
        // Open pages show the end of every pass that they saw begin.
        let change = (news || self.log.is_some()).then(|| state_change(&self.source, state, failure.as_deref()));
        let writing = self.writing.clone();
        self.write(move |txn| {
            Box::pin(async move {
                store::finish(txn, id, finish).await?;
                if let Some(log) = log {
                    store::update_pass(txn, log).await?;
                    store::prune_passes(txn, id, PASSES).await?;
                }
                if let Some(change) = change {
                    changes::store::append(txn, &writing, vec![change]).await?;
                }
                Ok(())
            })
        })
        .await?;
        if self.log.is_some() {
            let Tally { created, updated, removed, .. } = self.tally;
            tracing::info!(source.id = id, created, updated, removed, errors, "read source {id}");
        }
        Ok(())
    }

    /// The finished log entry.
    async fn entry(
        &self,
        log: i64,
        finished_at: DateTime<Utc>,
        state: SourceState,
        revision: Option<String>,
        failure: Option<String>,
        errors: u64,
    ) -> Result<store::Pass, PassError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let db = self.app.db.reader();
        let documents = number(store::count_documents(db, self.source.id).await?);
        let good = number(store::count_good(db, self.source.id).await?);
        let errors = number(errors);
        let Tally { created, updated, removed, .. } = self.tally;
        let outcome = match state {
            SourceState::Failed => "failed",
            SourceState::Degraded => "degraded",
            _ => "ok",
        };
        Ok(store::Pass {
            id: log,
            source_id: self.source.id,
            started_at: self.writing.at,
            finished_at: Some(finished_at),
            trigger: self.trigger.as_str().to_owned(),
            outcome: Some(outcome.to_owned()),
            revision,
            documents,
            created,
            updated,
            unchanged: if state == SourceState::Failed { 0 } else { (good - created - updated).max(0) },
            removed,
            errors,
            failure,
        })
    }
}

/// What to fetch for a source.
pub(super) fn request(source: &Source) -> Result<Request, FetchError> {
    let credential = source.credential.as_deref().map(str::parse::<CredentialRef>).transpose()?;
    Ok(Request {
        source_type: source.source_type,
        target: source.target.clone(),
        branch: source.branch.clone(),
        globs: source.globs.clone(),
        trusted: source.trusted,
        credential,
    })
}

/// One to one and a half intervals from now, so that sources that started
/// together do not stay together.
pub fn next_pass_at(from: DateTime<Utc>, interval_seconds: u32) -> DateTime<Utc> {
    let interval = u64::from(interval_seconds.max(60));
    let jitter = uuid::Uuid::new_v4().as_u128() % u128::from(interval / 2 + 1);
    let seconds = interval.saturating_add(u64::try_from(jitter).unwrap_or(0));
    from + Duration::seconds(i64::try_from(seconds).unwrap_or(300))
}

fn state_change(source: &Source, state: SourceState, failure: Option<&str>) -> NewChange {
    let document = serde_json::json!({ "id": source.id, "target": source.target, "state": state, "failure": failure });
    NewChange { subject: format!("source:{}", source.id), operation: "state", document: Some(document.to_string()) }
}
