//! `notification:send`, a step of a run.

use portal_core::catalog::EntityRef;
use portal_core::personal::wire::Severity;
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::store::{self, EVERYBODY, NewNotification};
use crate::actions::steps::database;
use crate::db::{DbError, Priority};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

/// Recipients of one notification.
const RECIPIENTS: usize = 1000;
/// Characters of a title, and of a text.
const TITLE: usize = 200;
const TEXT: usize = 10_000;

/// Tells people what the step says. Sent again by the same run, it is told once.
///
/// # Errors
/// There is nobody to tell, or a value that cannot be used.
pub async fn send(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
    let new = match read(&call.input, live.run_id) {
        Ok(new) => new,
        Err(trouble) if call.input.flag("optional")? => {
            log(format!("nobody is told: {}", trouble.message));
            return Ok(Map::new());
        }
        Err(trouble) => return Err(trouble),
    };
    log(format!("telling {}: {}", told(&new.recipients), new.title));
    let writing = live.writing_now();
    let work = live
        .app
        .db
        .write(Priority::Background, move |txn| Box::pin(async move { store::insert(txn, &writing, new).await }));
    work.await.map_err(database::<DbError>)?;
    Ok(Map::new())
}

fn told(recipients: &[String]) -> String {
    match recipients {
        [one] if one == EVERYBODY => "everybody".to_owned(),
        [one] => one.clone(),
        many => format!("{} recipients", many.len()),
    }
}

fn read(input: &Input<'_>, run_id: i64) -> Result<NewNotification, Trouble> {
    let wrong = |message: String| Trouble::new("invalid_input", message);
    let recipients = match input.must("recipients")? {
        "broadcast" => vec![EVERYBODY.to_owned()],
        "entity" => recipients(&input.texts("entityRefs")?)?,
        other => return Err(wrong(format!("`recipients` is `entity` or `broadcast`, not `{other}`"))),
    };
    let severity = match input.text("severity")? {
        None => Severity::Normal,
        Some(text) => Severity::parse(text)
            .ok_or_else(|| wrong(format!("`severity` is `critical`, `high`, `normal` or `low`, not `{text}`")))?,
    };
    let link = input.text("link")?.filter(|link| !link.is_empty());
    if let Some(link) = link.filter(|link| !is_link(link)) {
        return Err(wrong(format!("`link` is a path of the portal or an address of http or https, not `{link}`")));
    }
    let own = |name: &str, most: usize| {
        let text = input.text(name)?.filter(|text| !text.is_empty());
        match text {
            Some(text) if text.chars().count() > most => {
                Err(wrong(format!("`{name}` has more than {most} characters")))
            }
            text => Ok(text.map(str::to_owned)),
        }
    };
    let title = own("title", TITLE)?.ok_or_else(|| wrong("`title` is missing".to_owned()))?;
    let digest = hex::encode(Sha256::digest(Value::Object(input.0.clone()).to_string()));
    Ok(NewNotification {
        recipients,
        severity,
        title,
        text: own("info", TEXT)?,
        link: link.map(str::to_owned),
        topic: own("topic", TITLE)?,
        scope: own("scope", TITLE)?,
        origin: format!("run:{run_id}:{digest}"),
    })
}

fn recipients(texts: &[String]) -> Result<Vec<String>, Trouble> {
    let wrong = |message: String| Trouble::new("invalid_input", message);
    if texts.is_empty() || texts.len() > RECIPIENTS {
        return Err(wrong(format!("`entityRefs` names {} recipients; 1 to {RECIPIENTS} can be told", texts.len())));
    }
    let read = |text: &String| {
        let entity_ref = EntityRef::parse(text, Some("user"), EntityRef::DEFAULT_NAMESPACE);
        let entity_ref = entity_ref.map_err(|error| wrong(error.to_string()))?;
        match entity_ref.kind() {
            "user" | "group" => Ok(entity_ref.to_string()),
            _ => Err(wrong(format!("`{entity_ref}` is neither a user nor a group"))),
        }
    };
    let mut all = texts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    all.sort();
    all.dedup();
    Ok(all)
}

/// Whether a browser may follow it from the portal.
fn is_link(text: &str) -> bool {
    let is_path = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    is_path || url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(input: &Value) -> Result<NewNotification, Trouble> {
        read(&Input(input.as_object().unwrap()), 7)
    }

    #[test]
    fn recipients_are_users_groups_or_everybody() {
        let all = of(&json!({"recipients": "broadcast", "title": "Hello"})).unwrap();
        assert_eq!(all.recipients, ["*"]);
        let some = json!({"recipients": "entity", "entityRefs": ["ada", "group:platform", "user:default/ada"], "title": "Hello"});
        assert_eq!(of(&some).unwrap().recipients, ["group:default/platform", "user:default/ada"]);
    }

    #[test]
    fn wrong_values_are_named() {
        for (input, named) in [
            (json!({"recipients": "entity", "title": "x"}), "entityRefs"),
            (json!({"recipients": "all", "title": "x"}), "recipients"),
            (json!({"recipients": "entity", "entityRefs": ["component:a"], "title": "x"}), "neither"),
            (json!({"recipients": "broadcast"}), "title"),
            (json!({"recipients": "broadcast", "title": "x", "severity": "loud"}), "severity"),
            (json!({"recipients": "broadcast", "title": "x", "link": "javascript:alert(1)"}), "link"),
            (json!({"recipients": "broadcast", "title": "x", "link": "//evil.example"}), "link"),
            (json!({"recipients": "broadcast", "title": "x".repeat(201)}), "title"),
        ] {
            let message = of(&input).unwrap_err().message;
            assert!(message.contains(named), "{message}");
        }
    }
}
