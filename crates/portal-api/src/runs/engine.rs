//! Works runs off. Whoever holds the job of a run holds the run: every transaction asks
//! whether the lease is still theirs, so that two never write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use portal_core::access::ActorId;
use portal_core::actions::wire::ApprovalState;
use portal_core::runs::{HELD, Outcome, Run, RunState, StepState, Task};
use portal_core::templates::Trouble;
use portal_core::templates::actions::Effect;
use portal_core::templates::definition::{self, Definition, Step};
use portal_core::templates::plan::{Scope, Turn};
use portal_core::templates::secrets as secret_fields;
use portal_core::templates::workspace::Workspace;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::live::Live;
use super::log::{Line, StepLog, hide, hide_in};
use super::store::{self, Stored};
use super::{SUBJECT, service};
use crate::actions::steps::database;
use crate::approvals::store as approvals;
use crate::calls::store as calls;
use crate::changes::{self, NewChange, Writing};
use crate::clock;
use crate::db::{DatabaseTransaction, DbError, DbResult, Priority};
use crate::jobs::queue::{self, Claimed, NewJob};
use crate::jobs::runner;
use crate::platforms;
use crate::state::App;
use crate::templates::perform::{LATER, Place, WAITS, perform, until};

const QUEUE: &str = "run";
/// Runs that somebody has to look at again, at a time.
const WAKE: &str = "wake";
/// Runs of one process at the same time.
const CONCURRENCY: usize = 32;
/// Longest time of one step.
const STEP_LIMIT: Duration = Duration::from_secs(900);
/// How often runs are looked for that nobody works off.
const LOST: Duration = Duration::from_secs(20);
/// Times that a run is saved again while the database is in trouble, for some seconds in all.
const SAVES: u32 = 6;
/// Seconds after which a step is looked at again that the database had no answer for.
const OWN_TROUBLE: u64 = 5;
/// How often a step's log is written, and a cancellation looked for.
const BEAT: Duration = Duration::from_millis(200);

/// Starts the workers; they end when the portal stops.
pub fn start(app: &App) {
    tokio::spawn(runner::run(app.clone(), QUEUE, CONCURRENCY, work, app.stop.clone()));
    tokio::spawn(runner::run(app.clone(), WAKE, 1, wake, app.stop.clone()));
    let (stop, watched) = (app.stop.clone(), app.clone());
    tokio::spawn(async move { stop.run_until_cancelled(watch(watched)).await });
}

/// Asks for a run to be worked off.
pub async fn ask(txn: &DatabaseTransaction, run_id: i64, now: DateTime<Utc>) -> DbResult<()> {
    let key = key(run_id);
    // Two requests differ, so that whoever is about to end the job sees the second.
    let payload = format!("{run_id} {}", Uuid::new_v4().simple());
    let job = NewJob { queue: QUEUE, payload: payload.clone(), run_at: now, idempotency_key: Some(key.clone()) };
    loop {
        queue::enqueue(txn, job.clone(), now).await?;
        if queue::retarget(txn, &key, &payload).await? {
            return Ok(());
        }
    }
}

fn key(run_id: i64) -> String {
    format!("{QUEUE}:{run_id}")
}

/// Asks for a run to be looked at again, at a time.
pub async fn ask_at(txn: &DatabaseTransaction, run_id: i64, at: DateTime<Utc>, now: DateTime<Utc>) -> DbResult<()> {
    // Each time has a job of its own: one that is under way is not overlooked.
    let key = format!("{WAKE}:{run_id}:{}", at.timestamp_millis());
    let job = NewJob { queue: WAKE, payload: run_id.to_string(), run_at: at, idempotency_key: Some(key) };
    queue::enqueue(txn, job, now).await
}

fn wake(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        let (run_id, now) = (job.payload.parse::<i64>().unwrap_or_default(), app.clock.now());
        let asked = app.db.write(Priority::Background, move |txn| Box::pin(async move { ask(txn, run_id, now).await }));
        asked.await.map_err(|error: DbError| error.to_string()).map(|()| job.payload)
    })
}

