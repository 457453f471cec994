//! Where nodes and edges of a graph are drawn: columns by distance from the
//! root, dependencies to the right and consumers to the left.

use std::collections::BTreeSet;

use portal_core::catalog::wire::EntityGraph;

pub(super) const WIDTH: u32 = 196;
pub(super) const HEIGHT: u32 = 40;
/// From the left edge of one column to that of the next, and likewise for rows.
const COLUMN: u32 = 264;
const ROW: u32 = 56;
const MARGIN: u32 = 16;

pub(super) struct Drawing {
    pub nodes: Vec<Placed>,
    pub edges: Vec<Edge>,
    pub width: u32,
    pub height: u32,
}

pub(super) struct Edge {
    /// As SVG.
    pub path: String,
    /// Both ends, among the nodes of the graph.
    pub ends: (usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Among the nodes of the graph.
    pub index: usize,
    pub x: u32,
    pub y: u32,
}

/// Each pair of entities is related in both directions; the one that points to
/// what is needed, used or belonged to is drawn.
const BACKWARD: [(&str, &str); 9] = [
    ("ownerOf", "ownedBy"),
    ("dependencyOf", "dependsOn"),
    ("apiProvidedBy", "providesApi"),
    ("apiConsumedBy", "consumesApi"),
    ("parentOf", "childOf"),
    ("hasMember", "memberOf"),
    ("hasPart", "partOf"),
    ("promotedBy", "promotes"),
    ("hasOwner", "ownedBy"),
];

/// The edges in one direction, without repetition: from, relation, to.
pub(super) fn forward_edges(graph: &EntityGraph) -> BTreeSet<(&str, &str, &str)> {
    let forward = graph.edges.iter().map(|edge| {
        let (from, to) = (edge.from.as_str(), edge.to.as_str());
        match BACKWARD.iter().find(|(backward, _)| *backward == edge.relation) {
            Some((_, forward)) => (to, *forward, from),
            None => (from, edge.relation.as_str(), to),
        }
    });
    forward.collect()
}

pub(super) fn layout(graph: &EntityGraph) -> Drawing {
    let edges: BTreeSet<(&str, &str)> = forward_edges(graph).into_iter().map(|(from, _, to)| (from, to)).collect();
    let columns = columns(graph, &edges);
    let leftmost = columns.iter().flatten().min().copied().unwrap_or(0);
    let rightmost = columns.iter().flatten().max().copied().unwrap_or(0);
    let members = |column: i32| -> Vec<usize> {
        (0..graph.nodes.len()).filter(|index| columns.get(*index) == Some(&Some(column))).collect()
    };
    let tallest = (leftmost..=rightmost).map(|column| members(column).len()).max().unwrap_or(1).max(1);
    let height = 2 * MARGIN + HEIGHT + ROW * cast(tallest - 1);
    let mut nodes = Vec::new();
    for column in leftmost..=rightmost {
        let members = members(column);
        let own = HEIGHT + ROW * cast(members.len().saturating_sub(1));
        for (row, index) in members.into_iter().enumerate() {
            nodes.push(Placed {
                index,
                x: MARGIN + COLUMN * column.abs_diff(leftmost),
                y: (height - own) / 2 + ROW * cast(row),
            });
        }
    }
    let place = |entity_ref: &str| {
        nodes.iter().find(|placed| graph.nodes.get(placed.index).is_some_and(|node| node.link.entity_ref == entity_ref))
    };
    // Lines across columns would hide the nodes between; the list has them all.
    let drawn = edges.iter().filter_map(|(from, to)| {
        let (from, to) = (place(from)?, place(to)?);
        (from.x.abs_diff(to.x) == COLUMN).then(|| Edge { path: path(from, to), ends: (from.index, to.index) })
    });
    Drawing { edges: drawn.collect(), width: 2 * MARGIN + WIDTH + COLUMN * rightmost.abs_diff(leftmost), height, nodes }
}

/// The column of each node: its distance from the root, negative when it is
/// reached against the direction of edges.
fn columns(graph: &EntityGraph, edges: &BTreeSet<(&str, &str)>) -> Vec<Option<i32>> {
    let position = |entity_ref: &str| graph.nodes.iter().position(|node| node.link.entity_ref == entity_ref);
    let pairs: Vec<(usize, usize)> =
        edges.iter().filter_map(|(from, to)| Some((position(from)?, position(to)?))).collect();
    let mut columns = vec![None; graph.nodes.len()];
    let Some(root) = position(&graph.root) else { return columns };
    columns[root] = Some(0);
    let mut reached = vec![root];
    while !reached.is_empty() {
        let mut next = Vec::new();
        for node in reached {
            let Some(column) = columns[node] else { continue };
            for &(from, to) in &pairs {
                // A side is never left: what needs a dependency, too, stands with the dependencies.
                let step = if column < 0 { -1 } else { 1 };
                let (neighbour, place) = if from == node {
                    (to, if column == 0 { 1 } else { column + step })
                } else if to == node {
                    (from, if column == 0 { -1 } else { column + step })
                } else {
                    continue;
                };
                if columns[neighbour].is_none() {
                    columns[neighbour] = Some(place);
                    next.push(neighbour);
                }
            }
        }
        reached = next;
    }
    columns
}

/// A curve from the near side of one node to the near side of the other.
fn path(from: &Placed, to: &Placed) -> String {
    let (y1, y2) = (from.y + HEIGHT / 2, to.y + HEIGHT / 2);
    let (right, left) = (from.x + WIDTH, to.x);
    let (x1, x2) = if from.x < to.x { (right, left) } else { (from.x, to.x + WIDTH) };
    let middle = u32::midpoint(x1, x2);
    format!("M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}")
}

fn cast(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX / ROW)
}

