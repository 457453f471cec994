//! Turns an element into another one in place: what is the same stays, so that
//! focus, scrolling and unfolded details survive new content. Rows with a
//! `data-key` are followed to their new place; everything else is compared place
//! by place.

use leptos::tachys::renderer::types::Element;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::Node;

/// Set by the reader, not by the page.
const KEPT: &str = "open";
/// Tells a row from the others, wherever it stands.
const KEY: &str = "data-key";

/// Makes `old` equal to `new`; answers `new` when it must take its place.
pub(super) fn morph(old: &Element, new: Element) -> Option<Element> {
    if old.tag_name() != new.tag_name() {
        return Some(new);
    }
    // A button that waits for its second click goes on waiting.
    if old.has_attribute("data-armed") && old.get_attribute("data-act") == new.get_attribute("data-act") {
        return None;
    }
    attributes(old, &new);
    children(old, &new);
    None
}

fn attributes(old: &Element, new: &Element) {
    for name in old.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        if name != KEPT && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
    for name in new.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        let value = new.get_attribute(&name);
        if value != old.get_attribute(&name) {
            let _ = old.set_attribute(&name, value.as_deref().unwrap_or_default());
        }
    }
}

fn children(old: &Element, new: &Element) {
    let mut known = rows_to_keep(old, new);
    let mut place = old.first_child();
    let mut wanted = new.first_child();
    while let Some(new) = wanted {
        wanted = new.next_sibling();
        if let Some(key) = key(&new) {
            let Some(at) = known.iter().position(|(of, _)| *of == key) else {
                let _ = old.insert_before(&new, place.as_ref());
                continue;
            };
            let (_, row) = known.swap_remove(at);
            if place.as_ref() != Some(&row) {
                let _ = old.insert_before(&row, place.as_ref());
                place = Some(row);
            }
        }
        let Some(current) = place else {
            let _ = old.append_child(&new);
            continue;
        };
        place = current.next_sibling();
        if !same(&current, &new) {
            let _ = old.replace_child(&new, &current);
        }
    }
    while let Some(rest) = place {
        place = rest.next_sibling();
        let _ = old.remove_child(&rest);
    }
}

/// The rows of `old` that `new` has as well, with their keys. The others go first:
/// a row that is moved, even past one that goes, would lose its focus.
fn rows_to_keep(old: &Element, new: &Element) -> Vec<(String, Node)> {
    let wanted: Vec<String> = nodes(new.first_child()).filter_map(|row| key(&row)).collect();
    let mut rows = Vec::new();
    if wanted.is_empty() {
        return rows;
    }
    for row in nodes(old.first_child()) {
        match key(&row) {
            Some(key) if wanted.contains(&key) => rows.push((key, row)),
            Some(_) => drop(old.remove_child(&row)),
            None => {}
        }
    }
    rows
}

/// A node and those after it; each may be removed while one walks.
fn nodes(first: Option<Node>) -> impl Iterator<Item = Node> {
    let mut next = first;
    std::iter::from_fn(move || {
        let node = next.take()?;
        next = node.next_sibling();
        Some(node)
    })
}

fn key(node: &Node) -> Option<String> {
    node.dyn_ref::<Element>()?.get_attribute(KEY)
}

/// Whether a node could be made equal to the other.
fn same(old: &Node, new: &Node) -> bool {
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => morph(old, new.clone()).is_none(),
        (None, None) if old.node_type() == new.node_type() => {
            if old.node_value() != new.node_value() {
                old.set_node_value(new.node_value().as_deref());
            }
            true
        }
        _ => false,
    }
}
