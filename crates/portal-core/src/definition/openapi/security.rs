//! How a caller proves who it is.

use serde_json::Value;

use crate::definition::rows::row;
use crate::definition::schema::Scope;
use crate::definition::tree::{Tree, fields, items, text};
use crate::definition::wire::{CallParameter, DefinitionPart, SchemaRow};
use crate::definition::words::{about, short};

/// Schemes, alternatives and scopes that are listed.
const SCHEMES: usize = 20;
const SCOPES: usize = 50;

/// The schemes of a definition, with their scopes below.
pub(in crate::definition) fn schemes(tree: &Tree) -> Vec<SchemaRow> {
    let mut rows = Vec::new();
    for (name, scheme) in declared(tree.root()).take(SCHEMES) {
        let Some(scheme) = tree.here(scheme) else { continue };
        let type_name = spoken(scheme);
        let facts = facts(scheme);
        let description = text(scheme, "description").map(about);
        rows.push(SchemaRow { type_name, facts, description, ..row(0, name) });
        for (scope, description) in scopes(scheme).into_iter().take(SCOPES) {
            let description = Some(description.trim()).filter(|text| !text.is_empty()).map(about);
            rows.push(SchemaRow { type_name: "scope".to_owned(), description, ..row(1, scope) });
        }
    }
    rows
}

fn declared(root: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let components = root.get("components").unwrap_or(&Value::Null);
    fields(components, "securitySchemes").chain(fields(root, "securityDefinitions"))
}

fn spoken(scheme: &Value) -> String {
    let of = |key: &str| text(scheme, key).unwrap_or_default();
    let scheme_name = of("scheme").to_ascii_lowercase();
    match (of("type"), scheme_name.as_str()) {
        ("apiKey", _) if of("name").is_empty() => "API key".to_owned(),
        ("apiKey" | "httpApiKey", _) => format!("API key in {} {}", of("in"), short(of("name"), 80)),
        ("http", "bearer") => match text(scheme, "bearerFormat") {
            Some(format) => format!("bearer token ({})", short(format, 80)),
            None => "bearer token".to_owned(),
        },
        ("basic", _) | ("http", "basic") => "user name and password (HTTP basic)".to_owned(),
        ("http", name) => format!("HTTP {}", short(name, 80)),
        ("oauth2", _) => "OAuth 2.0".to_owned(),
        ("openIdConnect", _) => "OpenID Connect".to_owned(),
        ("mutualTLS", _) => "client certificate (mutual TLS)".to_owned(),
        ("userPassword" | "plain", _) => "user name and password".to_owned(),
        ("X509", _) => "client certificate (X.509)".to_owned(),
        ("scramSha256", _) => "SCRAM-SHA-256".to_owned(),
        ("scramSha512", _) => "SCRAM-SHA-512".to_owned(),
        ("symmetricEncryption", _) => "symmetric encryption".to_owned(),
        ("asymmetricEncryption", _) => "asymmetric encryption".to_owned(),
        ("gssapi", _) => "GSSAPI".to_owned(),
        (other, _) => short(other, 80),
    }
}

/// Flows with their addresses. Swagger has one flow, in the scheme itself.
fn flows(scheme: &Value) -> Vec<(&str, &Value)> {
    match text(scheme, "flow") {
        Some(flow) => vec![(flow, scheme)],
        None => fields(scheme, "flows").map(|(name, flow)| (name.as_str(), flow)).take(8).collect(),
    }
}

fn facts(scheme: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    for (name, flow) in flows(scheme) {
        let name = match name {
            "clientCredentials" | "application" => "client credentials",
            "authorizationCode" | "accessCode" => "authorization code",
            "deviceAuthorization" => "device authorization",
            name => name,
        };
        facts.push(format!("flow {}", short(name, 80)));
        let addresses = [("authorizationUrl", "authorization at"), ("tokenUrl", "token at")];
        facts.extend(
            addresses.into_iter().filter_map(|(key, words)| Some(format!("{words} {}", short(text(flow, key)?, 200)))),
        );
    }
    facts.extend(text(scheme, "openIdConnectUrl").map(|url| format!("configuration at {}", short(url, 200))));
    facts
}

