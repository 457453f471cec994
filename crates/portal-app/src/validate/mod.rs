//! Checking descriptors while they are written.

mod editor;
mod page;

pub(crate) use editor::editor;
#[cfg(feature = "ssr")]
pub(crate) use editor::{fault_line, line_numbers};
pub(crate) use page::ValidatePage;
