//! Turns an element into another one in place: what is the same stays, so that
//! focus, scrolling and unfolded details survive new content.

use leptos::tachys::renderer::types::Element;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::Node;

/// Set by the reader, not by the page.
const KEPT: &str = "open";

/// Makes `old` equal to `new`; answers `new` when it must take its place.
pub(super) fn morph(old: &Element, new: Element) -> Option<Element> {
    if old.tag_name() != new.tag_name() {
        return Some(new);
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

/// Place by place: lists here are short, or replaced page by page.
fn children(old: &Element, new: &Element) {
    let mut place = old.first_child();
    let mut wanted = new.first_child();
    while let Some(new) = wanted {
        wanted = new.next_sibling();
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
