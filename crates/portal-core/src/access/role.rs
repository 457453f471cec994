//! Roles, verbs, and which role may do what.

use serde::{Deserialize, Serialize};

/// What a handler is about to do. One verb a permission; also what the scopes of
/// tokens are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Verb {
    ReadCatalog,
    WriteCatalog,
    ReadSources,
    /// Add a source, and try one out.
    AddSources,
    WriteSources,
    ReadChanges,
    /// Figures of the running program.
    ReadOperations,
    /// Change what belongs to oneself: marks, saved views.
    Personalise,
    /// Send a request to an API of the catalog, through the portal.
    CallApi,
    /// See and end one's own sessions, make and revoke one's own tokens.
    ManageOwnAccess,
    /// Accounts and their roles, everybody's sessions and tokens.
    ManageAccess,
    ReadAudit,
    /// Start runs of templates, and stop or continue one's own.
    RunTemplates,
    /// See one's own runs, and those of what one owns.
    ReadRuns,
}

impl Verb {
    pub const ALL: [Self; 14] = [
        Self::ReadCatalog,
        Self::WriteCatalog,
        Self::ReadSources,
        Self::AddSources,
        Self::WriteSources,
        Self::ReadChanges,
        Self::ReadOperations,
        Self::Personalise,
        Self::CallApi,
        Self::ManageOwnAccess,
        Self::ManageAccess,
        Self::ReadAudit,
        Self::RunTemplates,
        Self::ReadRuns,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadCatalog => "read_catalog",
            Self::WriteCatalog => "write_catalog",
            Self::ReadSources => "read_sources",
            Self::AddSources => "add_sources",
            Self::WriteSources => "write_sources",
            Self::ReadChanges => "read_changes",
            Self::ReadOperations => "read_operations",
            Self::Personalise => "personalise",
            Self::CallApi => "call_api",
            Self::ManageOwnAccess => "manage_own_access",
            Self::ManageAccess => "manage_access",
            Self::ReadAudit => "read_audit",
            Self::RunTemplates => "run_templates",
            Self::ReadRuns => "read_runs",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }

    /// What it is, after "may" or "may not".
    pub fn words(self) -> &'static str {
        match self {
            Self::ReadCatalog => "read the catalog",
            Self::WriteCatalog => "change entities",
            Self::ReadSources => "see sources",
            Self::AddSources => "add sources",
            Self::WriteSources => "change sources",
            Self::ReadChanges => "read the history",
            Self::ReadOperations => "read metrics",
            Self::Personalise => "star, follow and save views",
            Self::CallApi => "call APIs through the portal",
            Self::ManageOwnAccess => "manage sessions and tokens",
            Self::ManageAccess => "manage accounts",
            Self::ReadAudit => "read the audit log",
            Self::RunTemplates => "run templates",
            Self::ReadRuns => "see runs",
        }
    }
}

