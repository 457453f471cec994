//! Runs what was parsed, within a budget of steps, text and depth.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::scope::Scope;
use super::syntax::{Arguments, Binary, Comparison, Expression, Filter, Kind, Macro, Node, Place, Unary};
use super::value::{Function, Value};
use super::{Fault, Hosts, filters, methods, tests};

/// Expressions evaluated and nodes written.
const STEPS: u32 = 500_000;
/// Bytes of text that are made, the output among them.
const TEXT: usize = 32 << 20;
/// Expressions, blocks and macros within each other.
const DEEPEST: u32 = 120;

/// Why it ended early: without a place where a filter or method is at fault,
/// the place is that of its use.
pub(super) type Outcome<T> = Result<T, Stop>;

#[derive(Debug)]
pub(super) struct Stop {
    pub(super) place: Option<Place>,
    pub(super) message: String,
    pub(super) is_budget: bool,
}

impl Stop {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), is_budget: false }
    }

    fn budget(message: String) -> Self {
        Self { place: None, message, is_budget: true }
    }

    fn placed(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

pub(super) struct Run<'r> {
    pub(super) text: &'r str,
    pub(super) hosts: &'r Hosts,
    pub(super) cookiecutter: bool,
    context: HashMap<Rc<str>, Value>,
    root: Rc<Scope>,
    /// What the template assigned at its top: macros see it.
    assigned: Rc<Scope>,
    steps: Cell<u32>,
    made: Cell<usize>,
    depth: Cell<u32>,
}

/// Arguments of a call: by position, and by name.
#[derive(Default)]
pub(super) struct Given {
    pub(super) positional: Vec<Value>,
    pub(super) named: Vec<(Rc<str>, Value)>,
}

impl Given {
    pub(super) fn get(&self, index: usize, name: &str) -> Value {
        let named = || self.named.iter().find(|(key, _)| &**key == name).map(|(_, value)| value.clone());
        self.positional.get(index).cloned().or_else(named).unwrap_or(Value::Undefined)
    }
}

impl<'r> Run<'r> {
    pub(super) fn new(text: &'r str, hosts: &'r Hosts, cookiecutter: bool, context: HashMap<Rc<str>, Value>) -> Self {
        let (root, assigned) = (Scope::root(), Scope::root());
        let (steps, made, depth) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { text, hosts, cookiecutter, context, root, assigned, steps, made, depth }
    }

    pub(super) fn write(&self, nodes: &[Node]) -> Result<String, Fault> {
        let mut output = String::new();
        self.nodes(nodes, &self.root, &mut output).map_err(|stop| self.fault(stop))?;
        Ok(output)
    }

    pub(super) fn value(&self, expression: &Expression) -> Result<Value, Fault> {
        self.evaluate(expression, &self.root).map_err(|stop| self.fault(stop))
    }

    fn fault(&self, stop: Stop) -> Fault {
        let mut fault = Fault::at(self.text, stop.place.unwrap_or(Place(0)), stop.message);
        fault.is_budget = stop.is_budget;
        fault
    }

