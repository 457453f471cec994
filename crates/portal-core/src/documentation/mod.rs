//! Documentation of entities: Markdown beside the code, in the layout that
//! MkDocs and Backstage's TechDocs read.

#[cfg(feature = "engine")]
pub mod links;
#[cfg(feature = "engine")]
pub mod nav;
pub mod wire;
