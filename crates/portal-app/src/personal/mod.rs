//! What belongs to one person: marks on entities, saved views of the list.

mod marking;
mod views;

pub(crate) use marking::{mark_all, mark_button, provide_marking};
pub(crate) use views::views_menu;
