//! Documentation of entities: Markdown beside the code, in the layout that
//! MkDocs and Backstage's TechDocs read.

#[cfg(feature = "engine")]
pub mod links;
#[cfg(feature = "engine")]
pub mod nav;
pub mod wire;

/// The annotation that names the folder or file of an entity's documentation.
pub const TECHDOCS_REF: &str = "backstage.io/techdocs-ref";

/// Whether the README beside its descriptor is about an entity of this kind.
pub fn has_readme(kind: &str) -> bool {
    !matches!(kind, "user" | "group" | "location")
}
