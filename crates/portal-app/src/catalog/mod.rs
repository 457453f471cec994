//! The catalog: the list and the page of one entity.

mod about;
mod definition;
mod docs;
mod edit;
mod entity_page;
#[cfg(feature = "ssr")]
mod facets;
mod graph;
mod header;
mod history;
mod impact;
mod kinds;
mod links;
mod list_page;
#[cfg(feature = "ssr")]
mod listed;
mod operation;
mod organisation;
mod owner_field;
mod query;
#[cfg(feature = "ssr")]
mod question;
mod relations;
mod selection;
mod source;
#[cfg(feature = "ssr")]
mod table;
mod try_it;

pub(crate) use docs::docs_href;
pub(crate) use entity_page::EntityPage;
#[cfg(feature = "ssr")]
pub(crate) use history::{cause_link, changed_fields, operation_label};
pub(crate) use kinds::{has_owner, kind_icon, kind_name, kind_plural};
pub(crate) use links::{entity_link, kind_of, owner_link};
pub(crate) use list_page::CatalogListPage;
#[cfg(feature = "ssr")]
pub(crate) use listed::listed;
