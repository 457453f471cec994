//! `GET /api/search/query`, as Backstage's search API answers it: its own
//! parameters, cursors, highlighting and error bodies.
//!
//! Entities are its documents of type `software-catalog`; other types have
//! none. Parameters that it does not know are ignored, as Backstage does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_core::catalog::EntityRef;
use portal_core::catalog::query::{Clause, Condition, Filter, Selection};
use portal_core::search::wire::Segment;
use serde_json::{Value, json};

use super::handlers::blocking;
use super::{Hit, Scope, SearchError, request};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::state::App;

const DOCUMENT_TYPE: &str = "software-catalog";
const MAX_TERM: usize = 100;
const PAGE: usize = 25;
const MAX_PAGE: usize = 100;
/// Pages that can be turned to: hits beyond are found with better words.
const MAX_PAGES: usize = 1000;
const PRE_TAG: &str = "<mark>";
const POST_TAG: &str = "</mark>";

/// Entities that match, in the shape of Backstage's search API.
#[utoipa::path(
    get, path = "/api/search/query", tag = "backstage", operation_id = "query_search",
    params(
        ("term" = Option<String>, Query, description = "What to look for, at most 100 characters", example = "rate card"),
        ("types[]" = Option<Vec<String>>, Query, description = "Repeatable; only `software-catalog` has documents"),
        ("filters[kind]" = Option<String>, Query, description = "Also `filters[type]`, `filters[namespace]`, `filters[lifecycle]`, `filters[owner]`; with `[]` or `[0]` after it, one of several values", example = "Component"),
        ("pageLimit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "1 to 100; 25 when absent"),
        ("pageCursor" = Option<String>, Query, description = "`nextPageCursor` or `previousPageCursor` of another page"),
    ),
    responses((status = 200, description = "One page of results", body = Object, content_type = "application/json", example = json!({
        "results": [{
            "type": "software-catalog", "rank": 1,
            "document": {
                "title": "rate-card-importer", "text": "Nightly import of rate cards.",
                "location": "/catalog/default/component/rate-card-importer", "kind": "Component", "type": "worker",
                "componentType": "worker", "namespace": "default", "lifecycle": "production", "owner": "pricing"
            },
            "highlight": {
                "preTag": "<mark>", "postTag": "</mark>",
                "fields": {"title": "<mark>rate-card</mark>-importer", "text": "Nightly import of <mark>rate cards</mark>."}
            }
        }],
        "numberOfResults": 1
    }))),
)]
pub async fn query_search(auth: Authorized<ReadCatalog>, State(app): State<App>, uri: Uri) -> Response {
    let asked = match Asked::read(uri.query().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(message) => return input_error(&uri, &message),
    };
    match blocking(move || answer(&app, &asked, &auth)).await {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

fn answer(app: &App, asked: &Asked, auth: &Authorized<ReadCatalog>) -> Result<Value, SearchError> {
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let matches = app.search.find(&asked.term, Scope::Everything, request::rows(&visibility).map(Arc::as_ref))?;
    let within = Some(Arc::new(matches.rows()));
    let selection = Selection { within, filter: asked.filter.clone(), ..Selection::default() };
    let allowed = snapshot.index.select(&selection, &visibility);
    let total = if asked.has_documents { allowed.len() } else { 0 };
    let (start, end) = (asked.page * asked.limit, (asked.page + 1) * asked.limit);
    let hits = if asked.has_documents { matches.page(end, None, Some(&allowed))? } else { Vec::new() };
    let results: Vec<Value> =
        hits.into_iter().enumerate().skip(start).map(|(index, hit)| result(index + 1, hit)).collect();
    let mut body = json!({"results": results, "numberOfResults": total});
    if (end as u64) < total {
        body["nextPageCursor"] = STANDARD.encode((asked.page + 1).to_string()).into();
    }
    if asked.page > 0 {
        body["previousPageCursor"] = STANDARD.encode((asked.page - 1).to_string()).into();
    }
    Ok(body)
}

fn result(rank: usize, hit: Hit) -> Value {
    let Hit { stored, title, snippet, .. } = hit;
    let entity_ref: Option<EntityRef> = stored.entity_ref.parse().ok();
    let namespace = entity_ref.as_ref().map_or(EntityRef::DEFAULT_NAMESPACE, EntityRef::namespace);
    let name = stored.name.to_lowercase();
    let location = format!("/catalog/{namespace}/{}/{name}", stored.kind.to_lowercase());
    let owner = stored.details.iter().find(|detail| detail.name == "owner").map_or("", |detail| detail.value.as_str());
    let kind_of = stored.subtype.as_deref().unwrap_or("other");
    json!({
        "type": DOCUMENT_TYPE,
        "document": {
            "title": stored.title, "text": stored.description.as_deref().unwrap_or_default(), "location": location,
            "kind": stored.kind, "type": kind_of, "componentType": kind_of, "namespace": namespace,
            "lifecycle": stored.lifecycle.as_deref().unwrap_or_default(), "owner": owner,
        },
        "rank": rank,
        "highlight": {"preTag": PRE_TAG, "postTag": POST_TAG, "fields": {"title": marked(&title), "text": marked(&snippet)}},
    })
}

fn marked(segments: &[Segment]) -> String {
    let mut text = String::new();
    for Segment { text: part, mark } in segments {
        let tags = if *mark { (PRE_TAG, POST_TAG) } else { ("", "") };
        text.extend([tags.0, part.as_str(), tags.1]);
    }
    text
}

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Asked {
    term: String,
    filter: Filter,
    /// False when only other types are asked for.
    has_documents: bool,
    page: usize,
    limit: usize,
}

impl Asked {
    fn read(query: &str) -> Result<Self, String> {
        let mut asked =
            Self { term: String::new(), filter: Filter::default(), has_documents: true, page: 0, limit: PAGE };
        let mut types = Vec::new();
        let mut all: Vec<Condition> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let (base, index) = name.split_once('[').map_or((&*name, None), |(base, rest)| (base, Some(rest)));
            match base {
                "term" => asked.term = value.into_owned(),
                "types" => types.push(value.into_owned()),
                "pageLimit" => asked.limit = limit(&value)?,
                "pageCursor" => asked.page = page(&value)?,
                "filters" => {
                    let field = index.and_then(|rest| rest.split(']').next()).unwrap_or_default();
                    add(&mut all, field, value.to_lowercase());
                }
                _ => {}
            }
        }
        if asked.term.chars().count() > MAX_TERM {
            return Err(format!("Invalid query string: the term length \"{MAX_TERM}\" is exceeded"));
        }
        asked.has_documents = types.is_empty() || types.iter().any(|name| name == DOCUMENT_TYPE);
        if !all.is_empty() {
            asked.filter = Filter { any: vec![Clause { all }] };
        }
        Ok(asked)
    }
}

/// Values of one field are alternatives.
fn add(all: &mut Vec<Condition>, field: &str, value: String) {
    let key = match field {
        "type" | "componentType" => "spec.type".to_owned(),
        "lifecycle" => "spec.lifecycle".to_owned(),
        "owner" => "spec.owner".to_owned(),
        "namespace" => "metadata.namespace".to_owned(),
        other => other.to_lowercase(),
    };
    match all.iter_mut().find(|condition| condition.key == key) {
        Some(condition) => condition.values.get_or_insert_default().push(value),
        None => all.push(Condition { key, values: Some(vec![value]) }),
    }
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("Invalid query string: \"{text}\" is not a page limit")),
        Ok(limit) if limit > MAX_PAGE => Err(format!("The page limit \"{limit}\" is greater than \"{MAX_PAGE}\"")),
        Ok(limit) => Ok(limit),
    }
}

