//! Whether a caller may change a particular entity.

use portal_core::access::Resource;
use portal_core::catalog::relations::emitted;
use portal_core::catalog::{Entity, EntityRef};

use super::view::Snapshot;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, WriteCatalog};

const OWNED: &str = "ownedBy";

/// That they may change an entity: what it is now, and what it is to be. Nobody
/// takes over what is another team's, or gives them what they did not ask for.
///
/// # Errors
/// The decision's reason.
pub fn check_write(
    auth: &Authorized<WriteCatalog>,
    snapshot: &Snapshot,
    entity_ref: &EntityRef,
    draft: Option<&Entity>,
) -> ApiResult<()> {
    let name = entity_ref.to_string();
    let current = snapshot.index.row(entity_ref).map(|row| owners(snapshot, row));
    let wanted = draft.map(|draft| {
        let relations = emitted(draft, &snapshot.kinds).into_iter();
        let own = relations.filter(|relation| relation.relation == OWNED && relation.source == *entity_ref);
        own.map(|relation| relation.target.to_string()).collect::<Vec<String>>()
    });
    for owners in [current, wanted].into_iter().flatten() {
        auth.check(Resource::Entity { entity_ref: &name, owners: &owners })?;
    }
    Ok(())
}

/// Who owns a row of the catalog.
pub fn owners(snapshot: &Snapshot, row: u32) -> Vec<String> {
    let edges = snapshot.index.edges(row).into_iter().filter(|(relation, _)| *relation == OWNED);
    edges.map(|(_, owner)| owner.to_owned()).collect()
}
