//! The neighbourhood of an entity, drawn and as a list.
//!
//! What it needs stands to its right, what needs it to its left; the drawing is
//! made of plain SVG with links, on the server as in the browser.

mod layout;

use leptos::prelude::*;
use portal_core::catalog::wire::{EntityGraph, EntityLink};

use self::layout::{Drawing, HEIGHT, Placed, WIDTH};
use super::entity_page::{Place, Tab};
use super::kinds::{kind_icon, kind_name};
use super::links::{entity_link, kind_of};
use super::relations::words;
use crate::api::Load;
use crate::paths;
use crate::ui::{Erase, failed, icon, number, skeleton_rows};

/// Given as a value: elements that are written out in full are built from HTML
/// in the browser, where a part of a drawing is no drawing.
const ARROW: &str = "M0 0 8 4 0 8z";

pub(super) fn graph_region(place: &Place, load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<EntityGraph>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(failure) => failed("The graph", &failure, load),
        Ok((graph, _)) => view! {
            {controls(place, &graph)}
            {drawing(&graph)}
            {list(&graph)}
        }
        .erase(),
    })
}

fn controls(place: &Place, graph: &EntityGraph) -> AnyView {
    let depths = (1..=3).map(|depth: u32| {
        let page = paths::entity(&place.entity_ref);
        let text = depth.to_string();
        let href = if depth == 1 {
            Tab::Graph.href(&place.entity_ref)
        } else {
            paths::with_query(&page, [("tab", "graph"), ("depth", text.as_str())])
        };
        view! {
            <a class="button" data-size="sm" href=href data-noscroll aria-current=(depth == place.depth).then_some("true")>
                {text}
            </a>
        }
        .erase()
    });
    let depths = depths.collect_view();
    let omitted = (graph.omitted > 0).then(|| {
        view! { <span class="missing">{format!("{} more are not shown", number(graph.omitted))}</span> }
    });
    view! {
        <div class="filter-bar">
            <span class="muted" id="depth">
                "Steps"
            </span>
            <div class="button-group" role="group" aria-labelledby="depth">
                {depths}
            </div>
            <span class="push muted num">{format!("{} entities", graph.nodes.len())}</span>
            {omitted}
        </div>
    }
    .erase()
}

fn drawing(graph: &EntityGraph) -> AnyView {
    let Drawing { nodes, edges, width, height } = layout::layout(graph);
    let edges = edges
        .into_iter()
        .map(|path| view! { <path class="edge" d=path marker-end="url(#arrow)"></path> }.erase())
        .collect_view();
    let nodes = nodes.into_iter().map(|node| draw_node(graph, &node)).collect_view();
    view! {
        <div class="graph-frame" tabindex="0" role="region" aria-label="Graph">
            <svg
                class="graph"
                viewBox=format!("0 0 {width} {height}")
                width=width
                height=height
                role="group"
                aria-label="Relations, also listed below"
            >
                <defs>
                    <marker
                        id="arrow"
                        viewBox="0 0 8 8"
                        refX="7"
                        refY="4"
                        markerWidth="8"
                        markerHeight="8"
                        orient="auto-start-reverse"
                    >
                        <path class="arrow" d=ARROW></path>
                    </marker>
                </defs>
                {edges}
                {nodes}
            </svg>
        </div>
    }
    .erase()
}

fn draw_node(graph: &EntityGraph, placed: &Placed) -> AnyView {
    let Some(node) = graph.nodes.get(placed.index) else { return ().erase() };
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
    let body = view! {
        <g>
            <rect width=WIDTH height=HEIGHT rx="6"></rect>
            <svg x="12" y="12" width="16" height="16" class="icon">
                <use href=format!("/icons.svg#i-{symbol}")></use>
            </svg>
            <text x="38" y="17">
                {cut(title)}
            </text>
            <text class="kind" x="38" y="31">
                {second}
            </text>
            <title>{title.clone()}</title>
        </g>
    }
    .erase();
    if *exists {
        view! {
            <g transform=place>
                <a class="node" href=paths::entity(entity_ref) data-root=root>
                    {body}
                </a>
            </g>
        }
        .erase()
    } else {
        view! {
            <g class="node" transform=place data-missing>
                {body}
            </g>
        }
        .erase()
    }
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
fn list(graph: &EntityGraph) -> AnyView {
    let link =
        |entity_ref: &str| graph.nodes.iter().find(|node| node.link.entity_ref == entity_ref).map(|node| &node.link);
    let rows = layout::forward_edges(graph)
        .into_iter()
        .filter_map(|(from, relation, to)| {
            let (from, to) = (link(from)?, link(to)?);
            let row = view! {
                <tr>
                    <td>
                        <div class="cell">{entity_link(from)}</div>
                        <span class="sub">{words(relation)}</span>
                    </td>
                    <td class="p2 muted">{words(relation)}</td>
                    <td>
                        <div class="cell">{entity_link(to)}</div>
                        <span class="sub">{kind_name(kind_of(&to.entity_ref))}</span>
                    </td>
                </tr>
            };
            Some(row.erase())
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="edges">
            <header class="card-head">
                <h2 id="edges">{icon("list")} "As a list"</h2>
            </header>
            <div class="table-wrap">
                <table class="table">
                    <caption class="visually-hidden">"Relations of the graph"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Entity"</th>
                            <th scope="col" class="p2 col-owner">
                                "Relation"
                            </th>
                            <th scope="col">"To"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .erase()
}