fn page(cursor: &str) -> Result<usize, String> {
    let read = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    read.filter(|page| *page < MAX_PAGES).ok_or_else(|| "Invalid page cursor".to_owned())
}

fn input_error(uri: &Uri, message: &str) -> Response {
    let body = json!({
        "error": {"name": "InputError", "message": message},
        "request": {"method": "GET", "url": uri.path_and_query().map_or("/", |path| path.as_str())},
        "response": {"statusCode": 400},
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_backstage_reads_them() {
        let asked = Asked::read(
            "term=rate+card&types[0]=software-catalog&filters[kind][0]=API&filters[kind][1]=Component&filters%5Btype%5D=service&pageLimit=10&pageCursor=Mg%3D%3D&other=1",
        )
        .unwrap();
        assert_eq!((asked.term.as_str(), asked.page, asked.limit, asked.has_documents), ("rate card", 2, 10, true));
        let conditions = &asked.filter.any[0].all;
        assert_eq!(conditions[0].values, Some(vec!["api".to_owned(), "component".to_owned()]));
        assert_eq!(conditions[1].key, "spec.type");
        assert!(!Asked::read("types[]=techdocs").unwrap().has_documents);
        for bad in ["pageLimit=0", "pageLimit=101", "pageLimit=x", "pageCursor=%25", "pageCursor=LTE%3D"] {
            assert!(Asked::read(bad).is_err(), "{bad}");
        }
        assert!(Asked::read(&format!("term={}", "x".repeat(101))).is_err());
    }
}
