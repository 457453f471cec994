//! `portal token`: a way in for whoever works on the server.

use anyhow::{Context, Result, bail};
use chrono::TimeDelta;
use clap::Subcommand;
use portal_core::access::{Role, Verb};

use crate::access::{command, first_start};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags, ServeFlags};
use crate::db::Db;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an API token and print it, alone, on standard output
    Create(Create),
    /// Print a link that signs the administrator in once, within 15 minutes
    AdminLink,
}

#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the account; it is made when there is none
    #[arg(long, value_name = "NAME")]
    user: String,
    /// viewer, developer, maintainer, admin, auditor or agent [default: the account's, or viewer]
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    /// What the token is limited to, e.g. read_catalog; repeatable
    #[arg(long = "scope", value_parser = verb)]
    scopes: Vec<Verb>,
    /// How long it lives: 90s, 15m, 1h, 30d
    #[arg(long, default_value = "90d", value_parser = life)]
    expires: TimeDelta,
}

fn role(text: &str) -> Result<Role, String> {
    let names = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("not a role; there are {names}"))
}

fn verb(text: &str) -> Result<Verb, String> {
    let names = Verb::ALL.map(Verb::as_str).join(", ");
    Verb::parse(text).ok_or_else(|| format!("not a scope; there are {names}"))
}

fn life(text: &str) -> Result<TimeDelta, String> {
    let split = text.len() - text.chars().next_back().map_or(0, char::len_utf8);
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("a number with s, m, h or d behind it, e.g. 1h".to_owned()),
    };
    let number: i64 = number.parse().map_err(|_| "a number with s, m, h or d behind it, e.g. 1h".to_owned())?;
    let total = number.checked_mul(seconds).filter(|total| (1..=366 * 86_400).contains(total));
    total.map(TimeDelta::seconds).ok_or_else(|| "a token lives one second to 366 days".to_owned())
}

#[expect(clippy::print_stdout, reason = "the token is the command's output")]
pub async fn run(flags: &Flags, command: TokenCommand) -> Result<()> {
    let config = Config::load(flags, &ServeFlags::default())?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create the data folder {}", config.data_dir.display()))?;
    let db = Db::open(&config.database).await.context("cannot open the database")?;
    let now = SystemClock.now();
    let text = match command {
        TokenCommand::Create(Create { user, role, scopes, expires }) => {
            let scopes = (!scopes.is_empty()).then_some(scopes);
            command::create_token(&db, &user, role, scopes, expires, now).await
        }
        TokenCommand::AdminLink => {
            let path = first_start::admin_link(&db, config.sample, now).await;
            path.map(|path| format!("http://{}{path}", config.listen))
        }
    };
    match text {
        Ok(text) => println!("{text}"),
        Err(error) => bail!("{error}"),
    }
    db.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_read_with_their_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("30d", 2_592_000)] {
            assert_eq!(life(text).unwrap().num_seconds(), seconds);
        }
        for text in ["", "h", "1", "-1h", "0s", "1w", "367d", "99999999999999999999d", "é"] {
            assert!(life(text).is_err(), "{text:?}");
        }
    }
}
