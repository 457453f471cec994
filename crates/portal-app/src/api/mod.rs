//! The client of the REST API: how requests travel, and what comes back.

#[cfg(feature = "hydrate")]
mod browser;
mod live;
mod load;
mod transport;

#[cfg(feature = "hydrate")]
pub(crate) use browser::Browser;
pub(crate) use live::{Live, provide_live};
pub(crate) use load::{Fetched, Load, use_load, use_load_after};
pub use transport::{Api, ApiAnswer, ApiRequest, Method, Sending, Transport};
pub(crate) use transport::{Failure, exchange, field_of, read_json, send, sentence, use_api};
