//! What belongs to one person: marks on entities, and saved views of lists.

pub mod wire;
