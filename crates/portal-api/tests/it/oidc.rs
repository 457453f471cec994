//! Signing in with a provider that plays by the rules, and with one that breaks
//! each of them (the cases of the OpenID conformance suite for relying parties).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portal_api::config::OidcConfig;
use serde_json::{Value, json};
use sha2::Digest as _;
use url::Url;

use crate::harness::{Answer, Portal, group, user};

/// What the provider does next.
#[derive(Clone)]
pub(crate) struct Behaviour {
    /// Merged into the claims of the id token; null removes one.
    claims: Value,
    /// Claims of the user info.
    userinfo: Value,
    /// Header of the id token: `alg` and `kid`.
    algorithm: Algorithm,
    kid: Option<String>,
    /// Number of the key that signs.
    signer: usize,
    /// Changes the finished token.
    tamper: Option<fn(String) -> String>,
    /// Status of the token endpoint.
    status: u16,
    /// Of the description: merged into it.
    description: Value,
    /// Keys that are published.
    pub(crate) published: Vec<usize>,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    keys: Arc<Vec<Vec<u8>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    /// What the browser was sent with, by code.
    codes: Arc<Mutex<HashMap<String, HashMap<String, String>>>>,
    key_reads: Arc<Mutex<u32>>,
    now: i64,
}

impl Provider {
    pub(crate) async fn start(now: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self {
            issuer,
            keys: Arc::new((0..3).map(|_| key()).collect()),
            behaviour: Arc::new(Mutex::new(Behaviour::good())),
            codes: Arc::default(),
            key_reads: Arc::default(),
            now,
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// A token with these claims, signed with the key of this number.
    pub(crate) fn signed(&self, claims: &Value, signer: usize) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(format!("key-{signer}"));
        encode(&header, claims, &EncodingKey::from_ed_der(&self.keys[signer])).unwrap()
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = Behaviour::good();
        change(&mut behaviour);
        *self.behaviour.lock().unwrap() = behaviour;
    }

    fn behaviour(&self) -> Behaviour {
        self.behaviour.lock().unwrap().clone()
    }

    fn config(&self) -> OidcConfig {
        let text = format!(
            "name = \"company\"\ntitle = \"Kestrel login\"\nissuer = \"{}\"\nclient_id = \"portal\"\n\
             roles = {{ staff = \"developer\", platform = \"admin\" }}",
            self.issuer
        );
        toml::from_str(&text).unwrap()
    }
}

impl Behaviour {
    fn good() -> Self {
        Self {
            claims: json!({}),
            userinfo: json!({}),
            algorithm: Algorithm::EdDSA,
            kid: Some("key-0".to_owned()),
            signer: 0,
            tamper: None,
            status: 200,
            description: json!({}),
            published: vec![0],
        }
    }
}

/// An Ed25519 key as PKCS#8.
pub(crate) fn key() -> Vec<u8> {
    // The fixed frame of RFC 8410 around 32 random bytes.
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    der.extend(seed);
    der
}

fn merged(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(base.as_object_mut().unwrap().remove(name)),
            value => base[name] = value.clone(),
        }
    }
    base
}

async fn description(State(provider): State<Provider>) -> Json<Value> {
    let Provider { issuer, .. } = &provider;
    let description = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=a"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/keys"),
        "authorization_response_iss_parameter_supported": true,
    });
    Json(merged(description, &provider.behaviour().description))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    *provider.key_reads.lock().unwrap() += 1;
    let published = provider.behaviour().published.into_iter().map(|number| {
        let key = EncodingKey::from_ed_der(&provider.keys[number]);
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap()).unwrap();
        jwk["kid"] = json!(format!("key-{number}"));
        jwk
    });
    // One that no library knows is no reason to refuse the others.
    let strange = json!({"kty": "XYZ", "kid": "strange"});
    Json(json!({"keys": published.chain([strange]).collect::<Vec<_>>()}))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let behaviour = provider.behaviour();
    if behaviour.status != 200 {
        return (StatusCode::from_u16(behaviour.status).unwrap(), Json(json!({"error": "invalid_grant"})));
    }
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"})));
    let Some(asked) = provider.codes.lock().unwrap().remove(&form["code"]) else { return refused() };
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(form["code_verifier"].as_bytes()));
    let is_secretless = !headers.contains_key("authorization") && form.get("client_id") == asked.get("client_id");
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] || !is_secretless {
        return refused();
    }
    let claims = json!({
        "iss": provider.issuer, "sub": "248289761001", "aud": "portal", "nonce": asked["nonce"],
        "iat": provider.now, "exp": provider.now + 300,
    });
    let mut header = Header::new(behaviour.algorithm);
    header.kid = behaviour.kid;
    let claims = merged(claims, &behaviour.claims);
    let signed = match behaviour.algorithm {
        Algorithm::HS256 => encode(&header, &claims, &EncodingKey::from_secret(&provider.keys[0])),
        _ => encode(&header, &claims, &EncodingKey::from_ed_der(&provider.keys[behaviour.signer])),
    };
    let id_token = signed.unwrap();
    let id_token = behaviour.tamper.map_or_else(|| id_token.clone(), |tamper| tamper(id_token.clone()));
    (StatusCode::OK, Json(json!({"id_token": id_token, "access_token": "opaque", "token_type": "Bearer"})))
}

