//! `notify`, a step of a run: a message that leaves the portal.

use std::collections::BTreeSet;

use portal_core::catalog::EntityRef;
use portal_core::outbox::ChannelKind;
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use serde_json::{Map, Value};

use super::store::{self, NewMessage};
use super::{ChannelConfig, TEXT, TITLE, absolute, addresses, key, put};
use crate::actions::steps::database;
use crate::db::Priority;
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

/// Entries of `to`, and addresses that they lead to.
const NAMED: usize = 100;
const RECIPIENTS: usize = 500;

fn wrong(name: &str, what: impl std::fmt::Display) -> Trouble {
    Trouble::new("invalid_input", format!("`{name}`: {what}"))
}

/// Writes what the step says into the outbox, once. Whether it arrives is seen there.
///
/// # Errors
/// The definition may use no channel, nobody can be reached, or a value cannot be used.
pub async fn notify(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
    let input = call.input;
    let channel = channel(live, &input)?;
    let own = |name: &str, most: usize| match input.text(name)?.filter(|text| !text.trim().is_empty()) {
        Some(text) if text.chars().count() > most => Err(wrong(name, format!("has more than {most} characters"))),
        Some(text) if live.secrets.iter().any(|(handle, _)| text.contains(handle)) => {
            Err(wrong(name, "would hold a secret; secrets are for requests and credentials, not for messages"))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let title = own("title", TITLE)?.ok_or_else(|| wrong("title", "is missing"))?;
    let text = own("text", TEXT)?;
    let link = own("link", TEXT)?;
    if let Some(link) = link.as_deref().filter(|link| !is_link(link)) {
        let wanted = format!("is a path of the portal or an address of http or https, not `{link}`");
        return Err(wrong("link", wanted));
    }
    let cause = format!("run:{}/{}/{}", live.run_id, call.place.position, call.place.turn);
    let to = input.texts("to")?;
    let message = |recipient: Option<String>| NewMessage {
        channel: channel.name.clone(),
        key: key(&cause, recipient.as_deref().unwrap_or_default()),
        recipient,
        title: title.clone(),
        text: text.clone(),
        link: link.as_deref().map(|link| absolute(&live.app, link)),
        run_id: Some(live.run_id),
    };
    let messages: Vec<NewMessage> = match channel.kind {
        ChannelKind::Email => recipients(live, &to, log).await?.into_iter().map(|one| message(Some(one))).collect(),
        _ if to.is_empty() => vec![message(None)],
        kind => {
            let kind = kind.as_str();
            return Err(wrong(
                "to",
                format!("is for channels of e-mail, and `{}` is of the kind `{kind}`", channel.name),
            ));
        }
    };
    let count = messages.len();
    log(format!("{count} {} by `{}`: {title}", if count == 1 { "message" } else { "messages" }, channel.name));
    let now = live.app.clock.now();
    let work =
        live.app.db.write(Priority::Background, move |txn| Box::pin(async move { put(txn, messages, now).await }));
    work.await.map_err(database)?;
    Ok([("count".to_owned(), count.into())].into_iter().collect())
}

/// The channel of a step.
///
/// # Errors
/// There is none of this name, or the definition may not use any.
fn channel<'l>(live: &'l Live, input: &Input<'_>) -> Result<&'l ChannelConfig, Trouble> {
    let name = input.must("channel")?;
    if !live.is_trusted {
        let message =
            "channels are for definitions that a maintainer vouches for: of a trusted source, or published by one";
        return Err(Trouble::new("not_allowed", message));
    }
    let all = &live.app.config.channels;
    all.iter().find(|channel| channel.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|channel| channel.name.as_str()).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        wrong("channel", format!("there is no channel `{name}`; there are {there}"))
    })
}

/// The addresses that `to` leads to: as they are written, and of users and groups as the
/// catalog has them, as far as whoever started the run sees it.
async fn recipients(live: &Live, to: &[String], log: &mut Log<'_>) -> Result<BTreeSet<String>, Trouble> {
    if to.is_empty() || to.len() > NAMED {
        return Err(wrong("to", format!("names {} recipients; 1 to {NAMED} can be named", to.len())));
    }
    let snapshot = live.app.catalog.snapshot();
    let (index, visibility) = (&snapshot.index, snapshot.visibility(&live.starter));
    let (mut found, mut refs) = (BTreeSet::new(), Vec::new());
    for text in to.iter().map(|text| text.trim()) {
        if text.contains('@') {
            let address: lettre::Address =
                text.parse().map_err(|error| wrong("to", format!("`{text}` is no address: {error}")))?;
            found.insert(address.to_string());
            continue;
        }
        let entity_ref = EntityRef::parse(text, Some("user"), EntityRef::DEFAULT_NAMESPACE);
        let entity_ref = entity_ref.map_err(|error| wrong("to", error))?;
        if !matches!(entity_ref.kind(), "user" | "group") {
            return Err(wrong("to", format!("`{entity_ref}` is neither a user nor a group")));
        }
        refs.push(entity_ref.to_string());
    }
    let below = addresses::below(index, &visibility, &refs);
    let profiles = store::profiles(live.app.db.reader(), &below).await.map_err(database)?;
    for one in refs {
        let own = addresses::addresses(index, &visibility, &profiles, std::slice::from_ref(&one), &BTreeSet::new());
        if own.is_empty() {
            log(format!("`{one}` has no e-mail address in the catalog"));
        }
        found.extend(own);
    }
    match found.len() {
        0 => Err(Trouble::new("nobody_to_tell", "nobody of `to` has an e-mail address in the catalog")),
        1..=RECIPIENTS => Ok(found),
        many => Err(wrong("to", format!("leads to {many} addresses; at most {RECIPIENTS} can be told"))),
    }
}

/// Whether it can be followed from a message.
fn is_link(text: &str) -> bool {
    let is_path = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    let is_plain = !text.chars().any(|sign| sign.is_control() || sign.is_whitespace());
    is_plain && (is_path || url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")))
}
