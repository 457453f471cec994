//! The neighbourhood of an entity, drawn and as a list.
//!
//! What it needs stands to its right, what needs it to its left; the drawing is
//! made of plain SVG with links, on the server as in the browser. The script of the page
//! (`data-node`, `data-edge`) goes along the edges with arrows, and marks them.

mod fold;
mod layout;

use leptos::prelude::AnyView;
use maud::html;
use portal_core::catalog::wire::{EntityGraph, EntityLink};

use self::layout::{Drawing, Edge, HEIGHT, Placed, WIDTH};
use super::entity_page::Place;
use super::kinds::{kind_icon, kind_name, kind_plural};
use super::links::{entity_link, kind_of};
use super::relations::words;
use crate::api::Load;
use crate::paths;
use crate::ui::{Content, Erase, failed, icon, number, skeleton_rows, small_icon};

/// Kinds that a graph can be narrowed to by a click; others by the address.
const KINDS: [&str; 7] = ["component", "api", "resource", "system", "domain", "group", "user"];

pub(super) fn graph_region(place: &Place, load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<EntityGraph>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(failure) => failed("The graph", &failure, load),
        Ok((graph, _)) => Content::from(html! {
            div class="stack" {
                (controls(place, &graph))
                (drawing(&graph))
                (list(&graph))
            }
        })
        .erase(),
    })
}

fn controls(place: &Place, graph: &EntityGraph) -> Content {
    let choice = |text: &str, href: String, here: bool| {
        Content::from(html! {
            a class="button" data-size="sm" href=(href) data-noscroll aria-current=[here.then_some("true")] { (text) }
        })
    };
    let depths = (1..=4).map(|depth: u32| {
        let there = Place { depth, ..place.clone() };
        choice(&depth.to_string(), graph_href(&there), depth == place.depth)
    });
    let depths = depths.collect::<Vec<Content>>();
    let directions = [("both", "Both"), ("out", "Needs"), ("in", "Needed by")].map(|(direction, text)| {
        let there = Place { direction, ..place.clone() };
        choice(text, graph_href(&there), direction == place.direction)
    });
    // A graph that is narrowed does not know which other kinds there would be.
    let mut kinds: Vec<&str> = KINDS.to_vec();
    kinds.extend(place.kinds.iter().map(String::as_str).filter(|kind| !KINDS.contains(kind)));
    let kinds = kinds.into_iter().map(|kind| {
        let mut there = place.clone();
        let chosen = place.kinds.iter().any(|chosen| chosen == kind);
        if chosen {
            there.kinds.retain(|chosen| chosen != kind);
        } else {
            there.kinds.push(kind.to_owned());
        }
        choice(&kind_plural(kind), graph_href(&there), chosen)
    });
    let kinds = kinds.collect::<Vec<Content>>();
    let omitted = (graph.omitted > 0).then(|| {
        Content::from(html! {
            span class="missing" { (format!("{} more are not shown", number(graph.omitted))) }
        })
    });
    Content::from(html! {
        div class="filter-bar" {
            span class="muted" id="depth" { "Steps" }
            div class="button-group" role="group" aria-labelledby="depth" {
                @for depth in &depths { (depth) }
            }
            span class="muted" id="direction" { "Direction" }
            div class="button-group" role="group" aria-labelledby="direction" {
                @for direction in &directions { (direction) }
            }
            span class="muted" id="only" { "Only" }
            div class="button-group" role="group" aria-labelledby="only" {
                @for kind in &kinds { (kind) }
            }
            div class="button-group needs-script" role="group" aria-label="Zoom" {
                button class="button" data-size="sm" type="button" data-zoom="out" aria-label="Smaller" { (small_icon("minus")) }
                button class="button" data-size="sm" type="button" data-zoom="fit" aria-label="Fit" { (small_icon("fit")) }
                button class="button" data-size="sm" type="button" data-zoom="in" aria-label="Larger" { (small_icon("plus")) }
            }
            span class="push muted num" { (format!("{} entities", graph.nodes.len())) }
            @if let Some(omitted) = &omitted { (omitted) }
        }
    })
}

/// The address of the graph, without what is usual.
fn graph_href(place: &Place) -> String {
    let depth = place.depth.to_string();
    let mut pairs = vec![("tab", "graph")];
    pairs.extend((place.depth != 1).then_some(("depth", depth.as_str())));
    pairs.extend((place.direction != "both").then_some(("direction", place.direction)));
    pairs.extend(place.kinds.iter().map(|kind| ("only", kind.as_str())));
    paths::with_query(&paths::entity(&place.entity_ref), pairs)
}

