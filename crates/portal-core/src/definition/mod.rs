//! Definitions of APIs, read into one shape that can be shown: OpenAPI and
//! Swagger, AsyncAPI, GraphQL, Protocol Buffers.
//!
//! A definition is read once into an [`Outline`]: its list of operations. One
//! operation is expanded when it is asked for. Nothing here judges whether a
//! definition is valid; what cannot be shown is a fault, and the rest stands.
//!
//! Descriptions are Markdown here, as their author wrote them, and sanitised
//! HTML on the wire: whoever serves them renders them in between.

#[cfg(feature = "engine")]
mod asyncapi;
#[cfg(feature = "engine")]
mod expect;
#[cfg(feature = "engine")]
mod graphql;
#[cfg(feature = "engine")]
mod language;
#[cfg(feature = "engine")]
mod listing;
#[cfg(feature = "engine")]
mod openapi;
#[cfg(feature = "engine")]
mod outline;
#[cfg(feature = "engine")]
mod proto;
#[cfg(feature = "engine")]
pub mod request;
#[cfg(feature = "engine")]
mod rows;
#[cfg(feature = "engine")]
mod schema;
#[cfg(all(test, feature = "engine"))]
mod tests;
#[cfg(feature = "engine")]
mod tree;
pub mod wire;
#[cfg(feature = "engine")]
mod words;

#[cfg(feature = "engine")]
pub use outline::{Outline, read};
