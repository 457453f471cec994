//! Primitives that know nothing of the domain.

// Pages with charts are still to come; until then the style guide shows them.
mod act;
#[cfg(feature = "ssr")]
pub(crate) mod chart;
mod combobox;
mod content;
mod copy;
mod denied;
#[cfg(feature = "ssr")]
mod entity_box;
mod erase;
mod facet;
mod field;
mod icon;
mod live_field;
#[cfg(feature = "ssr")]
mod markdown;
mod morph;
mod pagination;
mod public;
mod region;
mod remembered;
mod send_form;
mod states;
mod target;
mod time;
mod title;
mod toast;
mod typed;
mod url;
mod words;

pub(crate) use act::{Act, act_button, provide_acting};
pub(crate) use combobox::{Choice, Combobox, combobox};
pub(crate) use content::Content;
pub(crate) use copy::provide_copying;
pub(crate) use denied::{denied, provide_denying};
#[cfg(feature = "ssr")]
pub(crate) use entity_box::EntityBox;
pub(crate) use erase::Erase;
pub(crate) use facet::{facet_choice, facet_group};
pub(crate) use field::{TextField, text_field};
pub(crate) use icon::{icon, small_icon};
pub(crate) use live_field::live_field;
#[cfg(feature = "ssr")]
pub(crate) use markdown::markdown;
pub(crate) use pagination::pagination;
pub use public::address_files;
pub(crate) use public::{public_file, symbol};
pub(crate) use region::{effect, loaded, loaded_quietly, whole};
pub(crate) use remembered::Remembered;
pub(crate) use send_form::{provide_forms, revealed};
pub(crate) use states::{empty, failed, skeleton_rows};
pub(crate) use target::{closest, is_typing};
pub(crate) use time::{ago, counted, day, duration, exact, moment, number};
pub(crate) use title::page_title;
pub(crate) use toast::{Toasts, provide_toasts, toast_region};
pub(crate) use typed::{Typed, use_typed};
pub(crate) use url::safe_url;
pub(crate) use words::{capitalised, with_code};
