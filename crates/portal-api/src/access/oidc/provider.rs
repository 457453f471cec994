//! What a provider says about itself, and its keys: read when somebody signs in,
//! remembered for a while.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::Fault;
use super::token::{self, Expected, Unfit};
use crate::config::OidcConfig;
use crate::egress::{Call, Egress};
use crate::sources::credential::Secret;

/// Bytes of an answer of a provider.
const LIMIT: usize = 512 << 10;
/// How long its description is believed.
const REMEMBERED: TimeDelta = TimeDelta::hours(1);
/// Between two readings of its keys because of tokens with unknown ones.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// Longest wait for one answer of a provider.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The part of a provider's description that is used
/// (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Description {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// It names itself when it sends the browser back (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// What is known of a provider.
#[derive(Debug, Clone)]
struct Known {
    description: Arc<Description>,
    keys: Arc<JwkSet>,
    read_at: DateTime<Utc>,
    keys_read_at: DateTime<Utc>,
}

/// A provider of identities.
pub struct Provider {
    pub config: OidcConfig,
    egress: Egress,
    known: Mutex<Option<Known>>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

/// What is exchanged for tokens.
pub struct Exchange<'a> {
    pub code: &'a str,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

impl Provider {
    pub fn new(config: OidcConfig, egress: Egress) -> Self {
        Self { config, egress, known: Mutex::default() }
    }

    /// # Errors
    /// The provider does not answer, or describes another issuer.
    pub async fn description(&self, now: DateTime<Utc>) -> Result<Arc<Description>, Fault> {
        Ok(self.known(now, None).await?.description)
    }

    /// Reads what is not known, or too old. `unfit` are keys that did not help.
    async fn known(&self, now: DateTime<Utc>, unfit: Option<&Arc<JwkSet>>) -> Result<Known, Fault> {
        let mut known = self.known.lock().await;
        let fresh = known.as_ref().filter(|known| now - known.read_at < REMEMBERED && now >= known.read_at);
        if let Some(found) = fresh {
            let is_unfit = unfit.is_some_and(|unfit| Arc::ptr_eq(unfit, &found.keys));
            if !is_unfit || now - found.keys_read_at < PATIENCE {
                return Ok(found.clone());
            }
            let keys = Arc::new(self.keys(&found.description).await?);
            let found = Known { keys, keys_read_at: now, ..found.clone() };
            *known = Some(found.clone());
            return Ok(found);
        }
        let url = format!("{}/.well-known/openid-configuration", self.config.issuer.trim_end_matches('/'));
        let description: Description = self.read(&url, HeaderMap::new()).await?;
        if description.issuer != self.config.issuer {
            return Err(Fault::Provider(format!(
                "it calls itself `{}`, not `{}`",
                shortened(&description.issuer),
                self.config.issuer
            )));
        }
        self.same_trust(&description)?;
        let keys = Arc::new(self.keys(&description).await?);
        let found = Known { description: Arc::new(description), keys, read_at: now, keys_read_at: now };
        *known = Some(found.clone());
        Ok(found)
    }

    /// What an issuer with TLS names has TLS as well.
    fn same_trust(&self, description: &Description) -> Result<(), Fault> {
        let Description { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, .. } = description;
        let secure = self.config.issuer.starts_with("https://");
        let endpoints = [authorization_endpoint, token_endpoint, jwks_uri].into_iter().chain(userinfo_endpoint);
        for endpoint in endpoints {
            let scheme = Url::parse(endpoint).map(|url| url.scheme().to_owned()).unwrap_or_default();
            if scheme != "https" && (secure || scheme != "http") {
                return Err(Fault::Provider(format!("its endpoint `{}` is not on https", shortened(endpoint))));
            }
        }
        Ok(())
    }

    async fn keys(&self, description: &Description) -> Result<JwkSet, Fault> {
        /// Keys that the library does not know are no reason to refuse the others.
        #[derive(Deserialize)]
        struct Lenient {
            keys: Vec<Value>,
        }
        let Lenient { keys } = self.read(&description.jwks_uri, HeaderMap::new()).await?;
        Ok(JwkSet { keys: keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect() })
    }

