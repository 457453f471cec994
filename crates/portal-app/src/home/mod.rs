//! Home: where one goes on from.

mod changes;
#[cfg(feature = "ssr")]
mod mine;
mod page;

#[cfg(feature = "ssr")]
pub(crate) use mine::mine;
pub(crate) use page::HomePage;
