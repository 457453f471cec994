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

impl Arguments {
    fn all(&self) -> impl Iterator<Item = &Expression> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

impl Node {
    /// Whether this holds for an expression of this node, or of one within it.
    pub(super) fn any(&self, holds: &mut dyn FnMut(&Expression) -> bool) -> bool {
        fn within(nodes: &[Node], holds: &mut dyn FnMut(&Expression) -> bool) -> bool {
            nodes.iter().any(|node| node.any(holds))
        }
        match self {
            Node::Text(_) => false,
            Node::Output(expression) | Node::Set { value: expression, .. } => expression.any(holds),
            Node::If { branches, otherwise } => {
                within(otherwise, holds)
                    || branches.iter().any(|(condition, body)| condition.any(holds) || within(body, holds))
            }
            Node::For { over, body, otherwise, .. } => {
                within(body, holds) || within(otherwise, holds) || over.any(holds)
            }
            Node::Capture { body, .. } | Node::Filtered { body, .. } | Node::Block(body) => within(body, holds),
            Node::Macro(definition) => within(&definition.body, holds),
            Node::Call { call, caller } => within(&caller.body, holds) || call.any(holds),
            Node::Switch { subject, cases, default } => {
                within(default, holds)
                    || cases.iter().any(|(case, body)| case.any(holds) || within(body, holds))
                    || subject.any(holds)
            }
        }
    }
}

impl Expression {
    fn any(&self, holds: &mut dyn FnMut(&Expression) -> bool) -> bool {
        if holds(self) {
            return true;
        }
        let mut of =
            |mut parts: &mut dyn Iterator<Item = &Expression>| Iterator::any(&mut parts, |part| part.any(holds));
        match &self.kind {
            Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null | Kind::Regex(..) | Kind::Name(_) => false,
            Kind::Group(parts) | Kind::List(parts) => of(&mut parts.iter()),
            Kind::Object(pairs) => of(&mut pairs.iter().map(|(_, value)| value)),
            Kind::Lookup(left, right) | Kind::Binary(_, left, right) => of(&mut [&**left, right].into_iter()),
            Kind::Slice(list, bounds) => {
                of(&mut std::iter::once(&**list).chain(bounds.iter().flatten().map(|bound| &**bound)))
            }
            Kind::Call(callee, arguments) => of(&mut std::iter::once(&**callee).chain(arguments.all())),
            Kind::Filter(subject, Filter { arguments, .. }) | Kind::Test(subject, Filter { arguments, .. }) => {
                of(&mut std::iter::once(&**subject).chain(arguments.all()))
            }
            Kind::Unary(_, operand) => of(&mut std::iter::once(&**operand)),
            Kind::Compare(first, others) => {
                of(&mut std::iter::once(&**first).chain(others.iter().map(|(_, other)| other)))
            }
            Kind::InlineIf { then, condition, otherwise } => {
                of(&mut [&**then, condition].into_iter().chain(otherwise.as_deref()))
            }
        }
    }
}
