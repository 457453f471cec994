//! What changes in the catalog, of which home shows the newest. The server writes it.

mod cards;
mod line;
mod page;

pub(crate) use cards::cards;
pub(crate) use page::changes;
