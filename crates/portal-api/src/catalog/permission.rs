//! Whether a caller may change a particular entity.

use portal_core::access::policy::{Policies, Subject};
use portal_core::access::{Principal, Resource, Verb};
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::catalog::relations::emitted;
use portal_core::catalog::{Entity, EntityRef};

use super::handlers::{absent, document};
use super::view::Snapshot;
use crate::error::ApiResult;
use crate::http::authorized::{self, Authorized, WriteCatalog};
use crate::state::App;

const OWNED: &str = "ownedBy";

/// That they may change an entity: what it is now, and what it is to be. Nobody
/// takes over what is another team's, or gives them what they did not ask for.
///
/// # Errors
/// The decision's reason; 404 when it is not theirs to know about.
pub async fn check_write(
    app: &App,
    auth: &Authorized<WriteCatalog>,
    snapshot: &Snapshot,
    entity_ref: &EntityRef,
    draft: Option<&Entity>,
) -> ApiResult<()> {
    may_write(app, &auth.principal, snapshot, entity_ref, draft).await
}

/// The same of somebody who does not ask themselves: whoever started a run.
///
/// # Errors
/// The decision's reason; 404 when it is not theirs to know about.
pub async fn may_write(
    app: &App,
    principal: &Principal,
    snapshot: &Snapshot,
    entity_ref: &EntityRef,
    draft: Option<&Entity>,
) -> ApiResult<()> {
    let check = |rules: &Policies, resource: Resource<'_>, subject: Option<&Subject<'_>>| {
        authorized::check(principal, Verb::WriteCatalog, rules, resource, subject)
    };
    let rules = &snapshot.policies.rules;
    let name = entity_ref.to_string();
    if let Some(row) = snapshot.index.row(entity_ref) {
        if !snapshot.visibility(principal).admits(row) {
            return Err(absent(entity_ref));
        }
        let owners = owners(&snapshot.index, row);
        let resource = Resource::Entity { entity_ref: &name, owners: &owners };
        // Roles and ownership ask nothing of the document.
        if rules.is_empty() {
            check(rules, resource, None)?;
        } else {
            let (_, found) = document(app, snapshot, entity_ref, &Visibility::All).await?;
            let document = Entity(serde_json::from_slice(&found.json).unwrap_or_default());
            check(rules, resource, Some(&Subject { index: &snapshot.index, row, document: &document }))?;
        }
    }
    let Some(draft) = draft else { return Ok(()) };
    let relations = emitted(draft, &snapshot.kinds);
    let own = relations.iter().filter(|relation| relation.relation == OWNED && relation.source == *entity_ref);
    let owners: Vec<String> = own.map(|relation| relation.target.to_string()).collect();
    let resource = Resource::Entity { entity_ref: &name, owners: &owners };
    if rules.is_empty() {
        return check(rules, resource, None);
    }
    let alone = CatalogIndex::alone(draft.clone(), relations);
    check(rules, resource, Some(&Subject { index: &alone, row: 0, document: draft }))
}

/// Who owns a row of an index.
pub fn owners(index: &CatalogIndex, row: u32) -> Vec<String> {
    let edges = index.edges(row, &Visibility::All).into_iter().filter(|(relation, _)| *relation == OWNED);
    edges.map(|(_, owner)| owner.to_owned()).collect()
}
