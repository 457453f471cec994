//! Folding: of a large graph, leaves of one kind on one side of one node are
//! drawn as a single node that says how many they are.

use std::collections::{BTreeMap, BTreeSet};

use portal_core::catalog::wire::{EntityGraph, EntityLink, GraphEdge, GraphNode};

use super::layout::forward_edges;
use crate::catalog::kinds::kind_plural;
use crate::catalog::links::kind_of;
use crate::ui::number;

/// Nodes that are drawn one by one.
const MANY: usize = 60;
/// Leaves that are worth folding.
const FEW: usize = 3;
/// Begins the reference of a folded node; the node they all hang on follows.
const PREFIX: &str = "folded:";

/// The graph as it is drawn.
pub(super) fn folded(graph: &EntityGraph) -> EntityGraph {
    if graph.nodes.len() <= MANY {
        return graph.clone();
    }
    let edges = forward_edges(graph);
    let mut neighbours: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _, to) in &edges {
        neighbours.entry(from).or_default().insert(to);
        neighbours.entry(to).or_default().insert(from);
    }
    // Node, whether the leaves point to it, kind.
    let mut groups: BTreeMap<(&str, bool, &str), BTreeSet<&str>> = BTreeMap::new();
    for (from, _, to) in &edges {
        for (leaf, node, points) in [(from, to, true), (to, from, false)] {
            let only = neighbours.get(leaf).is_some_and(|neighbours| neighbours.len() == 1);
            if only && *leaf != graph.root {
                groups.entry((node, points, kind_of(leaf))).or_default().insert(leaf);
            }
        }
    }
    groups.retain(|_, leaves| leaves.len() >= FEW);
    let gone: BTreeSet<&str> = groups.values().flatten().copied().collect();
    let stays = |entity_ref: &String| !gone.contains(entity_ref.as_str());
    let mut small = EntityGraph {
        nodes: graph.nodes.iter().filter(|node| stays(&node.link.entity_ref)).cloned().collect(),
        edges: graph.edges.iter().filter(|edge| stays(&edge.from) && stays(&edge.to)).cloned().collect(),
        ..graph.clone()
    };
    for ((node, points, kind), leaves) in groups {
        let title = format!("{} {}", number(leaves.len() as u64), kind_plural(kind).to_lowercase());
        // The kind before the node keeps two groups of one node apart.
        let entity_ref = format!("{PREFIX}{kind}{}{node}", if points { '>' } else { '<' });
        let (from, to) =
            if points { (entity_ref.clone(), node.to_owned()) } else { (node.to_owned(), entity_ref.clone()) };
        small.edges.push(GraphEdge { from, to, relation: String::new() });
        let link = EntityLink { entity_ref, title, subtype: None, exists: true };
        small.nodes.push(GraphNode { link, depth: 0 });
    }
    small
}

/// The node on which a folded one hangs; `None` for an entity.
pub(super) fn behind(entity_ref: &str) -> Option<&str> {
    let rest = entity_ref.strip_prefix(PREFIX)?;
    rest.split_once(['<', '>']).map(|(_, node)| node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(leaves: usize) -> EntityGraph {
        let name = |index: usize| format!("component:default/c{index}");
        let root = "system:default/root".to_owned();
        let node = |entity_ref: String| GraphNode {
            link: EntityLink { title: entity_ref.clone(), entity_ref, subtype: None, exists: true },
            depth: 1,
        };
        let edge = |from: String, to: &str| GraphEdge { from, to: to.to_owned(), relation: "partOf".to_owned() };
        let mut nodes = vec![node(root.clone()), node("api:default/a".to_owned())];
        nodes.extend((0..leaves).map(|index| node(name(index))));
        let mut edges: Vec<GraphEdge> = (0..leaves).map(|index| edge(name(index), &root)).collect();
        // One of them is no leaf.
        edges.push(edge(name(0), "api:default/a"));
        EntityGraph { root, nodes, edges, omitted: 0, seq: 1 }
    }

    #[test]
    fn a_small_graph_is_drawn_as_it_is() {
        assert_eq!(folded(&graph(20)), graph(20));
    }

    #[test]
    fn leaves_of_one_kind_become_one_node() {
        let small = folded(&graph(100));
        let titles: Vec<&str> = small.nodes.iter().map(|node| node.link.title.as_str()).collect();
        assert_eq!(titles, ["system:default/root", "api:default/a", "component:default/c0", "99 components"]);
        assert_eq!(behind(&small.nodes[3].link.entity_ref), Some("system:default/root"));
        assert_eq!(small.edges.len(), 3);
        assert_eq!(behind("component:default/c0"), None);
    }
}
