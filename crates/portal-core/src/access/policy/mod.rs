//! Policies: rules of an organisation on top of roles and ownership, as data.
//!
//! One *denies* or *allows* some verbs where its condition holds. What is denied
//! stays denied, whoever else allows it; what nothing denies a role or an allowing
//! policy may grant; all else is refused. A policy that denies reading hides the
//! entity: for those callers the catalog is as it would be without it.

mod condition;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use condition::Condition;

use super::wire::{Effect, PolicyDraft, RuleSays};
use super::{Decision, Principal, Resource, Verb, by_role, by_scope};
use crate::catalog::Entity;
use crate::catalog::index::{CatalogIndex, RoaringBitmap, Visibility};
use crate::catalog::query::{Predicate, Selection};
use crate::cel::{Expression, Fault};

/// Verbs that policies speak of: what is done to entities.
pub const VERBS: [Verb; 2] = [Verb::ReadCatalog, Verb::WriteCatalog];

/// One rule, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub name: String,
    pub effect: Effect,
    pub verbs: Vec<Verb>,
    /// Shown to whom it refuses.
    pub message: Option<String>,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    /// Answered for all entities at once.
    Whole(Condition),
    /// Answered for one document at a time.
    One(std::sync::Arc<Expression>),
}

/// The policies in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies(Vec<Policy>);

/// An entity about to be read or written: its row, and its document as it is served.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub index: &'a CatalogIndex,
    pub row: u32,
    pub document: &'a Entity,
}

/// What a policy says of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub policy: String,
    pub effect: Effect,
    pub message: Option<String>,
}

/// Why a draft is no policy: the field, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub pointer: &'static str,
    pub message: String,
}

impl Policy {
    /// # Errors
    /// The first field that does not fit.
    pub fn compile(name: &str, draft: &PolicyDraft) -> Result<Self, Refused> {
        let PolicyDraft { effect, verbs, condition, message, .. } = draft;
        let refused = |pointer, message: String| Err(Refused { pointer, message });
        if verbs.is_empty() {
            return refused("/verbs", "name at least one verb".to_owned());
        }
        if let Some(verb) = verbs.iter().find(|verb| !VERBS.contains(verb)) {
            let known = VERBS.map(Verb::as_str).join("` and `");
            return refused("/verbs", format!("policies do not speak of `{}`, but of `{known}`", verb.as_str()));
        }
        let reads = verbs.contains(&Verb::ReadCatalog);
        if reads && *effect == Effect::Allow {
            let why = "every role reads the catalog already; write a policy that denies it to some";
            return refused("/verbs", why.to_owned());
        }
        if message.as_deref().is_some_and(|message| message.chars().count() > 300) {
            return refused("/message", "at most 300 characters".to_owned());
        }
        let expression = Expression::parse(condition).map_err(at_condition)?;
        let rule = match Condition::compile(&expression) {
            Ok(condition) => Rule::Whole(condition),
            Err(fault) if reads => return Err(at_condition(fault)),
            Err(_) => Rule::One(std::sync::Arc::new(expression)),
        };
        Ok(Self { name: name.to_owned(), effect: *effect, verbs: verbs.clone(), message: message.clone(), rule })
    }

    /// The entities that it speaks of for a caller, when that can be answered for
    /// all of them at once.
    pub fn rows(&self, principal: &Principal, index: &CatalogIndex) -> Option<RoaringBitmap> {
        match &self.rule {
            Rule::Whole(condition) => Some(index.select(&asked(condition.bind(principal)), &Visibility::All)),
            Rule::One(_) => None,
        }
    }

    /// Whether it speaks of this entity. One that has no answer does when it denies,
    /// and does not when it allows: what cannot be judged is refused.
    fn applies(&self, principal: &Principal, subject: &Subject<'_>) -> bool {
        match &self.rule {
            Rule::Whole(condition) => subject.index.matches(subject.row, &asked(condition.bind(principal))),
            Rule::One(expression) => {
                let [relations, caller] = variables(principal, subject);
                let variables = [("entity", &subject.document.0), ("relations", &relations), ("caller", &caller)];
                expression.holds(&variables).unwrap_or(self.effect == Effect::Deny)
            }
        }
    }

    fn ruling(&self) -> Ruling {
        Ruling { policy: self.name.clone(), effect: self.effect, message: self.message.clone() }
    }
}

