//! Messages that leave the portal: a row each, written with what causes it, and sent by a
//! job of its channel until it has arrived or is given up. What is told inside of the
//! portal is in `notifications`.

pub mod addresses;
pub mod config;
mod handlers;
mod jobs;
mod mail;
mod post;
mod send;
mod step;
pub mod store;
mod text;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::db::{DatabaseTransaction, DbResult};
use crate::state::App;

pub use config::{ChannelConfig, SmtpTls};
pub use jobs::start;
pub use step::notify;
pub use store::NewMessage;

/// The subject of a message's changes begins so; its id follows.
pub const SUBJECT: &str = "message:";
/// Characters of a title, and of a text.
pub const TITLE: usize = 200;
pub const TEXT: usize = 10_000;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_messages))
        .routes(routes!(handlers::retry_message))
        .routes(routes!(handlers::list_channels))
        .routes(routes!(handlers::test_channel))
}

/// Writes messages, and asks for each that is new to be sent. Answers how many are.
///
/// # Errors
/// The database.
pub async fn put(txn: &DatabaseTransaction, messages: Vec<NewMessage>, now: DateTime<Utc>) -> DbResult<usize> {
    let mut count = 0;
    for message in messages {
        let message = NewMessage { title: line(&message.title), ..message };
        if let Some(row) = store::insert(txn, message, now).await? {
            jobs::ask(txn, &row, now).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// The key of a message to one recipient, from that of what causes it.
pub fn key(cause: &str, recipient: &str) -> String {
    format!("{cause}/{}", hex::encode(&Sha256::digest(recipient)[..16]))
}

/// A text as one line of at most [`TITLE`] characters, without control characters: it
/// becomes a header.
fn line(text: &str) -> String {
    let plain: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(TITLE).collect()
}

/// A link as it is followed from outside; a path leads into the portal.
pub fn absolute(app: &App, link: &str) -> String {
    if link.starts_with('/') { format!("{}{link}", app.config.issuer()) } else { link.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(line("Hello\r\nBcc: eve@example.com\t \u{0}there"), "Hello Bcc: eve@example.com there");
        assert_eq!(line(&"x".repeat(500)).len(), TITLE);
    }
}
