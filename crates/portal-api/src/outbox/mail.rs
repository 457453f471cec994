//! Messages by e-mail.

use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use super::config::{Smtp, SmtpTls, unreadable};
use super::send::{Fault, Letter};
use super::{line, text};
use crate::state::App;

/// For each thing that the server is told, and for all of them.
const STEP: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);

/// Gives a message to a mail server.
///
/// # Errors
/// It was not taken, or did not answer in time.
pub async fn send(app: &App, smtp: Smtp, letter: Letter<'_>) -> Result<(), Fault> {
    let message = message(&smtp.from, letter).map_err(Fault::last)?;
    let tls = tls(&smtp).map_err(|error| Fault::passing(told(&error)))?;
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .timeout(Some(STEP))
        .tls(tls);
    if let Some(name) = own_name(&app.config.issuer()) {
        transport = transport.hello_name(ClientId::Domain(name));
    }
    if let Some((user, credential)) = smtp.login {
        let password = credential.resolve(app.sources.variable).await;
        let password = password.map_err(|error| Fault::passing(unreadable(&error)))?;
        transport = transport.credentials(Credentials::new(user, password.expose().to_owned()));
    }
    let sent = tokio::time::timeout(WHOLE, transport.build::<Tokio1Executor>().send(message)).await;
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Fault { is_final: error.is_permanent(), ..Fault::passing(told(&error)) }),
        Err(_) => Err(Fault::passing(format!("the mail server took longer than {} s", WHOLE.as_secs()))),
    }
}

/// The same text whenever it is sent again, with the same `Message-ID`: a mailbox that gets
/// it twice can tell.
fn message(from: &Mailbox, letter: Letter<'_>) -> Result<Message, String> {
    let recipient = letter.recipient.ok_or("it names no recipient")?;
    let recipient: Address = recipient.parse().map_err(|error| format!("`{recipient}` is no address: {error}"))?;
    let id = hex::encode(&Sha256::digest(letter.key)[..16]);
    let mut parts: Vec<String> = letter.text.map(text::plain).into_iter().filter(|text| !text.is_empty()).collect();
    if parts.is_empty() {
        parts.push(letter.title.to_owned());
    }
    parts.extend(letter.link.map(str::to_owned));
    // RFC 3834: nobody's absence answers it.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(line(letter.title))
        .date(SystemTime::from(letter.at))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(parts.join("\n\n") + "\n")
        .map_err(|error| error.to_string())
}

fn tls(smtp: &Smtp) -> Result<Tls, SmtpError> {
    Ok(match smtp.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::Starttls => Tls::Required(TlsParameters::new(smtp.host.clone())?),
        SmtpTls::Tls => Tls::Wrapper(TlsParameters::new(smtp.host.clone())?),
    })
}

/// What the portal calls itself, where it has a name.
fn own_name(issuer: &str) -> Option<String> {
    match Url::parse(issuer).ok()?.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        _ => None,
    }
}

/// An error with what it comes from, as one line.
fn told(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter<'static> {
        Letter {
            recipient: Some("ann@example.com"),
            title: "Größe\r\nBcc: eve@example.com",
            text: Some("**Done**, see [it](https://a.example)"),
            link: Some("https://portal.example/runs/1"),
            key: "run/1",
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_message_is_the_same_each_time_and_has_no_header_of_others() {
        let from: Mailbox = "Portal <portal@example.com>".parse().unwrap();
        let text = message(&from, letter()).unwrap().formatted();
        assert_eq!(text, message(&from, letter()).unwrap().formatted());
        let text = String::from_utf8(text).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(headers.contains("Message-ID: <") && headers.contains("@example.com>"), "{headers}");
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        assert!(headers.contains("Subject: =?utf-8?"), "{headers}");
        assert!(body.starts_with("Done, see it (https://a.example)\r\n"), "{body}");
        for recipient in ["a@b.c\r\nRCPT TO:<d@e.f>", "nobody", "a@b.c, d@e.f", ""] {
            assert!(message(&from, Letter { recipient: Some(recipient), ..letter() }).is_err(), "{recipient}");
        }
    }
}
