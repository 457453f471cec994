//! Messages to the webhooks of Slack and Microsoft Teams.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};

use super::config::unreadable;
use super::send::{Fault, Letter};
use super::text;
use crate::egress::{Call, EgressError, retry_after};
use crate::sources::credential::CredentialRef;
use crate::state::App;

/// Bytes of an answer that are read, and characters of it that are kept.
const ANSWER: usize = 4096;
const SAID: usize = 200;
/// Bytes of a text for Teams, which takes 28 kB in all.
const CARD: usize = 18 << 10;
/// What links of messages say.
const OPEN: &str = "Open";

/// As an incoming webhook of Slack takes it.
pub fn slack(letter: Letter<'_>) -> Value {
    let mut lines = vec![format!("*{}*", text::escaped(letter.title))];
    lines.extend(letter.text.map(text::slack));
    lines.extend(letter.link.map(|address| text::link(address, OPEN)));
    json!({ "text": lines.join("\n"), "unfurl_links": false, "unfurl_media": false })
}

/// As a workflow of Teams takes it: an Adaptive Card. Its texts are Markdown, and its title
/// is none.
pub fn teams(letter: Letter<'_>) -> Value {
    let title = json!({ "type": "TextRun", "text": letter.title, "weight": "Bolder", "size": "Medium" });
    let mut body = vec![json!({ "type": "RichTextBlock", "inlines": [title] })];
    if let Some(text) = letter.text {
        body.push(json!({ "type": "TextBlock", "text": shortened(text), "wrap": true }));
    }
    let link = |address: &str| json!({ "type": "Action.OpenUrl", "title": OPEN, "url": address });
    let actions: Vec<Value> = letter.link.map(link).into_iter().collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions,
    });
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

fn shortened(text: &str) -> String {
    if text.len() <= CARD {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(CARD)])
}

/// Posts a message to the address that a reference leads to.
///
/// # Errors
/// It was not taken.
pub async fn send(app: &App, credential: &CredentialRef, body: Value) -> Result<(), Fault> {
    let address = credential.resolve(app.sources.variable).await;
    let address = address.map_err(|error| Fault::passing(unreadable(&error)))?;
    let headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))]);
    let body = Some(Bytes::from(body.to_string()));
    let call = Call { method: Method::POST, url: address.expose().to_owned(), headers, body, limit: ANSWER };
    let answer = app.platforms.call(call).await.map_err(|error| unreachable(&error))?;
    let said: String = String::from_utf8_lossy(&answer.body)
        .replace(address.expose(), "…")
        .chars()
        .filter(|sign| !sign.is_control())
        .take(SAID)
        .collect();
    judge(answer.status.as_u16(), &said, &answer.headers)
}

/// What an answer means.
fn judge(status: u16, said: &str, headers: &HeaderMap) -> Result<(), Fault> {
    let message = format!("answered {status}: {said}");
    match status {
        // Teams says so of messages that it could not pass on.
        200..=299 if said.contains("Microsoft Teams endpoint returned HTTP error") => Err(Fault::passing(message)),
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => Err(Fault { after: retry_after(headers), ..Fault::passing(message) }),
        _ => Err(Fault::last(message)),
    }
}

fn unreachable(error: &EgressError) -> Fault {
    let is_final = matches!(
        error,
        EgressError::Malformed(_)
            | EgressError::Scheme(_)
            | EgressError::Credentials
            | EgressError::Denied { .. }
            | EgressError::Port { .. }
    );
    Fault { is_final, ..Fault::passing(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn letter() -> Letter<'static> {
        Letter {
            recipient: None,
            title: "It is <up> & well",
            text: Some("**Done**"),
            link: Some("https://a.example/runs/1"),
            key: "k",
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn messages_are_in_the_form_of_each() {
        let expected = "*It is &lt;up&gt; &amp; well*\n*Done*\n<https://a.example/runs/1|Open>";
        assert_eq!(slack(letter())["text"], expected);
        let message = teams(letter());
        let attachment = &message["attachments"][0];
        assert_eq!(
            (&message["type"], &attachment["contentType"]),
            (&json!("message"), &json!("application/vnd.microsoft.card.adaptive"))
        );
        let card = &attachment["content"];
        assert_eq!(card["body"][0]["inlines"][0]["text"], "It is <up> & well");
        assert_eq!(card["body"][1]["text"], "**Done**");
        assert_eq!(card["actions"][0]["url"], "https://a.example/runs/1");
        let long = "ü".repeat(20_000);
        assert!(teams(Letter { text: Some(&long), ..letter() }).to_string().len() < 28 << 10);
    }

    #[test]
    fn answers_say_whether_to_come_again() {
        let wait = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("30"))]);
        assert_eq!(judge(200, "ok", &wait), Ok(()));
        for (status, is_final) in [(500, false), (429, false), (408, false), (425, false), (400, true), (302, true)] {
            assert_eq!(judge(status, "no", &wait).unwrap_err().is_final, is_final, "{status}");
        }
        assert_eq!(judge(429, "", &wait).unwrap_err().after, Some(Duration::from_secs(30)));
        let teams = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
        assert!(!judge(200, teams, &wait).unwrap_err().is_final);
    }
}
