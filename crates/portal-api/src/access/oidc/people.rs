//! From what a provider says about somebody to their account.

use chrono::{DateTime, Utc};
use portal_core::access::Role;
use portal_core::catalog::EntityRef;
use serde_json::{Map, Value, json};

use super::Fault;
use crate::access::sessions::Door;
use crate::access::store::{self, Account};
use crate::access::{change_access, record};
use crate::audit::Entry;
use crate::config::OidcConfig;
use crate::db::DatabaseTransaction;
use crate::error::{ApiError, ApiResult};

/// Groups of a person that are kept.
const GROUPS: usize = 1000;
/// Accounts of the same name that are tried until one is free.
const NAMESAKES: u32 = 100;

/// What is used of the claims.
struct Person {
    issuer: String,
    subject: String,
    name: String,
    title: String,
    /// References of groups of the catalog, which need not exist.
    groups: Vec<String>,
    /// What the groups make them; absent where the configuration says nothing.
    role: Option<Role>,
}

/// The account of whoever the claims are about, made when they come first and
/// brought up to date each time.
///
/// An account that exists already and has the same name is somebody else's: the
/// newcomer's gets a number.
///
/// # Errors
/// The inner one is a refusal, the outer one the database.
pub async fn account(
    door: &Door<'_>,
    config: &OidcConfig,
    claims: &Map<String, Value>,
) -> ApiResult<Result<Account, Fault>> {
    let person = person(config, claims);
    let (now, by_default) = (door.app.clock.now(), config.role);
    let nobody = door.writing(None, &person.name);
    let with = format!("oidc:{}", config.name);
    let work = change_access(door.app, move |txn| {
        Box::pin(async move {
            let known = store::account_of(txn, &person.issuer, &person.subject).await?;
            let (account, is_new) = match known {
                Some(account) => (account, false),
                None => (add(txn, &person, by_default, now).await?, true),
            };
            if account.disabled {
                return Ok::<_, ApiError>(Err(Fault::Disabled(account.name)));
            }
            let role = person.role.unwrap_or_else(|| store::role(&account.role));
            let groups = serde_json::to_string(&person.groups).ok();
            let current = store::told_by_provider(txn, &account, person.title, role, groups).await?;
            if is_new || current.role != account.role {
                let action = if is_new { "account.create" } else { "account.update" };
                let detail = json!({ "role": current.role, "by": with });
                record(txn, &nobody, &account.id, Entry::done(action, &account.name, detail)).await?;
            }
            Ok(Ok(current))
        })
    });
    work.await
}

async fn add(txn: &DatabaseTransaction, person: &Person, role: Role, now: DateTime<Utc>) -> ApiResult<Account> {
    for number in 1..=NAMESAKES {
        let name = if number == 1 { person.name.clone() } else { format!("{}-{number}", person.name) };
        let account = store::new_account(&name, &person.title, role, None, now);
        if store::add_account(txn, account.clone()).await? {
            store::add_identity(txn, &person.issuer, &person.subject, &account.id).await?;
            return Ok(account);
        }
    }
    Err(ApiError::Conflict {
        code: "name_taken",
        detail: format!("{NAMESAKES} accounts are called `{}` already", person.name),
    })
}

fn person(config: &OidcConfig, claims: &Map<String, Value>) -> Person {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let name = text(&config.name_claim).or_else(|| text("email")).or_else(|| text("sub")).unwrap_or_default();
    let told: Vec<&str> = match claims.get(&config.groups_claim) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).take(GROUPS).collect(),
        Some(Value::String(group)) => vec![group],
        _ => Vec::new(),
    };
    let roles = told.iter().filter_map(|group| config.roles.get(*group).copied());
    let best = roles.reduce(|best, role| if role.covers(best) { role } else { best });
    Person {
        issuer: config.issuer.clone(),
        subject: text("sub").unwrap_or_default().to_owned(),
        name: account_name(name),
        title: text("name").unwrap_or(name).chars().filter(|character| !character.is_control()).take(100).collect(),
        groups: told.iter().filter_map(|group| group_ref(group)).collect(),
        role: (!config.roles.is_empty()).then(|| best.unwrap_or(config.role)),
    }
}

/// A name that accounts may have: what stands before the `@`, in lower case.
fn account_name(text: &str) -> String {
    let local = text.split('@').next().unwrap_or_default().to_lowercase();
    let fits =
        |character: char| if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' };
    let name: String = local.chars().map(fits).take(50).collect();
    let name = name.trim_matches(['-', '.', '_']);
    if name.is_empty() { "somebody".to_owned() } else { name.to_owned() }
}

/// The group of the catalog that a provider's group is: the one of its name.
fn group_ref(group: &str) -> Option<String> {
    let name = group.trim_start_matches('/');
    EntityRef::parse(name, Some("group"), EntityRef::DEFAULT_NAMESPACE).ok().map(|group| group.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> OidcConfig {
        toml::from_str(
            "name = \"company\"\nissuer = \"https://id.example.com\"\nclient_id = \"portal\"\n\
             roles = { staff = \"developer\", platform = \"maintainer\", root = \"admin\" }",
        )
        .unwrap()
    }

    fn read(claims: Value) -> Person {
        person(&config(), claims.as_object().unwrap())
    }

    #[test]
    fn names_are_made_of_what_accounts_may_have() {
        for (told, expected) in [
            ("Kim.Berg@example.com", "kim.berg"),
            ("ÅSA", "sa"),
            ("a b/c", "a-b-c"),
            ("", "somebody"),
            ("../..", "somebody"),
        ] {
            assert_eq!(account_name(told), expected, "{told:?}");
        }
    }

    #[test]
    fn the_best_of_the_groups_makes_the_role() {
        for (groups, role) in [
            (json!(["staff", "platform", "others"]), Role::Maintainer),
            (json!(["root", "staff"]), Role::Admin),
            (json!([]), Role::Viewer),
            (json!("staff"), Role::Developer),
            (json!({"staff": true}), Role::Viewer),
        ] {
            assert_eq!(read(json!({"sub": "1", "groups": groups})).role, Some(role), "{groups}");
        }
        let mut none = config();
        none.roles.clear();
        assert_eq!(person(&none, json!({"sub": "1"}).as_object().unwrap()).role, None);
    }

    #[test]
    fn groups_are_those_of_the_catalog_by_name() {
        let person = read(json!({"sub": "1", "groups": ["/Booking", "group:default/search", 7, ""]}));
        assert_eq!(person.groups, ["group:default/booking", "group:default/search"]);
    }
}
