//! The software catalog: entities, their references, kinds and relations.

pub mod diff;
pub mod entity;
#[cfg(feature = "engine")]
pub mod index;
pub mod kinds;
#[cfg(feature = "engine")]
pub mod placeholders;
#[cfg(feature = "engine")]
pub mod propose;
#[cfg(feature = "engine")]
pub mod query;
pub mod reference;
#[cfg(feature = "engine")]
pub mod relations;
#[cfg(feature = "engine")]
pub mod update;
#[cfg(feature = "engine")]
pub mod validate;
pub mod wire;

pub use entity::Entity;
pub use reference::EntityRef;
