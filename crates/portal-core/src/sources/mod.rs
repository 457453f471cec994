//! Sources: where descriptors come from, and how reading them went.

pub mod wire;
