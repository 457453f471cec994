//! Platforms that do the work of steps and are watched until it ends: CI, clusters,
//! orchestrators. Each is a few requests over the egress gate.
//!
//! What was begun is kept as a handle in the row of the call, so that whoever holds the run
//! after a crash looks at the same thing and begins no second one.

mod client;
mod contract;
mod follow;
mod github;
mod gitlab;
mod jenkins;
mod kubernetes;
mod orchestrator;

pub use contract::{Contract, PRESETS};
pub use follow::{cancel, follow};

use portal_core::connectors::ConnectorKind;

/// The kind of connector that a step works with; nothing where it is no step of a platform.
pub fn kind_of(action: &str) -> Option<ConnectorKind> {
    Some(match action {
        "github:workflow" => ConnectorKind::Github,
        "gitlab:pipeline" => ConnectorKind::Gitlab,
        "jenkins:build" => ConnectorKind::Jenkins,
        "kubernetes:apply" | "kubernetes:job" => ConnectorKind::Kubernetes,
        "orchestrator:deploy" => ConnectorKind::Orchestrator,
        _ => return None,
    })
}
