//! Queries on runs.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use portal_core::catalog::wire::MadeBy;
use portal_core::runs::wire::LogLine;
use portal_core::runs::{Run, RunState, Step, StepState};
use portal_core::templates::actions::{self, Effect};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _,
    IntoActiveModel, Iterable, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
    Select,
};
use serde_json::{Map, Value};

use crate::approvals::store as approvals;
use crate::calls::store as calls;
use crate::changes;
use crate::db::entity::{run, run_entity, run_log, run_step, run_workspace};
use crate::db::{DatabaseTransaction, DbResult, storable};

pub use run::Model as RunRow;
pub use run_step::Model as StepRow;

/// A run with its steps.
#[derive(Debug, Clone)]
pub struct Stored {
    pub run: RunRow,
    pub steps: Vec<StepRow>,
}

impl Stored {
    pub fn state(&self) -> RunState {
        RunState::parse(&self.run.state).unwrap_or(RunState::Unknown)
    }

    /// The template as it was when the run was started.
    pub fn spec(&self) -> Value {
        serde_json::from_str(&self.run.spec).unwrap_or_default()
    }

    /// Its life, as [`portal_core::runs`] sees it.
    pub fn life(&self) -> Run {
        self.life_of(&self.spec())
    }

    /// The same, with the template at hand.
    pub fn life_of(&self, spec: &Value) -> Run {
        let goes_on = |row: &StepRow| {
            let position = usize::try_from(row.position).unwrap_or_default();
            spec["spec"]["steps"][position]["continueOnError"] == true
        };
        let step = |row: &StepRow| Step {
            state: StepState::parse(&row.state).unwrap_or(StepState::Unknown),
            attempts: row.attempts.unsigned_abs(),
            effect: effect(&row.action),
            goes_on: goes_on(row),
        };
        Run {
            state: self.state(),
            cancel_requested: self.run.cancel_requested,
            steps: self.steps.iter().map(step).collect(),
        }
    }
}

/// What a step does outside; nothing where the portal does not know it, since it fails then.
pub fn effect(action: &str) -> Effect {
    actions::find(action).map_or(Effect::None, |action| action.effect)
}

/// A run to be stored.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub definition: String,
    pub title: String,
    pub actor: String,
    pub user_ref: Option<String>,
    /// The entity that an action is run on.
    pub target: Option<String>,
    pub state: RunState,
    pub spec: Value,
    pub answers: Map<String, Value>,
    pub at: DateTime<Utc>,
    /// Id, name and action of each step.
    pub steps: Vec<(String, String, String)>,
    /// What started it by itself, as JSON.
    pub chain: Option<String>,
    /// It tries out a text that is being written.
    pub is_test: bool,
}

pub async fn insert(txn: &DatabaseTransaction, new: NewRun) -> DbResult<i64> {
    let NewRun { definition, title, actor, user_ref, target, state, spec, answers, at, steps, chain, is_test } = new;
    let row = run::ActiveModel {
        definition: Set(definition),
        title: Set(storable(title)),
        state: Set(state.as_str().to_owned()),
        actor: Set(actor),
        user_ref: Set(user_ref),
        target: Set(target),
        spec: Set(spec.to_string()),
        answers: Set(Value::Object(answers).to_string()),
        secrets: Set(None),
        output: Set("{}".to_owned()),
        error_code: Set(None),
        error: Set(None),
        error_step: Set(None),
        cancel_requested: Set(false),
        created_at: Set(at),
        started_at: Set(None),
        finished_at: Set(None),
        chain: Set(chain),
        is_test: Set(is_test),
        ..Default::default()
    };
    let run_id = run::Entity::insert(row).exec(txn).await?.last_insert_id;
    let rows = steps.into_iter().zip(0..).map(|((step_id, name, action), position)| run_step::ActiveModel {
        run_id: Set(run_id),
        position: Set(position),
        step_id: Set(step_id),
        name: Set(name),
        action: Set(action),
        state: Set(StepState::Pending.as_str().to_owned()),
        attempts: Set(0),
        turns: Set(None),
        output: Set(None),
        error: Set(None),
        started_at: Set(None),
        finished_at: Set(None),
    });
    run_step::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(run_id)
}

