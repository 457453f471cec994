//! What breaks when an entity does.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{CatalogIndex, Visibility};
use crate::catalog::EntityRef;
use crate::catalog::wire::{Impact, ImpactedEntity, ImpactedOwner};

/// Relations along which a failure travels, from what fails to what fails with
/// it: an API with its provider, a consumer with the API, whatever depends with
/// what it depends on, and parts with their whole.
const PASSES_ON: [&str; 4] = ["apiConsumedBy", "dependencyOf", "hasPart", "providesApi"];

/// How an entity is reached.
struct Reached<'a> {
    steps: u32,
    via: &'a str,
    relation: &'a str,
}

impl CatalogIndex {
    /// All that fails with `root`, transitively, by owner; its `seq` is the
    /// caller's to fill in. Each entity is shown once, on a shortest way, and
    /// at most `limit` of them, the nearest. Entities that the caller may not
    /// see are left out uncounted and pass nothing on; so are dangling ends.
    pub fn impact(&self, root: &EntityRef, limit: usize, visibility: &Visibility) -> Impact {
        let root = root.to_string();
        let mut reached: HashMap<&str, Reached> = HashMap::new();
        let mut order: Vec<&str> = Vec::new();
        let mut queue: VecDeque<(&str, u32)> = VecDeque::new();
        queue.extend(self.node(&root).map(|(text, _)| (text.lower_str(), 0)));
        while let Some((via, steps)) = queue.pop_front() {
            for (relation, to) in self.passed_on(via) {
                let admitted = self.row_of(to).is_some_and(|row| visibility.admits(row));
                if !admitted || to == root || reached.contains_key(to) {
                    continue;
                }
                reached.insert(to, Reached { steps: steps + 1, via, relation });
                order.push(to);
                queue.push_back((to, steps + 1));
            }
        }
        let direct = reached.values().filter(|reached| reached.steps == 1).count() as u64;
        let mut owners: BTreeMap<Option<&str>, ImpactedOwner> = BTreeMap::new();
        for (place, name) in order.iter().enumerate() {
            let owner = self.targets_of(name, "ownedBy").next();
            let link = || owner.map(|owner| self.link_of(owner, visibility));
            let owned =
                owners.entry(owner).or_insert_with(|| ImpactedOwner { owner: link(), total: 0, entities: Vec::new() });
            owned.total += 1;
            if place < limit {
                let Reached { steps, via, relation } = &reached[name];
                owned.entities.push(ImpactedEntity {
                    link: self.link_of(name, visibility),
                    steps: *steps,
                    via: self.link_of(via, visibility),
                    relation: (*relation).to_owned(),
                });
            }
        }
        let mut owners: Vec<_> = owners.into_values().collect();
        owners.sort_by_key(|owned| (std::cmp::Reverse(owned.total), owned.owner.is_none()));
        let total = order.len() as u64;
        Impact { root, total, direct, owners, omitted: total.saturating_sub(limit as u64), seq: 0 }
    }

    /// Relation and target of each edge that passes a failure on, in order.
    fn passed_on<'a>(&'a self, from: &'a str) -> impl Iterator<Item = (&'static str, &'a str)> {
        PASSES_ON
            .into_iter()
            .flat_map(move |relation| self.targets_of(from, relation).map(move |target| (relation, target)))
    }

    fn targets_of<'a>(&'a self, from: &str, relation: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let node = self.node(from).map(|(_, node)| node);
        let edges = node.zip(self.relation_types.number(relation));
        edges.into_iter().flat_map(|(node, relation)| node.targets(relation)).map(|text| text.lower_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::Entity;
    use crate::catalog::index::RowChange;
    use crate::catalog::kinds::KindRegistry;
    use crate::catalog::relations::emitted;

    /// `shop` consumes the API of `pay`, which depends on `db`; `report` depends
    /// on `shop` and on `db`; `shop` and `pay` depend on each other.
    fn index() -> CatalogIndex {
        let entities = [
            ("Resource", "db", json!({ "type": "database", "owner": "data", "system": "core" })),
            (
                "Component",
                "pay",
                json!({ "owner": "money", "providesApis": ["pay-api"], "dependsOn": ["resource:db", "component:shop"] }),
            ),
            ("API", "pay-api", json!({ "owner": "money" })),
            (
                "Component",
                "shop",
                json!({ "owner": "web", "consumesApis": ["pay-api"], "dependsOn": ["component:pay"] }),
            ),
            ("Component", "report", json!({ "dependsOn": ["component:shop", "resource:db", "component:gone"] })),
            ("System", "core", json!({ "owner": "money" })),
        ];
        let upsert = |(id, (kind, name, spec)): (usize, &(&str, &str, Value))| {
            let entity = Entity(json!({ "kind": kind, "metadata": { "name": name }, "spec": spec }));
            let relations = emitted(&entity, &KindRegistry::built_in());
            RowChange::Upsert { id: id as u32, uid: id.to_string(), changed_seq: 0, entity, relations }
        };
        let mut index = CatalogIndex::new();
        index.apply(entities.iter().enumerate().map(upsert).collect());
        index
    }

    fn impact(root: &str, limit: usize, visibility: &Visibility) -> Impact {
        index().impact(&root.parse().unwrap(), limit, visibility)
    }

    /// `owner: entity steps relation via, …` for each owner.
    #[track_caller]
    fn check(root: &str, expected: &[&str]) {
        let short = |name: &str| name.rsplit_once('/').map_or(name, |(_, name)| name).to_owned();
        let entity = |entity: &ImpactedEntity| {
            format!(
                "{} {} {} {}",
                short(&entity.link.entity_ref),
                entity.steps,
                entity.relation,
                short(&entity.via.entity_ref)
            )
        };
        let owner = |owned: &ImpactedOwner| {
            let owner = owned.owner.as_ref().map_or_else(|| "nobody".to_owned(), |owner| short(&owner.entity_ref));
            format!("{owner}: {}", owned.entities.iter().map(entity).collect::<Vec<_>>().join(", "))
        };
        let impact = impact(root, 100, &Visibility::All);
        assert_eq!(impact.owners.iter().map(owner).collect::<Vec<_>>(), expected);
        assert_eq!(impact.total, impact.owners.iter().map(|owned| owned.total).sum::<u64>());
    }

    #[test]
    fn a_failure_travels_to_all_that_need_what_failed() {
        let money = "money: pay 1 dependencyOf db, pay-api 2 providesApi pay";
        check("resource:db", &[money, "web: shop 2 dependencyOf pay", "nobody: report 1 dependencyOf db"]);
        check(
            "api:pay-api",
            &[
                "money: pay 2 dependencyOf shop",
                "web: shop 1 apiConsumedBy pay-api",
                "nobody: report 2 dependencyOf shop",
            ],
        );
        check("component:report", &[]);
        check("component:absent", &[]);
    }

    #[test]
    fn parts_fail_with_their_whole() {
        let impact = impact("system:core", 100, &Visibility::All);
        assert_eq!((impact.direct, impact.total), (1, 5));
    }

    #[test]
    fn the_limit_keeps_the_nearest_and_the_counts() {
        let impact = impact("resource:db", 1, &Visibility::All);
        assert_eq!((impact.total, impact.direct, impact.omitted), (4, 2, 3));
        assert_eq!(impact.owners.iter().map(|owned| owned.entities.len()).sum::<usize>(), 1);
    }

    #[test]
    fn what_may_not_be_seen_passes_nothing_on() {
        let seen = Visibility::Rows(std::sync::Arc::new([0, 2, 3].into_iter().collect()));
        assert_eq!(impact("resource:db", 100, &seen).total, 0);
    }
}
