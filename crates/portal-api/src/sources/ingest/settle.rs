//! After the files: what became of entities that no document declares any more.

use super::super::store::{self, Missing};
use super::super::{Trigger, jobs};
use super::{Pass, PassError};
use crate::catalog::service;

/// Rows of one write.
const ROWS: usize = 250;

/// Forgets files that are `gone`, marks what is broken as stale and what is no
/// longer declared as orphaned, and wakes documents that wait for a reference.
pub(super) async fn settle(pass: &mut Pass<'_>, gone: Vec<String>) -> Result<(), PassError> {
    let id = pass.source.id;
    if !gone.is_empty() {
        pass.open().await?;
        pass.tally.files += i64::try_from(gone.len()).unwrap_or_default();
        for chunk in gone.chunks(ROWS) {
            let chunk = chunk.to_vec();
            pass.write(move |txn| Box::pin(async move { Ok(store::delete_files(txn, id, &chunk).await?) })).await?;
        }
    }
    let db = pass.app.db.reader();
    let blind = store::blind_files(db, id).await?;
    let missing = store::missing(db, id).await?;
    let (kept, orphans): (Vec<Missing>, Vec<Missing>) =
        missing.into_iter().partition(|missing| blind.contains(&missing.location));
    let mut stale = store::newly_stale(db, id).await?;
    stale.extend(kept.into_iter().map(|missing| missing.entity_ref));
    for chunk in stale.chunks(ROWS) {
        let (chunk, writing) = (chunk.to_vec(), pass.writing.clone());
        pass.write(move |txn| Box::pin(async move { Ok(service::mark_stale(txn, &writing, &chunk).await?) })).await?;
    }
    let orphans: Vec<String> = orphans.into_iter().map(|missing| missing.entity_ref).collect();
    for chunk in orphans.chunks(ROWS) {
        let (chunk, writing) = (chunk.to_vec(), pass.writing.clone());
        let work = pass.write(move |txn| {
            Box::pin(async move {
                let orphaned = service::orphan(txn, &writing, &chunk).await?;
                wake_claimants(txn, &chunk, writing.at).await?;
                Ok(orphaned)
            })
        });
        pass.tally.removed += i64::try_from(work.await?).unwrap_or_default();
    }
    Ok(())
}

/// Lets documents that were refused for one of these references try again.
pub(in super::super) async fn wake_claimants(
    txn: &crate::db::DatabaseTransaction,
    refs: &[String],
    now: chrono::DateTime<chrono::Utc>,
) -> crate::db::DbResult<()> {
    for (source_id, path) in store::claimants(txn, refs).await? {
        store::force(txn, source_id, Some(&path)).await?;
        jobs::ask(txn, source_id, Trigger::Schedule, now).await?;
    }
    Ok(())
}
