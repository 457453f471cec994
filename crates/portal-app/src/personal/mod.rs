//! What belongs to one person: marks on entities, saved views of the list.

mod marking;
#[cfg(feature = "ssr")]
mod notifications;
mod views;

pub(crate) use marking::{mark_all, mark_button, provide_marking};
#[cfg(feature = "ssr")]
pub(crate) use notifications::{bell, notifications};
pub(crate) use views::views_menu;
