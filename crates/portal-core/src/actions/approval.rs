//! Who has to agree before something is done, and when they have.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::EntityRef;

/// How many have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Need {
    /// One person.
    Any,
    /// Somebody of each group, and each user, that is named.
    All,
    /// So many people.
    Count(u32),
}

impl Need {
    /// What it has to be, in words.
    pub const WANTED: &str = "is `any`, `all`, or a number from 1";

    /// As authors write it; nothing where it is none of that.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Any),
            Value::String(text) if text == "any" => Some(Self::Any),
            Value::String(text) if text == "all" => Some(Self::All),
            other => {
                let count = other.as_u64().and_then(|count| u32::try_from(count).ok());
                count.filter(|count| *count > 0).map(Self::Count)
            }
        }
    }
}

/// The reference of whoever decides; a group where the kind is left out.
///
/// # Errors
/// It is no reference, or of another kind.
pub fn approver(text: &str) -> Result<String, String> {
    let reference = EntityRef::parse(text, Some("group"), EntityRef::DEFAULT_NAMESPACE);
    let reference = reference.map_err(|error| error.to_string())?;
    match reference.kind() {
        "user" | "group" => Ok(reference.to_string()),
        _ => Err(format!("`{reference}` is neither a user nor a group")),
    }
}

/// What is asked of approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// References of users and groups.
    pub approvers: Vec<String>,
    pub need: Need,
    /// Whoever asks does not decide.
    pub four_eyes: bool,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    pub actor: String,
    /// In whose place they said it; the vote is that person's.
    pub stands_for: Option<String>,
    /// Those of the approvers that they, or whom they stand in for, are or belong to.
    pub as_approvers: BTreeSet<String>,
    pub approves: bool,
}

impl Vote {
    /// Whose vote it is.
    pub fn person(&self) -> &str {
        self.stands_for.as_deref().unwrap_or(&self.actor)
    }
}

/// What votes come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pending,
    Approved,
    /// One "no" is enough.
    Declined,
}

impl Ask {
    /// What votes come to. Of whoever asks, with four eyes, none counts.
    pub fn verdict(&self, requester: &str, votes: &[Vote]) -> Verdict {
        let is_own = |vote: &&Vote| vote.actor == requester || vote.person() == requester;
        let counted = || votes.iter().filter(|vote| !(self.four_eyes && is_own(vote)));
        if counted().any(|vote| !vote.approves) {
            return Verdict::Declined;
        }
        let people: BTreeSet<&str> = counted().map(Vote::person).collect();
        let is_enough = match self.need {
            Need::Any => !people.is_empty(),
            Need::Count(count) => people.len() >= count as usize,
            Need::All => {
                let heard: BTreeSet<&String> = counted().flat_map(|vote| &vote.as_approvers).collect();
                !people.is_empty() && self.approvers.iter().all(|approver| heard.contains(approver))
            }
        };
        if is_enough { Verdict::Approved } else { Verdict::Pending }
    }

    /// Why somebody may not vote; nothing where they may. `own` are the user and the groups
    /// that they are.
    pub fn may_not(&self, requester: &str, actor: &str, own: &BTreeSet<String>) -> Option<String> {
        if self.four_eyes && actor == requester {
            return Some("somebody other than whoever asked has to decide".to_owned());
        }
        let is_asked = self.approvers.iter().any(|approver| own.contains(approver));
        (!is_asked).then(|| format!("only {} may decide", self.approvers.join(", ")))
    }

    /// In words, after "Needs".
    pub fn words(&self) -> String {
        let all = self.approvers.join(", ");
        match self.need {
            Need::Any => format!("the approval of one of {all}"),
            Need::All => format!("the approval of each of {all}"),
            Need::Count(count) => format!("{count} approvals of {all}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(actor: &str, groups: &[&str], approves: bool) -> Vote {
        let as_approvers = groups.iter().map(|group| (*group).to_owned()).collect();
        Vote { actor: actor.to_owned(), stands_for: None, as_approvers, approves }
    }

    #[test]
    fn votes_are_counted_as_the_policy_says() {
        let ask =
            |need, four_eyes| Ask { approvers: vec!["group:a".to_owned(), "group:b".to_owned()], need, four_eyes };
        let (ann, bob) = (vote("ann", &["group:a"], true), vote("bob", &["group:b"], true));
        let instead =
            |actor: &str, of: &str| Vote { stands_for: Some(of.to_owned()), ..vote(actor, &["group:a"], true) };
        let both = [ann.clone(), bob.clone()];
        for (ask, votes, wanted) in [
            (ask(Need::Any, true), &[][..], Verdict::Pending),
            (ask(Need::Any, true), &both[..1], Verdict::Approved),
            (ask(Need::Count(2), true), &both[..1], Verdict::Pending),
            (ask(Need::Count(2), true), &both[..], Verdict::Approved),
            (ask(Need::All, true), &both[..1], Verdict::Pending),
            (ask(Need::All, true), &both[..], Verdict::Approved),
            // The same person twice is one person.
            (ask(Need::Count(2), true), &[ann.clone(), ann.clone()][..], Verdict::Pending),
            (ask(Need::All, true), &[vote("cat", &["group:a", "group:b"], true)][..], Verdict::Approved),
            (ask(Need::Any, true), &[ann.clone(), vote("bob", &["group:b"], false)][..], Verdict::Declined),
            // Whoever stands in for somebody gives that person's vote, which counts once.
            (ask(Need::Any, true), &[instead("dan", "ann")][..], Verdict::Approved),
            (ask(Need::Count(2), true), &[instead("dan", "ann"), ann.clone()][..], Verdict::Pending),
            (ask(Need::Count(2), true), &[instead("dan", "ann"), bob.clone()][..], Verdict::Approved),
            (ask(Need::Any, true), &[instead("dan", "requester")][..], Verdict::Pending),
            (ask(Need::Any, true), &[instead("requester", "ann")][..], Verdict::Pending),
            // Four eyes are not two.
            (ask(Need::Any, true), &[vote("requester", &["group:a"], true)][..], Verdict::Pending),
            (ask(Need::Any, true), &[vote("requester", &["group:a"], false)][..], Verdict::Pending),
            (ask(Need::Any, false), &[vote("requester", &["group:a"], true)][..], Verdict::Approved),
        ] {
            assert_eq!(ask.verdict("requester", votes), wanted, "{ask:?} {votes:?}");
        }
    }

    #[test]
    fn only_approvers_vote() {
        let ask = Ask { approvers: vec!["group:a".to_owned()], need: Need::Any, four_eyes: true };
        let own = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(ask.may_not("r", "ann", &own(&["group:a"])), None);
        assert!(ask.may_not("r", "ann", &own(&["group:b"])).unwrap().contains("group:a"));
        assert!(ask.may_not("r", "r", &own(&["group:a"])).unwrap().contains("other"));
    }
}
