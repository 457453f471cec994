//! Conditions that compile to questions of the catalog index.
//!
//! They are the part of CEL that bitmaps answer for the whole catalog at once:
//! `==`, `!=`, `in`, `has`, `&&`, `||` and `!` over the descriptor, its relations
//! and the caller. In them a value that is absent equals nothing, where CEL itself
//! would have no answer; and comparing with a list asks whether it is in it.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use crate::access::Principal;
use crate::catalog::query::{MAX_LENGTH, Predicate};
use crate::cel::{Expression, Fault};

/// What a condition of this kind may say, for whoever wrote another one.
const ALLOWED: &str = "compare with `==`, `!=` and `in`, ask `has(…)`, and combine with `&&`, `||` and `!`";
const SUBJECTS: &str = "`entity.kind`, `entity.metadata…`, `entity.spec…`, `relations.TYPE`, and of `caller` its `name`, `user`, `role`, `groups`, `owns` and `signed_in`";

/// A condition on an entity and who asks for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Entity(Predicate),
    /// The caller, or a group that they are in, owns the entity.
    Owns,
    SignedIn,
    /// The caller is one of these.
    Caller(Trait, Vec<String>),
    /// The caller is in the group of this reference.
    In(String),
}

/// What a caller is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    Name,
    User,
    Role,
}

/// What stands on one side of an operator.
enum Term {
    Text(String),
    Texts(Vec<String>),
    /// A key of the index.
    Key(String),
    /// `metadata.labels` or `metadata.annotations`.
    Map(String),
    Relation(String),
    Caller(Trait),
    Groups,
}

impl Condition {
    /// # Errors
    /// The first part that only CEL itself could answer, with its place.
    pub fn compile(expression: &Expression) -> Result<Self, Fault> {
        Compiler(expression).condition(expression.root())
    }

    /// The question to the index, for one caller.
    pub fn bind(&self, principal: &Principal) -> Predicate {
        let constant = |holds: bool| if holds { Predicate::All(Vec::new()) } else { Predicate::Any(Vec::new()) };
        match self {
            Self::All(parts) => Predicate::All(parts.iter().map(|part| part.bind(principal)).collect()),
            Self::Any(parts) => Predicate::Any(parts.iter().map(|part| part.bind(principal)).collect()),
            Self::Not(part) => Predicate::Not(Box::new(part.bind(principal))),
            Self::Entity(predicate) => predicate.clone(),
            Self::Owns => {
                let owners = principal.user.iter().chain(&principal.groups);
                let targets = owners.map(|owner| owner.to_lowercase()).collect();
                Predicate::Relation { relation: "ownedby".to_owned(), targets: Some(targets) }
            }
            Self::SignedIn => constant(principal.has_account()),
            Self::Caller(what, values) => {
                let value = match what {
                    Trait::Name => Some(principal.name.as_str()),
                    Trait::User => principal.user.as_deref(),
                    Trait::Role => Some(principal.role.as_str()),
                };
                constant(value.is_some_and(|value| values.iter().any(|other| other == value)))
            }
            Self::In(group) => constant(principal.groups.iter().any(|other| other.eq_ignore_ascii_case(group))),
        }
    }
}

struct Compiler<'e>(&'e Expression);

