//! The title of a page whose text follows its address.

use leptos::prelude::*;
use leptos_meta::Title;

use super::Erase;

/// Sets the title of the document, and again whenever `text` changes.
///
/// The server reads it at once: the document's head is written after the page,
/// perhaps while another thread still works on it, and then a signal that is
/// being changed cannot be read.
pub(crate) fn page_title(text: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    #[cfg(not(feature = "hydrate"))]
    let text = text();
    view! { <Title text /> }.erase()
}
