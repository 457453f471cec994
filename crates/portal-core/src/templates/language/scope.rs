//! Which variables an expression sees, and where an assignment lands.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::value::Value;

/// The variables of a loop, a macro or the whole template.
pub(super) struct Scope {
    variables: RefCell<HashMap<Rc<str>, Value>>,
    parent: Option<Rc<Scope>>,
    /// An assignment within it does not reach the scopes around it.
    is_isolated: bool,
}

impl Scope {
    pub(super) fn root() -> Rc<Self> {
        Rc::new(Self { variables: RefCell::default(), parent: None, is_isolated: false })
    }

    /// Of a macro: it sees none of the scopes of its caller.
    pub(super) fn alone() -> Rc<Self> {
        Rc::new(Self { variables: RefCell::default(), parent: None, is_isolated: true })
    }

    pub(super) fn within(self: &Rc<Self>, is_isolated: bool) -> Rc<Self> {
        Rc::new(Self { variables: RefCell::default(), parent: Some(self.clone()), is_isolated })
    }

    /// Whether what is assigned here is a variable of the whole template.
    pub(super) fn is_root(&self) -> bool {
        self.parent.is_none() && !self.is_isolated
    }

    pub(super) fn find(&self, name: &str) -> Option<Value> {
        let own = self.variables.borrow().get(name).cloned();
        own.or_else(|| self.parent.as_ref()?.find(name))
    }

    /// In this scope.
    pub(super) fn define(&self, name: &Rc<str>, value: Value) {
        self.variables.borrow_mut().insert(name.clone(), value);
    }

    /// In the scope that has the variable already, else in this one.
    pub(super) fn assign(&self, name: &Rc<str>, value: Value) {
        let mut scope = self;
        let mut is_isolated = self.is_isolated;
        while !scope.variables.borrow().contains_key(name) {
            let parent = if is_isolated { None } else { scope.parent.as_deref() };
            let Some(parent) = parent else { return self.define(name, value) };
            scope = parent;
            is_isolated = false;
        }
        scope.define(name, value);
    }
}
