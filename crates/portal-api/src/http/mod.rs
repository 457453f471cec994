//! What every handler stands on: extractors that answer problems, the request's
//! context, conditional requests and cursors.

pub mod authorized;
pub mod body;
pub mod context;
pub mod crowd;
pub mod cursor;
pub mod etag;
pub mod guard;
pub mod idempotency;
pub mod limit;
pub mod origin;
pub mod params;
pub mod tls;
