//! The one decision.

use super::role::Grant;
use super::{Known, Principal, Role, Verb};

/// What something is about to be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// Nothing in particular yet: a list, or what the handler has still to look up.
    Any,
    /// An entity and the references of its owners; of none when it has no owner.
    Entity { entity_ref: &'a str, owners: &'a [String] },
}

/// The answer of [`decide`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// Nobody is signed in; signing in may help.
    SignIn,
    /// The reason is shown to the caller.
    Deny(String),
}

/// Decides whether `principal` may do `verb` to `resource`.
///
/// Of [`Resource::Any`] it answers whether there is anything that they may do it
/// to; who changes a particular thing asks again with that.
pub fn decide(principal: &Principal, verb: Verb, resource: Resource<'_>) -> Decision {
    by_scope(principal, verb).unwrap_or_else(|| by_role(principal, verb, resource))
}

/// What nothing can lift: nobody is known, or their token leaves it out.
pub(super) fn by_scope(principal: &Principal, verb: Verb) -> Option<Decision> {
    match principal.known {
        Known::Nobody => return Some(Decision::SignIn),
        Known::Guest if !matches!(verb, Verb::ReadCatalog | Verb::ReadSources | Verb::ReadChanges) => {
            return Some(Decision::SignIn);
        }
        // What lives for minutes makes nothing that lives longer.
        Known::Jwt if matches!(verb, Verb::ManageOwnAccess | Verb::ManageAccess) => {
            return Some(Decision::Deny(format!(
                "a short-lived token may not {}; use what it was made from",
                verb.words()
            )));
        }
        Known::Guest | Known::Session | Known::Token | Known::Jwt => {}
    }
    let left_out = principal.verbs.as_ref().is_some_and(|verbs| !verbs.contains(&verb));
    left_out.then(|| {
        let (words, name) = (verb.words(), verb.as_str());
        Decision::Deny(format!("this token may not {words}: its scopes leave out `{name}`"))
    })
}

/// What roles and ownership say.
pub(super) fn by_role(principal: &Principal, verb: Verb, resource: Resource<'_>) -> Decision {
    match (principal.role.grant(verb), resource) {
        (Grant::Yes, _) | (Grant::Own, Resource::Any) => Decision::Allow,
        (Grant::Own, Resource::Entity { owners, .. })
            if owners.iter().any(|owner| principal.is_or_belongs_to(owner)) =>
        {
            Decision::Allow
        }
        (Grant::Own, Resource::Entity { entity_ref, owners }) => Decision::Deny(match owners {
            [] => format!("`{entity_ref}` has no owner; only maintainers and administrators change it"),
            [owner, ..] => format!("`{entity_ref}` belongs to `{owner}`, and you are not in it"),
        }),
        (Grant::Never, _) => Decision::Deny(format!(
            "the role `{}` may not {}; {} may",
            principal.role.as_str(),
            verb.words(),
            roles_that_may(verb)
        )),
    }
}

/// `maintainer and admin`.
fn roles_that_may(verb: Verb) -> String {
    let roles = Role::ALL.into_iter().filter(|role| role.grant(verb) != Grant::Never);
    let names: Vec<&str> = roles.map(Role::as_str).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::fixture::kim;

    /// One line a verb: viewer, developer, maintainer, admin, auditor, agent, guest, nobody.
    #[test]
    fn every_role_has_its_verbs() {
        for (verb, expected) in [
            (Verb::ReadCatalog, "yyyyyyy-"),
            (Verb::WriteCatalog, "-oyy----"),
            (Verb::ReadSources, "yyyyyyy-"),
            (Verb::AddSources, "-yyy----"),
            (Verb::WriteSources, "--yy----"),
            (Verb::ReadChanges, "yyyyyyy-"),
            (Verb::ReadOperations, "--yyy---"),
            (Verb::Personalise, "yyyyy---"),
            (Verb::CallApi, "-yyy----"),
            (Verb::ManageOwnAccess, "yyyyy---"),
            (Verb::ManageAccess, "---y----"),
            (Verb::ReadAudit, "---yy---"),
            (Verb::RunTemplates, "-yyy----"),
            (Verb::ReadRuns, "ooyyy---"),
        ] {
            let mut callers: Vec<Principal> = Role::ALL.into_iter().map(kim).collect();
            callers.extend([Principal::guest(), Principal::nobody()]);
            let foreign = ["group:default/other".to_owned()];
            let foreign = Resource::Entity { entity_ref: "component:default/a", owners: &foreign };
            let answer = |caller: &Principal| {
                let may = |resource| decide(caller, verb, resource) == Decision::Allow;
                match (may(Resource::Any), may(foreign)) {
                    (true, true) => 'y',
                    (true, false) => 'o',
                    (false, _) => '-',
                }
            };
            assert_eq!(callers.iter().map(answer).collect::<String>(), expected, "{verb:?}");
        }
    }

    #[test]
    fn developers_change_what_their_groups_own() {
        for (owners, allowed) in [
            (vec!["group:default/booking"], true),
            (vec!["group:default/product"], true),
            (vec!["user:default/kim"], true),
            (vec!["group:default/other", "user:default/kim"], true),
            (vec!["group:default/other"], false),
            (vec![], false),
        ] {
            let owners: Vec<String> = owners.into_iter().map(str::to_owned).collect();
            let resource = Resource::Entity { entity_ref: "component:default/a", owners: &owners };
            let decision = decide(&kim(Role::Developer), Verb::WriteCatalog, resource);
            assert_eq!(decision == Decision::Allow, allowed, "{owners:?}: {decision:?}");
        }
    }

    #[test]
    fn a_token_does_what_its_scopes_say_and_never_more_than_its_role() {
        let token = |role, verbs: &[Verb]| Principal { known: Known::Token, verbs: Some(verbs.to_vec()), ..kim(role) };
        let may = |caller: &Principal, verb| decide(caller, verb, Resource::Any) == Decision::Allow;
        let reader = token(Role::Admin, &[Verb::ReadCatalog]);
        assert!(may(&reader, Verb::ReadCatalog));
        assert!(!may(&reader, Verb::WriteCatalog));
        assert!(!may(&token(Role::Viewer, &[Verb::WriteCatalog]), Verb::WriteCatalog));
        assert!(!may(&token(Role::Admin, &[]), Verb::ReadCatalog));
    }

    #[test]
    fn a_short_lived_token_makes_nothing_that_lives_longer() {
        let short = Principal { known: Known::Jwt, ..kim(Role::Admin) };
        let may = |verb| decide(&short, verb, Resource::Any) == Decision::Allow;
        let refused: Vec<Verb> = Verb::ALL.into_iter().filter(|verb| !may(*verb)).collect();
        assert_eq!(refused, [Verb::ManageOwnAccess, Verb::ManageAccess]);
    }

    #[test]
    fn a_refusal_names_who_could() {
        let Decision::Deny(reason) = decide(&kim(Role::Viewer), Verb::WriteSources, Resource::Any) else {
            panic!("a viewer changes sources");
        };
        assert_eq!(reason, "the role `viewer` may not change sources; maintainer and admin may");
    }
}
