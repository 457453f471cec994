//! Folding: of a large graph, entities of one kind that hang on one node, or
//! stand as far from the root, are drawn as one node that says how many they are.

use std::collections::{BTreeMap, BTreeSet};

use portal_core::catalog::wire::{EntityGraph, EntityLink, GraphEdge, GraphNode};

use super::layout::forward_edges;
use crate::catalog::entity_page::Tab;
use crate::catalog::kinds::kind_plural;
use crate::catalog::links::kind_of;
use crate::ui::number;

/// Nodes that are drawn one by one.
const MANY: usize = 60;
/// Leaves that are worth folding.
const FEW: usize = 3;
/// Begins the reference of a folded node; the node they all hang on follows.
const PREFIX: &str = "folded:";

/// The graph as it is drawn: leaves are folded first, then, from the farthest
/// on, what is as far from the root.
pub(super) fn folded(graph: &EntityGraph) -> EntityGraph {
    if graph.nodes.len() <= MANY {
        return graph.clone();
    }
    let mut small = by_group(graph, &leaves(graph));
    let farthest = graph.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
    for depth in (1..=farthest).rev() {
        if small.nodes.len() <= MANY {
            break;
        }
        let group = |node: &GraphNode| {
            let entity_ref = &node.link.entity_ref;
            let plain = node.depth == depth && !entity_ref.starts_with(PREFIX);
            plain.then(|| format!("{PREFIX}{}={depth}>{}", kind_of(entity_ref), graph.root))
        };
        let groups = small.nodes.iter().filter_map(|node| Some((node.link.entity_ref.clone(), group(node)?))).collect();
        small = by_group(&small, &groups);
    }
    small
}

/// For each leaf, the group that it belongs to: of the same kind, on the same
/// side of the same node.
fn leaves(graph: &EntityGraph) -> BTreeMap<String, String> {
    let edges = forward_edges(graph);
    let mut neighbours: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _, to) in &edges {
        neighbours.entry(from).or_default().insert(to);
        neighbours.entry(to).or_default().insert(from);
    }
    let mut groups = BTreeMap::new();
    for (from, _, to) in &edges {
        for (leaf, node, side) in [(from, to, '>'), (to, from, '<')] {
            let only = neighbours.get(leaf).is_some_and(|neighbours| neighbours.len() == 1);
            if only && *leaf != graph.root {
                groups.insert((*leaf).to_owned(), format!("{PREFIX}{}{side}{node}", kind_of(leaf)));
            }
        }
    }
    groups
}

/// Draws the members of each group that is worth it as one node.
fn by_group(graph: &EntityGraph, groups: &BTreeMap<String, String>) -> EntityGraph {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for group in groups.values() {
        *sizes.entry(group).or_default() += 1;
    }
    let stand_in = |entity_ref: &str| {
        let group = groups.get(entity_ref).filter(|group| sizes.get(group.as_str()).is_some_and(|size| *size >= FEW));
        group.map_or_else(|| entity_ref.to_owned(), Clone::clone)
    };
    let mut small = EntityGraph { nodes: Vec::new(), edges: Vec::new(), ..graph.clone() };
    for node in &graph.nodes {
        let name = stand_in(&node.link.entity_ref);
        if name == node.link.entity_ref {
            small.nodes.push(node.clone());
        } else if !small.nodes.iter().any(|known| known.link.entity_ref == name) {
            let count = sizes.get(name.as_str()).copied().unwrap_or(0) as u64;
            let title =
                format!("{} {}", number(count), kind_plural(kind_of(&node.link.entity_ref)).to_ascii_lowercase());
            let link = EntityLink { entity_ref: name, title, subtype: None, exists: true };
            small.nodes.push(GraphNode { link, depth: node.depth });
        }
    }
    let mut drawn = BTreeSet::new();
    for edge in &graph.edges {
        let edge = GraphEdge { from: stand_in(&edge.from), to: stand_in(&edge.to), relation: edge.relation.clone() };
        if edge.from != edge.to && drawn.insert(edge.clone()) {
            small.edges.push(edge);
        }
    }
    small
}

/// Where a folded node leads: to the graph of the node that its leaves hang on,
/// or, of what is only equally far, to the list; `None` for an entity.
pub(super) fn href(entity_ref: &str) -> Option<String> {
    let rest = entity_ref.strip_prefix(PREFIX)?;
    let (group, node) = rest.split_once(['<', '>'])?;
    Some(if group.contains('=') { "#edges".to_owned() } else { Tab::Graph.href(node) })
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
        assert_eq!(href(&small.nodes[3].link.entity_ref).as_deref(), Some("/catalog/system/default/root?tab=graph"));
        assert_eq!(small.edges.len(), 3);
    }

    #[test]
    fn what_is_far_is_folded_where_leaves_are_few() {
        let mut far = graph(100);
        // Everything hangs on two nodes, so that nothing is a leaf.
        for index in 0..100 {
            let (from, to) = (format!("component:default/c{index}"), "api:default/a".to_owned());
            far.edges.push(GraphEdge { from, to, relation: "providesApi".to_owned() });
        }
        far.nodes[0].depth = 0;
        let titles: Vec<String> = folded(&far).nodes.iter().map(|node| node.link.title.clone()).collect();
        assert_eq!(titles, ["system:default/root", "api:default/a", "100 components"]);
    }

    #[test]
    fn an_entity_is_not_folded() {
        assert_eq!(href("component:default/c0"), None);
    }
}
