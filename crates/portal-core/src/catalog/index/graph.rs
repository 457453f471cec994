//! The neighbourhood of an entity.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::row::Node;
use super::text::Text;
use super::{CatalogIndex, Visibility};
use crate::catalog::EntityRef;
use crate::catalog::wire::{EntityGraph, GraphEdge, GraphNode};

/// Which way relations are followed: as declared, against it, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    Out,
    In,
    #[default]
    Both,
}

/// The neighbourhood to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphQuery {
    pub root: EntityRef,
    pub depth: u32,
    pub direction: Direction,
    /// Types to follow, by either name of their pair. All when empty.
    pub relations: Vec<String>,
    /// Kinds to show besides the root. All when empty.
    pub kinds: Vec<String>,
    /// Most nodes to answer, the root included.
    pub limit: usize,
}

impl CatalogIndex {
    /// The neighbourhood of an entity, breadth first; its `seq` is the caller's
    /// to fill in. Both directions of a pair are one edge, in the direction of
    /// the declared type. Dangling ends are shown, and what the caller may not see
    /// is as if it did not exist: dangling where a document names it that they may
    /// see, else left out uncounted.
    pub fn graph(&self, query: &GraphQuery, visibility: &Visibility) -> EntityGraph {
        let root = query.root.to_string();
        let mut depths: BTreeMap<&str, u32> = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        let mut omitted: BTreeSet<&str> = BTreeSet::new();
        let mut edges: BTreeSet<GraphEdge> = BTreeSet::new();
        let mut queue: VecDeque<(&str, u32)> = VecDeque::new();
        if let Some((text, _)) = self.node(&root) {
            depths.insert(text.lower_str(), 0);
            queue.push_back((text.lower_str(), 0));
            order.push(text.lower_str());
        }
        while let Some((from, depth)) = queue.pop_front() {
            let Some((text, node)) = self.node(from) else { continue };
            for (relation, to) in self.followed(text, node, query, visibility) {
                if !is_wanted(to, query) && to != root {
                    continue;
                }
                if !depths.contains_key(to) {
                    if depth >= query.depth {
                        continue;
                    }
                    if order.len() >= query.limit.max(1) {
                        omitted.insert(to);
                        continue;
                    }
                    depths.insert(to, depth + 1);
                    order.push(to);
                    queue.push_back((to, depth + 1));
                }
                edges.insert(self.declared_edge(from, relation, to));
            }
        }
        let mut nodes: Vec<GraphNode> =
            order.iter().map(|name| GraphNode { link: self.link_of(name, visibility), depth: depths[name] }).collect();
        if nodes.is_empty() {
            nodes.push(GraphNode { link: self.link_of(&root, visibility), depth: 0 });
        }
        EntityGraph { root, nodes, edges: edges.into_iter().collect(), omitted: omitted.len() as u64, seq: 0 }
    }

    /// Edges of a node in the directions and of the types asked for, in the
    /// order of type, then target.
    fn followed<'a>(
        &'a self,
        from: &Text,
        node: &'a Node,
        query: &GraphQuery,
        visibility: &Visibility,
    ) -> Vec<(&'a str, &'a str)> {
        let wanted = |name: &str| {
            let inverse = self.relation_types.inverse(name);
            let direction = match (query.direction, inverse) {
                (Direction::Both, _) => true,
                (Direction::Out, inverse) => inverse.is_none_or(|(_, declared)| declared),
                (Direction::In, inverse) => inverse.is_some_and(|(_, declared)| !declared),
            };
            let named = |other: &str| query.relations.iter().any(|relation| relation.eq_ignore_ascii_case(other));
            direction && (query.relations.is_empty() || named(name) || inverse.is_some_and(|(other, _)| named(other)))
        };
        let mut edges: Vec<_> = node
            .edges
            .iter()
            .filter(|((relation, target), _)| self.is_stated(from, *relation, target, visibility))
            .map(|((relation, target), _)| (self.relation_types.name(*relation), target.lower_str()))
            .filter(|(name, _)| wanted(name))
            .collect();
        edges.sort_unstable();
        edges
    }

    fn declared_edge(&self, from: &str, relation: &str, to: &str) -> GraphEdge {
        match self.relation_types.inverse(relation) {
            Some((declared, false)) => {
                GraphEdge { from: to.to_owned(), to: from.to_owned(), relation: declared.to_owned() }
            }
            _ => GraphEdge { from: from.to_owned(), to: to.to_owned(), relation: relation.to_owned() },
        }
    }
}

