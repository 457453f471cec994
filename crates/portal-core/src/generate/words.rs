//! The vocabulary of generated catalogs.

use super::random::Random;

pub(super) const COMPONENTS: &[&str] =
    &["service", "service", "service", "library", "website", "pipeline", "mobile-app"];
pub(super) const RESOURCES: &[&str] = &["database", "bucket", "queue", "cache", "topic"];
pub(super) const API_TYPES: &[&str] = &["openapi", "openapi", "asyncapi", "graphql", "grpc"];
pub(super) const LIFECYCLES: &[&str] = &["production", "production", "production", "experimental", "deprecated"];
pub(super) const TAGS: &[&str] = &[
    "java",
    "kotlin",
    "go",
    "rust",
    "python",
    "typescript",
    "react",
    "postgres",
    "kafka",
    "redis",
    "pci",
    "gdpr",
    "internal",
    "public",
    "edge",
    "batch",
    "realtime",
    "ml",
    "data",
    "mobile",
    "ios",
    "android",
    "frontend",
    "backend",
    "grpc",
    "graphql",
    "legacy",
    "tier-1",
    "serverless",
    "cron",
];

const NOUNS: &[&str] = &[
    "booking", "payment", "invoice", "ledger", "catalog", "search", "routing", "fleet", "parcel", "customs", "pricing",
    "loyalty", "identity", "session", "mail", "report", "metric", "audit", "tracking", "depot", "driver", "quote",
    "claim", "refund", "stock", "supplier", "contract", "tariff", "calendar", "document", "image", "geo", "weather",
    "alert", "survey", "ticket", "chat", "voice", "label", "manifest",
];
const ADJECTIVES: &[&str] = &[
    "amber", "brisk", "calm", "daily", "early", "fast", "global", "hidden", "inner", "joint", "keen", "local", "main",
    "northern", "open", "prime", "quick", "rapid", "shared", "tidal", "urban", "vital", "west", "young", "zonal",
];
const SUFFIXES: &[&str] = &["service", "worker", "gateway", "ui", "sync", "store", "engine", "adapter"];
const FIRST: &[&str] = &["Ada", "Ben", "Chen", "Dana", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jonas", "Kim", "Lena"];
const LAST: &[&str] =
    &["Arnold", "Berg", "Costa", "Diaz", "Eriksen", "Fischer", "Gupta", "Haas", "Ito", "Jensen", "Kaya"];
const VERBS: &[&str] = &["Keeps", "Computes", "Sends", "Stores", "Merges", "Checks", "Forwards", "Plans", "Explains"];

pub(super) fn noun(index: usize) -> &'static str {
    NOUNS[index % NOUNS.len()]
}

pub(super) fn adjective(index: usize) -> &'static str {
    ADJECTIVES[index % ADJECTIVES.len()]
}

pub(super) fn suffix(index: usize) -> &'static str {
    SUFFIXES[index % SUFFIXES.len()]
}

pub(super) fn person(index: usize) -> String {
    format!("{} {}", FIRST[index % FIRST.len()], LAST[(index / FIRST.len()) % LAST.len()])
}

/// `booking-api` as `Booking Api`.
pub(super) fn title(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join(" ")
}

pub(super) fn sentence(random: &mut Random) -> String {
    let (verb, first, second) = (random.pick(VERBS), random.pick(NOUNS), random.pick(NOUNS));
    let (adjective, place) = (random.pick(ADJECTIVES), random.pick(NOUNS));
    format!("{verb} {first} and {second} data for the {adjective} {place} teams.")
}

pub(super) fn definition(name: &str) -> String {
    let resource = name.split('-').next().unwrap_or("item");
    format!(
        "openapi: 3.0.3\ninfo:\n  title: {}\n  version: 1.2.0\npaths:\n  /{resource}s:\n    get:\n      summary: List \
         {resource}s\n      responses:\n        '200':\n          description: One page\n    post:\n      summary: \
         Create one {resource}\n      responses:\n        '201':\n          description: Created\n  /{resource}s/{{id}}:\n    \
         get:\n      summary: Read one {resource}\n      responses:\n        '200':\n          description: Found\n        \
         '404':\n          description: Unknown\n",
        title(name)
    )
}
