//! Catalogs of any size, for tests and the bench: the same seed gives the same
//! entities on every machine.
//!
//! Proportions follow what large adopters of Backstage publish: mostly
//! components and APIs, an eighth people, a few dozen entities a system.

mod random;
mod words;
mod yaml;

use serde_json::{Map, Value, json};

use crate::catalog::Entity;
use random::Random;
pub use yaml::to_yaml;

/// The first `count` entities of a catalog of that size.
///
/// Every reference between them resolves, but for one in two hundred, as in
/// real catalogs.
pub fn catalog(count: usize, seed: u64) -> impl Iterator<Item = Entity> {
    let plan = Plan::of(count);
    (0..count).map(move |number| plan.entity(number, seed))
}

/// How many entities of each kind, in the order of generation.
#[derive(Debug, Clone, Copy)]
struct Plan {
    domains: usize,
    systems: usize,
    groups: usize,
    users: usize,
    resources: usize,
    apis: usize,
    components: usize,
}

impl Plan {
    fn of(count: usize) -> Self {
        let share = |part: usize, of: usize| (count * part / of).max(1);
        let (domains, systems, groups) = (share(1, 500), share(1, 60), share(1, 40));
        let (users, resources, apis) = (share(1, 8), share(1, 12), share(1, 6));
        let others = domains + systems + groups + users + resources + apis;
        Self { domains, systems, groups, users, resources, apis, components: count.saturating_sub(others).max(1) }
    }

