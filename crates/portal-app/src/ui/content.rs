//! Content: views without behaviour of their own, as one piece of HTML.
//!
//! Most of a page is read and not operated: tables, facts, lists of links.
//! Written with `maud` it is a string on both sides, which costs the server no
//! tree and the browser no code for each kind of node; links in it work, since
//! the router listens for all of them. [`Content`] stands in a `view!` as well
//! as in other content. What has handlers stays a view of Leptos.

use leptos::prelude::*;
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::CastFrom;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::HtmlTemplateElement;
use maud::{Markup, PreEscaped};

use super::morph::morph;

/// HTML of exactly one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content(String);

#[cfg(feature = "ssr")]
impl Content {
    pub(crate) fn into_html(self) -> String {
        self.0
    }
}

impl From<Markup> for Content {
    fn from(PreEscaped(html): Markup) -> Self {
        Self(html)
    }
}

impl maud::Render for Content {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(&self.0);
    }
}

/// The element in the page, with what it was made from.
pub(crate) struct ContentState {
    html: String,
    element: Element,
}

impl Mountable for ContentState {
    fn unmount(&mut self) {
        self.element.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.element.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.element.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.element.clone()]
    }
}

impl Render for Content {
    type State = ContentState;

    fn build(self) -> ContentState {
        ContentState { element: parsed(&self.0), html: self.0 }
    }

    fn rebuild(self, state: &mut ContentState) {
        if self.0 == state.html {
            return;
        }
        // In place, so that focus, scrolling and what is unfolded stay.
        state.element = morph(&state.element, &self.0);
        state.html = self.0;
    }
}

impl AddAnyAttr for Content {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _attr: NewAttr) -> Self
    where
        Self: RenderHtml,
    {
        self
    }
}

impl RenderHtml for Content {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn html_len(&self) -> usize {
        self.0.len()
    }

    fn to_html_with_buf(
        self,
        buffer: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        buffer.push_str(&self.0);
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> ContentState {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        let element = Element::cast_from(cursor.current());
        position.set(Position::NextChild);
        ContentState { html: self.0, element: element.expect("the server has written the same content") }
    }

    fn into_owned(self) -> Self {
        self
    }
}

/// The element that the HTML describes.
fn parsed(html: &str) -> Element {
    let template = document().create_element("template").expect("every document can make a template");
    template.set_inner_html(html);
    let fragment = template.unchecked_into::<HtmlTemplateElement>().content();
    fragment.first_element_child().expect("content is one element")
}
