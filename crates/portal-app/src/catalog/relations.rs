//! The relations of an entity, grouped by the role they play for it.

use leptos::prelude::*;
use portal_core::catalog::wire::RelationView;

use super::entity_page::Tab;
use super::links::{avatar, entity_link, kind_of};
use crate::paths;
use crate::ui::{Erase, empty, small_icon};

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

pub(super) fn relations(entity_ref: &str, relations: &[RelationView]) -> AnyView {
    let known = ROLES.iter().map(|(relation, label, symbol)| (*relation, (*label).to_owned(), *symbol));
    let mut roles: Vec<(&str, String, &'static str)> = known.collect();
    for RelationView { relation, .. } in relations {
        if relation != "ownedBy" && !roles.iter().any(|(known, ..)| known == relation) {
            roles.push((relation, words(relation), "link"));
        }
    }
    let groups: Vec<AnyView> = roles
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
            "Fields like dependsOn, providesApis and system in its descriptor relate it to others.".erase(),
            ().erase(),
        )
    } else {
        view! { <div class="relations">{groups}</div> }.erase()
    };
    view! {
        <section class="card" aria-labelledby="relations">
            <header class="card-head">
                <h2 id="relations">"Relations"</h2>
                <div class="push">
                    <a href=Tab::Graph.href(entity_ref)>"Open graph"</a>
                </div>
            </header>
            <div class="card-body" data-flush>
                {body}
            </div>
        </section>
    }
    .erase()
}

fn group(label: &str, symbol: &'static str, members: &[&RelationView]) -> AnyView {
    let mut items: Vec<AnyView> = members.iter().map(|view| item(view)).collect();
    let rest = if items.len() > SHOWN + 1 { items.split_off(SHOWN) } else { Vec::new() };
    let more = (!rest.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>{format!("{} more", rest.len())}</summary>
                <ul>{rest}</ul>
            </details>
        }
    });
    view! {
        <section>
            <h3>
                {small_icon(symbol)} {label.to_owned()} <span class="count">{members.len()}</span>
            </h3>
            <ul>{items}</ul>
            {more}
        </section>
    }
    .erase()
}

fn item(view: &RelationView) -> AnyView {
    let target = &view.target;
    let note = if target.exists { target.subtype.clone() } else { Some("not found".to_owned()) };
    let note = note.map(|note| view! { <span class="muted">{note}</span> });
    let person = target.exists && kind_of(&target.entity_ref) == "user";
    let link = if person {
        view! {
            <a class="person" href=paths::entity(&target.entity_ref)>
                {avatar(&target.entity_ref, &target.title)}
                <span class="truncate">{target.title.clone()}</span>
            </a>
        }
        .erase()
    } else {
        entity_link(target)
    };
    view! { <li>{link} {note}</li> }.erase()
}

/// `Is deployed to` for `isDeployedTo`.
pub(super) fn words(relation: &str) -> String {
    let mut words = String::with_capacity(relation.len() + 4);
    for (index, letter) in relation.chars().enumerate() {
        if index == 0 {
            words.extend(letter.to_uppercase());
        } else if letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
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
