//! Self-service actions: the gallery, the form of one, and the approvals that wait. All of
//! it is served.

mod approvals;
mod channels;
mod connector_form;
mod connectors;
mod delegations;
mod form;
mod gallery;
mod triggers;

pub(crate) use approvals::{approvals, decision};
pub(crate) use connectors::connectors;
pub(crate) use form::form;
pub(crate) use gallery::gallery;

/// How long something usually takes, in words.
fn usually(seconds: u64) -> String {
    match seconds {
        0..60 => format!("about {seconds} s"),
        60..3600 => format!("about {} min", seconds.div_ceil(60)),
        3600..86_400 => format!("about {} h", seconds.div_ceil(3600)),
        _ => format!("about {} days", seconds.div_ceil(86_400)),
    }
}