    /// Exchanges a code for what the provider says about whoever signed in.
    ///
    /// # Errors
    /// The provider refuses or does not answer, or what it says breaks a rule.
    pub async fn exchange(&self, exchange: Exchange<'_>) -> Result<Map<String, Value>, Fault> {
        let Exchange { code, verifier, redirect_uri, nonce, now } = exchange;
        let known = self.known(now, None).await?;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let client = self.config.client_id.as_str();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let secret = self.config.secret().await.map_err(|error| Fault::Settings(error.to_string()))?;
        match &secret {
            Some(secret) if known.description.takes_basic() => {
                let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Secret::new(format!("{}:{}", encoded(client), encoded(secret.expose())));
                headers.extend(pair.authorization().map(|basic| (header::AUTHORIZATION, basic)));
            }
            Some(secret) => pairs.extend([("client_id", client), ("client_secret", secret.expose())]),
            None => pairs.push(("client_id", client)),
        }
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let body = Some(Bytes::from(form));
        let tokens: Tokens = self.send(Method::POST, &known.description.token_endpoint, headers, body).await?;
        let sign_in = Some(nonce);
        let claims = self.checked(&tokens.id_token, &known, sign_in, token::AGE, now).await?;
        match (&known.description.userinfo_endpoint, tokens.access_token) {
            (Some(endpoint), Some(access)) => self.with_userinfo(claims, endpoint, access).await,
            _ => Ok(claims),
        }
    }

    /// The claims of a token that the provider has made for this audience, at most
    /// `age` seconds ago.
    ///
    /// # Errors
    /// The provider does not answer, or the token breaks a rule.
    pub async fn verify(&self, token: &str, age: i64, now: DateTime<Utc>) -> Result<Map<String, Value>, Fault> {
        let known = self.known(now, None).await?;
        self.checked(token, &known, None, age, now).await
    }

    /// Checks a token, with the provider's newest keys if need be.
    async fn checked(
        &self,
        token: &str,
        known: &Known,
        nonce: Option<&str>,
        age: i64,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, Fault> {
        let expected = |keys: &JwkSet| {
            let (issuer, client_id) = (self.config.issuer.as_str(), self.config.client_id.as_str());
            token::check(token, keys, Expected { issuer, client_id, nonce, age, now })
        };
        let claims = match expected(&known.keys) {
            Err(Unfit::UnknownKey) => expected(&self.known(now, Some(&known.keys)).await?.keys),
            other => other,
        };
        claims.map_err(Fault::Token)
    }

    /// Adds what is only told on request. It must be about the same person.
    async fn with_userinfo(
        &self,
        mut claims: Map<String, Value>,
        endpoint: &str,
        access: String,
    ) -> Result<Map<String, Value>, Fault> {
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {access}"));
        let mut bearer = bearer.map_err(|_| Fault::Provider("its access token is malformed".to_owned()))?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
        let told: Map<String, Value> = self.read(endpoint, headers).await?;
        if told.get("sub") != claims.get("sub") {
            return Err(Fault::Provider("its user info is about somebody else".to_owned()));
        }
        for (name, value) in told {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    async fn read<T: DeserializeOwned>(&self, url: &str, headers: HeaderMap) -> Result<T, Fault> {
        self.send(Method::GET, url, headers, None).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<T, Fault> {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let call = Call { method, url: url.to_owned(), headers, body, limit: LIMIT };
        let place = place(url);
        let called = tokio::time::timeout(TIMEOUT, self.egress.call(call)).await;
        let called = called.map_err(|_| Fault::Provider(format!("`{place}` does not answer")))?;
        let called = called.map_err(|error| Fault::Provider(error.to_string()))?;
        if called.status.as_u16() != 200 {
            // The errors of OAuth are words of the standard.
            let error = serde_json::from_slice::<Value>(&called.body).ok();
            let error = error.as_ref().and_then(|error| error.get("error")?.as_str()).map(shortened);
            let words = error.map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Fault::Provider(format!("`{place}` answered {}{words}", called.status.as_u16())));
        }
        if called.truncated {
            return Err(Fault::Provider(format!("`{place}` answered more than {LIMIT} bytes")));
        }
        serde_json::from_slice(&called.body)
            .map_err(|error| Fault::Provider(format!("`{place}` answered what is not understood: {error}")))
    }
}

impl Description {
    /// How the client shows its secret; basic unless the provider leaves it out.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

/// A URL without its query.
fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(200).collect()
}