fn scopes(scheme: &Value) -> Vec<(&str, &str)> {
    let mut scopes: Vec<(&str, &str)> = Vec::new();
    for (_, flow) in flows(scheme) {
        // AsyncAPI 3 says `availableScopes`.
        let named = fields(flow, "scopes").chain(fields(flow, "availableScopes")).take(SCOPES);
        for (scope, description) in named {
            if !scopes.iter().any(|(known, _)| known == scope) {
                scopes.push((scope, description.as_str().unwrap_or_default()));
            }
        }
    }
    scopes
}

/// The alternatives that an operation accepts: schemes that go together, with
/// their scopes.
fn alternatives<'a>(root: &'a Value, operation: &'a Value) -> Vec<Vec<(&'a str, Vec<&'a str>)>> {
    let holder = if operation.get("security").is_some() { operation } else { root };
    let alternatives = items(holder, "security").iter().filter_map(Value::as_object).take(SCHEMES);
    let together = alternatives.map(|schemes| {
        let schemes = schemes.iter().take(SCHEMES).map(|(name, scopes)| {
            let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
            (name.as_str(), scopes.take(SCOPES).collect())
        });
        schemes.collect()
    });
    together.collect()
}

fn scheme<'a>(scope: &Scope<'a>, name: &str) -> Option<&'a Value> {
    let root = scope.tree.root();
    let modern = || root.get("components")?.get("securitySchemes")?.get(name);
    scope.tree.here(modern().or_else(|| root.get("securityDefinitions")?.get(name))?)
}

/// What an operation asks for, as a part; `None` when anybody may call it.
pub(super) fn part(scope: &Scope<'_>, operation: &Value) -> Option<DefinitionPart> {
    let alternatives = alternatives(scope.tree.root(), operation);
    if alternatives.iter().all(Vec::is_empty) {
        return None;
    }
    let rows = alternatives.iter().map(|together| {
        if together.is_empty() {
            return SchemaRow { type_name: "no credentials".to_owned(), ..row(0, "anonymous") };
        }
        let names: Vec<&str> = together.iter().map(|(name, _)| *name).collect();
        let types: Vec<String> = names.iter().filter_map(|name| scheme(scope, name)).map(spoken).collect();
        let scopes = together.iter().flat_map(|(_, scopes)| scopes);
        SchemaRow {
            type_name: types.join(" and "),
            required: alternatives.len() == 1,
            facts: scopes.map(|scope| format!("scope {}", short(scope, 120))).collect(),
            ..row(0, &names.join(" and "))
        }
    });
    let description = (alternatives.len() > 1).then(|| "Any one of these is enough.".to_owned());
    Some(DefinitionPart {
        title: "Authorization".to_owned(),
        label: None,
        description,
        rows: rows.collect(),
        example: None,
    })
}

/// The secrets that an operation takes, as parameters of a call.
pub(super) fn parameters(scope: &Scope<'_>, operation: &Value) -> Vec<CallParameter> {
    let alternatives = alternatives(scope.tree.root(), operation);
    let required = alternatives.len() == 1;
    let mut parameters: Vec<CallParameter> = Vec::new();
    for (name, _) in alternatives.into_iter().flatten() {
        let Some(scheme) = scheme(scope, name) else { continue };
        let (place, name) = match (text(scheme, "type"), text(scheme, "in")) {
            (Some("apiKey"), Some(place @ ("header" | "query"))) => (place, text(scheme, "name").unwrap_or_default()),
            (Some("http" | "basic" | "oauth2" | "openIdConnect"), _) => ("header", "Authorization"),
            _ => continue,
        };
        let is_known = parameters.iter().any(|known| known.place == place && known.name.eq_ignore_ascii_case(name));
        if !name.is_empty() && !is_known {
            let (name, place) = (name.to_owned(), place.to_owned());
            parameters.push(CallParameter { name, place, required, secret: true, example: None, options: Vec::new() });
        }
    }
    parameters
}
