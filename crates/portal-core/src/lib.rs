//! The domain of Portal: the catalog, and the wire types that cross HTTP.
//!
//! Nothing here does IO, reads a clock or draws a random number, so that the
//! server, the command line, a CI job and the browser can never disagree.
//! Parsers and validators sit behind the feature `engine`, which the browser
//! does not carry.

pub mod access;
pub mod actions;
pub mod catalog;
#[cfg(feature = "engine")]
pub mod cel;
pub mod connectors;
pub mod definition;
#[cfg(feature = "engine")]
pub mod document;
pub mod documentation;
mod double_option;
mod fields;
#[cfg(feature = "engine")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "generate")]
pub mod generate;
#[cfg(feature = "engine")]
pub mod glob;
pub mod moment;
pub mod outbox;
pub mod patch;
pub mod percent;
pub mod personal;
pub mod problem;
pub mod runs;
#[cfg(feature = "engine")]
pub mod score;
pub mod search;
pub mod sources;
pub mod templates;
pub mod yaml;