/// Finds runs that nobody works off (their job was given up while the database was in
/// trouble) and asks again.
async fn watch(app: App) {
    let mut tick = tokio::time::interval(LOST);
    loop {
        tick.tick().await;
        if let Err(error) = ask_for_lost(&app).await {
            tracing::warn!(error = %error, "could not look for runs that nobody works off");
        }
    }
}

async fn ask_for_lost(app: &App) -> DbResult<()> {
    let now = app.clock.now();
    let open = store::open(app.db.reader()).await?;
    let known = queue::keys(app.db.reader(), QUEUE).await?;
    let woken = queue::keys(app.db.reader(), WAKE).await?;
    let woken: HashSet<&str> = woken.iter().filter_map(|key| key.split(':').nth(1)).collect();
    let is_known = |id: &i64| known.contains(&key(*id)) || woken.contains(id.to_string().as_str());
    let lost: Vec<i64> = open.into_iter().filter(|id| !is_known(id)).take(100).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            for id in lost {
                ask(txn, id, now).await?;
            }
            Ok::<_, DbError>(())
        })
    });
    work.await
}

fn work(app: App, job: Claimed) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        match drive(&app, &job).await {
            // Whoever has it now goes on.
            Ok(()) | Err(Stopped::LostLease) => Ok(job.payload),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Why a holder stops before the run has ended.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("the lease was lost")]
    LostLease,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A run, and what it is worked off with.
struct Holder<'h> {
    app: &'h App,
    job: &'h Claimed,
    stored: Stored,
    life: Run,
    definition: Definition,
    scope: Scope,
    live: Live,
    workspace: Workspace,
    hidden: Arc<[(String, String)]>,
    /// The step at hand begins later, and somebody is asked to look then.
    is_postponed: bool,
}

async fn drive(app: &App, job: &Claimed) -> Result<(), Stopped> {
    let run_id: i64 = job.payload.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default();
    let Some(stored) = store::find(app.db.reader(), run_id).await? else { return Ok(()) };
    let mut holder = Holder::new(app, job, stored).await?;
    loop {
        match holder.life.next() {
            Task::Begin(_) if holder.must_wait().await? => return Ok(()),
            Task::Begin(position) => holder.step(position, false).await?,
            Task::Resume(position) => holder.step(position, true).await?,
            Task::Doubt(position) => {
                let message = "the portal stopped while this step was under way; nobody can say whether it happened";
                let doubt = Err(Trouble::new("unknown_outcome", message));
                holder.end(position, Outcome::Doubtful, doubt, None, Vec::new(), None).await?;
            }
            Task::Finish(state) => return holder.finish(state).await,
            Task::Nothing if holder.has_expired().await? => return holder.finish(RunState::Expired).await,
            Task::Nothing => return Ok(()),
        }
        if holder.life.state.is_final() {
            return Ok(());
        }
        holder.life.cancel_requested = store::is_cancel_requested(app.db.reader(), run_id).await?;
        // Whoever has news asks again, or the clock.
        let is_waiting = holder.life.state == RunState::Waiting && matches!(holder.life.next(), Task::Resume(_));
        if is_waiting || holder.is_postponed {
            return Ok(());
        }
    }
}

