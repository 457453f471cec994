//! Background work: a queue in the same database, so that a job is enqueued in
//! the transaction that causes it, and the loop that works it off.
//!
//! Jobs run at least once: a job is claimed by lease, and whoever loses the
//! lease may not finish it (its fencing token no longer matches).

pub mod due;
pub mod queue;
pub mod runner;

pub use queue::{Claimed, NewJob};
