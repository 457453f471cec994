//! Queries that only the compatible routes need.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::DbResult;
use crate::db::entity::{entity, source};

/// Entities of one analysed place, at most.
const MOST: u64 = 500;

/// References that the sources with this target declare.
pub(super) async fn refs_declared_at<C: ConnectionTrait>(db: &C, target: &str) -> DbResult<Vec<String>> {
    let sources =
        source::Entity::find().select_only().column(source::Column::Id).filter(source::Column::Target.eq(target));
    let sources: Vec<i64> = sources.into_tuple().all(db).await?;
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let refs = entity::Entity::find()
        .select_only()
        .column(entity::Column::EntityRef)
        .filter(entity::Column::SourceId.is_in(sources))
        .order_by_asc(entity::Column::Id)
        .limit(MOST);
    Ok(refs.into_tuple().all(db).await?)
}
