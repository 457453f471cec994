//! Search over everything in the catalog.

mod page;
mod query;
mod results;

pub(crate) use page::SearchPage;
