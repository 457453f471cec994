//! Queries on recorded events.

use sea_orm::{ActiveValue::Set, EntityTrait};

use super::Event;
use crate::db::entity::event::{ActiveModel, Entity};
use crate::db::{DatabaseTransaction, DbResult};

pub async fn insert(txn: &DatabaseTransaction, events: Vec<Event>) -> DbResult<()> {
    let rows = events.into_iter().map(|event| {
        let Event { at, actor, surface, verb, object, outcome, duration_ms, rank, result_count } = event;
        ActiveModel {
            at: Set(at),
            actor: Set(actor.0),
            actor_type: Set("person".to_owned()),
            surface: Set(surface.to_owned()),
            verb: Set(verb.to_owned()),
            object: Set(object.chars().take(500).collect()),
            outcome: Set(outcome.to_owned()),
            duration_ms: Set(duration_ms),
            rank: Set(rank),
            result_count: Set(result_count),
            ..Default::default()
        }
    });
    Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}