    /// One step more.
    pub(super) fn step(&self) -> Outcome<()> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS {
            return Err(Stop::budget(format!("more than {STEPS} steps; a template that loops does less in each turn")));
        }
        Ok(())
    }

    /// This much text more, in bytes; it is asked before the text is made.
    pub(super) fn spend(&self, bytes: usize) -> Outcome<()> {
        self.made.set(self.made.get().saturating_add(bytes));
        if self.made.get() > TEXT {
            return Err(Stop::budget(format!("more than {} MB of text", TEXT >> 20)));
        }
        Ok(())
    }

    fn deeper<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        if self.depth.get() == DEEPEST {
            return Err(Stop::budget(format!("more than {DEEPEST} expressions, blocks and macros within each other")));
        }
        self.depth.set(self.depth.get() + 1);
        let answer = work();
        self.depth.set(self.depth.get() - 1);
        answer
    }

    fn push(&self, output: &mut String, text: &str) -> Outcome<()> {
        self.spend(text.len())?;
        output.push_str(text);
        Ok(())
    }

    fn nodes(&self, nodes: &[Node], scope: &Rc<Scope>, output: &mut String) -> Outcome<()> {
        nodes.iter().try_for_each(|node| {
            self.step()?;
            self.deeper(|| self.node(node, scope, output))
        })
    }

    fn captured(&self, nodes: &[Node], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut output = String::new();
        self.nodes(nodes, scope, &mut output)?;
        Ok(Value::text(output))
    }

    fn assign(&self, scope: &Rc<Scope>, name: &Rc<str>, value: &Value) {
        if scope.is_root() {
            self.assigned.define(name, value.clone());
        }
        scope.assign(name, value.clone());
    }

    fn node(&self, node: &Node, scope: &Rc<Scope>, output: &mut String) -> Outcome<()> {
        match node {
            Node::Text(text) => self.push(output, text),
            Node::Output(expression) => {
                let value = self.evaluate(expression, scope)?;
                if value.is_nothing() { Ok(()) } else { self.push(output, &value.to_text()) }
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.evaluate(condition, scope)?.is_true() {
                        return self.nodes(body, scope, output);
                    }
                }
                self.nodes(otherwise, scope, output)
            }
            Node::For { targets, over, body, otherwise } => {
                let over_value = self.evaluate(over, scope)?;
                let turns = turns(targets, &over_value);
                if turns.is_empty() {
                    return self.nodes(otherwise, scope, output);
                }
                self.turns(targets, turns, body, scope, output)
            }
            Node::Set { targets, value } => {
                let value = self.evaluate(value, scope)?;
                targets.iter().for_each(|target| self.assign(scope, target, &value));
                Ok(())
            }
            Node::Capture { targets, body } => {
                let value = self.captured(body, &scope.within(false))?;
                targets.iter().for_each(|target| self.assign(scope, target, &value));
                Ok(())
            }
            Node::Macro(definition) => {
                let value = Value::function(Function::Macro(definition.clone(), None));
                self.assign(scope, &definition.name, &value);
                Ok(())
            }
            Node::Call { call, caller } => {
                let Kind::Call(callee, arguments) = &call.kind else { return Ok(()) };
                let callee_value = self.evaluate(callee, scope)?;
                let mut given = self.given(arguments, scope)?;
                let caller = Function::Macro(caller.clone(), Some(scope.clone()));
                given.named.push(("caller".into(), Value::function(caller)));
                let value = self.call(&callee_value, given, callee)?;
                self.push(output, &value.to_text())
            }
            Node::Filtered { filter, body } => {
                let subject = self.captured(body, scope)?;
                let value = self.filter(filter, subject, scope)?;
                if value.is_nothing() { Ok(()) } else { self.push(output, &value.to_text()) }
            }
            Node::Switch { subject, cases, default } => {
                let subject = self.evaluate(subject, scope)?;
                let mut found = false;
                for (value, body) in cases {
                    found = found || self.evaluate(value, scope)?.is_same(&subject);
                    // A case without content goes on with the next one.
                    if found && !body.is_empty() {
                        return self.nodes(body, scope, output);
                    }
                }
                self.nodes(default, scope, output)
            }
            Node::Block(body) => self.nodes(body, &scope.within(false), output),
        }
    }

    fn turns(
        &self,
        targets: &[Rc<str>],
        turns: Vec<Vec<Value>>,
        body: &[Node],
        scope: &Rc<Scope>,
        output: &mut String,
    ) -> Outcome<()> {
        let scope = scope.within(false);
        let count = turns.len();
        for (index, values) in turns.into_iter().enumerate() {
            self.step()?;
            for (target, value) in targets.iter().zip(values.into_iter().chain(std::iter::repeat(Value::Undefined))) {
                scope.define(target, value);
            }
            let number = |number: usize| Value::Number(number as f64);
            let about = [
                ("index", number(index + 1)),
                ("index0", number(index)),
                ("revindex", number(count - index)),
                ("revindex0", number(count - index - 1)),
                ("first", Value::Bool(index == 0)),
                ("last", Value::Bool(index + 1 == count)),
                ("length", number(count)),
            ];
            scope.define(&"loop".into(), Value::object(about.map(|(name, value)| (name.into(), value))));
            self.nodes(body, &scope, output)?;
        }
        Ok(())
    }

    fn given(&self, arguments: &Arguments, scope: &Rc<Scope>) -> Outcome<Given> {
        let positional = arguments.positional.iter().map(|value| self.evaluate(value, scope));
        let named = arguments.named.iter().map(|(name, value)| Ok((name.clone(), self.evaluate(value, scope)?)));
        Ok(Given { positional: positional.collect::<Outcome<_>>()?, named: named.collect::<Outcome<_>>()? })
    }

    fn evaluate(&self, expression: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        self.step()?;
        self.deeper(|| self.kind(expression, scope)).map_err(|stop| stop.placed(expression.place))
    }

    fn kind(&self, expression: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        Ok(match &expression.kind {
            Kind::Text(text) => Value::Text(text.clone()),
            Kind::Number(number) => Value::Number(*number),
            Kind::Bool(bool) => Value::Bool(*bool),
            Kind::Null => Value::Null,
            Kind::Regex(regex, flags) => Value::Regex(regex.clone(), *flags),
            Kind::Name(name) => self.variable(name, scope),
            Kind::Group(parts) => {
                let mut last = Value::Undefined;
                for part in parts {
                    last = self.evaluate(part, scope)?;
                }
                last
            }
            Kind::List(items) => {
                let items = items.iter().map(|item| self.evaluate(item, scope));
                Value::list(items.collect::<Outcome<_>>()?)
            }
            Kind::Object(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| Ok((key.clone(), self.evaluate(value, scope)?)));
                Value::object(pairs.collect::<Outcome<Vec<_>>>()?)
            }
            Kind::Lookup(of, key) => {
                let of = self.evaluate(of, scope)?;
                let key = self.evaluate(key, scope)?;
                methods::lookup(self, &of, &key)
            }
            Kind::Slice(of, bounds) => {
                let of = self.evaluate(of, scope)?;
                let mut numbers = [None; 3];
                for (number, bound) in numbers.iter_mut().zip(bounds) {
                    if let Some(bound) = bound {
                        *number = Some(self.evaluate(bound, scope)?.to_number());
                    }
                }
                methods::slice(&of, numbers)
            }
            Kind::Call(callee, arguments) => {
                let callee_value = self.evaluate(callee, scope)?;
                let given = self.given(arguments, scope)?;
                self.call(&callee_value, given, callee)?
            }
            Kind::Filter(subject, filter) => {
                let subject = self.evaluate(subject, scope)?;
                self.filter(filter, subject, scope)?
            }
            Kind::Test(subject, Filter { name, arguments, .. }) => {
                let subject = self.evaluate(subject, scope)?;
                let given = self.given(arguments, scope)?;
                Value::Bool(tests::holds(name, &subject, &given.get(0, ""))?)
            }
            Kind::Unary(operator, operand) => {
                let operand = self.evaluate(operand, scope)?;
                match operator {
                    Unary::Not => Value::Bool(!operand.is_true()),
                    Unary::Minus => Value::Number(-operand.to_number()),
                    Unary::Plus => Value::Number(operand.to_number()),
                }
            }
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, scope)?,
            Kind::Compare(first, others) => {
                let mut value = self.evaluate(first, scope)?;
                for (comparison, other) in others {
                    let other = self.evaluate(other, scope)?;
                    value = Value::Bool(compare(*comparison, &value, &other));
                }
                value
            }
            Kind::InlineIf { then, condition, otherwise } => {
                if self.evaluate(condition, scope)?.is_true() {
                    self.evaluate(then, scope)?
                } else if let Some(otherwise) = otherwise {
                    self.evaluate(otherwise, scope)?
                } else {
                    Value::text("")
                }
            }
        })
    }

    fn variable(&self, name: &Rc<str>, scope: &Rc<Scope>) -> Value {
        let found = scope.find(name).or_else(|| self.assigned.find(name)).or_else(|| self.context.get(name).cloned());
        found.unwrap_or_else(|| match &**name {
            "range" | "cycler" | "joiner" => Value::function(Function::Global(name.clone())),
            "True" if self.cookiecutter => Value::Bool(true),
            "False" if self.cookiecutter => Value::Bool(false),
            "None" if self.cookiecutter => Value::Null,
            _ => Value::Undefined,
        })
    }

    fn binary(&self, operator: Binary, left: &Expression, right: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        let left = self.evaluate(left, scope)?;
        match operator {
            Binary::Or if left.is_true() => return Ok(left),
            Binary::And if !left.is_true() => return Ok(left),
            _ => {}
        }
        let right = self.evaluate(right, scope)?;
        let numbers = || (left.to_number(), right.to_number());
        Ok(match operator {
            Binary::Or | Binary::And => right,
            Binary::In => Value::Bool(contains(&right, &left)?),
            Binary::Concat => {
                let (left, right) = (left.to_text(), right.to_text());
                self.spend(left.len() + right.len())?;
                Value::text(format!("{left}{right}"))
            }
            Binary::Add => {
                let sum = left.plus(&right);
                if let Value::Text(text) = &sum {
                    self.spend(text.len())?;
                }
                sum
            }
            Binary::Subtract => Value::Number(numbers().0 - numbers().1),
            Binary::Multiply => Value::Number(numbers().0 * numbers().1),
            Binary::Divide => Value::Number(numbers().0 / numbers().1),
            Binary::FloorDivide => Value::Number((numbers().0 / numbers().1).floor()),
            Binary::Remainder => Value::Number(numbers().0 % numbers().1),
            Binary::Power => Value::Number(numbers().0.powf(numbers().1)),
        })
    }

    fn filter(&self, filter: &Filter, subject: Value, scope: &Rc<Scope>) -> Outcome<Value> {
        let given = self.given(&filter.arguments, scope)?;
        filters::apply(self, &filter.name, &subject, &given).map_err(|stop| stop.placed(filter.place))
    }

    fn call(&self, callee: &Value, given: Given, expression: &Expression) -> Outcome<Value> {
        let Value::Function(function) = callee else {
            let what = if callee.is_true() { "is not a function" } else { "is nothing, and cannot be called" };
            return Err(Stop::new(format!("`{}` {what}", name_of(expression))));
        };
        match &**function {
            Function::Macro(definition, scope) => self
                .deeper(|| self.expand(definition, scope.as_ref(), given))
                .map_err(|stop| stop.placed(definition.place)),
            Function::Method(receiver, name) => methods::call(self, receiver, name, &given),
            Function::Global(name) => self.global(name, given),
            Function::Constant(answer) => Ok(Value::Bool(*answer)),
            Function::Cycler { .. } => Ok(Value::Undefined),
            Function::Joiner { separator, is_used } => {
                Ok(if is_used.replace(true) { Value::Text(separator.clone()) } else { Value::text("") })
            }
        }
    }

    fn expand(&self, definition: &Macro, scope: Option<&Rc<Scope>>, given: Given) -> Outcome<Value> {
        let Macro { parameters, defaults, body, .. } = definition;
        let scope = scope.map_or_else(Scope::alone, |scope| scope.within(true));
        let Given { positional, mut named } = given;
        let mut positional = positional.into_iter();
        let mut taken = |name: &Rc<str>| {
            let at = named.iter().position(|(key, _)| key == name)?;
            Some(named.swap_remove(at).1)
        };
        for name in parameters {
            let value = positional.next().or_else(|| taken(name)).unwrap_or(Value::Undefined);
            scope.define(name, value);
        }
        for (name, default) in defaults {
            let value = match positional.next().or_else(|| taken(name)) {
                Some(value) => value,
                None => self.evaluate(default, &scope)?,
            };
            scope.define(name, value);
        }
        if let Some(caller) = taken(&"caller".into()) {
            scope.define(&"caller".into(), caller);
        }
        self.captured(body, &scope)
    }

    fn global(&self, name: &str, given: Given) -> Outcome<Value> {
        match name {
            "range" => {
                let numbers: Vec<f64> = given.positional.iter().map(Value::to_number).collect();
                let (from, to, by) = match numbers[..] {
                    [to] => (0.0, to, 1.0),
                    [from, to] => (from, to, 1.0),
                    [from, to, by, ..] => (from, to, by),
                    [] => return Err(Stop::new("`range` needs to know how far")),
                };
                if by == 0.0 || [from, to, by].iter().any(|number| !number.is_finite()) {
                    return Err(Stop::new("`range` needs numbers, and a distance that is not 0"));
                }
                let mut items = Vec::new();
                let mut next = from;
                while if by > 0.0 { next < to } else { next > to } {
                    self.step()?;
                    items.push(Value::Number(next));
                    next += by;
                }
                Ok(Value::list(items))
            }
            "cycler" => {
                let at = std::cell::RefCell::new(None);
                Ok(Value::function(Function::Cycler { items: given.positional, at }))
            }
            _ => {
                let separator = match given.get(0, "separator") {
                    Value::Undefined => ",".into(),
                    other => other.to_text(),
                };
                Ok(Value::function(Function::Joiner { separator, is_used: false.into() }))
            }
        }
    }
}

