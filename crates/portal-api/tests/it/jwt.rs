//! Short-lived tokens: what they open, how they end, and those that others made.

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use portal_api::access::command;
use portal_api::access::seal::Sealer;
use portal_core::access::{Role, Verb};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::bearer::{call, get};
use crate::harness::{Portal, TOKEN};
use crate::oidc::{Provider, key};
use crate::on_both;

/// An API token of `kim`.
async fn token(portal: &Portal, scopes: Option<Vec<Verb>>) -> String {
    let db = &portal.app.db;
    command::create_token(db, "kim", Some(Role::Developer), scopes, TimeDelta::hours(1), portal.now()).await.unwrap()
}

async fn exchanged(portal: &Portal, token: &str, body: Value) -> String {
    let made = call(portal, token, Method::POST, "/api/v1/access-tokens", Some(body)).await.json(201);
    made["access_token"].as_str().unwrap().to_owned()
}

/// A part of a token, read.
fn part(token: &str, number: usize) -> Value {
    let text = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

async fn cell(portal: &Portal, sql: &str) -> String {
    let db = portal.app.db.reader();
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

on_both!(a_short_lived_token_opens_what_its_maker_may_and_ends_with_it, portal, {
    let maker = token(&portal, None).await;
    let made = call(&portal, &maker, Method::POST, "/api/v1/access-tokens", Some(json!({"expires_seconds": 60}))).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let made = made.json(201);
    assert_eq!(
        (&made["token_type"], &made["expires_in"], &made["scope"]),
        (&json!("Bearer"), &json!(60), &Value::Null)
    );
    let short = made["access_token"].as_str().unwrap();
    let caller = get(&portal, short, "/api/v1/caller").await.json(200);
    assert_eq!(
        (&caller["known"], &caller["name"], &caller["role"]),
        (&json!("jwt"), &json!("kim"), &json!("developer"))
    );

    // Whoever has the public keys can check it.
    let jwks = portal.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.headers["content-type"], "application/jwk-set+json");
    let jwks = jwks.json(200);
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    let (head, claims) = (part(short, 0), part(short, 1));
    assert_eq!(
        (&head["alg"], &head["typ"], &head["kid"]),
        (&json!("EdDSA"), &json!("at+jwt"), &jwks["keys"][0]["kid"])
    );
    let key = DecodingKey::from_ed_components(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[claims["iss"].as_str().unwrap()]);
    validation.validate_exp = false;
    decode::<Value>(short, &key, &validation).unwrap();
    // The private half is nowhere in clear.
    let sealed = cell(&portal, "SELECT sealed FROM signing_key").await;
    assert!(sealed.starts_with("1."), "{sealed}");

    // It makes no others, and is for nobody else.
    call(&portal, short, Method::POST, "/api/v1/access-tokens", Some(json!({}))).await.problem(403, "forbidden");
    let foreign = exchanged(&portal, &maker, json!({"audience": "https://deploy.example"})).await;
    assert_eq!(part(&foreign, 1)["aud"], "https://deploy.example");
    get(&portal, &foreign, "/api/v1/caller").await.problem(401, "unauthenticated");

    // Less, never more.
    let reader = exchanged(&portal, &maker, json!({"scopes": ["read_catalog"]})).await;
    get(&portal, &reader, "/api/v1/entities").await.is(200);
    get(&portal, &reader, "/api/v1/changes").await.problem(403, "forbidden");
    let limited = token(&portal, Some(vec![Verb::ReadCatalog])).await;
    let more = json!({"scopes": ["read_catalog", "write_catalog"]});
    call(&portal, &limited, Method::POST, "/api/v1/access-tokens", Some(more)).await.problem(422, "invalid_field");
    let inherits = exchanged(&portal, &limited, json!({})).await;
    get(&portal, &inherits, "/api/v1/changes").await.problem(403, "forbidden");
    for (body, pointer) in [
        (json!({"expires_seconds": 601}), "/expires_seconds"),
        (json!({"expires_seconds": 1}), "/expires_seconds"),
        (json!({"audience": "x".repeat(300)}), "/audience"),
    ] {
        let answer = call(&portal, &maker, Method::POST, "/api/v1/access-tokens", Some(body)).await;
        assert_eq!(answer.problem(422, "invalid_field")["errors"][0]["pointer"], pointer);
    }

    // Its time, and five seconds for clocks.
    portal.clock.advance(TimeDelta::seconds(64));
    get(&portal, short, "/api/v1/caller").await.is(200);
    portal.clock.advance(TimeDelta::seconds(2));
    get(&portal, short, "/api/v1/caller").await.problem(401, "unauthenticated");

    // It ends with what it was made from, within one request.
    let short = exchanged(&portal, &maker, json!({})).await;
    get(&portal, &short, "/api/v1/caller").await.is(200);
    let lasting = json!({"name": "for good"});
    call(&portal, &short, Method::POST, "/api/v1/tokens", Some(lasting)).await.problem(403, "forbidden");
    let own = get(&portal, &maker, "/api/v1/tokens").await.json(200);
    let one = own["items"].as_array().unwrap().iter().find(|token| token["scopes"].is_null()).unwrap();
    let path = format!("/api/v1/tokens/{}", one["id"].as_str().unwrap());
    call(&portal, &maker, Method::DELETE, &path, None).await.is(204);
    get(&portal, &short, "/api/v1/caller").await.problem(401, "unauthenticated");
    let maker = token(&portal, None).await;
    let short = exchanged(&portal, &maker, json!({})).await;
    portal.patch("/api/v1/accounts/kim", &json!({"role": "viewer"})).await.is(200);
    assert_eq!(get(&portal, &short, "/api/v1/caller").await.json(200)["role"], "viewer");
    portal.patch("/api/v1/accounts/kim", &json!({"disabled": true})).await.is(200);
    get(&portal, &short, "/api/v1/caller").await.problem(401, "unauthenticated");
    let nobody =
        Request::builder().method("POST").uri("/api/v1/access-tokens").header("content-type", "application/json");
    portal.send_as_it_is(nobody.body(Body::from("{}")).unwrap()).await.problem(401, "unauthenticated");
});

on_both!(a_short_lived_token_of_a_session_ends_with_signing_out, portal, {
    portal.post("/api/v1/accounts", &json!({"name": "kim", "role": "developer"})).await.is(201);
    let link = portal.post("/api/v1/accounts/kim/sign-in-link", &json!({})).await.json(201);
    let request = Request::builder().method("POST").uri(link["path"].as_str().unwrap());
    let entered = portal.send_as_it_is(request.body(Body::empty()).unwrap()).await;
    let cookie = entered.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let with = async |method: &str, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header("cookie", &cookie);
        portal
            .send_as_it_is(
                request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap(),
            )
            .await
    };
    let short =
        with("POST", "/api/v1/access-tokens", "{}").await.json(201)["access_token"].as_str().unwrap().to_owned();
    get(&portal, &short, "/api/v1/entities").await.is(200);
    with("DELETE", "/api/v1/session", "").await.is(204);
    get(&portal, &short, "/api/v1/entities").await.problem(401, "unauthenticated");
});