impl Compiler<'_> {
    fn fault<T>(&self, node: &IdedExpr, message: impl Into<String>) -> Result<T, Fault> {
        Err(self.0.fault(node, message))
    }

    fn condition(&self, node: &IdedExpr) -> Result<Condition, Fault> {
        match &node.expr {
            Expr::Call(call) => self.call(node, call),
            Expr::Select(select) if select.test => match self.path(&select.operand)? {
                Some(path) => self.has(node, &format!("{path}.{}", select.field)),
                None => self.fault(node, format!("`has` asks for a field of `entity` or `relations`; {SUBJECTS}")),
            },
            Expr::Select(_) => match self.path(node)?.as_deref() {
                Some("caller.owns") => Ok(Condition::Owns),
                Some("caller.signed_in") => Ok(Condition::SignedIn),
                _ => self.fault(node, format!("this is not true or false by itself; {ALLOWED}")),
            },
            Expr::Literal(LiteralValue::Boolean(flag)) => {
                Ok(if *flag.inner() { Condition::All(Vec::new()) } else { Condition::Any(Vec::new()) })
            }
            Expr::Comprehension(_) => self
                .fault(node, format!("`all`, `exists`, `map` and `filter` are not for the whole catalog; {ALLOWED}")),
            _ => self.fault(node, format!("this is not true or false by itself; {ALLOWED}")),
        }
    }

    fn call(&self, node: &IdedExpr, call: &CallExpr) -> Result<Condition, Fault> {
        let CallExpr { func_name, target, args } = call;
        let conditions = || args.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>();
        match (func_name.as_str(), args.as_slice()) {
            (operators::LOGICAL_AND, _) => Ok(Condition::All(conditions()?)),
            (operators::LOGICAL_OR, _) => Ok(Condition::Any(conditions()?)),
            (operators::LOGICAL_NOT, [part]) => Ok(Condition::Not(Box::new(self.condition(part)?))),
            (operators::EQUALS, [left, right]) => self.equals(left, right),
            (operators::NOT_EQUALS, [left, right]) => Ok(Condition::Not(Box::new(self.equals(left, right)?))),
            (operators::IN, [value, list]) => self.contains(value, list),
            _ => {
                let name = func_name.trim_matches(['_', '@', '[', ']', '?']);
                let name = if target.is_some() { format!(".{name}(…)") } else { name.to_owned() };
                self.fault(node, format!("`{name}` is not for the whole catalog; {ALLOWED}"))
            }
        }
    }

    fn equals(&self, left: &IdedExpr, right: &IdedExpr) -> Result<Condition, Fault> {
        match (self.term(left)?, self.term(right)?) {
            (Term::Key(key), Term::Text(text)) | (Term::Text(text), Term::Key(key)) => {
                Ok(Condition::Entity(Predicate::Is { key, values: vec![text] }))
            }
            (Term::Caller(what), Term::Text(text)) | (Term::Text(text), Term::Caller(what)) => {
                Ok(Condition::Caller(what, vec![text]))
            }
            (Term::Relation(_), _) | (_, Term::Relation(_)) => {
                self.fault(left, "relations are lists: ask `'group:default/team' in relations.ownedBy`")
            }
            (Term::Groups, _) | (_, Term::Groups) => {
                self.fault(left, "groups are a list: ask `'group:default/team' in caller.groups`")
            }
            _ => self.fault(left, "compares a field with a text in quotes"),
        }
    }

    fn contains(&self, value: &IdedExpr, list: &IdedExpr) -> Result<Condition, Fault> {
        match (self.term(value)?, self.term(list)?) {
            (Term::Key(key), Term::Texts(values)) => Ok(Condition::Entity(Predicate::Is { key, values })),
            (Term::Caller(what), Term::Texts(values)) => Ok(Condition::Caller(what, values)),
            (Term::Text(text), Term::Key(key)) => Ok(Condition::Entity(Predicate::Is { key, values: vec![text] })),
            (Term::Text(key), Term::Map(map)) => {
                let key = format!("{map}.{}", key.to_lowercase());
                Ok(Condition::Entity(Predicate::Exists { key, exists: true }))
            }
            (Term::Text(target), Term::Relation(relation)) => {
                let targets = Some(vec![target.to_lowercase()]);
                Ok(Condition::Entity(Predicate::Relation { relation, targets }))
            }
            (Term::Text(group), Term::Groups) => Ok(Condition::In(group)),
            _ => self.fault(
                value,
                "`in` asks for a text in a list of the entity or the caller, or for a field in `['a', 'b']`",
            ),
        }
    }

    fn has(&self, node: &IdedExpr, path: &str) -> Result<Condition, Fault> {
        match self.named(node, path)? {
            Term::Key(key) | Term::Map(key) => Ok(Condition::Entity(Predicate::Exists { key, exists: true })),
            Term::Relation(relation) => Ok(Condition::Entity(Predicate::Relation { relation, targets: None })),
            _ => self.fault(node, "`has` asks for a field of `entity` or `relations`"),
        }
    }

    fn term(&self, node: &IdedExpr) -> Result<Term, Fault> {
        match &node.expr {
            Expr::Literal(_) => self.text(node).map(Term::Text),
            Expr::List(list) => {
                Ok(Term::Texts(list.elements.iter().map(|item| self.text(item)).collect::<Result<_, _>>()?))
            }
            Expr::Select(select) if !select.test => match self.path(node)? {
                Some(path) => self.named(node, &path),
                None => self.fault(node, format!("known are {SUBJECTS}")),
            },
            Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::INDEX => match args.as_slice() {
                [map, key] => match self.term(map)? {
                    Term::Map(map) => Ok(Term::Key(format!("{map}.{}", self.text(key)?.to_lowercase()))),
                    _ => self.fault(node, "only labels and annotations are asked for by `['key']`"),
                },
                _ => self.fault(node, ALLOWED),
            },
            Expr::Ident(name) if ["entity", "relations", "caller"].contains(&name.as_str()) => {
                self.fault(node, format!("known are {SUBJECTS}"))
            }
            Expr::Ident(name) => self.fault(node, format!("`{name}` is unknown; known are {SUBJECTS}")),
            _ => self.fault(node, format!("is not for the whole catalog; {ALLOWED}")),
        }
    }

    fn text(&self, node: &IdedExpr) -> Result<String, Fault> {
        match &node.expr {
            Expr::Literal(LiteralValue::String(text)) if text.inner().len() > MAX_LENGTH => {
                self.fault(node, format!("the catalog compares no text of more than {MAX_LENGTH} characters"))
            }
            Expr::Literal(LiteralValue::String(text)) => Ok(text.inner().to_owned()),
            _ => self.fault(node, "compares with texts in quotes only"),
        }
    }

    /// The dotted path that a chain of fields spells.
    fn path(&self, node: &IdedExpr) -> Result<Option<String>, Fault> {
        match &node.expr {
            Expr::Ident(name) if ["entity", "relations", "caller"].contains(&name.as_str()) => Ok(Some(name.clone())),
            Expr::Ident(name) => self.fault(node, format!("`{name}` is unknown; known are {SUBJECTS}")),
            Expr::Select(select) if !select.test => {
                Ok(self.path(&select.operand)?.map(|path| format!("{path}.{}", select.field)))
            }
            _ => Ok(None),
        }
    }

    fn named(&self, node: &IdedExpr, path: &str) -> Result<Term, Fault> {
        let parts: Vec<&str> = path.split('.').collect();
        match parts.as_slice() {
            ["entity", "metadata", map @ ("labels" | "annotations")] => Ok(Term::Map(format!("metadata.{map}"))),
            ["entity", "metadata", "etag" | "links", ..] | ["entity", "status" | "relations", ..] => {
                self.fault(node, "is not in the index; relations are asked for by `relations.TYPE`")
            }
            ["entity", "kind"] | ["entity", "metadata" | "spec", _, ..] => {
                Ok(Term::Key(path.trim_start_matches("entity.").to_lowercase()))
            }
            ["relations", relation] => Ok(Term::Relation(relation.to_lowercase())),
            ["caller", "name"] => Ok(Term::Caller(Trait::Name)),
            ["caller", "user"] => Ok(Term::Caller(Trait::User)),
            ["caller", "role"] => Ok(Term::Caller(Trait::Role)),
            ["caller", "groups"] => Ok(Term::Groups),
            ["caller", "owns" | "signed_in"] => {
                self.fault(node, "is true or false by itself: write it without comparing")
            }
            _ => self.fault(node, format!("known are {SUBJECTS}")),
        }
    }
}