pub async fn set_secrets(txn: &DatabaseTransaction, id: i64, sealed: Option<String>) -> DbResult<()> {
    let update = run::Entity::update_many().col_expr(run::Column::Secrets, Expr::value(sealed));
    update.filter(run::Column::Id.eq(id)).exec(txn).await?;
    Ok(())
}

pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<Stored>> {
    let Some(run) = run::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    Ok(Some(Stored { steps: steps(db, &[id]).await?, run }))
}

/// Some runs by their ids.
pub async fn find_all<C: ConnectionTrait>(db: &C, ids: Vec<i64>) -> DbResult<HashMap<i64, Stored>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut by_run: HashMap<i64, Vec<StepRow>> = HashMap::new();
    for step in steps(db, &ids).await? {
        by_run.entry(step.run_id).or_default().push(step);
    }
    let runs = run::Entity::find().filter(run::Column::Id.is_in(ids)).all(db).await?;
    let stored = |run: RunRow| (run.id, Stored { steps: by_run.remove(&run.id).unwrap_or_default(), run });
    Ok(runs.into_iter().map(stored).collect())
}

async fn steps<C: ConnectionTrait>(db: &C, ids: &[i64]) -> DbResult<Vec<StepRow>> {
    let steps = run_step::Entity::find().filter(run_step::Column::RunId.is_in(ids.to_vec()));
    Ok(steps.order_by_asc(run_step::Column::RunId).order_by_asc(run_step::Column::Position).all(db).await?)
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of one of these definitions; of any when empty.
    pub definitions: Vec<String>,
    pub actor: Option<String>,
    /// References of the users who started them; of anybody when empty.
    pub users: Vec<String>,
    /// In one of these states; in any when empty.
    pub states: Vec<RunState>,
    pub entity: Option<String>,
    /// Run on this entity.
    pub target: Option<String>,
    /// Made this entity, or was run on it.
    pub about: Option<String>,
    /// Runs of this actor, or of one of these definitions; all when absent.
    pub visible: Option<(String, Vec<String>)>,
}

fn filtered(filter: &RunFilter) -> Select<run::Entity> {
    let RunFilter { definitions, actor, users, states, entity, target, about, visible } = filter;
    let made = |entity: &String| {
        let of_entity = run_entity::Entity::find().select_only().column(run_entity::Column::RunId);
        let of_entity = of_entity.filter(run_entity::Column::EntityRef.eq(entity)).into_query();
        run::Column::Id.in_subquery(of_entity)
    };
    let mut select = run::Entity::find();
    if !definitions.is_empty() {
        select = select.filter(run::Column::Definition.is_in(definitions.clone()));
    }
    if let Some(actor) = actor {
        select = select.filter(run::Column::Actor.eq(actor));
    }
    if !users.is_empty() {
        select = select.filter(run::Column::UserRef.is_in(users.clone()));
    }
    if !states.is_empty() {
        select = select.filter(run::Column::State.is_in(states.iter().map(|state| state.as_str())));
    }
    if let Some(target) = target {
        select = select.filter(run::Column::Target.eq(target));
    }
    if let Some(entity) = entity {
        select = select.filter(made(entity));
    }
    if let Some(about) = about {
        select = select.filter(run::Column::Target.eq(about).or(made(about)));
    }
    if let Some((actor, definitions)) = visible {
        let own = run::Column::Actor.eq(actor);
        select = select.filter(own.or(run::Column::Definition.is_in(definitions.clone())));
    }
    select
}

