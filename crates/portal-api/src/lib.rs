//! The REST API of Portal, its database and its background work.
//!
//! A request flows one way: [`router`] → handler → service (for writes) →
//! store → database. Everything derived learns of a write from the change feed.

pub mod access;
pub mod actions;
pub mod approvals;
pub mod audit;
pub mod backstage;
pub mod calls;
pub mod catalog;
pub mod changes;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connectors;
pub mod db;
pub mod definition;
pub mod delegations;
pub mod docs;
pub mod documentation;
pub mod egress;
pub mod error;
pub mod events;
pub mod expiry;
pub mod health;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod notifications;
pub mod openapi;
pub mod outbox;
pub mod personal;
pub mod platforms;
pub mod router;
pub mod runs;
pub mod search;
pub mod serve;
pub mod sources;
pub mod state;
pub mod templates;
pub mod triggers;
#[cfg(feature = "ui")]
pub mod ui;
pub mod workers;
