//! Whom users and groups of the catalog are reached at.

use std::collections::{BTreeSet, HashMap};

use portal_core::catalog::index::{CatalogIndex, Visibility};

/// Groups within groups that are followed.
const LEVELS: usize = 10;
/// References that are followed in all.
const MOST: usize = 2000;

/// The people and groups below some references, these included.
pub fn below(index: &CatalogIndex, visibility: &Visibility, refs: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut level: Vec<String> = refs.to_vec();
    for _ in 0..LEVELS {
        level.retain(|one| !all.contains(one) && seen(index, visibility, one).is_some());
        level.sort_unstable();
        level.dedup();
        all.extend(level.iter().cloned());
        all.truncate(MOST);
        if level.is_empty() || all.len() == MOST {
            break;
        }
        level = level.iter().flat_map(|one| members(index, visibility, one)).collect();
    }
    all
}

/// The users among the people of a reference.
pub fn users(index: &CatalogIndex, visibility: &Visibility, entity_ref: &str) -> Vec<String> {
    let all = below(index, visibility, &[entity_ref.to_owned()]);
    all.into_iter().filter(|one| one.starts_with("user:")).collect()
}

/// The addresses of some references: a group's own, or else those of its members; without
/// those of `without`. `profiles` are the addresses of all that is [`below`] them.
pub fn addresses(
    index: &CatalogIndex,
    visibility: &Visibility,
    profiles: &HashMap<String, String>,
    refs: &[String],
    without: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut visited: BTreeSet<String> = without.clone();
    let mut open: Vec<String> = refs.to_vec();
    while let Some(one) = open.pop() {
        if seen(index, visibility, &one).is_none() || !visited.insert(one.clone()) {
            continue;
        }
        match profiles.get(&one) {
            Some(address) => {
                found.insert(address.clone());
            }
            None => open.extend(members(index, visibility, &one)),
        }
    }
    found
}

fn seen(index: &CatalogIndex, visibility: &Visibility, entity_ref: &str) -> Option<u32> {
    index.row_of(entity_ref).filter(|row| visibility.admits(*row))
}

fn members(index: &CatalogIndex, visibility: &Visibility, entity_ref: &str) -> Vec<String> {
    if !entity_ref.starts_with("group:") {
        return Vec::new();
    }
    let Some(row) = seen(index, visibility, entity_ref) else { return Vec::new() };
    let edges = index.edges(row, visibility).into_iter();
    let inner = edges.filter(|(relation, _)| matches!(*relation, "hasMember" | "parentOf"));
    inner.map(|(_, member)| member.to_owned()).collect()
}