async fn me(State(provider): State<Provider>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer opaque");
    let told = json!({"sub": "248289761001", "preferred_username": "Femi.Berg", "name": "Femi Berg", "groups": ["booking", "staff"]});
    Json(merged(told, &provider.behaviour().userinfo))
}

/// A browser, as far as it matters.
#[derive(Default)]
struct Browser {
    cookies: HashMap<String, String>,
}

impl Browser {
    async fn get(&mut self, portal: &Portal, path: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(Method::GET).uri(path).header("cookie", cookies.join("; "));
        let answer = portal.send_as_it_is(request.body(Body::empty()).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            match value.is_empty() {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Begins a sign-in, and is at the provider with this address.
    async fn begin(&mut self, portal: &Portal) -> HashMap<String, String> {
        let sent = self.get(portal, "/sign-in/with/company?return_to=%2Fcatalog%3Fkind%3Dapi").await;
        sent.is(303);
        let address = Url::parse(sent.headers["location"].to_str().unwrap()).unwrap();
        address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// Comes back from the provider.
    async fn back(&mut self, portal: &Portal, pairs: &[(&str, &str)]) -> Answer {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.get(portal, &format!("/sign-in/with/company/callback?{query}")).await
    }

    /// Signs in as far as the provider lets it.
    async fn sign_in(&mut self, portal: &Portal, provider: &Provider) -> Answer {
        let asked = self.begin(portal).await;
        let code = format!("code-{}", provider.codes.lock().unwrap().len());
        provider.codes.lock().unwrap().insert(code.clone(), asked.clone());
        self.back(portal, &[("code", &code), ("state", &asked["state"]), ("iss", &provider.issuer)]).await
    }

    async fn caller(&mut self, portal: &Portal) -> Answer {
        self.get(portal, "/api/v1/caller").await
    }
}

async fn start() -> (Portal, Provider) {
    let now = "2026-11-17T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
    let provider = Provider::start(now).await;
    let config = provider.config();
    let portal = Portal::with(|all| {
        all.access.oidc = vec![config];
        all.access.public_url = Some("http://127.0.0.1:7070/".to_owned());
    });
    (portal.await, provider)
}

async fn failures(portal: &Portal) -> Vec<String> {
    let log = portal.get("/api/v1/audit?action=sign_in&outcome=failed&limit=100").await.json(200);
    let reason = |entry: &Value| entry["detail"]["reason"].as_str().unwrap_or_default().to_owned();
    log["items"].as_array().unwrap().iter().map(reason).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_of_the_provider_comes_in() {
    let (portal, provider) = start().await;
    portal.store(&[group("booking", None), group("search", None), user("femi.berg", "search")]).await;
    let page = Browser::default().get(&portal, "/sign-in").await;
    assert!(page.text().contains("Kestrel login"), "{}", page.text());

    let mut browser = Browser::default();
    let asked = browser.begin(&portal).await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "portal"),
        ("redirect_uri", "http://127.0.0.1:7070/sign-in/with/company/callback"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
        ("tenant", "a"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    let entered = browser.sign_in(&portal, &provider).await;
    entered.is(303);
    assert_eq!(entered.headers["location"], "/catalog?kind=api");
    let caller = browser.caller(&portal).await.json(200);
    assert_eq!(caller["name"], "femi.berg");
    assert_eq!(caller["title"], "Femi Berg");
    assert_eq!(caller["role"], "developer");
    assert_eq!(caller["user"], "user:default/femi.berg");
    assert_eq!(caller["groups"], json!(["group:default/booking", "group:default/search"]));

    // The next time it is the same account, with what is true by then.
    provider.set(|next| next.userinfo = json!({"groups": ["platform"], "preferred_username": "renamed"}));
    let mut later = Browser::default();
    later.sign_in(&portal, &provider).await.is(303);
    let caller = later.caller(&portal).await.json(200);
    assert_eq!((caller["name"].as_str(), caller["role"].as_str()), (Some("femi.berg"), Some("admin")));
    assert_eq!(caller["groups"], json!(["group:default/search"]));
    assert_eq!(browser.caller(&portal).await.json(200)["role"], "admin");

    portal.patch("/api/v1/accounts/femi.berg", &json!({"disabled": true})).await.is(200);
    let refused = Browser::default().sign_in(&portal, &provider).await;
    refused.is(403);
    assert!(refused.text().contains("is disabled"), "{}", refused.text());
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_over_an_account_by_its_name() {
    let (portal, provider) = start().await;
    portal.store(&[user("femi.berg", "search")]).await;
    portal.post("/api/v1/accounts", &json!({"name": "femi.berg", "role": "admin"})).await.is(201);
    let mut browser = Browser::default();
    browser.sign_in(&portal, &provider).await.is(303);
    let caller = browser.caller(&portal).await.json(200);
    assert_eq!((caller["name"].as_str(), caller["role"].as_str()), (Some("femi.berg-2"), Some("developer")));
    assert_eq!(caller["user"], Value::Null);
    // Another subject is another person, whatever they are called.
    provider.set(|other| {
        other.claims = json!({"sub": "other"});
        other.userinfo = json!({"sub": "other"});
    });
    let mut other = Browser::default();
    other.sign_in(&portal, &provider).await.is(303);
    assert_eq!(other.caller(&portal).await.json(200)["name"], "femi.berg-3");
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_break_a_rule_sign_nobody_in() {
    let (portal, provider) = start().await;
    type Change = Box<dyn Fn(&mut Behaviour)>;
    let claims = |claims: Value| -> Change { Box::new(move |next| next.claims = claims.clone()) };
    let tampered = |tamper: fn(String) -> String| -> Change { Box::new(move |next| next.tamper = Some(tamper)) };
    let now = provider.now;
    let cases: Vec<(&str, Change, &str)> = vec![
        ("another issuer", claims(json!({"iss": "https://evil.example"})), "InvalidIssuer"),
        ("the issuer with a slash", claims(json!({"iss": format!("{}/", provider.issuer)})), "InvalidIssuer"),
        ("no issuer", claims(json!({"iss": null})), "iss"),
        ("another audience", claims(json!({"aud": "other"})), "InvalidAudience"),
        ("no audience", claims(json!({"aud": null})), "aud"),
        ("several audiences and no party", claims(json!({"aud": ["portal", "other"]})), "azp"),
        ("another party", claims(json!({"azp": "other"})), "azp"),
        ("no subject", claims(json!({"sub": null})), "sub"),
        ("an empty subject", claims(json!({"sub": ""})), "sub"),
        ("a subject that is a number", claims(json!({"sub": 7})), "sub"),
        ("no expiry", claims(json!({"exp": null})), "exp"),
        ("expired", claims(json!({"exp": now - 6})), "expired"),
        ("no time of issue", claims(json!({"iat": null})), "iat"),
        ("issued tomorrow", claims(json!({"iat": now + 86_400})), "iat"),
        ("issued long ago", claims(json!({"iat": now - 3600})), "iat"),
        ("not yet valid", claims(json!({"nbf": now + 60})), "nbf"),
        ("another nonce", claims(json!({"nonce": "replayed"})), "nonce"),
        ("no nonce", claims(json!({"nonce": null})), "nonce"),
        ("the right key id, another key", Box::new(|next| next.signer = 1), "InvalidSignature"),
        ("an unknown key id", Box::new(|next| next.kid = Some("key-9".to_owned())), "no key"),
        ("a shared secret", Box::new(|next| next.algorithm = Algorithm::HS256), "HS256"),
        (
            "no key id among several keys",
            Box::new(|next| {
                next.kid = None;
                next.published = vec![0, 1];
            }),
            "no key",
        ),
        ("an unsigned token", tampered(unsigned), "malformed"),
        (
            "a signature cut off",
            tampered(|token| token.rsplit_once('.').unwrap().0.to_owned() + "."),
            "InvalidSignature",
        ),
        ("a changed signature", tampered(flipped), "InvalidSignature"),
        ("changed claims", tampered(elevated), "InvalidSignature"),
        ("no token at all", tampered(|_| "rubbish".to_owned()), "malformed"),
        ("user info about another", Box::new(|next| next.userinfo = json!({"sub": "other"})), "somebody else"),
        ("the code is refused", Box::new(|next| next.status = 400), "invalid_grant"),
        ("the provider is broken", Box::new(|next| next.status = 503), "503"),
    ];
    for (number, (name, change, expected)) in cases.iter().enumerate() {
        provider.set(change);
        let mut browser = Browser::default();
        let answer = browser.sign_in(&portal, &provider).await;
        assert_eq!(answer.status.as_u16(), 401, "{name}: {}", answer.text());
        browser.caller(&portal).await.is(401);
        let log = failures(&portal).await;
        assert_eq!(log.len(), number + 1, "{name}");
        assert!(log[0].contains(expected), "{name}: {}", log[0]);
    }
    let accounts = portal.get("/api/v1/accounts").await.json(200);
    assert!(accounts["items"].as_array().unwrap().iter().all(|account| account["name"] != "femi.berg"), "{accounts}");
    portal.end().await;
}

fn parts(token: &str) -> Vec<String> {
    token.split('.').map(str::to_owned).collect()
}

fn unsigned(token: String) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", parts(&token)[1])
}

fn flipped(token: String) -> String {
    let mut parts = parts(&token);
    let mut signature = URL_SAFE_NO_PAD.decode(&parts[2]).unwrap();
    signature[0] ^= 1;
    parts[2] = URL_SAFE_NO_PAD.encode(signature);
    parts.join(".")
}

fn elevated(token: String) -> String {
    let mut parts = parts(&token);
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[1]).unwrap()).unwrap();
    claims["sub"] = json!("administrator");
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts.join(".")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_another_sign_in_are_refused() {
    let (portal, provider) = start().await;
    let mut browser = Browser::default();
    let asked = browser.begin(&portal).await;
    let issuer = provider.issuer.clone();
    let (state, code) = (asked["state"].as_str(), "code");
    let own_cookie = browser.cookies.clone();
    for (name, pairs) in [
        ("another state", vec![("code", code), ("state", "made-up"), ("iss", issuer.as_str())]),
        ("no state", vec![("code", code), ("iss", &issuer)]),
        ("no code", vec![("state", state), ("iss", &issuer)]),
        ("mixed up", vec![("code", code), ("state", state), ("iss", "https://evil.example")]),
        ("no issuer", vec![("code", code), ("state", state)]),
    ] {
        browser.cookies = own_cookie.clone();
        browser.back(&portal, &pairs).await.is(400);
        assert!(browser.cookies.is_empty(), "{name}");
    }
    // A browser that began nothing, and one whose sign-in lies too far back.
    Browser::default().back(&portal, &[("code", code), ("state", state), ("iss", &issuer)]).await.is(400);
    browser.cookies = own_cookie;
    portal.clock.advance(chrono::TimeDelta::minutes(11));
    browser.back(&portal, &[("code", code), ("state", state), ("iss", &issuer)]).await.is(400);
    assert_eq!(failures(&portal).await.len(), 7);
    // What the provider refuses is told, in no words of the address.
    let asked = browser.begin(&portal).await;
    let pairs = [("error", "<b>access_denied"), ("state", asked["state"].as_str()), ("iss", &issuer)];
    let refused = browser.back(&portal, &pairs).await;
    refused.is(401);
    assert!(!refused.text().contains("<b>"), "{}", refused.text());
    Browser::default().get(&portal, "/sign-in/with/unknown").await.is(404);
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_read_when_they_are_needed_and_not_for_every_stranger() {
    let (portal, provider) = start().await;
    Browser::default().sign_in(&portal, &provider).await.is(303);
    let reads = || *provider.key_reads.lock().unwrap();
    assert_eq!(reads(), 1);
    let rotated = |next: &mut Behaviour| {
        next.published = vec![1];
        next.signer = 1;
        next.kid = Some("key-1".to_owned());
    };
    provider.set(rotated);
    portal.clock.advance(chrono::TimeDelta::seconds(31));
    Browser::default().sign_in(&portal, &provider).await.is(303);
    assert_eq!(reads(), 2);
    provider.set(|next| next.kid = Some("key-7".to_owned()));
    for _ in 0..5 {
        Browser::default().sign_in(&portal, &provider).await.is(401);
    }
    assert_eq!(reads(), 2);
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_calls_itself_otherwise_is_not_trusted() {
    for description in [
        json!({"issuer": "https://evil.example"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
        json!({"token_endpoint": null}),
        json!({"jwks_uri": "http://169.254.169.254/keys"}),
    ] {
        let (portal, provider) = start().await;
        provider.set(|next| next.description = description.clone());
        Browser::default().get(&portal, "/sign-in/with/company").await.is(401);
        assert_eq!(failures(&portal).await.len(), 1, "{description}");
        portal.end().await;
    }
}
