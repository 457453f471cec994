//! Full-text search: what crosses HTTP. The engine is in `portal-api`.

pub mod letters;
pub mod wire;
