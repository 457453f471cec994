//! A list by number, in pages: a clone costs one pointer, a change copies one page.

use std::sync::Arc;

const PAGE: usize = 64;

/// `None` where no number was given out yet.
type Page<T> = Option<Arc<[Option<T>; PAGE]>>;

/// Sparse at its holes' cost of one page; numbers are expected to be dense.
#[derive(Debug, Clone)]
pub(super) struct Pages<T> {
    pages: Arc<Vec<Page<T>>>,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Arc::default() }
    }
}

impl<T: Clone> Pages<T> {
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.pages.get(number / PAGE)?.as_ref()?[number % PAGE].as_ref()
    }

    /// The slot of a number.
    pub(super) fn slot(&mut self, number: u32) -> &mut Option<T> {
        let number = number as usize;
        let pages = Arc::make_mut(&mut self.pages);
        if pages.len() <= number / PAGE {
            pages.resize(number / PAGE + 1, None);
        }
        let page = pages[number / PAGE].get_or_insert_with(|| Arc::new([const { None }; PAGE]));
        &mut Arc::make_mut(page)[number % PAGE]
    }
}
