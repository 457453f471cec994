//! Whether the catalog holds what it acknowledged and agrees with itself.

use std::collections::{BTreeMap, HashMap};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::http::{Client, Door};

use super::drive::ANNOTATION;
use super::model::{Model, Version};

/// Entities looked up one by one; the list shows all of them anyway.
const LOOKUPS: usize = 50;

/// One entity as the list shows it.
struct Shown {
    version: Version,
    seq: i64,
}

/// Passes may still write while we read, so an answer counts only when the
/// catalog did not move in the meantime.
const ATTEMPTS: u32 = 600;
/// A catalog that did not move for so long is worth reading.
const REST: Duration = Duration::from_millis(200);

pub fn check(door: &Door, model: &mut Model) -> Result<()> {
    let client = &mut Client::new(door);
    for _ in 0..ATTEMPTS {
        let before = at_rest(client)?;
        thread::sleep(REST);
        if before.is_none() || at_rest(client)? != before {
            continue;
        }
        let result = check_once(client, model);
        if at_rest(client)? == before {
            let (shown, feed) = result?;
            for (seq, change) in feed {
                model.observed.insert(seq, change.subject);
            }
            for (entity_ref, entity) in shown {
                model.confirm(&entity_ref, entity.version);
            }
            return Ok(());
        }
    }
    bail!("the catalog did not stand still")
}

/// The last change, once the index holds it: for a moment the feed is ahead.
fn at_rest(client: &mut Client) -> Result<Option<i64>> {
    let feed = client.get_json("/api/v1/changes?limit=1")?["items"][0]["seq"].as_i64();
    let index = client.get_json("/api/v1/entities?limit=0")?["seq"].as_i64();
    Ok(feed.filter(|_| feed == index))
}

type Seen = (HashMap<String, Shown>, BTreeMap<i64, Change>);

fn check_once(client: &mut Client, model: &Model) -> Result<Seen> {
    let shown = list(client)?;
    counts(client, shown.len())?;
    let feed = feed(client)?;
    acknowledged(model, &shown)?;
    nothing_observed_is_gone(model, &feed)?;
    feed_agrees(&feed, &shown)?;
    by_name(client, &shown)?;
    Ok((shown, feed))
}

/// Every page of the list.
fn list(client: &mut Client) -> Result<HashMap<String, Shown>> {
    let mut shown = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page = client.get_json(&format!("/api/v1/entities?limit=500&sort=metadata.name{cursor}"))?;
        for item in items(&page)? {
            let entity_ref = text(item, "entity_ref")?;
            let seq = item["changed_seq"].as_i64().context("an entity without `changed_seq`")?;
            let entity = Shown { version: version(&item["entity"]), seq };
            ensure!(shown.insert(entity_ref.clone(), entity).is_none(), "`{entity_ref}` is on two pages");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(shown),
        }
    }
}

/// Total, facets and pages count the same.
fn counts(client: &mut Client, listed: usize) -> Result<()> {
    let page = client.get_json("/api/v1/entities?limit=0&facet=kind&facet=spec.type")?;
    let total = page["total"].as_u64().context("a list without a total")?;
    ensure!(total == listed as u64, "the total is {total}, and the pages hold {listed} entities");
    for facet in ["kind", "spec.type"] {
        let values = page["facets"][facet].as_array().with_context(|| format!("no facet `{facet}`"))?;
        let sum: u64 = values.iter().filter_map(|value| value["count"].as_u64()).sum();
        ensure!(sum == total, "the facet `{facet}` counts {sum} of {total} entities");
    }
    Ok(())
}

struct Change {
    subject: String,
    operation: String,
    after: Version,
}

/// The whole feed, by sequence.
fn feed(client: &mut Client) -> Result<BTreeMap<i64, Change>> {
    let mut feed = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = client.get_json(&format!("/api/v1/changes?limit=200{cursor}"))?;
        for item in items(&page)? {
            let seq = item["seq"].as_i64().context("a change without `seq`")?;
            if let Some((lowest, _)) = feed.first_key_value() {
                ensure!(seq < *lowest, "the feed shows {seq} after {lowest}");
            }
            let change = Change {
                subject: text(item, "subject")?,
                operation: text(item, "operation")?,
                after: version(&item["after"]),
            };
            feed.insert(seq, change);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                let total = page["total"].as_u64().unwrap_or_default();
                ensure!(total == feed.len() as u64, "the feed counts {total} changes and shows {}", feed.len());
                return Ok(feed);
            }
        }
    }
}

fn acknowledged(model: &Model, shown: &HashMap<String, Shown>) -> Result<()> {
    for (entity_ref, expected) in &model.entities {
        let found = shown.get(entity_ref).and_then(|entity| entity.version.clone());
        if !expected.allows(&found) {
            bail!("`{entity_ref}` holds {found:?}, and what was acknowledged or sent is {expected:?}");
        }
    }
    for entity_ref in shown.keys() {
        ensure!(model.entities.contains_key(entity_ref), "`{entity_ref}` is in the catalog, and nobody wrote it");
    }
    Ok(())
}

fn nothing_observed_is_gone(model: &Model, feed: &BTreeMap<i64, Change>) -> Result<()> {
    for (seq, subject) in &model.observed {
        let found = feed.get(seq).map(|change| &change.subject);
        ensure!(found == Some(subject), "change {seq} was `{subject}` once, and now is {found:?}");
    }
    Ok(())
}

/// The last change of each entity is what the list shows, and no entity is
/// without one.
fn feed_agrees(feed: &BTreeMap<i64, Change>, shown: &HashMap<String, Shown>) -> Result<()> {
    let mut latest: HashMap<&str, (i64, &Change)> = HashMap::new();
    for (seq, change) in feed {
        if let Some(entity_ref) = change.subject.strip_prefix("entity:") {
            latest.insert(entity_ref, (*seq, change));
        }
    }
    for (entity_ref, (seq, change)) in &latest {
        match shown.get(*entity_ref) {
            None => ensure!(
                change.operation == "delete",
                "change {seq} of `{entity_ref}` is `{}`, and the catalog has no such entity",
                change.operation
            ),
            Some(entity) => ensure!(
                entity.seq == *seq && entity.version == change.after,
                "`{entity_ref}` is at {} with {:?}, and its last change is {seq} with {:?}",
                entity.seq,
                entity.version,
                change.after
            ),
        }
    }
    match shown.keys().find(|entity_ref| !latest.contains_key(entity_ref.as_str())) {
        Some(entity_ref) => bail!("`{entity_ref}` is in the catalog without a change in the feed"),
        None => Ok(()),
    }
}

fn by_name(client: &mut Client, shown: &HashMap<String, Shown>) -> Result<()> {
    for (entity_ref, entity) in shown.iter().take(LOOKUPS) {
        let path = format!("/api/v1/entities/{}", entity_ref.replacen(':', "/", 1));
        let found = client.get_json(&path)?;
        let found = version(&found["entity"]);
        ensure!(found == entity.version, "{path} shows {found:?}, and the list {:?}", entity.version);
    }
    Ok(())
}

fn items(page: &Value) -> Result<&Vec<Value>> {
    page["items"].as_array().context("a list without items")
}

fn text(item: &Value, field: &str) -> Result<String> {
    Ok(item[field].as_str().with_context(|| format!("an item without `{field}`"))?.to_owned())
}

fn version(entity: &Value) -> Version {
    Some(entity["metadata"]["annotations"][ANNOTATION].as_str()?.to_owned())
}
