//! A box that finds entities while one types, on served pages. The script of the page
//! (`data-suggest`) asks for the list and fills it.

use maud::{Markup, Render, html};

use super::icon;

#[derive(Default)]
pub(crate) struct EntityBox<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub value: &'a str,
    /// Of the list; of the box, too, when it is one of a row of filters, which have no others.
    pub label: &'a str,
    /// Where the list is asked for.
    pub suggestions: String,
    pub is_filter: bool,
    pub placeholder: Option<&'a str>,
    pub described: Option<&'a str>,
    pub is_invalid: bool,
    pub is_read_only: bool,
    pub is_required: bool,
}

impl Render for EntityBox<'_> {
    fn render(&self) -> Markup {
        let list = format!("{}-list", self.id);
        let placeholder = self.placeholder.unwrap_or(if self.is_filter { self.label } else { "Type a name" });
        let size = self.is_filter.then_some("sm");
        let field = html! {
            input class="input" data-size=[size] type="text" id=(self.id) name=(self.name) value=(self.value)
                autocomplete="off" placeholder=(placeholder) aria-label=[self.is_filter.then_some(self.label)]
                data-suggest=(self.suggestions) role="combobox" aria-expanded="false" aria-controls=(list)
                aria-describedby=[self.described] aria-invalid=[self.is_invalid.then_some("true")]
                readonly[self.is_read_only] required[self.is_required];
        };
        html! {
            div class=(if self.is_filter { "combobox filter-field" } else { "combobox" }) {
                @if self.is_filter { (field) } @else { div class="input-group" { (icon("search")) (field) } }
                ul class="listbox" role="listbox" id=(list) aria-label=(self.label) data-own hidden {}
            }
        }
    }
}
