//! `[[access.ci]]` of `portal.toml`: issuers of tokens for CI jobs, and which of their
//! jobs may come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use portal_core::access::{Role, Verb};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::access::accounts::account_name;
use crate::access::oidc::{Fault, OidcConfig, Provider};
use crate::config::Config;
use crate::egress::Egress;

/// Seconds after which the token of a job is too old: as long as jobs run.
const AGE: i64 = 6 * 60 * 60;

/// Jobs of one issuer, and the account that they come in as.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiConfig {
    pub name: String,
    /// As it writes it in its tokens, e.g. `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// What a job asks its token for; where browsers reach the portal when absent.
    #[serde(default)]
    pub audience: Option<String>,
    /// What its claims must say; `*` at the end stands for anything.
    pub claims: BTreeMap<String, String>,
    /// Made at the first exchange.
    pub account: String,
    pub role: Role,
    /// All that the role may when absent.
    #[serde(default)]
    pub scopes: Option<Vec<Verb>>,
}

impl CiConfig {
    /// # Errors
    /// What it says makes no sense.
    pub fn check(&self) -> Result<()> {
        let Self { name, claims, account, .. } = self;
        if claims.is_empty() || claims.values().any(|rule| rule.trim_matches('*').is_empty()) {
            bail!(
                "[[access.ci]] `{name}`: `claims` says which jobs may come in, e.g. \
                 `claims = {{ repository = \"example/*\" }}`; an issuer has tokens for everybody's"
            );
        }
        if account_name(account).is_err() {
            bail!("[[access.ci]] `{name}`: `account` is no name of an account: `{account}`");
        }
        self.as_provider("portal").check()
    }

    /// What its keys are read with.
    fn as_provider(&self, audience: &str) -> OidcConfig {
        OidcConfig::of_issuer(&self.name, &self.issuer, self.audience.as_deref().unwrap_or(audience))
    }

    /// The first rule that claims break.
    fn broken(&self, claims: &Map<String, Value>) -> Option<&str> {
        let holds = |(name, rule): (&String, &String)| {
            let text = match claims.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(_) | Value::Number(_)) => claims[name].to_string(),
                _ => return false,
            };
            rule.strip_suffix('*').map_or(text == *rule, |prefix| text.starts_with(prefix))
        };
        self.claims.iter().find(|rule| !holds(*rule)).map(|(name, _)| name.as_str())
    }
}

/// The issuers of the configuration.
pub struct CiIssuers(Vec<(CiConfig, Arc<Provider>)>);

/// Why the token of a job is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwanted {
    #[error("it is from no issuer that is trusted here")]
    Issuer,
    #[error("{0}")]
    Token(String),
    #[error("its claim `{0}` is not what is asked for here")]
    Claim(String),
}

/// A job that may come in.
pub struct Job<'a> {
    pub config: &'a CiConfig,
    /// How its issuer names it.
    pub subject: String,
}

impl CiIssuers {
    pub fn new(config: &Config, egress: &Egress) -> Self {
        let issuer = config.issuer();
        let pair = |ci: &CiConfig| (ci.clone(), Arc::new(Provider::new(ci.as_provider(&issuer), egress.clone())));
        Self(config.access.ci.iter().map(pair).collect())
    }

    pub fn all(&self) -> impl Iterator<Item = (&CiConfig, &str)> {
        self.0.iter().map(|(config, provider)| (config, provider.config.client_id.as_str()))
    }

    /// The job that a token is of. Several entries may trust one issuer, each with
    /// rules of its own; the first whose rules hold counts.
    ///
    /// # Errors
    /// See [`Unwanted`].
    pub async fn job(&self, token: &str, now: DateTime<Utc>) -> std::result::Result<Job<'_>, Unwanted> {
        let issuer = written_issuer(token).ok_or(Unwanted::Issuer)?;
        let mut why = Unwanted::Issuer;
        for (config, provider) in self.0.iter().filter(|(config, _)| config.issuer == issuer) {
            let claims = match provider.verify(token, AGE, now).await {
                Ok(claims) => claims,
                Err(fault) => {
                    why = Unwanted::Token(words(&fault));
                    continue;
                }
            };
            match config.broken(&claims) {
                Some(name) => why = Unwanted::Claim(name.to_owned()),
                None => {
                    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
                    return Ok(Job { config, subject: subject.chars().take(255).collect() });
                }
            }
        }
        Err(why)
    }
}

fn words(fault: &Fault) -> String {
    fault.to_string().replace("the id token", "the token")
}

/// Who a token says that it is from, to find the keys to check that with.
fn written_issuer(token: &str) -> Option<String> {
    use base64::Engine as _;
    let body = token.split('.').nth(1)?;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    Some(serde_json::from_slice::<Value>(&body).ok()?.get("iss")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_rule_must_hold() {
        let config = |rules: &[(&str, &str)]| CiConfig {
            name: "github".to_owned(),
            issuer: "https://ci.example".to_owned(),
            audience: None,
            claims: rules.iter().map(|(name, rule)| ((*name).to_owned(), (*rule).to_owned())).collect(),
            account: "ci".to_owned(),
            role: Role::Agent,
            scopes: None,
        };
        let claims =
            json!({"repository": "kestrel/booking", "ref": "refs/heads/main", "protected": true, "list": ["a"]});
        let claims = claims.as_object().unwrap();
        for (rules, broken) in [
            (vec![("repository", "kestrel/booking")], None),
            (vec![("repository", "kestrel/*"), ("ref", "refs/heads/main")], None),
            (vec![("protected", "true")], None),
            (vec![("repository", "kestrel/book")], Some("repository")),
            (vec![("repository", "kestrel/*"), ("ref", "refs/heads/other")], Some("ref")),
            (vec![("absent", "x*")], Some("absent")),
            (vec![("list", "a")], Some("list")),
        ] {
            assert_eq!(config(&rules).broken(claims), broken, "{rules:?}");
        }
        assert!(config(&[("a", "b")]).check().is_ok());
        assert!(config(&[]).check().is_err());
        assert!(config(&[("repository", "*")]).check().is_err());
    }
}