/// Signs whatever it is told to, with the portal's own key.
struct Insider {
    kid: String,
    key: EncodingKey,
    public: String,
}

impl Insider {
    async fn of(portal: &Portal) -> Self {
        let kid = cell(portal, "SELECT kid FROM signing_key").await;
        let sealed = cell(portal, "SELECT sealed FROM signing_key").await;
        let public = cell(portal, "SELECT public_key FROM signing_key").await;
        let sealer = Sealer::open(None, &portal.app.config.seal_file(), |_| None).await.unwrap();
        let secret = sealer.unseal(&format!("signing_key/{kid}"), &sealed).unwrap();
        Self { kid, key: EncodingKey::from_ed_der(&secret), public }
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        header
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.key).unwrap()
    }
}

fn with(claims: &Value, changes: Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// A token with this head, and a signature that may be anything.
fn assembled(head: &Value, claims: &Value, signature: &[u8]) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encoded(head), encoded(claims), URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_tokens_are_refused() {
    let portal = Portal::sqlite().await;
    let maker = token(&portal, None).await;
    let good = exchanged(&portal, &maker, json!({})).await;
    let (inside, claims, head) = (Insider::of(&portal).await, part(&good, 1), part(&good, 0));
    get(&portal, &inside.sign(&claims), "/api/v1/caller").await.is(200);
    let stranger = EncodingKey::from_ed_der(&key());
    let now = portal.now().timestamp();
    let changed = |changes: Value| inside.sign(&with(&claims, changes));
    let headed = |change: &dyn Fn(&mut Header)| {
        let mut header = inside.header();
        change(&mut header);
        encode(&header, &claims, &inside.key).unwrap()
    };
    let hmac = |secret: &[u8]| {
        let mut header = inside.header();
        header.alg = Algorithm::HS256;
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let unsigned = |algorithm: &str| assembled(&with(&head, json!({"alg": algorithm})), &claims, b"");
    let parts: Vec<&str> = good.split('.').collect();
    let other = part(&exchanged(&portal, TOKEN, json!({})).await, 1);
    let forged: Vec<(&str, String)> = vec![
        ("no algorithm", unsigned("none")),
        ("no algorithm, shouted", unsigned("NONE")),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("a shared secret that is the public key", hmac(&URL_SAFE_NO_PAD.decode(&inside.public).unwrap())),
        ("a shared secret that is its text", hmac(inside.public.as_bytes())),
        ("another algorithm", assembled(&with(&head, json!({"alg": "RS256"})), &claims, &[1; 256])),
        ("one of curves", assembled(&with(&head, json!({"alg": "ES256"})), &claims, &[1; 64])),
        ("one that there is not", unsigned("EdDSA2")),
        ("somebody's key under the portal's name", encode(&inside.header(), &claims, &stranger).unwrap()),
        ("somebody's key", {
            let mut header = inside.header();
            header.kid = Some("key-0".to_owned());
            encode(&header, &claims, &stranger).unwrap()
        }),
        ("no name of a key", headed(&|header| header.kid = None)),
        ("an empty name", headed(&|header| header.kid = Some(String::new()))),
        ("a path", headed(&|header| header.kid = Some("../../../../dev/null".to_owned()))),
        ("a query", headed(&|header| header.kid = Some("x' OR '1'='1".to_owned()))),
        ("a long name", headed(&|header| header.kid = Some("x".repeat(2000)))),
        ("keys from an address", headed(&|header| header.jku = Some("https://evil.example/keys".to_owned()))),
        ("a certificate from an address", headed(&|header| header.x5u = Some("https://evil.example/cert".to_owned()))),
        ("a certificate", headed(&|header| header.x5c = Some(vec!["MIIB".to_owned()]))),
        ("a key of its own", {
            let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&stranger, Algorithm::EdDSA).unwrap();
            let mut header = inside.header();
            header.jwk = Some(jwk);
            encode(&header, &claims, &stranger).unwrap()
        }),
        ("something critical", headed(&|header| header.crit = Some(vec!["exp".to_owned()]))),
        ("no type", headed(&|header| header.typ = None)),
        ("the type of anything", headed(&|header| header.typ = Some("JWT".to_owned()))),
        ("the type of something else", headed(&|header| header.typ = Some("logout+jwt".to_owned()))),
        ("no end", changed(json!({"exp": null}))),
        ("no beginning", changed(json!({"nbf": null}))),
        ("no time of making", changed(json!({"iat": null}))),
        ("nobody it is for", changed(json!({"aud": null}))),
        ("nobody it is from", changed(json!({"iss": null}))),
        ("neither", changed(json!({"iss": null, "aud": null}))),
        ("about nobody", changed(json!({"sub": null}))),
        ("an end in words", changed(json!({"exp": (now + 60).to_string()}))),
        ("an end in fractions", changed(json!({"exp": now as f64 + 60.5}))),
        ("an end that has passed", changed(json!({"exp": now - 30, "iat": now - 90, "nbf": now - 90}))),
        ("an end that is too far", changed(json!({"exp": now + 3600}))),
        ("an end beyond all", changed(json!({"exp": i64::MAX}))),
        ("a life turned around", changed(json!({"iat": now + 3, "exp": now + 1}))),
        ("a beginning to come", changed(json!({"nbf": now + 60}))),
        ("made in the future", changed(json!({"iat": now + 60, "exp": now + 120}))),
        ("for somebody else", changed(json!({"aud": "https://deploy.example"}))),
        ("for several", changed(json!({"aud": [claims["aud"], "https://deploy.example"]}))),
        ("from somebody else", changed(json!({"iss": "https://evil.example"}))),
        ("from a longer name", changed(json!({"iss": format!("{}.evil.example", claims["iss"].as_str().unwrap())}))),
        ("about another account", changed(json!({"sub": other["sub"]}))),
        ("made from what is not there", changed(json!({"parent": {"token": "tok_0"}}))),
        ("made from a session that is not there", changed(json!({"parent": {"session": "ses_0"}}))),
        ("made from nothing", changed(json!({"parent": null}))),
        ("a role that there is not", changed(json!({"role": "root"}))),
        ("a scope that there is not", changed(json!({"scope": "everything"}))),
        ("a claim that nobody knows", changed(json!({"admin": true}))),
        (
            "a claim that was changed",
            format!(
                "{}.{}.{}",
                parts[0],
                URL_SAFE_NO_PAD.encode(with(&claims, json!({"role": "admin"})).to_string()),
                parts[2]
            ),
        ),
        ("half a signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40])),
        ("a longer signature", format!("{good}AAAA")),
        ("no JSON", format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode("nonsense"), parts[2])),
        ("dots alone", "..".to_owned()),
        ("a great deal", format!("{}.{}.{}", parts[0], "A".repeat(60_000), parts[2])),
    ];
    assert!(forged.len() >= 50, "{}", forged.len());
    for (what, token) in &forged {
        let answer = get(&portal, token, "/api/v1/caller").await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        answer.problem(401, "unauthenticated");
    }
    // More than it was made with it is not, whatever it says.
    let raised = changed(json!({"role": "admin"}));
    assert_eq!(get(&portal, &raised, "/api/v1/caller").await.json(200)["role"], "developer");
    // Each is logged, after its answer.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let log = portal.get("/api/v1/audit?action=refusal&limit=1").await.json(200);
        if log["total"].as_u64().unwrap() == forged.len() as u64 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{} refusals are logged", log["total"]);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    get(&portal, &good, "/api/v1/caller").await.is(200);
    portal.end().await;
}

on_both!(keys_change_and_processes_share_them, portal, {
    let maker = token(&portal, None).await;
    let keys = async || portal.get("/.well-known/jwks.json").await.json(200)["keys"].as_array().unwrap().len();
    assert_eq!(keys().await, 0);
    let short = exchanged(&portal, &maker, json!({})).await;
    // Another process has another key to seal with: it signs with a key of its own,
    // and each accepts what the other has signed.
    let (other, router) = portal.replica().await;
    let ask = async |method: &str, path: &str, token: &str| {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(Body::from("{}")).unwrap();
        crate::harness::send_as_it_is(&router, request).await
    };
    ask("GET", "/api/v1/caller", &short).await.is(200);
    let theirs =
        ask("POST", "/api/v1/access-tokens", &maker).await.json(201)["access_token"].as_str().unwrap().to_owned();
    assert_ne!(part(&theirs, 0)["kid"], part(&short, 0)["kid"]);
    portal.clock.advance(TimeDelta::seconds(6));
    get(&portal, &theirs, "/api/v1/caller").await.is(200);
    assert_eq!(keys().await, 2);
    other.stop.cancel();
    // A month later another key signs; after another day the old ones are forgotten.
    portal.clock.advance(TimeDelta::days(30));
    let maker = token(&portal, None).await;
    let later = exchanged(&portal, &maker, json!({})).await;
    assert_ne!(part(&later, 0)["kid"], part(&short, 0)["kid"]);
    assert_eq!(keys().await, 3);
    portal.clock.advance(TimeDelta::days(1));
    assert_eq!(keys().await, 1);
});

fn form(pairs: &[(&str, &str)]) -> Body {
    Body::from(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ci_job_comes_in_with_its_own_token() {
    let started: chrono::DateTime<chrono::Utc> = "2026-11-17T09:00:00Z".parse().unwrap();
    let now = started.timestamp();
    let provider = Provider::start(now).await;
    let config = format!(
        "name = \"github\"\nissuer = \"{}\"\naudience = \"https://portal.example\"\nclaims = {{ repository = \"kestrel/*\", ref = \"refs/heads/main\" }}\n\
         account = \"ci\"\nrole = \"maintainer\"\nscopes = [\"read_catalog\", \"write_catalog\"]",
        provider.issuer
    );
    let portal = Portal::with(|settings| settings.access.ci = vec![toml::from_str(&config).unwrap()]).await;
    let claims = json!({"iss": provider.issuer, "sub": "repo:kestrel/booking:ref:refs/heads/main", "aud": "https://portal.example",
        "iat": now, "exp": now + 300, "repository": "kestrel/booking", "ref": "refs/heads/main"});
    let exchange = async |token: &str, more: &[(&str, &str)]| {
        let mut pairs = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ];
        pairs.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        pairs.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        let request = Request::builder().method("POST").uri("/api/v1/token-exchange");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(&pairs)).unwrap();
        portal.send_as_it_is(request).await
    };
    let refused = async |token: &str, error: &str, words: &str| {
        let answer = exchange(token, &[]).await.json(400);
        assert_eq!(answer["error"], error, "{answer}");
        assert!(answer["error_description"].as_str().unwrap().contains(words), "{answer}");
    };
    for (changes, words) in [
        (json!({"repository": "evil/booking"}), "`repository`"),
        (json!({"repository": "kestrelevil/booking"}), "`repository`"),
        (json!({"repository": null}), "`repository`"),
        (json!({"ref": "refs/heads/mine"}), "`ref`"),
        (json!({"aud": "https://other.example"}), "not for this client"),
        (json!({"aud": null}), "not for this client"),
        (json!({"exp": now - 60}), "expired"),
        (json!({"exp": null}), "not for this client"),
        (json!({"iat": now - 60 * 60 * 24, "exp": now + 60}), "`iat`"),
        (json!({"nbf": now + 60}), "`nbf`"),
        (json!({"sub": ""}), "`sub`"),
        (json!({"iss": "https://evil.example"}), "no issuer"),
    ] {
        refused(&provider.signed(&with(&claims, changes.clone()), 0), "invalid_grant", words).await;
    }
    refused(&provider.signed(&claims, 1), "invalid_grant", "no key").await;
    refused("nonsense", "invalid_grant", "no issuer").await;
    let good = provider.signed(&claims, 0);
    for (more, error) in [
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "")], "invalid_request"),
        (vec![("subject_token", "")], "invalid_request"),
        (vec![("subject_token_type", "urn:x")], "invalid_request"),
        (vec![("scope", "manage_access")], "invalid_scope"),
        (vec![("scope", "fly")], "invalid_scope"),
        (vec![("scope", "read_catalog"), ("scope", "write_catalog")], "invalid_request"),
    ] {
        assert_eq!(exchange(&good, &more).await.json(400)["error"], error, "{more:?}");
    }
    // Nothing of this has made an account.
    assert_eq!(portal.get("/api/v1/accounts").await.json(200)["total"], 1);

    let answer = exchange(&good, &[("scope", "read_catalog")]).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = answer.json(200);
    assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!("read_catalog"), &json!(600)));
    let answer = exchange(&good, &[]).await.json(200);
    assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let job = answer["access_token"].as_str().unwrap();
    let caller = get(&portal, job, "/api/v1/caller").await.json(200);
    assert_eq!(
        (&caller["name"], &caller["role"], &caller["known"]),
        (&json!("ci"), &json!("maintainer"), &json!("jwt"))
    );
    let put = Some(crate::harness::component("from-ci", "team-a"));
    call(&portal, job, Method::PUT, "/api/v1/entities/component/default/from-ci", put).await.is(201);
    get(&portal, job, "/api/v1/sources").await.problem(403, "forbidden");
    let listed = portal.get("/api/v1/ci-issuers").await.json(200);
    assert_eq!((&listed["total"], &listed["items"][0]["account"]), (&json!(1), &json!("ci")));
    let log = portal.get("/api/v1/audit?action=token.exchange&limit=200").await.json(200);
    let outcome =
        |wanted: &str| log["items"].as_array().unwrap().iter().filter(|item| item["outcome"] == wanted).count();
    assert_eq!((outcome("done"), outcome("failed")), (2, 14));

    // The provider has a new key.
    provider.set(|behaviour| behaviour.published = vec![1]);
    portal.clock.advance(TimeDelta::seconds(31));
    exchange(&provider.signed(&claims, 1), &[]).await.is(200);
    // Disabled, its jobs are out at once.
    portal.patch("/api/v1/accounts/ci", &json!({"disabled": true})).await.is(200);
    get(&portal, job, "/api/v1/caller").await.problem(401, "unauthenticated");
    assert_eq!(exchange(&provider.signed(&claims, 1), &[]).await.json(400)["error"], "invalid_grant");
    portal.end().await;
}

#[tokio::test]
async fn rules_that_let_everybody_in_are_refused() {
    let check =
        |text: &str| toml::from_str::<portal_api::access::jwt::CiConfig>(text).map_err(|error| error.to_string());
    let base = "name = \"github\"\nissuer = \"https://ci.example\"\naccount = \"ci\"\nrole = \"agent\"\n";
    assert!(check(base).is_err());
    for rules in ["claims = {}", "claims = { repository = \"*\" }", "claims = { repository = \"\" }"] {
        let config = check(&format!("{base}{rules}")).unwrap();
        assert!(config.check().unwrap_err().to_string().contains("which jobs"), "{rules}");
    }
    assert!(check(&format!("{base}claims = {{ repository = \"a\" }}")).unwrap().check().is_ok());
}
