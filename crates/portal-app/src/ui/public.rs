//! Addresses of the files of `public/`. Each changes with its file, so that browsers keep what
//! they have and ask for nothing twice: a new address of the page makes them look for its icon.

use std::sync::OnceLock;

static VERSIONED: OnceLock<fn(&str) -> String> = OnceLock::new();

/// Says how the server addresses a file, such as `icons.svg`; `/icons.svg` where nobody does.
pub fn address_files(versioned: fn(&str) -> String) {
    // Whoever comes second says the same.
    let _ = VERSIONED.set(versioned);
}

pub(crate) fn public_file(name: &str) -> String {
    VERSIONED.get().map_or_else(|| format!("/{name}"), |versioned| versioned(name))
}

/// The address of a symbol of the one sprite.
pub(crate) fn symbol(name: &str) -> String {
    static SPRITE: OnceLock<String> = OnceLock::new();
    format!("{}#i-{name}", SPRITE.get_or_init(sprite))
}

#[cfg(feature = "hydrate")]
fn sprite() -> String {
    let root = leptos::prelude::document().document_element();
    root.and_then(|root| root.get_attribute("data-icons")).unwrap_or_default()
}

#[cfg(not(feature = "hydrate"))]
fn sprite() -> String {
    public_file("icons.svg")
}
