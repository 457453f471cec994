//! Changes of the catalog and ends of runs, one after the other: each is answered to once, by
//! whichever replica comes first, in one transaction that notes the change as done.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use portal_core::actions::triggers::{On, Trigger};
use portal_core::catalog::EntityRef;
use portal_core::runs::RunState;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::chain;
use super::fire::{self, Occasion, Patience};
use super::reconcile;
use super::store::{self, TriggerRow};
use crate::changes::handlers::shown;
use crate::changes::{self, Change};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::runs::SUBJECT as RUN;
use crate::runs::store as runs;
use crate::state::App;

/// The subject of an entity's changes begins so.
const ENTITY: &str = "entity:";
/// Changes without an answer after which the cursor is moved all the same.
const IDLE: i64 = 500;
/// Attempts at one change until its trouble is its answer.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Where the feed was not looked at before, it is looked at from now on.
///
/// # Errors
/// The database.
pub async fn begin(app: &App) -> Result<i64, DbError> {
    if let Some(seq) = store::cursor(app.db.reader()).await? {
        return Ok(seq);
    }
    let now = app.clock.now();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let seq = changes::store::reserve(txn).await? - 1;
            if let Some(seq) = store::cursor(txn).await? {
                return Ok(seq);
            }
            store::begin(txn, seq).await?;
            for wanted in reconcile::all(txn).await? {
                reconcile::apply(txn, wanted, seq, now).await?;
            }
            Ok::<_, DbError>(seq)
        })
    });
    work.await
}

/// Follows the feed until the portal stops.
pub async fn follow(app: App, seq: i64) {
    let follower = Arc::new(Mutex::new(Follower { app: app.clone(), stored: seq, read: HashMap::new() }));
    let (feed, stop) = (app.feed.clone(), app.stop.clone());
    let apply = move |changes: Vec<Arc<Change>>| {
        let follower = follower.clone();
        async move { follower.lock().await.apply(changes).await }.boxed()
    };
    feed.follow(seq, stop, apply).await;
}

struct Follower {
    app: App,
    /// The cursor as it was last seen.
    stored: i64,
    /// Triggers by what their author wrote.
    read: HashMap<(String, String), Option<Arc<Trigger>>>,
}

type Ready = (TriggerRow, Arc<Trigger>);

