//! Checking descriptors while they are written.

mod editor;
mod page;

pub(crate) use editor::editor;
pub(crate) use page::ValidatePage;