/// What somebody is to the portal. Each account has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Reads.
    Viewer,
    /// Changes what their teams own.
    Developer,
    /// Changes the whole catalog and its sources.
    Maintainer,
    /// Everything.
    Admin,
    /// Reads everything, the audit log included.
    Auditor,
    /// A program that acts for people: reads the catalog.
    Agent,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Developer, Self::Maintainer, Self::Admin, Self::Auditor, Self::Agent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Agent => "agent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether it may all that the other one may.
    pub fn covers(self, other: Self) -> bool {
        Verb::ALL.into_iter().all(|verb| self.grant(verb) >= other.grant(verb))
    }

    /// The greatest role that both cover. Auditor and developer each may what the other
    /// may not: of these two it is viewer.
    #[must_use]
    pub fn at_most(self, limit: Self) -> Self {
        let common = Self::ALL.into_iter().filter(|role| self.covers(*role) && limit.covers(*role));
        common.reduce(|best, role| if role.covers(best) { role } else { best }).unwrap_or(Self::Agent)
    }

    /// Whether it may do this to anything.
    pub fn may_everywhere(self, verb: Verb) -> bool {
        self.grant(verb) == Grant::Yes
    }

    /// Whether it may do this to what it owns, and to nothing else.
    pub fn needs_to_own(self, verb: Verb) -> bool {
        self.grant(verb) == Grant::Own
    }

    /// How far it may do this.
    pub(super) fn grant(self, verb: Verb) -> Grant {
        use Grant::{Never, Own, Yes};
        let read_only = matches!(self, Self::Viewer | Self::Auditor | Self::Agent);
        match verb {
            Verb::ReadCatalog | Verb::ReadChanges | Verb::ReadSources => Yes,
            Verb::Personalise | Verb::ManageOwnAccess if self == Self::Agent => Never,
            Verb::Personalise | Verb::ManageOwnAccess => Yes,
            Verb::CallApi | Verb::AddSources | Verb::RunTemplates if read_only => Never,
            Verb::CallApi | Verb::AddSources | Verb::RunTemplates => Yes,
            // Of runs that are not one's own, those of one's templates.
            Verb::ReadRuns => match self {
                Self::Maintainer | Self::Admin | Self::Auditor => Yes,
                Self::Viewer | Self::Developer => Own,
                Self::Agent => Never,
            },
            Verb::WriteCatalog => match self {
                Self::Developer => Own,
                Self::Maintainer | Self::Admin => Yes,
                Self::Viewer | Self::Auditor | Self::Agent => Never,
            },
            Verb::WriteSources if matches!(self, Self::Maintainer | Self::Admin) => Yes,
            Verb::ReadOperations if matches!(self, Self::Maintainer | Self::Admin | Self::Auditor) => Yes,
            Verb::ReadAudit if matches!(self, Self::Admin | Self::Auditor) => Yes,
            Verb::ManageAccess if self == Self::Admin => Yes,
            Verb::WriteSources | Verb::ReadOperations | Verb::ReadAudit | Verb::ManageAccess => Never,
        }
    }
}

/// The scopes of something that is made by what may have scopes itself: those that are
/// asked for, or its maker's. Absent ones limit nothing.
///
/// # Errors
/// The first verb that is asked for and that the maker has not.
pub fn narrowed(own: Option<&[Verb]>, asked: Option<Vec<Verb>>) -> Result<Option<Vec<Verb>>, Verb> {
    let Some(asked) = asked else { return Ok(own.map(<[Verb]>::to_vec)) };
    match asked.iter().find(|verb| own.is_some_and(|own| !own.contains(verb))) {
        Some(verb) => Err(*verb),
        None => Ok(Some(asked)),
    }
}

/// How far a role may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    Never,
    /// To what they or their groups own.
    Own,
    Yes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_cover_those_with_less() {
        let covered = |role: Role| -> Vec<&str> {
            Role::ALL.into_iter().filter(|other| role.covers(*other)).map(Role::as_str).collect()
        };
        assert_eq!(covered(Role::Admin).len(), Role::ALL.len());
        assert_eq!(covered(Role::Maintainer), ["viewer", "developer", "maintainer", "agent"]);
        assert_eq!(covered(Role::Developer), ["viewer", "developer", "agent"]);
        assert_eq!(covered(Role::Auditor), ["viewer", "auditor", "agent"]);
        assert_eq!(covered(Role::Agent), ["agent"]);
    }

    #[test]
    fn nothing_is_given_that_is_not_offered() {
        use Verb::{ReadCatalog, WriteCatalog};
        assert_eq!(narrowed(None, None), Ok(None));
        assert_eq!(narrowed(Some(&[ReadCatalog]), None), Ok(Some(vec![ReadCatalog])));
        assert_eq!(narrowed(None, Some(vec![ReadCatalog])), Ok(Some(vec![ReadCatalog])));
        assert_eq!(narrowed(Some(&[ReadCatalog]), Some(vec![ReadCatalog, WriteCatalog])), Err(WriteCatalog));
    }

    #[test]
    fn of_two_roles_the_one_that_may_less_holds() {
        assert_eq!(Role::Developer.at_most(Role::Admin), Role::Developer);
        assert_eq!(Role::Admin.at_most(Role::Developer), Role::Developer);
        assert_eq!(Role::Auditor.at_most(Role::Developer), Role::Viewer);
        for (one, other) in Role::ALL.into_iter().flat_map(|one| Role::ALL.map(|other| (one, other))) {
            let both = one.at_most(other);
            assert!(one.covers(both) && other.covers(both), "{one:?} and {other:?}: {both:?}");
            assert_eq!(both, other.at_most(one));
        }
    }

    #[test]
    fn names_are_read_back() {
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.as_str()), Some(verb));
            assert_eq!(serde_json::to_value(verb).unwrap(), verb.as_str());
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}