/// Runs newest first, those below `before`.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &RunFilter,
    before: Option<i64>,
    skip: u64,
    limit: u64,
) -> DbResult<Vec<Stored>> {
    let mut select = filtered(filter).order_by_desc(run::Column::Id).offset(skip).limit(limit);
    if let Some(before) = before {
        select = select.filter(run::Column::Id.lt(before));
    }
    let runs = select.all(db).await?;
    let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
    let mut all = if ids.is_empty() { Vec::new() } else { steps(db, &ids).await? };
    let stored = runs.into_iter().map(|run| {
        let (own, rest) = std::mem::take(&mut all).into_iter().partition(|step: &StepRow| step.run_id == run.id);
        all = rest;
        Stored { run, steps: own }
    });
    Ok(stored.collect())
}

pub async fn count<C: ConnectionTrait>(db: &C, filter: &RunFilter) -> DbResult<u64> {
    Ok(filtered(filter).count(db).await?)
}

/// How many runs of each definition ended in each state, and when one was last started.
pub async fn usage<C: ConnectionTrait>(db: &C) -> DbResult<Vec<(String, String, i64, DateTime<Utc>)>> {
    let usage = run::Entity::find()
        .select_only()
        .column(run::Column::Definition)
        .column(run::Column::State)
        .column_as(run::Column::Id.count(), "count")
        .column_as(run::Column::CreatedAt.max(), "last")
        .filter(run::Column::IsTest.eq(false))
        .group_by(run::Column::Definition)
        .group_by(run::Column::State);
    Ok(usage.into_tuple().all(db).await?)
}

/// Runs that have not ended.
pub async fn open<C: ConnectionTrait>(db: &C) -> DbResult<Vec<i64>> {
    let states = [RunState::Queued, RunState::Running, RunState::Waiting].map(RunState::as_str);
    let open = run::Entity::find().select_only().column(run::Column::Id).filter(run::Column::State.is_in(states));
    Ok(open.order_by_asc(run::Column::Id).into_tuple().all(db).await?)
}

/// How many runs of a definition are under way or have waited longer than this one.
pub async fn ahead<C: ConnectionTrait>(db: &C, definition: &str, id: i64) -> DbResult<u64> {
    let under_way = [RunState::Running, RunState::Waiting].map(RunState::as_str);
    let waits_longer = run::Column::State.eq(RunState::Queued.as_str()).and(run::Column::Id.lt(id));
    let ahead = run::Entity::find()
        .filter(run::Column::Definition.eq(definition))
        .filter(run::Column::Id.ne(id))
        .filter(run::Column::State.is_in(under_way).or(waits_longer));
    Ok(ahead.count(db).await?)
}

/// The run of a definition that has waited longest.
pub async fn next_queued<C: ConnectionTrait>(db: &C, definition: &str) -> DbResult<Option<i64>> {
    let queued = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::Definition.eq(definition))
        .filter(run::Column::State.eq(RunState::Queued.as_str()));
    Ok(queued.order_by_asc(run::Column::Id).into_tuple().one(db).await?)
}

/// Runs that ended before a moment, oldest first.
pub async fn ended_before<C: ConnectionTrait>(db: &C, before: DateTime<Utc>, limit: u64) -> DbResult<Vec<i64>> {
    // What made something stays as its origin, without its log.
    let makers = run_entity::Entity::find().select_only().column(run_entity::Column::RunId).into_query();
    let old = old(before, limit).filter(run::Column::Id.not_in_subquery(makers));
    Ok(old.into_tuple().all(db).await?)
}

/// Runs that ended before a moment and made something, as long as they have a log.
pub async fn logged_before<C: ConnectionTrait>(db: &C, before: DateTime<Utc>, limit: u64) -> DbResult<Vec<i64>> {
    let logged = run_log::Entity::find().select_only().column(run_log::Column::RunId).into_query();
    Ok(old(before, limit).filter(run::Column::Id.in_subquery(logged)).into_tuple().all(db).await?)
}

