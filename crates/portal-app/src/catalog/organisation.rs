//! Where a team stands: the groups above, beside and below it.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::AnyView;
use maud::html;
use portal_core::catalog::wire::{EntityGraph, EntityLink};

use super::entity_page::Place;
use super::links::{avatar, kind_of};
use crate::api::Load;
use crate::paths;
use crate::ui::{Content, Erase, counted, empty, failed, skeleton_rows};

/// Kinds that are teams of teams.
pub(super) fn has_organisation(kind: &str) -> bool {
    kind == "group"
}

/// Where the API answers it: all groups that hang together with this one.
pub(super) fn organisation_path(place: &Place) -> String {
    let path = format!("{}/graph", paths::api_entity(&place.entity_ref));
    let pairs =
        [("depth", "10"), ("kinds", "group"), ("relation", "parentOf"), ("relation", "childOf"), ("limit", "1000")];
    paths::with_query(&path, pairs)
}

pub(super) fn organisation_region(place: &Place, load: Load) -> Option<AnyView> {
    let Some(answer) = load.read_current::<EntityGraph>() else { return Some(skeleton_rows(6)) };
    Some(match answer {
        Err(failure) => failed("The organisation", &failure, load),
        Ok((graph, _)) => content(place, &graph).erase(),
    })
}

fn content(place: &Place, graph: &EntityGraph) -> Content {
    let chart = Chart::new(graph, &place.entity_ref);
    if chart.below.is_empty() {
        let text = "Groups name the one above them under spec.parent, and those below under spec.children.";
        return Content::from(html! {
            div class="card" { (empty("group", "This team stands alone".to_owned(), text, "")) }
        });
    }
    let mut seen = BTreeSet::new();
    let trees: Vec<Content> = chart.tops().into_iter().map(|top| chart.tree(top, &mut seen)).collect();
    Content::from(html! {
        section class="card" aria-labelledby="organisation" {
            header class="card-head" {
                h2 id="organisation" { "Organisation" }
                div class="push" {
                    (counted(graph.nodes.len() as u64, "group", "groups"))
                    @if graph.omitted > 0 { ", " (graph.omitted) " more are not shown" }
                }
            }
            div class="card-body" { ul class="organisation" { @for tree in &trees { (tree) } } }
        }
    })
}

struct Chart<'g> {
    here: &'g str,
    links: BTreeMap<&'g str, &'g EntityLink>,
    below: BTreeMap<&'g str, BTreeSet<&'g str>>,
    above: BTreeSet<&'g str>,
}

impl<'g> Chart<'g> {
    fn new(graph: &'g EntityGraph, here: &'g str) -> Self {
        let links = graph.nodes.iter().map(|node| (node.link.entity_ref.as_str(), &node.link)).collect();
        let mut chart = Self { here, links, below: BTreeMap::new(), above: BTreeSet::new() };
        for edge in &graph.edges {
            let (parent, child) = match edge.relation.as_str() {
                "parentOf" => (edge.from.as_str(), edge.to.as_str()),
                _ => (edge.to.as_str(), edge.from.as_str()),
            };
            if kind_of(parent) == "group" && kind_of(child) == "group" {
                chart.below.entry(parent).or_default().insert(child);
                chart.above.insert(child);
            }
        }
        chart
    }

    /// Groups with none above them, and the one that is looked at if it stands in a
    /// circle.
    fn tops(&self) -> Vec<&'g str> {
        let tops = self.links.keys().copied().filter(|group| !self.above.contains(group));
        let mut tops: Vec<&str> = tops.collect();
        if !tops.iter().any(|top| self.reaches(top)) {
            tops.insert(0, self.here);
        }
        tops
    }

    /// Whether the group that is looked at is, or stands below, another one.
    fn reaches(&self, from: &'g str) -> bool {
        let (mut open, mut seen) = (vec![from], BTreeSet::new());
        while let Some(group) = open.pop() {
            if group == self.here {
                return true;
            }
            if seen.insert(group) {
                open.extend(self.below.get(group).into_iter().flatten());
            }
        }
        false
    }

    fn tree(&self, group: &'g str, seen: &mut BTreeSet<&'g str>) -> Content {
        // A group below itself is drawn once.
        let fresh = seen.insert(group);
        let below = self.below.get(group).filter(|_| fresh);
        let below: Vec<Content> = below.into_iter().flatten().map(|child| self.tree(child, seen)).collect();
        let link = self.links.get(group);
        let title = link.map_or(group, |link| link.title.as_str());
        Content::from(html! {
            li {
                @if link.is_some_and(|link| link.exists) {
                    a class="team" href=(paths::entity(group)) aria-current=[(group == self.here).then_some("true")] {
                        (avatar(group, title)) span class="truncate" { (title) }
                        @if let Some(subtype) = link.and_then(|link| link.subtype.as_ref()) { span class="muted" { (subtype) } }
                    }
                } @else {
                    span class="missing" { (title) ", not found" }
                }
                @if !below.is_empty() { ul { @for child in &below { (child) } } }
            }
        })
    }
}
