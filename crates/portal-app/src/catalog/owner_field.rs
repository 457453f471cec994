//! Picking a team or a person among all of them.

use leptos::prelude::AnyView;
use portal_core::search::wire::{Suggestion, SuggestionList};

use super::kinds::kind_icon;
use super::links::kind_of;
use crate::api::Load;
use crate::paths;
use crate::ui::{Choice, Combobox, combobox};

/// A field that offers groups and users by their names.
pub(crate) fn owner_field(
    id: &'static str,
    label: &'static str,
    placeholder: &'static str,
    pick: impl Fn(String) + Clone + 'static,
) -> AnyView {
    combobox(Combobox { id, label, placeholder, question, read }, pick)
}

fn question(text: &str) -> String {
    paths::with_query(paths::API_SUGGESTIONS, [("q", text), ("kind", "group"), ("kind", "user"), ("limit", "8")])
}

fn read(load: Load) -> Option<Vec<Choice>> {
    let (list, _) = load.read_current::<SuggestionList>()?.ok()?;
    Some(list.items.into_iter().map(choice).collect())
}

fn choice(suggestion: Suggestion) -> Choice {
    let Suggestion { link, name, .. } = suggestion;
    let symbol = kind_icon(kind_of(&link.entity_ref), link.subtype.as_deref());
    Choice { value: link.entity_ref, label: link.title, detail: name, symbol }
}
