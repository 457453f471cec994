//! Channels, as `portal.toml` says them under `[[channel]]`.

use anyhow::{Context as _, Result, bail};
use lettre::message::Mailbox;
use portal_core::outbox::ChannelKind;
use serde::Deserialize;
use url::Url;

use crate::approvals::ApprovalsConfig;
use crate::sources::credential::{CredentialError, CredentialRef, Secret};

/// Characters of a name.
const NAME: usize = 60;

/// A channel of messages that leave the portal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// As steps name it.
    pub name: String,
    pub kind: ChannelKind,
    /// `env:NAME` or `file:PATH`: of Slack and Teams the address of the webhook, which is
    /// its secret; of e-mail the password of `user`.
    #[serde(default)]
    pub credential: Option<String>,
    /// Host of the mail server.
    #[serde(default)]
    pub host: Option<String>,
    /// Its port: 587 with `starttls`, 465 with `tls`, 25 with `none` when absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// How it is talked to; `starttls` when absent.
    #[serde(default)]
    pub tls: Option<SmtpTls>,
    /// Whom it knows the portal as.
    #[serde(default)]
    pub user: Option<String>,
    /// Whom messages are from, e.g. `Portal <portal@example.com>`.
    #[serde(default)]
    pub from: Option<String>,
}

/// How a mail server is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// In the clear, for a server on this machine or in a network of its own.
    None,
    /// In the clear at first; a server that does not go over to TLS is sent nothing.
    Starttls,
    /// TLS from the beginning.
    Tls,
}

/// A channel, complete and checked.
#[derive(Debug, Clone)]
pub enum Way {
    Slack(CredentialRef),
    Teams(CredentialRef),
    Email(Smtp),
}

/// A mail server, and what it is told.
#[derive(Debug, Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub login: Option<(String, CredentialRef)>,
    pub from: Mailbox,
}

impl ChannelConfig {
    /// What the channel comes to.
    ///
    /// # Errors
    /// A key is missing, of another kind, or says what cannot be read.
    pub fn way(&self) -> Result<Way> {
        let Self { name: _, kind, credential, host, port, tls, user, from } = self;
        let credential = credential.as_deref().map(str::parse::<CredentialRef>).transpose()?;
        let is_mail = host.is_some() || port.is_some() || tls.is_some() || user.is_some() || from.is_some();
        if *kind != ChannelKind::Email {
            if is_mail {
                bail!("`host`, `port`, `tls`, `user` and `from` are for `kind = \"email\"`");
            }
            let credential = credential.context("`credential` leads to the address of the webhook, and is missing")?;
            return Ok(if *kind == ChannelKind::Slack { Way::Slack(credential) } else { Way::Teams(credential) });
        }
        let host = host.clone().filter(|host| url::Host::parse(host).is_ok());
        let host = host.context("`host` is the name of a mail server, and is missing or no name")?;
        let tls = tls.unwrap_or(SmtpTls::Starttls);
        let login = match (user.clone(), credential) {
            (Some(user), Some(credential)) => Some((user, credential)),
            (None, None) => None,
            _ => bail!("`user` and `credential` belong together"),
        };
        let is_here = host == "localhost" || host.parse().is_ok_and(|host: std::net::IpAddr| host.is_loopback());
        if tls == SmtpTls::None && login.is_some() && !is_here {
            bail!("with `tls = \"none\"` the password would cross the network unencrypted");
        }
        let usual = match tls {
            SmtpTls::None => 25,
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
        };
        let from = from.as_deref().context("`from` is missing, e.g. `Portal <portal@example.com>`")?;
        let from = from.parse::<Mailbox>().with_context(|| format!("`from` is no address: `{from}`"))?;
        Ok(Way::Email(Smtp { host, port: port.unwrap_or(usual), tls, login, from }))
    }
}

