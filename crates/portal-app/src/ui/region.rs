//! Regions that wait for what they load, and effects: each written so that the
//! browser has the machinery behind them once, not once for every use.

use leptos::prelude::*;

use super::Erase;

/// What `content` shows once everything that it reads has loaded; until then
/// what `fallback` shows.
pub(crate) fn loaded<V: RenderHtml + 'static>(
    fallback: impl FnOnce() -> AnyView + Send + 'static,
    content: impl Fn() -> Option<V> + Send + 'static,
) -> AnyView {
    waiting(Box::new(fallback), Box::new(move || content().map(Erase::erase)))
}

/// Like [`loaded`], with nothing until it has loaded.
pub(crate) fn loaded_quietly<V: RenderHtml + 'static>(content: impl Fn() -> Option<V> + Send + 'static) -> AnyView {
    loaded(|| ().erase(), content)
}

/// The content of a page as one element, which has no box of its own. Regions that
/// show one thing after the other must: views of several elements, with their types
/// erased, take each other for the same list, and a list that is not in the page
/// yet cannot grow.
pub(crate) fn whole(view: AnyView) -> AnyView {
    view! { <div class="whole">{view}</div> }.erase()
}

fn waiting(fallback: Box<dyn FnOnce() -> AnyView + Send>, content: Box<dyn Fn() -> Option<AnyView> + Send>) -> AnyView {
    view! { <Suspense fallback=fallback>{content}</Suspense> }.erase()
}

/// Runs in the browser now and whenever something that it reads has changed,
/// with what it answered the last time.
pub(crate) fn effect<T: Send + Sync + 'static>(run: impl FnMut(Option<T>) -> T + 'static) {
    boxed(Box::new(run));
}

fn boxed<T: Send + Sync + 'static>(run: Box<dyn FnMut(Option<T>) -> T>) {
    Effect::new(run);
}