/// The values of each turn of a loop. Several targets take an item apart, or key and value.
fn turns(targets: &[Rc<str>], over: &Value) -> Vec<Vec<Value>> {
    let is_one = targets.len() == 1;
    match over {
        Value::List(items) if is_one => items.borrow().iter().map(|item| vec![item.clone()]).collect(),
        Value::List(items) => items
            .borrow()
            .iter()
            .map(|item| match item {
                Value::List(parts) => parts.borrow().clone(),
                other => methods::items(other),
            })
            .collect(),
        Value::Object(fields) if !is_one => {
            fields.borrow().iter().map(|(key, value)| vec![Value::Text(key.clone()), value.clone()]).collect()
        }
        Value::Text(text) if is_one => text.chars().map(|sign| vec![Value::text(sign.to_string())]).collect(),
        _ => Vec::new(),
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => left.is_equal(right),
        Comparison::NotEqual => !left.is_equal(right),
        Comparison::Same => left.is_same(right),
        Comparison::NotSame => !left.is_same(right),
        Comparison::Less => left.order(right).is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => left.order(right).is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => left.order(right).is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => left.order(right).is_some_and(std::cmp::Ordering::is_ge),
    }
}

fn contains(of: &Value, wanted: &Value) -> Outcome<bool> {
    match of {
        Value::List(items) => Ok(items.borrow().iter().any(|item| item.is_same(wanted))),
        Value::Text(text) => Ok(text.contains(&*wanted.to_text())),
        Value::Object(fields) => Ok(fields.borrow().contains_key(&*wanted.to_text())),
        other => Err(Stop::new(format!("`in` looks into a list, an object or a text, not into {}", other.kind()))),
    }
}

/// How an expression is written, as far as messages need it.
fn name_of(expression: &Expression) -> String {
    match &expression.kind {
        Kind::Name(name) => name.to_string(),
        Kind::Lookup(of, key) => match &key.kind {
            Kind::Text(key) => format!("{}.{key}", name_of(of)),
            _ => format!("{}[…]", name_of(of)),
        },
        _ => "this".to_owned(),
    }
}