/// Checks all channels, and who uses them. Answers the places that webhooks lead to, as far
/// as their addresses can be read now: whoever writes the file may say where it sends to.
///
/// # Errors
/// What is wrong, and where.
pub fn check(
    channels: &[ChannelConfig],
    approvals: &ApprovalsConfig,
    variable: fn(&str) -> Option<String>,
) -> Result<Vec<String>> {
    let mut places = Vec::new();
    for (number, channel) in channels.iter().enumerate() {
        let name = &channel.name;
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
        if name.is_empty() || name.len() > NAME || !name.chars().all(is_plain) {
            bail!("[[channel]]: a name has 1 to {NAME} letters, digits, `-`, `_` and `.`, unlike `{name}`");
        }
        if channels[..number].iter().any(|other| other.name == *name) {
            bail!("[[channel]]: two channels are called `{name}`");
        }
        match channel.way().with_context(|| format!("[[channel]] `{name}`"))? {
            Way::Slack(credential) | Way::Teams(credential) => {
                places.extend(credential.resolve_now(variable).ok().as_ref().and_then(place));
            }
            Way::Email(_) => {}
        }
    }
    let ApprovalsConfig { email, channel } = approvals;
    let named = |name: &str| channels.iter().find(|channel| channel.name == name).map(|channel| channel.kind);
    for (key, name, is_mail) in [("email", email, true), ("channel", channel, false)] {
        let Some(name) = name else { continue };
        match named(name) {
            None => bail!("[approvals]: `{key}` names the channel `{name}`, which is not there"),
            Some(kind) if (kind == ChannelKind::Email) != is_mail => {
                bail!("[approvals]: the channel `{name}` of `{key}` is of the kind `{}`", kind.as_str())
            }
            Some(_) => {}
        }
    }
    Ok(places)
}

/// Host and port that an address leads to.
fn place(address: &Secret) -> Option<String> {
    let url = Url::parse(address.expose()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// Why a channel cannot be used at the moment.
pub fn unreadable(error: &CredentialError) -> String {
    format!("the credential cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            channel: Vec<ChannelConfig>,
            #[serde(default)]
            approvals: ApprovalsConfig,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let variable = |name: &str| (name == "HOOK").then(|| "http://10.0.0.1:8080/secret".to_owned());
        check(&file.channel, &file.approvals, variable).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn channels_are_read() {
        let text = r#"
            [[channel]]
            name = "chat"
            kind = "slack"
            credential = "env:HOOK"
            [[channel]]
            name = "mail"
            kind = "email"
            host = "smtp.example.com"
            user = "portal"
            credential = "env:PASSWORD"
            from = "Portal <portal@example.com>"
            [approvals]
            email = "mail"
            channel = "chat"
        "#;
        assert_eq!(read(text).unwrap(), ["10.0.0.1:8080"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mail = "[[channel]]\nname = \"m\"\nkind = \"email\"\n";
        for (text, named) in [
            ("[[channel]]\nname = \"a b\"\nkind = \"slack\"", "unlike `a b`"),
            ("[[channel]]\nname = \"a\"\nkind = \"slack\"", "`credential`"),
            ("[[channel]]\nname = \"a\"\nkind = \"slack\"\ncredential = \"https://hooks.slack.com/x\"", "by reference"),
            ("[[channel]]\nname = \"a\"\nkind = \"teams\"\ncredential = \"env:A\"\nhost = \"a\"", "`host`"),
            ("[[channel]]\nname = \"a\"\nkind = \"pigeon\"", "pigeon"),
            (mail, "`host`"),
            (&format!("{mail}host = \"a\""), "`from`"),
            (&format!("{mail}host = \"a\"\nfrom = \"nobody\""), "no address"),
            (&format!("{mail}host = \"a\"\nfrom = \"a@b.c\"\nuser = \"u\""), "belong together"),
            (
                &format!("{mail}host = \"a\"\nfrom = \"a@b.c\"\nuser = \"u\"\ncredential = \"env:P\"\ntls = \"none\""),
                "unencrypted",
            ),
            ("[approvals]\nemail = \"m\"", "not there"),
            (&format!("{mail}host = \"a\"\nfrom = \"a@b.c\"\n[approvals]\nchannel = \"m\""), "kind `email`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
