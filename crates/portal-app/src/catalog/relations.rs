//! The relations of an entity, grouped by the role they play for it.

use maud::html;
use portal_core::catalog::wire::RelationView;

use super::entity_page::Tab;
use super::links::{avatar, entity_link, kind_of};
use crate::paths;
use crate::ui::{Content, empty, small_icon};

/// Targets that are shown before the rest of a group is folded away.
const SHOWN: usize = 8;

/// Roles in the order of interest: what breaks, what is offered, what belongs.
/// `ownedBy` is in the head of the page already.
const ROLES: [(&str, &str, &str); 16] = [
    ("dependsOn", "Depends on", "arrow-right"),
    ("dependencyOf", "Used by", "arrow-up"),
    ("providesApi", "Provides", "api"),
    ("consumesApi", "Consumes", "api"),
    ("apiProvidedBy", "Provided by", "service"),
    ("apiConsumedBy", "Consumed by", "arrow-up"),
    ("hasMember", "Members", "user"),
    ("memberOf", "Member of", "group"),
    ("parentOf", "Teams", "group"),
    ("childOf", "Part of", "group"),
    ("hasPart", "Contains", "system"),
    ("partOf", "Part of", "system"),
    ("ownerOf", "Owns", "catalog"),
    ("hasOwner", "Owned by", "group"),
    ("promotedBy", "Promoted by", "arrow-up"),
    ("promotes", "Promotes", "arrow-right"),
];

pub(super) fn relations(entity_ref: &str, relations: &[RelationView]) -> Content {
    let known = ROLES.iter().map(|(relation, label, symbol)| (*relation, (*label).to_owned(), *symbol));
    let mut roles: Vec<(&str, String, &'static str)> = known.collect();
    for RelationView { relation, .. } in relations {
        if relation != "ownedBy" && !roles.iter().any(|(known, ..)| known == relation) {
            roles.push((relation, words(relation), "link"));
        }
    }
    let groups: Vec<Content> = roles
        .into_iter()
        .filter_map(|(relation, label, symbol)| {
            let members: Vec<&RelationView> = relations.iter().filter(|view| view.relation == relation).collect();
            (!members.is_empty()).then(|| group(&label, symbol, &members))
        })
        .collect();
    let body = if groups.is_empty() {
        empty(
            "link",
            "Nothing is related to it".to_owned(),
            "Fields like dependsOn, providesApis and system in its descriptor relate it to others.",
            "",
        )
    } else {
        Content::from(html! {
            div class="relations" {
                @for group in &groups { (group) }
            }
        })
    };
    Content::from(html! {
        section class="card" aria-labelledby="relations" {
            header class="card-head" {
                h2 id="relations" { "Relations" }
                div class="push" {
                    a href=(Tab::Graph.href(entity_ref)) { "Open graph" }
                }
            }
            div class="card-body" data-flush { (body) }
        }
    })
}

fn group(label: &str, symbol: &'static str, members: &[&RelationView]) -> Content {
    let mut items: Vec<Content> = members.iter().map(|view| item(view)).collect();
    let rest = if items.len() > SHOWN + 1 { items.split_off(SHOWN) } else { Vec::new() };
    let more = (!rest.is_empty()).then(|| {
        Content::from(html! {
            details class="more" {
                summary { (format!("{} more", rest.len())) }
                ul { @for item in &rest { (item) } }
            }
        })
    });
    Content::from(html! {
        section {
            h3 {
                (small_icon(symbol))
                (label.to_owned())
                span class="count" { (members.len()) }
            }
            ul {
                @for item in &items { (item) }
            }
            @if let Some(more) = &more { (more) }
        }
    })
}

fn item(view: &RelationView) -> Content {
    let target = &view.target;
    let note = if target.exists { target.subtype.clone() } else { Some("not found".to_owned()) };
    let note = note.map(|note| {
        Content::from(html! {
            span class="muted" { (note) }
        })
    });
    let person = target.exists && kind_of(&target.entity_ref) == "user";
    let link = if person {
        Content::from(html! {
            a class="person" href=(paths::entity(&target.entity_ref)) {
                (avatar(&target.entity_ref, &target.title))
                span class="truncate" { (target.title.clone()) }
            }
        })
    } else {
        entity_link(target)
    };
    Content::from(html! {
        li {
            (link)
            @if let Some(note) = &note { (note) }
        }
    })
}

/// `Is deployed to` for `isDeployedTo`.
pub(super) fn words(relation: &str) -> String {
    let mut words = String::with_capacity(relation.len() + 4);
    for (index, letter) in relation.chars().enumerate() {
        if index == 0 {
            words.push(letter.to_ascii_uppercase());
        } else if letter.is_ascii_uppercase() {
            words.push(' ');
            words.push(letter.to_ascii_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_read_as_words() {
        assert_eq!(words("isDeployedTo"), "Is deployed to");
        assert_eq!(words("uses"), "Uses");
    }
}
