//! What a search is asked for, read from its parameters.

use std::sync::Arc;

use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Clause, Condition, Filter, Order, Selection, SortKey};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::matches::Position;
use crate::error::{ApiError, ApiResult};
use crate::http::cursor;
use crate::http::params::Params;

/// The facets, and the keys of the catalog that they stand for.
pub const FACETS: [(&str, &str); 5] = [
    ("kind", "kind"),
    ("type", "spec.type"),
    ("owner", "relations.ownedBy"),
    ("lifecycle", "spec.lifecycle"),
    ("tag", "metadata.tags"),
];

/// Values of one filter, at most.
const MAX_VALUES: usize = 50;

/// A search.
#[derive(Debug)]
pub struct SearchRequest {
    pub text: String,
    pub selection: Selection,
    /// By relevance when absent.
    pub order: Option<Order>,
    pub limit: usize,
    /// Names and keys of the facets to count.
    pub facets: Vec<(&'static str, &'static str)>,
    pub after: Option<Place>,
    pub seq: Option<i64>,
    /// Identifies the list that a cursor belongs to.
    list: String,
}

/// Where the page before ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Place {
    #[serde(rename = "s")]
    Relevance(Position),
    #[serde(rename = "k")]
    Sorted(Option<String>, u32),
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    l: String,
    p: Place,
}

impl SearchRequest {
    /// Reads the parameters of `GET /api/v1/search`.
    ///
    /// # Errors
    /// A parameter is unknown or cannot be read.
    pub fn read(mut params: Params) -> ApiResult<Self> {
        let text = params.one("q")?.unwrap_or_default().trim().to_owned();
        let selection = Selection { filter: filter(&mut params)?, ..Selection::default() };
        let sort = params.chosen("sort")?;
        let order = order(sort.as_deref(), text.is_empty())?;
        let limit = usize::try_from(params.number("limit", 20, 0..=100)?).unwrap_or(20);
        let facets = facets(params.all("facet"))?;
        let given = params.chosen("cursor")?;
        let seq = params.sequence("min_seq")?;
        params.finish()?;
        let list = digest(&text, &selection, order.as_ref());
        let after = given.map(|given| place(&given, &list, order.is_some())).transpose()?;
        Ok(Self { text, selection, order, limit, facets, after, seq, list })
    }

    pub fn cursor(&self, place: Place) -> String {
        cursor::encode(&Cursor { l: self.list.clone(), p: place })
    }

    pub fn position(&self) -> Option<Position> {
        match self.after {
            Some(Place::Relevance(position)) => Some(position),
            _ => None,
        }
    }

    pub fn sort_key(&self) -> Option<SortKey> {
        match &self.after {
            Some(Place::Sorted(value, row)) => Some(SortKey { value: value.clone(), row: *row }),
            _ => None,
        }
    }
}

/// The rows of a visibility; `None` is everything.
pub fn rows(visibility: &Visibility) -> Option<&Arc<RoaringBitmap>> {
    match visibility {
        Visibility::All => None,
        Visibility::Rows(rows) => Some(rows),
    }
}

/// One condition for each parameter given; its values are alternatives.
///
/// # Errors
/// A value cannot be read, or there are too many.
pub fn filter(params: &mut Params) -> ApiResult<Filter> {
    let mut all = Vec::new();
    for (name, key) in FACETS {
        let values = params.all(name);
        if values.is_empty() {
            continue;
        }
        if values.len() > MAX_VALUES {
            return Err(ApiError::parameter(name, format!("at most {MAX_VALUES} values")));
        }
        let values =
            values.into_iter().map(|value| if name == "owner" { owner(&value) } else { Ok(value.to_lowercase()) });
        all.push(Condition { key: key.to_lowercase(), values: Some(values.collect::<ApiResult<_>>()?) });
    }
    let any = if all.is_empty() { Vec::new() } else { vec![Clause { all }] };
    Ok(Filter { any })
}

/// A filter for some kinds; all when there are none.
pub fn kinds(kinds: Vec<String>) -> Filter {
    if kinds.is_empty() {
        return Filter::default();
    }
    let values = kinds.iter().map(|kind| kind.to_lowercase()).collect();
    Filter { any: vec![Clause { all: vec![Condition { key: "kind".to_owned(), values: Some(values) }] }] }
}

/// A reference, of which kind `group` and namespace `default` may be left out.
fn owner(text: &str) -> ApiResult<String> {
    let owner = EntityRef::parse(text, Some("group"), EntityRef::DEFAULT_NAMESPACE);
    owner.map(|owner| owner.to_string()).map_err(|error| ApiError::parameter("owner", error.to_string()))
}

/// Without a text there is no relevance to sort by.
fn order(sort: Option<&str>, lists_all: bool) -> ApiResult<Option<Order>> {
    let field = |name: &str| match name {
        "name" => "metadata.name".to_owned(),
        "title" => "metadata.title".to_owned(),
        other => other.to_owned(),
    };
    match sort {
        None | Some("relevance") if lists_all => Ok(Some(Order::by("metadata.name", false))),
        None | Some("relevance") => Ok(None),
        Some(text) => {
            let order = Order::parse(text).map_err(|error| ApiError::parameter("sort", error.to_string()))?;
            Ok(Some(Order::by(&field(&order.field), order.descending)))
        }
    }
}

fn facets(asked: Vec<String>) -> ApiResult<Vec<(&'static str, &'static str)>> {
    if asked.is_empty() {
        return Ok(FACETS.to_vec());
    }
    let known = |name: &String| {
        FACETS.into_iter().find(|(facet, _)| facet == name).ok_or_else(|| {
            ApiError::parameter("facet", format!("`{name}` is none of `kind`, `type`, `owner`, `lifecycle`, `tag`"))
        })
    };
    asked.iter().map(known).collect()
}

fn digest(text: &str, selection: &Selection, order: Option<&Order>) -> String {
    let digest = Sha256::digest(format!("{text:?} {:?} {order:?}", selection.filter));
    hex::encode(&digest[..6])
}

fn place(given: &str, list: &str, sorted: bool) -> ApiResult<Place> {
    let Cursor { l, p } = cursor::decode(given)?;
    let fits = l == list && sorted == matches!(p, Place::Sorted(..));
    let other = || ApiError::parameter("cursor", "it belongs to another search; start again without it");
    if fits { Ok(p) } else { Err(other()) }
}