    fn entity(&self, number: usize, seed: u64) -> Entity {
        let mut random = Random::new(seed ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let kinds = [
            (self.groups, "Group"),
            (self.users, "User"),
            (self.domains, "Domain"),
            (self.systems, "System"),
            (self.resources, "Resource"),
            (self.apis, "API"),
        ];
        let mut index = number;
        for (size, kind) in kinds {
            if index < size {
                return self.of_kind(kind, index, &mut random);
            }
            index -= size;
        }
        self.of_kind("Component", index, &mut random)
    }

    fn of_kind(&self, kind: &str, index: usize, random: &mut Random) -> Entity {
        let mut metadata = metadata(kind, index, random);
        let spec = match kind {
            "Group" => self.group(index, random),
            "User" => self.user(index, random),
            "Domain" => json!({ "owner": self.owner(random) }),
            "System" => json!({ "owner": self.owner(random), "domain": name("Domain", random.below(self.domains)) }),
            "Resource" => {
                json!({ "type": random.pick(words::RESOURCES), "owner": self.owner(random), "system": self.system(random) })
            }
            "API" => self.api(index, random),
            _ => self.component(index, random),
        };
        if matches!(kind, "Component" | "API" | "Resource") {
            metadata.insert("tags".to_owned(), random.some(words::TAGS, 4).into());
            annotate(&mut metadata, random);
        }
        Entity(json!({ "apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec }))
    }

    fn group(&self, index: usize, random: &mut Random) -> Value {
        let title = words::title(&name("Group", index));
        let mut spec = json!({
            "type": if index < self.groups / 10 { "department" } else { "team" },
            "profile": { "displayName": title, "email": format!("{}@example.com", name("Group", index)) },
            "children": [],
        });
        if index > 0 {
            spec["parent"] = json!(name("Group", random.below(index.min(self.groups / 10 + 1))));
        }
        spec
    }

    fn user(&self, index: usize, random: &mut Random) -> Value {
        let display = words::person(index);
        let teams = (0..=random.below(2)).map(|_| name("Group", random.below(self.groups))).collect::<Vec<_>>();
        json!({
            "profile": { "displayName": display, "email": format!("{}@example.com", name("User", index)) },
            "memberOf": teams,
        })
    }

    fn api(&self, index: usize, random: &mut Random) -> Value {
        json!({
            "type": random.pick(words::API_TYPES),
            "lifecycle": random.pick(words::LIFECYCLES),
            "owner": self.owner(random),
            "system": self.system(random),
            "definition": words::definition(&name("API", index)),
        })
    }

    fn component(&self, index: usize, random: &mut Random) -> Value {
        let mut spec = json!({
            "type": random.pick(words::COMPONENTS),
            "lifecycle": random.pick(words::LIFECYCLES),
            "owner": self.owner(random),
            "system": self.system(random),
        });
        let apis = |random: &mut Random, most: usize| {
            (0..random.below(most + 1)).map(|_| name("API", random.below(self.apis))).collect::<Vec<_>>()
        };
        let mut set = |field: &str, values: Vec<String>| {
            if !values.is_empty() {
                spec[field] = json!(values);
            }
        };
        // Each API belongs to one component, as far as they go round.
        let provided = if index < self.apis { vec![name("API", index)] } else { Vec::new() };
        set("providesApis", provided);
        set("consumesApis", apis(random, 3));
        let mut dependencies: Vec<String> = (0..random.below(3))
            .map(|_| format!("resource:default/{}", name("Resource", random.below(self.resources))))
            .collect();
        if random.below(3) == 0 {
            dependencies.push(format!("component:default/{}", name("Component", random.below(self.components))));
        }
        if random.below(200) == 0 {
            dependencies.push("component:default/retired-service".to_owned());
        }
        set("dependsOn", dependencies);
        spec
    }

    fn owner(&self, random: &mut Random) -> String {
        name("Group", random.below(self.groups))
    }

    fn system(&self, random: &mut Random) -> String {
        name("System", random.below(self.systems))
    }
}

/// Unique within a kind.
fn name(kind: &str, index: usize) -> String {
    match kind {
        "User" => format!("{}-{index}", words::person(index).to_lowercase().replace(' ', ".")),
        "Group" => format!("team-{}-{index}", words::noun(index)),
        "Domain" => format!("{}-domain-{index}", words::noun(index)),
        "System" => format!("{}-{}-{index}", words::adjective(index), words::noun(index / 7)),
        "API" => format!("{}-{}-api-{index}", words::noun(index), words::noun(index / 5 + 3)),
        "Resource" => format!("{}-{}-store-{index}", words::adjective(index / 3), words::noun(index)),
        _ => format!("{}-{}-{}-{index}", words::adjective(index), words::noun(index / 11), words::suffix(index / 3)),
    }
}

fn metadata(kind: &str, index: usize, random: &mut Random) -> Map<String, Value> {
    let name = name(kind, index);
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    if kind != "User" && random.below(2) == 0 {
        metadata.insert("title".to_owned(), json!(words::title(&name)));
    }
    metadata.insert("description".to_owned(), json!(words::sentence(random)));
    metadata
}

fn annotate(metadata: &mut Map<String, Value>, random: &mut Random) {
    let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let repository = format!("https://git.example.com/platform/{name}");
    metadata.insert(
        "annotations".to_owned(),
        json!({
            "backstage.io/source-location": format!("url:{repository}/"),
            "backstage.io/techdocs-ref": "dir:.",
            "github.com/project-slug": format!("platform/{name}"),
        }),
    );
    metadata.insert("labels".to_owned(), json!({ "example.com/tier": format!("tier-{}", random.below(4) + 1) }));
    if random.below(2) == 0 {
        let link = json!({ "url": format!("{repository}/runbook"), "title": "Runbook", "icon": "docs" });
        metadata.insert("links".to_owned(), json!([link]));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_catalog_is_the_same_every_time_and_its_names_are_unique() {
        let first: Vec<Entity> = catalog(1000, 7).collect();
        assert_eq!(first, catalog(1000, 7).collect::<Vec<_>>());
        assert_ne!(first, catalog(1000, 8).collect::<Vec<_>>());
        let references: BTreeSet<_> = first.iter().filter_map(Entity::entity_ref).collect();
        assert_eq!(references.len(), 1000);
        let kinds: BTreeSet<_> = first.iter().filter_map(Entity::kind).collect();
        assert_eq!(kinds.len(), 7);
    }
}