impl<'h> Holder<'h> {
    async fn new(app: &'h App, job: &'h Claimed, stored: Stored) -> Result<Holder<'h>, Stopped> {
        let spec: Value = serde_json::from_str(&stored.run.spec).unwrap_or_default();
        let (definition, _) = definition::read(&spec);
        let secrets = service::secrets(app, &stored.run);
        let handles: Map<String, Value> =
            secrets.iter().map(|(name, handle, _)| (name.clone(), handle.clone().into())).collect();
        let answers = serde_json::from_str(&stored.run.answers).unwrap_or_default();
        let fields = secret_fields::fields(&definition.pages, &answers);
        let hidden = service::hidden(&secrets);
        let starter = service::starter(&stored.run, &spec);
        let user_ref = stored.run.user_ref.clone();
        let mut scope = Scope {
            entity: spec["portal"]["entity"].clone(),
            parameters: secret_fields::put(&fields, &answers, &handles),
            secrets: handles,
            user: json!({ "ref": user_ref, "entity": spec["portal"]["user"] }),
            run: stored.run.id.to_string(),
            outputs: Map::new(),
            failed: false,
            hosts: service::hosts(app),
        };
        for step in &stored.steps {
            if let Some(output) = step.output.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
                scope.outputs.insert(step.step_id.clone(), output);
            }
        }
        let place = spec["portal"]["source"].as_i64().zip(spec["portal"]["location"].as_str().map(str::to_owned));
        let live = Live {
            app: app.clone(),
            run_id: stored.run.id,
            writing: Writing {
                actor: ActorId(stored.run.actor.clone()),
                cause: format!("{SUBJECT}{}", stored.run.id),
                at: app.clock.now(),
                by: None,
            },
            at: stored.run.created_at,
            author: spec["portal"]["starter"]["name"].as_str().unwrap_or("portal").to_owned(),
            place,
            anonymous: false,
            is_trusted: spec["portal"]["trusted"] == true,
            title: stored.run.title.clone(),
            secrets: secrets.into_iter().map(|(_, handle, secret)| (handle, secret)).collect(),
            starter,
        };
        let content = store::workspace(app.db.reader(), stored.run.id).await?;
        let workspace = content.and_then(|bytes| Workspace::from_bytes(&bytes)).unwrap_or_default();
        let life = stored.life();
        Ok(Holder { app, job, life, stored, definition, scope, live, workspace, hidden, is_postponed: false })
    }

    /// Whether as many runs of the template are under way as it allows. The end of one of
    /// them asks for this one again.
    async fn must_wait(&self) -> Result<bool, Stopped> {
        let Some(most) = self.definition.concurrency.filter(|_| self.life.state == RunState::Queued) else {
            return Ok(false);
        };
        let (id, db) = (self.stored.run.id, self.app.db.reader());
        if store::ahead(db, &self.stored.run.definition, id).await? < u64::from(most) {
            return Ok(false);
        }
        if store::log_after(db, id, 0, 1).await?.is_empty() {
            let log = StepLog::new(id, None, self.app.clock.clone(), self.hidden.clone());
            log.line(&format!("waiting: at most {most} runs of this template are under way at the same time"));
            log.flush(&self.app.db).await?;
        }
        Ok(true)
    }

    /// Whether nobody has agreed in time.
    async fn has_expired(&self) -> Result<bool, Stopped> {
        if self.life.state != RunState::PendingApproval {
            return Ok(false);
        }
        let row = approvals::of_step(self.app.db.reader(), self.stored.run.id, approvals::WHOLE).await?;
        Ok(row.is_none_or(|row| row.expires_at <= self.app.clock.now()))
    }

    /// Does one step, from its beginning to what became of it; or looks at one that waits.
    async fn step(&mut self, position: usize, is_resumed: bool) -> Result<(), Stopped> {
        if !is_resumed {
            self.begin(position).await?;
        }
        let Some(step) = self.definition.steps.get(position).cloned() else {
            let missing = Err(Trouble::new("invalid_template", "the template has no such step"));
            return self.end(position, Outcome::Failed, missing, None, Vec::new(), None).await;
        };
        self.scope.failed = self.life.has_failed();
        let log = StepLog::new(self.stored.run.id, Some(step.id.clone()), self.app.clock.clone(), self.hidden.clone());
        let done_turns: Vec<Value> = self.stored.steps[position]
            .turns
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let mut workspace = self.workspace.clone();
        let mut turns = done_turns;
        let effect = store::effect(&step.action);
        let result = {
            let place = Place { position, turn: 0, is_resumed };
            let working = self.work(&step, place, &mut workspace, &mut turns, &log);
            tokio::pin!(working);
            let deadline = tokio::time::sleep(STEP_LIMIT);
            tokio::pin!(deadline);
            let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
            // Goes on beside the work, which would otherwise keep the connection that it reads from.
            let (mut beating, mut is_beating) = (OptionFuture::default(), false);
            let result = loop {
                tokio::select! {
                    result = &mut working => break result,
                    () = &mut deadline => {
                        break Err(Trouble::new("timeout", format!("the step took longer than {} s", STEP_LIMIT.as_secs())));
                    }
                    Some(stops) = &mut beating, if is_beating => {
                        is_beating = false;
                        if stops {
                            break Err(Trouble::new("cancelled", "stopped on request".to_owned()));
                        }
                    }
                    _ = beat.tick() => {
                        if !is_beating {
                            (beating, is_beating) = (Some(self.beat(&log, effect).boxed()).into(), true);
                        }
                    }
                }
            };
            // Lines that are being written come before those that end the step.
            if is_beating {
                beating.await;
            }
            result
        };
        let outcome = match &result {
            Ok(Some(_)) => Outcome::Done,
            Ok(None) => Outcome::Skipped,
            Err(trouble) if trouble.code == WAITS => Outcome::Waits,
            Err(trouble) if trouble.code == LATER => Outcome::Deferred,
            // The portal's own trouble costs a step no attempt, as long as it can be done again.
            Err(trouble) if trouble.code == "database" && effect != Effect::Once => Outcome::Deferred,
            Err(trouble) if trouble.code == "cancelled" => Outcome::Cancelled,
            Err(trouble) if trouble.code == "no_answer" => Outcome::Doubtful,
            Err(trouble) if is_passing(trouble.code) => Outcome::FailedForNow,
            Err(_) => Outcome::Failed,
        };
        if let Err(trouble) = &result
            && !is_open(outcome)
        {
            log.line(&trouble.message);
        }
        // Of a step that failed, nothing is kept that it wrote.
        let kept = (result.is_ok() && workspace != self.workspace).then_some(workspace);
        self.end(position, outcome, result, kept, turns, Some(log)).await
    }

    /// Writes the log of what is under way, and asks whether it is to stop.
    async fn beat(&self, log: &StepLog, effect: Effect) -> bool {
        // It goes on while the database is in trouble.
        if let Err(error) = log.flush(&self.app.db).await {
            tracing::warn!(run.id = self.stored.run.id, error = %error, "could not write a log");
        }
        // What has begun to have an effect is brought to its end.
        effect == Effect::None
            && store::is_cancel_requested(self.app.db.reader(), self.stored.run.id).await.unwrap_or(false)
    }

    /// All turns of a step; those that are done already are not done again.
    async fn work(
        &self,
        step: &Step,
        place: Place,
        workspace: &mut Workspace,
        turns: &mut Vec<Value>,
        log: &StepLog,
    ) -> Result<Option<Value>, Trouble> {
        if self.scope.failed && !self.scope.runs(step, None)? {
            return Ok(None);
        }
        let Some(all) = self.scope.turns(step)? else {
            return Ok(self.turn(step, None, place, workspace, log).await?.map(Value::Object));
        };
        let done = turns.len();
        for (number, turn) in all.iter().enumerate().skip(done) {
            // Of several turns the first that is not done is the one that waits.
            let place = Place { turn: number, is_resumed: place.is_resumed && number == done, ..place };
            let output = self.turn(step, Some(turn), place, workspace, log).await?;
            let mut output = output.map(Value::Object).unwrap_or_default();
            hide_in(&self.hidden, &mut output);
            turns.push(output);
            if store::effect(&step.action) != Effect::None {
                self.note_turns(place.position, turns).await?;
            }
        }
        let mut outputs: Map<String, Value> = Map::new();
        for output in turns.iter().filter_map(Value::as_object) {
            for (name, value) in output {
                if let Value::Array(list) = outputs.entry(name.clone()).or_insert_with(|| json!([])) {
                    list.push(value.clone());
                }
            }
        }
        Ok(Some(Value::Object(outputs)))
    }

    async fn turn(
        &self,
        step: &Step,
        turn: Option<&Turn>,
        place: Place,
        workspace: &mut Workspace,
        log: &StepLog,
    ) -> Result<Option<Map<String, Value>>, Trouble> {
        if !place.is_resumed && !self.scope.runs(step, turn)? {
            log.line("skipped: its condition does not hold");
            return Ok(None);
        }
        let input = self.scope.input(step, turn)?;
        let mut write = |line: String| log.line(&line);
        perform(&self.live, &step.action, &input, workspace, &self.scope.hosts, place, &mut write).await.map(Some)
    }

    async fn note_turns(&self, position: usize, turns: &[Value]) -> Result<(), Trouble> {
        let mut noted = self.stored.clone();
        noted.steps[position].turns = Some(Value::from(turns.to_vec()).to_string());
        let (before, job) = (self.stored.clone(), self.job.clone());
        let work = self.app.db.write(Priority::Background, move |txn| {
            Box::pin(async move {
                if !queue::holds(txn, &job).await? {
                    return Ok(false);
                }
                store::update(txn, &before, &noted).await?;
                Ok::<_, DbError>(true)
            })
        });
        match work.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Trouble::new("lost_lease", "another worker has the run".to_owned())),
            Err(error) => Err(database(error)),
        }
    }

    async fn begin(&mut self, position: usize) -> Result<(), Stopped> {
        let now = self.app.clock.now();
        let was_queued = self.life.state == RunState::Queued;
        self.life.begin(position);
        let mut after = self.stored.clone();
        after.run.started_at.get_or_insert(now);
        let step = &mut after.steps[position];
        step.started_at = Some(now);
        step.finished_at = None;
        step.error = None;
        self.save(after, Then { told: was_queued.then_some("running"), ..Then::default() }).await
    }

    /// Stores what became of a step, and waits where it is to be tried again.
    async fn end(
        &mut self,
        position: usize,
        outcome: Outcome,
        result: Result<Option<Value>, Trouble>,
        workspace: Option<Workspace>,
        turns: Vec<Value>,
        log: Option<StepLog>,
    ) -> Result<(), Stopped> {
        let was_waiting = self.life.steps[position].state == StepState::Waiting;
        let again = self.life.end(position, outcome);
        let mut after = self.stored.clone();
        let step = &mut after.steps[position];
        let mut wake = None;
        step.finished_at = (!is_open(outcome)).then(|| self.app.clock.now());
        step.turns = (!turns.is_empty()).then(|| Value::from(turns).to_string());
        let step_id = step.step_id.clone();
        match result {
            Ok(mut output) => {
                // A platform may say back what it was told.
                output.iter_mut().for_each(|output| hide_in(&self.hidden, output));
                step.output = output.as_ref().map(ToString::to_string);
                if let Some(output) = output {
                    self.scope.outputs.insert(step_id, output);
                }
            }
            Err(trouble) if is_open(outcome) => {
                let own = || (trouble.code == "database").then(|| clock::later(self.app.clock.now(), OWN_TROUBLE));
                wake = until(&trouble).or_else(own);
            }
            Err(Trouble { code, message }) => {
                let message = hide(&self.hidden, &message);
                step.error = Some(message.clone());
                let is_lasting = !matches!(self.life.steps[position].state, StepState::Pending);
                if is_lasting && !self.life.steps[position].goes_on && after.run.error.is_none() {
                    after.run.error_code = Some(code.to_owned());
                    after.run.error = Some(message);
                    after.run.error_step = Some(step_id);
                }
            }
        }
        if let (Some(seconds), Some(log)) = (again, &log) {
            log.line(&format!("trying again in {seconds} s"));
        }
        if let Some(workspace) = &workspace {
            self.workspace = workspace.clone();
        }
        // Who looks at a platform every few seconds tells only what is new.
        let is_news = !was_waiting || log.as_ref().is_some_and(StepLog::has_lines);
        let told = match self.life.next() {
            // The last step ends the run, in one write.
            Task::Finish(state) if state != RunState::Cancelled => Some(self.conclude(state, &mut after)),
            _ => (outcome == Outcome::Waits && is_news).then_some("waiting"),
        };
        let is_held = again.is_some_and(|seconds| seconds <= HELD);
        self.is_postponed = outcome == Outcome::Deferred || (again.is_some() && !is_held);
        if let Some(seconds) = again.filter(|_| !is_held) {
            wake = Some(clock::later(self.app.clock.now(), seconds.into()));
        }
        let ended = (self.life.steps[position].state == StepState::Failed).then_some(position);
        let then = Then { told, log, workspace: workspace.map(|workspace| workspace.to_bytes()), wake, ended };
        self.save(after, then).await?;
        if let Some(seconds) = again.filter(|_| is_held) {
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
        }
        Ok(())
    }

    async fn finish(&mut self, state: RunState) -> Result<(), Stopped> {
        let log = if state == RunState::Cancelled { self.stopped().await? } else { None };
        let mut after = self.stored.clone();
        let told = Some(self.conclude(state, &mut after));
        self.save(after, Then { told, log, ..Then::default() }).await
    }

    /// Ends the run, with its outputs where it succeeded; the name of the state that it is in then.
    fn conclude(&mut self, mut state: RunState, after: &mut Stored) -> &'static str {
        if state == RunState::Succeeded {
            match self.scope.output(&self.definition) {
                Ok(output) => after.run.output = hide(&self.hidden, &Value::Object(output).to_string()),
                Err(Trouble { code, message }) => {
                    state = RunState::Failed;
                    after.run.error_code = Some(code.to_owned());
                    after.run.error = Some(message);
                }
            }
        }
        self.life.finish(state);
        after.run.finished_at = Some(self.app.clock.now());
        // What a retry would need is kept until somebody has decided.
        if !state.can_retry() {
            after.run.secrets = None;
        }
        state.as_str()
    }

    /// Stops what the run waits for over there; what is told of it.
    async fn stopped(&self) -> Result<Option<StepLog>, Stopped> {
        let waiting = self.life.steps.iter().position(|step| step.state == StepState::Waiting);
        let Some(step) = waiting.and_then(|position| self.stored.steps.get(position)) else { return Ok(None) };
        let rows = calls::of_runs(self.app.db.reader(), &[self.stored.run.id]).await?;
        let Some(row) = rows.iter().rev().find(|row| row.position == step.position && row.ended_at.is_none()) else {
            return Ok(None);
        };
        let Some(told) = platforms::cancel(self.app, &step.action, row).await else { return Ok(None) };
        let id = Some(step.step_id.clone());
        let log = StepLog::new(self.stored.run.id, id, self.app.clock.clone(), self.hidden.clone());
        log.line(&told);
        Ok(Some(log))
    }

    /// Stores the run as it is now, if it is still ours.
    async fn save(&mut self, mut after: Stored, then: Then) -> Result<(), Stopped> {
        let Then { told, log, workspace, wake, ended } = then;
        after.run.state = self.life.state.as_str().to_owned();
        for (row, step) in after.steps.iter_mut().zip(&self.life.steps) {
            row.state = step.state.as_str().to_owned();
            row.attempts = i32::try_from(step.attempts).unwrap_or(i32::MAX);
        }
        let saving = Saving {
            before: self.stored.clone(),
            stored: after.clone(),
            job: self.job.clone(),
            writing: Writing { at: self.app.clock.now(), ..self.live.writing.clone() },
            makes_room: self.definition.concurrency.is_some() && self.life.state.is_final(),
            state: self.life.state,
            lines: log.as_ref().map(StepLog::taken).unwrap_or_default(),
            told,
            workspace,
            wake,
            ended,
        };
        let mut tries = 0;
        let saved = loop {
            let one = saving.clone();
            let work = self.app.db.write(Priority::Background, move |txn| Box::pin(async move { one.save(txn).await }));
            match work.await {
                // What has happened is not put in doubt because the database is busy. Should
                // the lease run out meanwhile, nothing is written.
                Err(error) if error.is_transient() && tries < SAVES => {
                    tracing::warn!(run.id = self.stored.run.id, error = %error, "saving a run again");
                    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
                    tries += 1;
                }
                saved => break saved?,
            }
        };
        if !saved {
            return Err(Stopped::LostLease);
        }
        self.stored = after;
        Ok(())
    }
}

