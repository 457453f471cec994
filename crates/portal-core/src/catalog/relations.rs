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

#[cfg(all(test, feature = "engine"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: &str, spec: Value, expected: &[&str]) {
        let entity = json!({ "kind": kind, "metadata": { "name": "Me", "namespace": "NS" }, "spec": spec });
        let relations: Vec<_> = emitted(&Entity(entity), &KindRegistry::built_in())
            .into_iter()
            .map(|relation| format!("{} {} {}", relation.source, relation.relation, relation.target))
            .collect();
        assert_eq!(relations, expected);
    }

    #[test]
    fn relations_go_both_ways_with_the_defaults_of_their_field() {
        check(
            "Component",
            json!({ "owner": "Team", "providesApis": ["x", "default/y"], "dependsOn": ["resource:db", "db", 5, ""] }),
            &[
                "api:default/y apiProvidedBy component:ns/me",
                "api:ns/x apiProvidedBy component:ns/me",
                "component:ns/me dependsOn resource:ns/db",
                "component:ns/me ownedBy group:ns/team",
                "component:ns/me providesApi api:default/y",
                "component:ns/me providesApi api:ns/x",
                "group:ns/team ownerOf component:ns/me",
                "resource:ns/db dependencyOf component:ns/me",
            ],
        );
        check(
            "User",
            json!({ "memberOf": ["t", "t"] }),
            &["group:ns/t hasMember user:ns/me", "user:ns/me memberOf group:ns/t"],
        );
        check(
            "Group",
            json!({ "parent": "p", "children": [], "members": ["u"] }),
            &[
                "group:ns/me childOf group:ns/p",
                "group:ns/me hasMember user:ns/u",
                "group:ns/p parentOf group:ns/me",
                "user:ns/u memberOf group:ns/me",
            ],
        );
    }

    #[test]
    fn what_has_no_kind_or_spec_has_no_relations() {
        check("Widget", json!({ "owner": "x" }), &[]);
        check("Component", json!(null), &[]);
        check("Component", json!({ "owner": { "$text": "x" } }), &[]);
    }
}
