//! Sources: where the catalog comes from, and what is wrong there.

mod actions;
mod badge;
mod detail_page;
mod form;
mod list_page;
mod new_page;
mod orphans;
mod preview;
mod problem;
mod report;
#[cfg(feature = "ssr")]
mod unread;

pub(crate) use badge::state_badge;
pub(crate) use detail_page::SourcePage;
pub(crate) use list_page::{SourceListPage, title as source_title};
pub(crate) use new_page::NewSourcePage;
pub(crate) use orphans::orphan_acts;
pub(crate) use problem::problem;
#[cfg(feature = "ssr")]
pub(crate) use unread::{unread, unread_of};