#[cfg(test)]
mod tests {
    use portal_core::catalog::wire::{EntityLink, GraphEdge, GraphNode};

    use super::*;

    fn graph(names: &[&str], edges: &[(&str, &str, &str)]) -> EntityGraph {
        let node = |name: &&str| GraphNode {
            link: EntityLink { entity_ref: (*name).to_owned(), title: (*name).to_owned(), subtype: None, exists: true },
            depth: 0,
        };
        let edge = |(from, relation, to): &(&str, &str, &str)| GraphEdge {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            relation: (*relation).to_owned(),
        };
        EntityGraph {
            root: names[0].to_owned(),
            nodes: names.iter().map(node).collect(),
            edges: edges.iter().map(edge).collect(),
            omitted: 0,
            seq: 1,
        }
    }

    #[test]
    fn dependencies_are_right_and_consumers_left() {
        let graph = graph(
            &["root", "db", "web", "disk"],
            &[
                ("root", "dependsOn", "db"),
                ("db", "dependencyOf", "root"),
                ("web", "dependsOn", "root"),
                ("db", "dependsOn", "disk"),
            ],
        );
        let drawing = layout(&graph);
        let x = |index: usize| drawing.nodes.iter().find(|placed| placed.index == index).unwrap().x;
        assert!(x(2) < x(0) && x(0) < x(1) && x(1) < x(3));
        assert_eq!(drawing.edges.len(), 3, "a pair of relations is one edge");
        assert_eq!(drawing.width, 2 * MARGIN + WIDTH + 3 * COLUMN);
    }

    #[test]
    fn cycles_and_strangers_do_no_harm() {
        let graph = graph(&["a", "b"], &[("a", "dependsOn", "b"), ("b", "dependsOn", "a"), ("a", "uses", "nowhere")]);
        let drawing = layout(&graph);
        assert_eq!(drawing.nodes.len(), 2);
        assert_eq!(drawing.edges.len(), 2);
        let empty = layout(&EntityGraph { root: "x".into(), nodes: vec![], edges: vec![], omitted: 0, seq: 0 });
        assert!(empty.nodes.is_empty());
    }
}