/// The ids of runs that ended before a moment, oldest first.
fn old(before: DateTime<Utc>, limit: u64) -> Select<run::Entity> {
    let ended = run::Entity::find().select_only().column(run::Column::Id).filter(run::Column::FinishedAt.lt(before));
    ended.order_by_asc(run::Column::Id).limit(limit)
}

/// Forgets runs with all that belongs to them.
pub async fn delete(txn: &DatabaseTransaction, ids: &[i64]) -> DbResult<()> {
    delete_logs(txn, ids).await?;
    calls::delete(txn, ids).await?;
    approvals::delete(txn, ids).await?;
    run_step::Entity::delete_many().filter(run_step::Column::RunId.is_in(ids.to_vec())).exec(txn).await?;
    run::Entity::delete_many().filter(run::Column::Id.is_in(ids.to_vec())).exec(txn).await?;
    Ok(())
}

/// Forgets what runs said, and their files.
pub async fn delete_logs(txn: &DatabaseTransaction, ids: &[i64]) -> DbResult<()> {
    run_log::Entity::delete_many().filter(run_log::Column::RunId.is_in(ids.to_vec())).exec(txn).await?;
    run_workspace::Entity::delete_many().filter(run_workspace::Column::RunId.is_in(ids.to_vec())).exec(txn).await?;
    Ok(())
}

/// Stores a run and the steps that changed.
pub async fn update(txn: &DatabaseTransaction, before: &Stored, after: &Stored) -> DbResult<()> {
    if let Some(row) = changed::<run::Entity>(&before.run, &after.run) {
        run::Entity::update_many().set(row).filter(run::Column::Id.eq(after.run.id)).exec(txn).await?;
    }
    for (old, new) in before.steps.iter().zip(&after.steps) {
        let Some(row) = changed::<run_step::Entity>(old, new) else { continue };
        let update = run_step::Entity::update_many().set(row).filter(run_step::Column::RunId.eq(new.run_id));
        update.filter(run_step::Column::Position.eq(new.position)).exec(txn).await?;
    }
    Ok(())
}

/// The columns in which two states of a row differ.
fn changed<E: EntityTrait>(before: &E::Model, after: &E::Model) -> Option<E::ActiveModel>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut row = before.clone().into_active_model();
    for column in E::Column::iter() {
        row.set_if_not_equals(column, after.get(column));
    }
    row.is_changed().then_some(row)
}

/// The state of a run alone.
pub async fn state<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<Option<RunState>> {
    let state = run::Entity::find_by_id(id).select_only().column(run::Column::State);
    Ok(state.into_tuple::<String>().one(db).await?.map(|text| RunState::parse(&text).unwrap_or(RunState::Unknown)))
}

pub async fn request_cancel(txn: &DatabaseTransaction, id: i64) -> DbResult<()> {
    let update = run::Entity::update_many().col_expr(run::Column::CancelRequested, Expr::value(true));
    update.filter(run::Column::Id.eq(id)).exec(txn).await?;
    Ok(())
}

pub async fn is_cancel_requested<C: ConnectionTrait>(db: &C, id: i64) -> DbResult<bool> {
    let flag = run::Entity::find_by_id(id).select_only().column(run::Column::CancelRequested);
    Ok(flag.into_tuple().one(db).await?.unwrap_or(false))
}

pub async fn append_log(
    txn: &DatabaseTransaction,
    run_id: i64,
    lines: Vec<(Option<String>, DateTime<Utc>, String)>,
) -> DbResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows = lines.into_iter().map(|(step_id, at, text)| run_log::ActiveModel {
        run_id: Set(run_id),
        step_id: Set(step_id),
        at: Set(at),
        text: Set(text),
        ..Default::default()
    });
    run_log::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}