impl Policies {
    pub fn new(policies: Vec<Policy>) -> Self {
        Self(policies)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anything may be hidden from anybody.
    pub fn hide(&self) -> bool {
        self.of(Verb::ReadCatalog).next().is_some()
    }

    /// The rows of an index that a caller may see.
    pub fn visibility(&self, principal: &Principal, index: &CatalogIndex) -> Visibility {
        let mut hidden = RoaringBitmap::new();
        for policy in self.of(Verb::ReadCatalog) {
            if let Some(rows) = policy.rows(principal, index) {
                hidden |= rows;
            }
        }
        if hidden.is_empty() {
            return Visibility::All;
        }
        Visibility::Rows(std::sync::Arc::new(&*index.visible(&Visibility::All) - hidden))
    }

    /// What each policy that speaks of it says of an entity, what denies first.
    pub fn rulings(&self, principal: &Principal, verb: Verb, subject: &Subject<'_>) -> Vec<Ruling> {
        let speaking = self.of(verb).filter(|policy| policy.applies(principal, subject));
        let mut rulings: Vec<Ruling> = speaking.map(Policy::ruling).collect();
        rulings.sort_by_key(|ruling| ruling.effect == Effect::Allow);
        rulings
    }

    fn of(&self, verb: Verb) -> impl Iterator<Item = &Policy> {
        self.0.iter().filter(move |policy| policy.verbs.contains(&verb))
    }

    fn allow_some(&self, verb: Verb) -> bool {
        self.of(verb).any(|policy| policy.effect == Effect::Allow)
    }
}

/// [`super::decide`], with the policies in force.
///
/// An entity comes with its row and document, so that each policy can judge it.
pub fn decide(
    policies: &Policies,
    principal: &Principal,
    verb: Verb,
    resource: Resource<'_>,
    subject: Option<&Subject<'_>>,
) -> Decision {
    if let Some(refusal) = by_scope(principal, verb) {
        return refusal;
    }
    let role = by_role(principal, verb, resource);
    let Some(subject) = subject else {
        let some = role != Decision::Allow && matches!(resource, Resource::Any) && policies.allow_some(verb);
        return if some { Decision::Allow } else { role };
    };
    // What is hidden from somebody they do not change either.
    let hidden = policies.rulings(principal, Verb::ReadCatalog, subject);
    match hidden.into_iter().chain(policies.rulings(principal, verb, subject)).next() {
        Some(ruling @ Ruling { effect: Effect::Deny, .. }) => Decision::Deny(format!(
            "the policy `{}` says: {}",
            ruling.policy,
            ruling.message.unwrap_or_else(|| format!("you may not {}", verb.words()))
        )),
        Some(_) => Decision::Allow,
        None => role,
    }
}

/// What each rule says, in the order in which [`decide`] asks them.
pub fn says(
    policies: &Policies,
    principal: &Principal,
    verb: Verb,
    resource: Resource<'_>,
    subject: Option<&Subject<'_>>,
) -> Vec<RuleSays> {
    let says = |rule: String, effect: Option<Effect>, words: String| RuleSays { rule, effect, words };
    let mut rules = Vec::new();
    match by_scope(principal, verb) {
        Some(Decision::Deny(reason)) => rules.push(says("scopes".to_owned(), Some(Effect::Deny), reason)),
        Some(_) => {
            let words = format!("nobody does this without signing in: {}", verb.words());
            rules.push(says("sign-in".to_owned(), Some(Effect::Deny), words));
        }
        None => {}
    }
    for policy in &policies.0 {
        let speaks = [Verb::ReadCatalog, verb].into_iter().any(|verb| policy.verbs.contains(&verb));
        if !speaks {
            continue;
        }
        let applies = subject.map(|subject| policy.applies(principal, subject));
        let (effect, words) = match (applies, policy.effect) {
            (Some(true), Effect::Deny) => {
                let words = policy.message.clone().unwrap_or_else(|| "its condition holds".to_owned());
                (Some(Effect::Deny), words)
            }
            (Some(true), Effect::Allow) => (Some(Effect::Allow), "its condition holds".to_owned()),
            (Some(false), _) => (None, "its condition does not hold".to_owned()),
            (None, _) => (None, "it depends on the entity".to_owned()),
        };
        rules.push(says(format!("policy {}", policy.name), effect, words));
    }
    let (effect, words) = match by_role(principal, verb, resource) {
        Decision::Allow if principal.role.needs_to_own(verb) && subject.is_some() => {
            (Some(Effect::Allow), "what their groups own".to_owned())
        }
        Decision::Allow if principal.role.needs_to_own(verb) => (None, "what their groups own".to_owned()),
        Decision::Allow => (Some(Effect::Allow), format!("it may {}", verb.words())),
        Decision::Deny(reason) => (Some(Effect::Deny), reason),
        Decision::SignIn => (Some(Effect::Deny), "sign in".to_owned()),
    };
    rules.push(says(format!("role {}", principal.role.as_str()), effect, words));
    rules
}

/// The relations of an entity and its caller, as expressions know them.
fn variables(principal: &Principal, subject: &Subject<'_>) -> [Value; 2] {
    let mut relations = serde_json::Map::new();
    for (relation, target) in subject.index.edges(subject.row, &Visibility::All) {
        if let Value::Array(targets) = relations.entry(relation).or_insert_with(|| json!([])) {
            targets.push(json!(target));
        }
    }
    let owners = relations.get("ownedBy").and_then(Value::as_array).into_iter().flatten();
    let owns = owners.filter_map(Value::as_str).any(|owner| principal.is_or_belongs_to(owner));
    let Principal { name, user, groups, role, .. } = principal;
    let signed_in = principal.has_account();
    let caller = json!({
        "name": name, "user": user, "role": role.as_str(), "groups": groups, "owns": owns, "signed_in": signed_in,
    });
    [Value::Object(relations), caller]
}

fn asked(predicate: Predicate) -> Selection {
    Selection { predicate: Some(predicate), ..Selection::default() }
}

fn at_condition(fault: Fault) -> Refused {
    Refused { pointer: "/condition", message: fault.to_string() }
}
