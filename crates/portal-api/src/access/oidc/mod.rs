//! Signing in with a provider of identities (OpenID Connect).
//!
//! The browser is sent to the provider and comes back with a code, which the
//! portal exchanges for an id token. What belongs to one sign-in (state, nonce, the
//! verifier of PKCE) waits in a cookie of the browser that began it, so that a code
//! that somebody else got is worth nothing in it. Who comes in is known by issuer
//! and subject, and by nothing that they could change.

pub mod config;
mod flow;
mod people;
mod provider;
mod token;

pub use config::OidcConfig;
pub use provider::Provider;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use chrono::{DateTime, Utc};
use portal_core::access::wire::ProviderView;

use crate::config::Config;
use crate::egress::Egress;
use crate::state::App;

/// Where sign-ins with a provider begin; its name follows.
pub const PATH: &str = "/sign-in/with";

/// Why a sign-in with a provider did not work. The log shows it, the page does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It refuses, does not answer, or says what breaks a rule.
    #[error("{0}")]
    Provider(String),
    #[error("{0}")]
    Token(token::Unfit),
    /// The answer is not for a sign-in that this browser began.
    #[error("{0}")]
    Foreign(&'static str),
    #[error("{0}")]
    Settings(String),
    /// The account is disabled.
    #[error("the account `{0}` is disabled")]
    Disabled(String),
}

/// The providers of the configuration.
pub struct Providers {
    providers: Vec<Arc<Provider>>,
    /// Where browsers reach the portal, where that is configured.
    origin: Option<String>,
}

impl Providers {
    pub fn new(config: &Config, egress: &Egress) -> Self {
        let provider = |config: &OidcConfig| Arc::new(Provider::new(config.clone(), egress.clone()));
        Self { providers: config.access.oidc.iter().map(provider).collect(), origin: config.public_url() }
    }

    pub fn all(&self) -> impl Iterator<Item = &OidcConfig> {
        self.providers.iter().map(|provider| &provider.config)
    }

    /// What administrators see of them.
    pub async fn views(&self, now: DateTime<Utc>, listen: SocketAddr) -> Vec<ProviderView> {
        let views = self.providers.iter().map(async |provider| {
            let config = &provider.config;
            let secret = config.secret().await.map_err(|error| Fault::Settings(error.to_string()));
            let problem = match secret {
                Ok(_) => provider.description(now).await.err(),
                Err(fault) => Some(fault),
            };
            ProviderView {
                name: config.name.clone(),
                title: config.title().to_owned(),
                issuer: config.issuer.clone(),
                client_id: config.client_id.clone(),
                redirect_uri: self.redirect_uri(&config.name, &format!("http://{listen}")),
                roles: config.roles.clone(),
                role: config.role,
                problem: problem.map(|fault| fault.to_string()),
            }
        });
        futures::future::join_all(views).await
    }

    fn find(&self, name: &str) -> Option<Arc<Provider>> {
        self.providers.iter().find(|provider| provider.config.name == name).cloned()
    }

    /// The address that a provider sends browsers back to, as it is registered there.
    /// `reached` is the origin under which the browser reached the portal.
    pub fn redirect_uri(&self, name: &str, reached: &str) -> String {
        let origin = self.origin.as_deref().unwrap_or(reached);
        format!("{origin}{PATH}/{name}/callback")
    }
}

pub fn router() -> Router<App> {
    Router::new()
        .route(&format!("{PATH}/{{name}}"), get(flow::begin))
        .route(&format!("{PATH}/{{name}}/callback"), get(flow::finish))
}
