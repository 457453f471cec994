//! Signing in, one's own access, and everybody's: pages that the server writes.

mod accounts;
mod audit;
mod explain;
mod policies;
mod profile;
mod question;
mod sign_in;

pub(crate) use accounts::accounts;
pub(crate) use audit::audit;
pub(crate) use explain::explain;
pub(crate) use policies::policies;
pub(crate) use profile::profile;
pub(crate) use question::Question;
pub use sign_in::{SignInLinkPage, SignInPage, sign_in_link_page, sign_in_page};
