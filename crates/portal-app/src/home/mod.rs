//! Home: where one goes on from.

mod changes;
mod page;

pub(crate) use page::HomePage;
