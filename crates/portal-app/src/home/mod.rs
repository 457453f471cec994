//! Home: where one goes on from.

#[cfg(feature = "ssr")]
mod mine;
mod page;

#[cfg(feature = "ssr")]
pub(crate) use mine::written;
pub(crate) use page::HomePage;

/// The name of the part that tells what changed.
const CHANGED: &str = "changed";