/// Lines after a sequence, oldest first.
pub async fn log_after<C: ConnectionTrait>(db: &C, run_id: i64, after: i64, limit: u64) -> DbResult<Vec<LogLine>> {
    let rows = run_log::Entity::find()
        .filter(run_log::Column::RunId.eq(run_id))
        .filter(run_log::Column::Id.gt(after))
        .order_by_asc(run_log::Column::Id)
        .limit(limit);
    let line = |row: run_log::Model| LogLine { seq: row.id, at: row.at, step: row.step_id, text: row.text };
    Ok(rows.all(db).await?.into_iter().map(line).collect())
}

pub async fn workspace<C: ConnectionTrait>(db: &C, run_id: i64) -> DbResult<Option<Vec<u8>>> {
    Ok(run_workspace::Entity::find_by_id(run_id).one(db).await?.map(|row| row.content))
}

pub async fn put_workspace(txn: &DatabaseTransaction, run_id: i64, content: Vec<u8>) -> DbResult<()> {
    let row = run_workspace::ActiveModel { run_id: Set(run_id), content: Set(content) };
    let replace =
        OnConflict::column(run_workspace::Column::RunId).update_column(run_workspace::Column::Content).to_owned();
    run_workspace::Entity::insert(row).on_conflict(replace).exec_without_returning(txn).await?;
    Ok(())
}

pub async fn delete_workspace(txn: &DatabaseTransaction, run_id: i64) -> DbResult<()> {
    run_workspace::Entity::delete_by_id(run_id).exec(txn).await?;
    Ok(())
}

pub async fn add_entity(txn: &DatabaseTransaction, run_id: i64, entity_ref: &str) -> DbResult<()> {
    let row = run_entity::ActiveModel { entity_ref: Set(entity_ref.to_owned()), run_id: Set(run_id) };
    let columns = [run_entity::Column::EntityRef, run_entity::Column::RunId];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    run_entity::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await?;
    Ok(())
}

/// The last run that made an entity.
pub async fn maker<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Option<MadeBy>> {
    let runs = run_entity::Entity::find().filter(run_entity::Column::EntityRef.eq(entity_ref));
    let Some(made) = runs.order_by_desc(run_entity::Column::RunId).one(db).await? else { return Ok(None) };
    let run = run::Entity::find_by_id(made.run_id).one(db).await?;
    let Some(run) = run else { return Ok(None) };
    let behind = Behind::of(db, [&run].into_iter()).await?.count(&run);
    let spec: Value = serde_json::from_str(&run.spec).unwrap_or_default();
    Ok(Some(MadeBy { version: version(&spec), behind, run: run.id, template: run.definition, title: run.title }))
}

/// The commit that the source of a run's template was at when it was started.
pub fn version(spec: &Value) -> Option<String> {
    spec["portal"]["revision"].as_str().map(str::to_owned)
}

/// When the templates of some runs were changed.
pub struct Behind(Vec<(String, DateTime<Utc>)>);

impl Behind {
    pub async fn of<'r, C: ConnectionTrait>(db: &C, runs: impl Iterator<Item = &'r RunRow> + Clone) -> DbResult<Self> {
        let Some(first) = runs.clone().map(|run| run.created_at).min() else { return Ok(Self(Vec::new())) };
        let subjects: BTreeSet<String> = runs.map(subject).collect();
        Ok(Self(changes::store::updates(db, subjects.into_iter().collect(), first).await?))
    }

    /// Changes of a run's template since it was started.
    pub fn count(&self, run: &RunRow) -> u64 {
        let subject = subject(run);
        self.0.iter().filter(|(own, at)| *own == subject && *at > run.created_at).count() as u64
    }
}

fn subject(run: &RunRow) -> String {
    format!("entity:{}", run.definition)
}

pub async fn entities<C: ConnectionTrait>(db: &C, ids: &[i64]) -> DbResult<Vec<(i64, String)>> {
    let rows = run_entity::Entity::find().filter(run_entity::Column::RunId.is_in(ids.to_vec())).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.run_id, row.entity_ref)).collect())
}
