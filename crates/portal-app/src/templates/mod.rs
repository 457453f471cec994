//! Templates: the gallery, and the way from a form through a review to a run. All of it is
//! served; the answers given so far are the query of the address.

pub(crate) mod answers;
mod editor;
pub(crate) mod fields;
mod gallery;
mod keeping;
mod review;
mod tree;
mod wizard;

pub(crate) use editor::editor;
pub(crate) use gallery::gallery;
pub(crate) use review::answers;
pub(crate) use wizard::{is_asked_later, problems, wizard};