fn drawing(graph: &EntityGraph) -> Content {
    let graph = &fold::folded(graph);
    let Drawing { nodes, edges, width, height } = layout::layout(graph);
    let edges = edges
        .into_iter()
        .map(|Edge { path, ends: (from, to) }| {
            Content::from(html! {
                path class="edge" d=(path) marker-end="url(#arrow)" data-edge=(format!("{from} {to}")) {}
            })
        })
        .collect::<Vec<Content>>();
    let nodes = nodes.into_iter().filter_map(|node| draw_node(graph, &node)).collect::<Vec<Content>>();
    Content::from(html! {
        div class="graph-frame" tabindex="0" role="region" aria-label="Graph" {
            svg class="graph" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="group" aria-label="Relations, also listed below" {
                defs {
                    marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                        path class="arrow" d="M0 0 8 4 0 8z" {}
                    }
                    marker id="arrow-on" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto-start-reverse" {
                        path class="arrow-on" d="M0 0 8 4 0 8z" {}
                    }
                }
                @for edge in &edges { (edge) }
                @for node in &nodes { (node) }
            }
        }
    })
}

fn draw_node(graph: &EntityGraph, placed: &Placed) -> Option<Content> {
    let node = graph.nodes.get(placed.index)?;
    if let Some(href) = fold::href(&node.link.entity_ref) {
        return Some(draw_fold(&node.link.title, href, placed));
    }
    let EntityLink { entity_ref, title, subtype, exists } = &node.link;
    let kind = kind_of(entity_ref);
    let root = *entity_ref == graph.root;
    let second = match (exists, subtype) {
        (false, _) => "not found".to_owned(),
        (true, Some(subtype)) => subtype.clone(),
        (true, None) => kind_name(kind),
    };
    let symbol = if *exists { kind_icon(kind, subtype.as_deref()) } else { "alert" };
    let place = format!("translate({} {})", placed.x, placed.y);
    let body = Content::from(html! {
        g {
            rect width=(WIDTH) height=(HEIGHT) rx="6" {}
            svg x="12" y="12" width="16" height="16" class="icon" {
                use href=(crate::ui::symbol(symbol)) {}
            }
            text x="38" y="17" { (cut(title)) }
            text class="kind" x="38" y="31" { (second) }
            title { (title.clone()) }
        }
    });
    Some(Content::from(html! {
        @if *exists {
            g transform=(place) {
                a class="node" href=(paths::entity(entity_ref)) data-node=(placed.index) data-root[root] { (body) }
            }
        } @else {
            g class="node" transform=(place) data-node=(placed.index) data-missing { (body) }
        }
    }))
}

/// Many in one: leaves are in the graph of their node, all are in the list.
fn draw_fold(title: &str, href: String, placed: &Placed) -> Content {
    Content::from(html! {
        g transform=(format!("translate({} {})", placed.x, placed.y)) {
            a class="node" data-node=(placed.index) data-fold href=(href) {
                rect width=(WIDTH) height=(HEIGHT) rx="6" {}
                svg x="12" y="12" width="16" height="16" class="icon" { use href=(crate::ui::symbol("more")) {} }
                text x="38" y="24" { (title) }
            }
        }
    })
}

/// What fits into a node.
fn cut(title: &str) -> String {
    const LETTERS: usize = 22;
    if title.chars().count() <= LETTERS {
        return title.to_owned();
    }
    title.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// The same as a table, for readers and for screen readers.
fn list(graph: &EntityGraph) -> Content {
    let link =
        |entity_ref: &str| graph.nodes.iter().find(|node| node.link.entity_ref == entity_ref).map(|node| &node.link);
    let rows = layout::forward_edges(graph)
        .into_iter()
        .filter_map(|(from, relation, to)| {
            let (from, to) = (link(from)?, link(to)?);
            let row = Content::from(html! {
                tr {
                    td {
                        div class="cell" { (entity_link(from)) }
                        span class="sub" { (words(relation)) }
                    }
                    td class="p2 muted" { (words(relation)) }
                    td {
                        div class="cell" { (entity_link(to)) }
                        span class="sub" { (kind_name(kind_of(&to.entity_ref))) }
                    }
                }
            });
            Some(row)
        })
        .collect::<Vec<Content>>();
    Content::from(html! {
        section class="card" aria-labelledby="edges" {
            header class="card-head" {
                h2 id="edges" {
                    (icon("list"))
                    "As a list"
                }
            }
            div class="table-wrap" {
                table class="table" {
                    caption class="visually-hidden" { "Relations of the graph" }
                    thead {
                        tr {
                            th scope="col" { "Entity" }
                            th scope="col" class="p2 col-owner" { "Relation" }
                            th scope="col" { "To" }
                        }
                    }
                    tbody {
                        @for row in &rows { (row) }
                    }
                }
            }
        }
    })
}