fn is_wanted(name: &str, query: &GraphQuery) -> bool {
    let kind = name.split_once(':').map_or("", |(kind, _)| kind);
    query.kinds.is_empty() || query.kinds.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Entity;
    use crate::catalog::index::RowChange;
    use crate::catalog::relations::Relation;

    /// `a` depends on `b` depends on `c`; `team` owns `a` and a dangling end.
    fn index() -> CatalogIndex {
        let upsert = |id: u32, text: &str, edges: &[(&str, &str, &str)]| {
            let source: EntityRef = text.parse().unwrap();
            let entity = Entity(json!({ "kind": source.kind(), "metadata": { "name": source.name() } }));
            let both = |(relation, inverse, target): &(&str, &str, &str)| {
                let (source, target): (EntityRef, EntityRef) = (source.clone(), target.parse().unwrap());
                let back = Relation { source: target.clone(), relation: (*inverse).to_owned(), target: source.clone() };
                [Relation { source, relation: (*relation).to_owned(), target }, back]
            };
            let relations = edges.iter().flat_map(both).collect();
            RowChange::Upsert { id, uid: id.to_string(), changed_seq: 0, entity, relations }
        };
        let depends = ("dependsOn", "dependencyOf");
        let mut index = CatalogIndex::new();
        index.apply(vec![
            upsert(1, "component:a", &[(depends.0, depends.1, "component:b"), ("ownedBy", "ownerOf", "group:team")]),
            upsert(2, "component:b", &[(depends.0, depends.1, "component:c"), ("ownedBy", "ownerOf", "group:gone")]),
            upsert(3, "component:c", &[]),
            upsert(4, "group:team", &[]),
        ]);
        index
    }

    #[track_caller]
    fn check(query: &GraphQuery, visibility: &Visibility, nodes: &[(&str, u32)], edges: &[&str], omitted: u64) {
        let graph = index().graph(query, visibility);
        let short = |name: &str| name.replace("default/", "");
        let found: Vec<_> = graph.nodes.iter().map(|node| (short(&node.link.entity_ref), node.depth)).collect();
        assert_eq!(found, nodes.iter().map(|(name, depth)| ((*name).to_owned(), *depth)).collect::<Vec<_>>());
        let edge = |edge: &GraphEdge| format!("{} {} {}", short(&edge.from), edge.relation, short(&edge.to));
        assert_eq!(graph.edges.iter().map(edge).collect::<Vec<_>>(), edges);
        assert_eq!(graph.omitted, omitted);
    }

    fn query(root: &str, depth: u32, direction: Direction) -> GraphQuery {
        let root = root.parse().unwrap();
        GraphQuery { root, depth, direction, relations: Vec::new(), kinds: Vec::new(), limit: 50 }
    }

    const A_B: &str = "component:a dependsOn component:b";
    const B_C: &str = "component:b dependsOn component:c";

    #[test]
    fn directions_follow_the_declared_relation() {
        let all = Visibility::All;
        let a = [("component:a", 0), ("component:b", 1), ("group:team", 1)];
        check(&query("component:a", 1, Direction::Out), &all, &a, &[A_B, "component:a ownedBy group:team"], 0);
        check(&query("component:a", 1, Direction::In), &all, &[("component:a", 0)], &[], 0);
        let c = [("component:c", 0), ("component:b", 1), ("component:a", 2)];
        check(&query("component:c", 2, Direction::In), &all, &c, &[A_B, B_C], 0);
    }

    #[test]
    fn types_kinds_and_limit_narrow_the_graph() {
        let all = Visibility::All;
        let nodes = [("component:a", 0), ("component:b", 1), ("component:c", 2)];
        let both = query("component:a", 5, Direction::Both);
        check(&GraphQuery { relations: vec!["dependencyOf".to_owned()], ..both.clone() }, &all, &nodes, &[A_B, B_C], 0);
        check(&GraphQuery { kinds: vec!["Component".to_owned()], ..both.clone() }, &all, &nodes, &[A_B, B_C], 0);
        check(&GraphQuery { limit: 2, ..both }, &all, &nodes[..2], &[A_B], 3);
    }

    #[test]
    fn what_may_not_be_seen_is_a_dangling_end_where_a_document_names_it() {
        let seen = Visibility::Rows(std::sync::Arc::new([1, 2].into_iter().collect()));
        let nodes = [("component:a", 0), ("component:b", 1), ("group:team", 1), ("component:c", 2), ("group:gone", 2)];
        let edges = [A_B, "component:a ownedBy group:team", B_C, "component:b ownedBy group:gone"];
        check(&query("component:a", 3, Direction::Both), &seen, &nodes, &edges, 0);
        check(&query("component:absent", 3, Direction::Both), &seen, &[("component:absent", 0)], &[], 0);
    }
}