impl Follower {
    /// Answers to changes, however long the database is in trouble.
    async fn apply(&mut self, changes: Vec<Arc<Change>>) {
        let mut changes = VecDeque::from(changes);
        let (mut attempts, mut at) = (0, 0);
        while let Some(seq) = changes.front().map(|change| change.seq).filter(|_| !self.app.stop.is_cancelled()) {
            if seq != at {
                (attempts, at) = (0, seq);
            }
            let Err(error) = self.work_off(&mut changes, attempts >= ATTEMPTS).await else { return };
            attempts += 1;
            tracing::warn!(attempts, error = %error, "cannot look for what a change starts; trying again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes those off that are done.
    async fn work_off(&mut self, changes: &mut VecDeque<Arc<Change>>, gives_up: bool) -> ApiResult<()> {
        let last = changes.back().map_or(0, |change| change.seq);
        if !changes.iter().any(|change| is_news(change)) && last - self.stored < IDLE {
            changes.clear();
            return Ok(());
        }
        let mut ready = self.ready().await?;
        // What another replica has answered to is done.
        self.stored = store::cursor(self.app.db.reader()).await?.unwrap_or(self.stored).max(self.stored);
        while let Some(change) = changes.front() {
            if change.seq > self.stored {
                let occasions = self.occasions(change, &ready).await?;
                let concerns = reconcile::concerns(change);
                if concerns || !occasions.is_empty() || change.seq - self.stored >= IDLE {
                    match self.answer(change, occasions, gives_up).await {
                        // One that nothing can be made of does not hold up all that come after it.
                        Err(error) if gives_up && !matches!(error, ApiError::Unavailable(_)) => {
                            tracing::error!(change.seq, error = %error, "what a change starts is passed by");
                            self.answer(change, Vec::new(), gives_up).await?;
                        }
                        answered => answered?,
                    }
                }
                if concerns {
                    ready = self.ready().await?;
                }
            }
            changes.pop_front();
        }
        Ok(())
    }

    /// Triggers that wait for what the feed tells.
    async fn ready(&mut self) -> ApiResult<Vec<Ready>> {
        let rows = store::of_kinds(self.app.db.reader(), &["change", "run"]).await?;
        let mut before = std::mem::take(&mut self.read);
        let mut ready = Vec::new();
        for row in rows {
            let key = (row.says.clone(), row.scope.clone());
            let known = self.read.get(&key).cloned().or_else(|| before.remove(&key));
            let trigger = known.unwrap_or_else(|| fire::trigger(&row).map(Arc::new));
            self.read.insert(key, trigger.clone());
            ready.extend(trigger.map(|trigger| (row, trigger)));
        }
        Ok(ready)
    }

    /// What a change is to triggers.
    async fn occasions(&self, change: &Change, ready: &[Ready]) -> ApiResult<Vec<(Arc<Trigger>, Occasion)>> {
        let waiting = ready.iter().filter(|(row, _)| row.since_seq < change.seq);
        if let Some(name) = change.subject.strip_prefix(ENTITY) {
            let Ok(reference) = name.parse::<EntityRef>() else { return Ok(Vec::new()) };
            let concerned: Vec<&Ready> = waiting.filter(|(_, trigger)| is_about(trigger, reference.kind())).collect();
            return self.changed(change, &reference, &concerned).await;
        }
        let Some(id) = change.subject.strip_prefix(RUN).and_then(|id| id.parse::<i64>().ok()) else {
            return Ok(Vec::new());
        };
        let document: Value =
            change.document.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let definition = document["definition"].as_str().unwrap_or_default();
        let waits = |trigger: &Trigger| match &trigger.on {
            On::Run { of, state } => of == definition && state.as_str() == change.operation,
            _ => false,
        };
        let concerned: Vec<&Ready> = waiting.filter(|(_, trigger)| waits(trigger)).collect();
        self.ended(change, id, &concerned).await
    }

    async fn changed(
        &self,
        change: &Change,
        reference: &EntityRef,
        concerned: &[&Ready],
    ) -> ApiResult<Vec<(Arc<Trigger>, Occasion)>> {
        if concerned.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.app.db.reader();
        let earlier = changes::store::predecessors(db, std::slice::from_ref(change)).await?;
        let before = earlier.get(&change.seq).and_then(|earlier| shown(earlier.document.as_deref()));
        let after = shown(change.document.as_deref());
        // What became of its source says nothing new about it.
        if before == after {
            return Ok(Vec::new());
        }
        let (old, new) = (before.clone().unwrap_or_default(), after.clone().unwrap_or_default());
        let operation = match (&before, &after) {
            (None, _) => "create",
            (_, None) => "delete",
            _ => "update",
        };
        let name = reference.to_string();
        let event = json!({ "kind": "change", "operation": operation, "entity": name, "before": old, "after": new, "at": change.at.to_rfc3339() });
        if !self.app.catalog.wait_for(change.seq).await {
            return Err(ApiError::Unavailable("the catalog has not seen the change yet".to_owned()));
        }
        let above = chain::above(db, &change.cause).await?;
        let mut occasions = Vec::new();
        for (row, trigger) in concerned {
            let On::Change { when, .. } = &trigger.on else { continue };
            // What has no answer does not hold.
            let holds =
                when.as_ref().is_none_or(|rule| rule.holds(&[("before", &old), ("after", &new)]).unwrap_or(false));
            let is_scoped = row.scope != "[]";
            if !holds || (is_scoped && after.is_none()) || !fire::may_see(&self.app, &row.action_ref, reference) {
                continue;
            }
            let occasion = Occasion {
                key: format!("change:{}:{}:{}", change.seq, row.action_ref, row.position),
                row: row.clone(),
                event: event.clone(),
                entity: Some((name.clone(), after.clone().or_else(|| before.clone()).unwrap_or_default())),
                above: above.clone(),
            };
            occasions.push((trigger.clone(), occasion));
        }
        Ok(occasions)
    }

    async fn ended(&self, change: &Change, id: i64, concerned: &[&Ready]) -> ApiResult<Vec<(Arc<Trigger>, Occasion)>> {
        if concerned.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.app.db.reader();
        let Some(stored) = runs::find(db, id).await?.filter(|stored| !stored.run.is_test) else {
            return Ok(Vec::new());
        };
        let above = chain::above(db, &change.subject).await?;
        let outputs: Value = serde_json::from_str(&stored.run.output).unwrap_or_default();
        let event = json!({ "kind": "run", "run": {
            "id": id, "definition": stored.run.definition, "title": stored.run.title, "state": change.operation,
            "target": stored.run.target, "outputs": outputs,
        }});
        let entity = stored.run.target.clone().map(|target| (target, stored.spec()["portal"]["entity"].clone()));
        let occasion = |(row, trigger): &Ready| {
            let key = format!("change:{}:{}:{}", change.seq, row.action_ref, row.position);
            let (row, event, entity, above) = (row.clone(), event.clone(), entity.clone(), above.clone());
            (trigger.clone(), Occasion { key, row, event, entity, above })
        };
        Ok(concerned.iter().map(|ready| occasion(ready)).collect())
    }

    /// Stores what a change leads to, and that it is done.
    async fn answer(
        &mut self,
        change: &Change,
        occasions: Vec<(Arc<Trigger>, Occasion)>,
        gives_up: bool,
    ) -> ApiResult<()> {
        let mut answers = Vec::new();
        for (trigger, occasion) in occasions {
            let patience = if gives_up { Patience::Ended } else { Patience::More };
            answers.extend(fire::answer(&self.app, &trigger, occasion, patience).await?);
        }
        let wanted = reconcile::after(self.app.db.reader(), change).await?;
        let (app, seq, now) = (self.app.clone(), change.seq, self.app.clock.now());
        let work = self.app.db.write(Priority::Background, move |txn| {
            Box::pin(async move {
                // Before anything that another replica may hold while it waits for this.
                changes::store::reserve(txn).await?;
                if !store::advance(txn, seq).await? {
                    return Ok(());
                }
                for answer in answers {
                    fire::start(&app, txn, answer).await?;
                }
                for wanted in wanted {
                    reconcile::apply(txn, wanted, seq, now).await?;
                }
                Ok::<_, ApiError>(())
            })
        });
        work.await?;
        self.stored = self.stored.max(change.seq);
        Ok(())
    }
}

/// Whether a change may start anything, or change what does: of runs, only that they end.
fn is_news(change: &Change) -> bool {
    let ends = || RunState::parse(&change.operation).is_some_and(RunState::is_final);
    change.subject.starts_with(ENTITY) || reconcile::concerns(change) || (change.subject.starts_with(RUN) && ends())
}

fn is_about(trigger: &Trigger, kind: &str) -> bool {
    matches!(&trigger.on, On::Change { kinds, .. } if kinds.iter().any(|own| own == kind))
}
