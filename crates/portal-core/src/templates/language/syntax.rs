//! What a template is once it is read: nodes, and the expressions within them.

use std::rc::Rc;

/// Offset into the text of the template, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Output(Expression),
    If {
        branches: Vec<(Expression, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    For {
        targets: Vec<Rc<str>>,
        over: Expression,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Set {
        targets: Vec<Rc<str>>,
        value: Expression,
    },
    Capture {
        targets: Vec<Rc<str>>,
        body: Vec<Node>,
    },
    Macro(Rc<Macro>),
    Call {
        call: Expression,
        caller: Rc<Macro>,
    },
    /// The output of the body, passed through a filter.
    Filtered {
        filter: Filter,
        body: Vec<Node>,
    },
    Switch {
        subject: Expression,
        cases: Vec<(Expression, Vec<Node>)>,
        default: Vec<Node>,
    },
    Block(Vec<Node>),
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Rc<str>,
    pub(super) parameters: Vec<Rc<str>>,
    pub(super) defaults: Vec<(Rc<str>, Expression)>,
    pub(super) body: Vec<Node>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: Rc<str>,
    pub(super) arguments: Arguments,
    pub(super) place: Place,
}

#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Expression>,
    pub(super) named: Vec<(Rc<str>, Expression)>,
}

#[derive(Debug)]
pub(super) struct Expression {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text(Rc<str>),
    Number(f64),
    Bool(bool),
    Null,
    Regex(Rc<regex::Regex>, Flags),
    Name(Rc<str>),
    /// In brackets; of several, the last counts, as with the comma of JavaScript.
    Group(Vec<Expression>),
    List(Vec<Expression>),
    Object(Vec<(Rc<str>, Expression)>),
    Lookup(Box<Expression>, Box<Expression>),
    Slice(Box<Expression>, [Option<Box<Expression>>; 3]),
    Call(Box<Expression>, Arguments),
    Filter(Box<Expression>, Filter),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    Test(Box<Expression>, Filter),
    InlineIf {
        then: Box<Expression>,
        condition: Box<Expression>,
        otherwise: Option<Box<Expression>>,
    },
}

/// Of a regular expression: whether it replaces every match, or the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) global: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    In,
    Concat,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Node {
    /// Whether an expression of this node, or of one within it, calls one of these functions.
    pub(super) fn calls(&self, functions: &[&str]) -> bool {
        let any = |nodes: &[Node]| nodes.iter().any(|node| node.calls(functions));
        match self {
            Node::Text(_) => false,
            Node::Output(expression) | Node::Set { value: expression, .. } => expression.calls(functions),
            Node::If { branches, otherwise } => {
                any(otherwise) || branches.iter().any(|(condition, body)| condition.calls(functions) || any(body))
            }
            Node::For { over, body, otherwise, .. } => over.calls(functions) || any(body) || any(otherwise),
            Node::Capture { body, .. } | Node::Filtered { body, .. } | Node::Block(body) => any(body),
            Node::Macro(definition) => any(&definition.body),
            Node::Call { call, caller } => call.calls(functions) || any(&caller.body),
            Node::Switch { subject, cases, default } => {
                subject.calls(functions) || any(default) || cases.iter().any(|(_, body)| any(body))
            }
        }
    }
}

impl Expression {
    fn calls(&self, functions: &[&str]) -> bool {
        let any = |parts: &[Expression]| parts.iter().any(|part| part.calls(functions));
        let of = |arguments: &Arguments| {
            any(&arguments.positional) || arguments.named.iter().any(|(_, value)| value.calls(functions))
        };
        match &self.kind {
            Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null | Kind::Regex(..) | Kind::Name(_) => false,
            Kind::Group(parts) | Kind::List(parts) => any(parts),
            Kind::Object(pairs) => pairs.iter().any(|(_, value)| value.calls(functions)),
            Kind::Lookup(left, right) | Kind::Binary(_, left, right) => left.calls(functions) || right.calls(functions),
            Kind::Slice(of, bounds) => {
                of.calls(functions) || bounds.iter().flatten().any(|bound| bound.calls(functions))
            }
            Kind::Call(callee, arguments) => {
                let is_named = matches!(&callee.kind, Kind::Name(name) if functions.contains(&&**name));
                is_named || callee.calls(functions) || of(arguments)
            }
            Kind::Filter(subject, filter) | Kind::Test(subject, filter) => {
                subject.calls(functions) || of(&filter.arguments)
            }
            Kind::Unary(_, operand) => operand.calls(functions),
            Kind::Compare(first, others) => {
                first.calls(functions) || others.iter().any(|(_, other)| other.calls(functions))
            }
            Kind::InlineIf { then, condition, otherwise } => {
                let otherwise = otherwise.as_deref();
                then.calls(functions)
                    || condition.calls(functions)
                    || otherwise.is_some_and(|part| part.calls(functions))
            }
        }
    }
}
