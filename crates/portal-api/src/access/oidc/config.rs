//! `[[access.oidc]]` of `portal.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use portal_core::access::Role;
use serde::Deserialize;
use url::Url;

use crate::config::variable;
use crate::sources::credential::{CredentialError, CredentialRef, Secret};

/// A provider of identities that speaks OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Part of the address that it sends browsers back to: lower-case letters, digits
    /// and `-`.
    pub name: String,
    /// On the button; the name when absent.
    #[serde(default)]
    title: Option<String>,
    /// As the provider writes it in its tokens, to the letter.
    pub issuer: String,
    pub client_id: String,
    /// Where the client's secret is: `env:NAME` or `file:PATH`. A public client has none.
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default = "OidcConfig::usual_scopes")]
    pub scopes: Vec<String>,
    /// The claim that accounts are named after. Let it be one that people cannot
    /// change themselves: the catalog's `User` of that name is theirs.
    #[serde(default = "OidcConfig::usual_name_claim")]
    pub name_claim: String,
    /// The claim that lists groups. They are groups of the catalog by their names.
    #[serde(default = "OidcConfig::usual_groups_claim")]
    pub groups_claim: String,
    /// What groups make of their members, e.g. `{ platform = "maintainer" }`. When
    /// there is any, roles are the provider's to give, at each sign-in.
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    /// The role of everybody else, and of newcomers.
    #[serde(default = "OidcConfig::usual_role")]
    pub role: Role,
}

impl OidcConfig {
    fn usual_scopes() -> Vec<String> {
        ["openid", "profile", "email"].map(str::to_owned).to_vec()
    }

    fn usual_name_claim() -> String {
        "preferred_username".to_owned()
    }

    fn usual_groups_claim() -> String {
        "groups".to_owned()
    }

    fn usual_role() -> Role {
        Role::Viewer
    }

    /// What is needed to check tokens of an issuer that are made for an audience.
    pub fn of_issuer(name: &str, issuer: &str, audience: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: None,
            issuer: issuer.to_owned(),
            client_id: audience.to_owned(),
            client_secret: None,
            scopes: Self::usual_scopes(),
            name_claim: Self::usual_name_claim(),
            groups_claim: Self::usual_groups_claim(),
            roles: BTreeMap::new(),
            role: Self::usual_role(),
        }
    }

    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// The secret of the client, if it has one.
    ///
    /// # Errors
    /// The reference leads to none.
    pub async fn secret(&self) -> Result<Option<Secret>, CredentialError> {
        match &self.client_secret {
            Some(reference) => reference.parse::<CredentialRef>()?.resolve(variable).await.map(Some),
            None => Ok(None),
        }
    }

    /// # Errors
    /// What it says makes no sense.
    pub fn check(&self) -> Result<()> {
        let Self { name, issuer, client_id, client_secret, scopes, .. } = self;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) {
            bail!("[[access.oidc]]: `name` is 1 to 40 lower-case letters, digits and `-`, not `{name}`");
        }
        let is_url =
            Url::parse(issuer).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.query().is_none());
        if !is_url || client_id.is_empty() {
            bail!("[[access.oidc]] `{name}`: `issuer` is the URL of the provider, and `client_id` is not empty");
        }
        if !scopes.iter().any(|scope| scope == "openid") {
            bail!("[[access.oidc]] `{name}`: `scopes` must have `openid`");
        }
        if let Some(reference) = client_secret {
            let read = reference.parse::<CredentialRef>();
            read.with_context(|| format!("[[access.oidc]] `{name}`: `client_secret`"))?;
        }
        Ok(())
    }
}
