//! What the server writes and the browser only puts in place: the pages of settings
//! and administration, and parts of others, such as the rows of the catalog. They cost
//! the wasm nothing and come to life at once; what is to be done on them is done by
//! links, and by buttons and forms that stand in the HTML
//! ([`crate::ui::act_button`], [`crate::ui::provide_forms`]).

mod page;
#[cfg(feature = "ssr")]
mod write;

#[cfg(feature = "hydrate")]
pub(crate) use page::keep_title;
pub(crate) use page::{ServedPage, ServedWhole, served_part, served_region};
#[cfg(feature = "ssr")]
pub use write::written;
#[cfg(feature = "ssr")]
pub(crate) use write::{Asking, Parts, Refusal, written_here};

/// Where the HTML of such a page is answered.
pub const FRAGMENTS: &str = "/fragments";

/// The name of the only part of what has one.
pub(crate) const WHOLE: &str = "html";
/// Where a template or an action is written.
const EDITORS: [&str; 2] = ["/templates/editor", "/actions/editor"];
/// The name of the part that holds the title, of pages that name themselves.
const TITLE: &str = "title";

/// The title of the page at this path, if it is such a page.
pub(crate) fn served_title(path: &str) -> Option<&'static str> {
    PAGES.into_iter().find(|(own, ..)| *own == path).map(|(_, title, _)| title)
}

/// Path, title and what it is for.
const PAGES: [(&str, &str, &str); 12] = [
    ("/changes", "What changed", "What was added to the catalog, changed and went, and who or what did it."),
    ("/templates", "Templates", "Golden paths: from a few answers to something that runs."),
    ("/actions", "Actions", "The platform's buttons: what you can have, change and restart without a ticket."),
    ("/approvals", "Approvals", "What waits for somebody to agree."),
    ("/admin/connectors", "Connectors", "Platforms and channels that actions work with."),
    ("/runs", "Runs", "What templates and actions have done, are doing, and could not do."),
    ("/notifications", "Notifications", "What you, your groups and everybody were told."),
    ("/profile", "Profile", "Who you are here, where you are signed in, and the tokens of your scripts."),
    ("/admin/accounts", "Accounts", "Who may come in, and what they may do."),
    ("/admin/policies", "Policies", "Rules of the organisation on top of roles and ownership."),
    ("/access", "Access", "Why somebody may or may not do something, and who could."),
    ("/admin/audit", "Audit log", "Who did what, from where, and what was refused."),
];