/// One write of a run: all of it, or nothing.
#[derive(Clone)]
struct Saving {
    before: Stored,
    stored: Stored,
    job: Claimed,
    writing: Writing,
    /// The next run of the definition may begin.
    makes_room: bool,
    state: RunState,
    lines: Vec<Line>,
    told: Option<&'static str>,
    workspace: Option<Vec<u8>>,
    wake: Option<DateTime<Utc>>,
    ended: Option<usize>,
}

impl Saving {
    /// False when the lease was lost.
    async fn save(self, txn: &DatabaseTransaction) -> DbResult<bool> {
        let Self { before, stored, job, writing, makes_room, state, lines, told, workspace, wake, ended } = self;
        if !queue::holds(txn, &job).await? {
            return Ok(false);
        }
        store::update(txn, &before, &stored).await?;
        // What a retry would go on with.
        match workspace {
            _ if state == RunState::Succeeded => store::delete_workspace(txn, stored.run.id).await?,
            Some(content) => store::put_workspace(txn, stored.run.id, content).await?,
            None => {}
        }
        for chunk in lines.chunks(400) {
            store::append_log(txn, stored.run.id, chunk.to_vec()).await?;
        }
        if let Some(at) = wake {
            ask_at(txn, stored.run.id, at, writing.at).await?;
        }
        // What is tried again after it failed is asked for anew.
        if let Some(position) = ended.and_then(|position| i32::try_from(position).ok()) {
            calls::close(txn, stored.run.id, position, writing.at).await?;
        }
        if state.is_final() {
            let ended = if state == RunState::Expired { ApprovalState::Expired } else { ApprovalState::Withdrawn };
            approvals::withdraw(txn, stored.run.id, ended, writing.at).await?;
        }
        if makes_room && let Some(next) = store::next_queued(txn, &stored.run.definition).await? {
            ask(txn, next, writing.at).await?;
        }
        if let Some(operation) = told {
            changes::store::append(txn, &writing, vec![change(&stored, operation)]).await?;
        }
        Ok(true)
    }
}

/// What is stored together with the state of a run.
#[derive(Default)]
struct Then {
    /// The feed hears of it.
    told: Option<&'static str>,
    log: Option<StepLog>,
    workspace: Option<Vec<u8>>,
    /// When somebody looks again.
    wake: Option<DateTime<Utc>>,
    /// A step that has failed for good.
    ended: Option<usize>,
}

/// What the feed tells of a run: no answers, no outputs.
pub fn change(stored: &Stored, operation: &'static str) -> NewChange {
    let document = json!({ "definition": stored.run.definition, "state": stored.run.state });
    NewChange { subject: format!("{SUBJECT}{}", stored.run.id), operation, document: Some(document.to_string()) }
}

/// Whether nothing has become of a step yet.
fn is_open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Waits | Outcome::Deferred)
}

/// Whether the same may go well a little later.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "timeout"
            | "git_failed"
            | "database"
            | "rate_limited"
            | "unavailable"
            | "unreachable"
            | "unresolvable_host"
            | "busy"
            | "resting"
            | "bad_status"
    )
}
