//! Relations that descriptors declare, always in both directions.

use serde::{Deserialize, Serialize};
#[cfg(feature = "engine")]
use serde_json::Value;

#[cfg(feature = "engine")]
use super::entity::Entity;
#[cfg(feature = "engine")]
use super::kinds::KindRegistry;
use super::reference::EntityRef;

/// One directed relation between two entities, either of which may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    pub source: EntityRef,
    /// e.g. `dependsOn`, `ownedBy`.
    pub relation: String,
    pub target: EntityRef,
}

/// The relations that a descriptor causes, both directions of each pair, sorted
/// and without repeats.
///
/// References that cannot be read are skipped: validation reports them.
#[cfg(feature = "engine")]
pub fn emitted(entity: &Entity, kinds: &KindRegistry) -> Vec<Relation> {
    let definition = entity.kind().and_then(|kind| kinds.get(kind));
    let (Some(source), Some(definition), Some(spec)) = (entity.entity_ref(), definition, entity.spec()) else {
        return Vec::new();
    };
    let mut relations = Vec::new();
    for field in &definition.relation_fields {
        let targets = match spec.get(&field.field) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for target in targets.iter().filter_map(Value::as_str) {
            let Ok(target) = EntityRef::parse(target, field.default_kind.as_deref(), source.namespace()) else {
                continue;
            };
            relations.push(Relation {
                source: target.clone(),
                relation: field.incoming.clone(),
                target: source.clone(),
            });
            relations.push(Relation { source: source.clone(), relation: field.outgoing.clone(), target });
        }
    }
    relations.sort();
    relations.dedup();
    relations
}
