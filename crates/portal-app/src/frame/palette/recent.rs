//! Entities that were visited, newest first, kept in this browser.

const KEY: &str = "recent";
const KEPT: usize = 12;

fn storage() -> Option<web_sys::Storage> {
    // Storage may be forbidden; nothing is remembered then.
    leptos::prelude::window().local_storage().ok().flatten()
}

pub(super) fn read() -> Vec<String> {
    let text = storage().and_then(|storage| storage.get_item(KEY).ok().flatten()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub(super) fn add(entity_ref: &str) {
    let mut all = read();
    all.retain(|known| known != entity_ref);
    all.insert(0, entity_ref.to_owned());
    all.truncate(KEPT);
    if let Some(storage) = storage() {
        let _ = storage.set_item(KEY, &all.join("\n"));
    }
}
