//! Tokens to nodes, with the grammar and the precedences of Nunjucks 3.2.4.

use std::rc::Rc;

use super::Fault;
use super::lexer::{Lexer, Style, Token};
use super::syntax::{Arguments, Binary, Comparison, Expression, Filter, Flags, Kind, Macro, Node, Place, Unary};

/// Blocks and brackets within each other.
const DEEPEST: usize = 48;
/// Operators, look-ups and filters after each other: `a.b | c ~ d` has three.
const LONGEST_CHAIN: usize = 100;
/// The same in all of a tag.
const MOST_LINKS: usize = 2000;
/// Bytes that the program of a regular expression may take.
const REGEX_SIZE: usize = 1 << 20;

/// Binary operators that only chain with themselves, from loose to tight.
const LEVELS: [(&str, Binary); 8] = [
    ("~", Binary::Concat),
    ("+", Binary::Add),
    ("-", Binary::Subtract),
    ("*", Binary::Multiply),
    ("/", Binary::Divide),
    ("//", Binary::FloorDivide),
    ("%", Binary::Remainder),
    ("**", Binary::Power),
];

/// # Errors
/// The first fault, with its place.
pub(super) fn parse(text: &str, style: Style) -> Result<Vec<Node>, Fault> {
    let mut parser =
        Parser { lexer: Lexer::new(text, style), text, peeked: None, trims_next: false, depth: 0, chain: 0, links: 0 };
    let (nodes, end) = parser.nodes(&[])?;
    debug_assert!(end.is_empty());
    Ok(nodes)
}

/// Names, and names with what they are when nothing is given.
type Parameters = (Vec<Rc<str>>, Vec<(Rc<str>, Expression)>);

struct Parser<'t> {
    lexer: Lexer<'t>,
    text: &'t str,
    peeked: Option<(Token, Place)>,
    /// The tag before drops the white space that begins the next data.
    trims_next: bool,
    depth: usize,
    chain: usize,
    links: usize,
}

impl Parser<'_> {
    fn take(&mut self) -> Result<(Token, Place), Fault> {
        if let Some(token) = self.peeked.take() {
            return Ok(token);
        }
        self.lexer.skip_space();
        let place = self.lexer.place();
        Ok((self.lexer.next()?, place))
    }

    fn peek(&mut self) -> Result<&Token, Fault> {
        let token = self.take()?;
        Ok(&self.peeked.insert(token).0)
    }

    fn place(&mut self) -> Result<Place, Fault> {
        let token = self.take()?;
        Ok(self.peeked.insert(token).1)
    }

    fn fault<T>(&mut self, message: impl Into<String>) -> Result<T, Fault> {
        let place = self.place()?;
        Err(Fault::at(self.text, place, message))
    }

    fn unexpected<T>(&mut self, wanted: &str) -> Result<T, Fault> {
        let found = match self.peek()? {
            Token::End => "the end".to_owned(),
            Token::Name(name) => format!("`{name}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Text(text) => format!("the text \"{}\"", text.chars().take(40).collect::<String>()),
            Token::Number(number) => number.to_string(),
            Token::BlockEnd { .. } => "`%}`".to_owned(),
            Token::VariableEnd { .. } => "`}}`".to_owned(),
            _ => "something else".to_owned(),
        };
        self.fault(format!("expected {wanted}, found {found}"))
    }

    fn takes_sign(&mut self, wanted: &str) -> Result<bool, Fault> {
        let found = matches!(self.peek()?, Token::Sign(sign) if *sign == wanted);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn takes_word(&mut self, wanted: &str) -> Result<bool, Fault> {
        let found = matches!(self.peek()?, Token::Name(name) if &**name == wanted);
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn name(&mut self, of: &str) -> Result<Rc<str>, Fault> {
        match self.take()? {
            (Token::Name(name), _) => Ok(name),
            other => {
                self.peeked = Some(other);
                self.unexpected(of)
            }
        }
    }

    /// Runs one level deeper.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            return self.fault(format!("more than {DEEPEST} blocks or brackets within each other"));
        }
        self.depth += 1;
        let answer = read(self);
        self.depth -= 1;
        answer
    }

    fn link(&mut self) -> Result<(), Fault> {
        self.chain += 1;
        self.links += 1;
        if self.links > MOST_LINKS {
            return self.fault(format!("more than {MOST_LINKS} operators in one tag"));
        }
        if self.chain > LONGEST_CHAIN {
            return self.fault(format!("more than {LONGEST_CHAIN} operators after each other"));
        }
        Ok(())
    }

    fn block_end(&mut self) -> Result<(), Fault> {
        match self.take()? {
            (Token::BlockEnd { trims }, _) => {
                self.trims_next = trims;
                Ok(())
            }
            other => {
                self.peeked = Some(other);
                self.unexpected("`%}`")
            }
        }
    }

    /// Nodes up to a block with one of these names, whose name is consumed and answered.
    /// Without names, up to the end of the text.
    fn nodes(&mut self, until: &[&str]) -> Result<(Vec<Node>, Rc<str>), Fault> {
        let mut nodes = Vec::new();
        loop {
            match self.take()? {
                (Token::End, place) => {
                    if until.is_empty() {
                        return Ok((nodes, "".into()));
                    }
                    let wanted = until.iter().map(|name| format!("`{{% {name} %}}`")).collect::<Vec<_>>().join(" or ");
                    return Err(Fault::at(self.text, place, format!("the text ends, and {wanted} is missing")));
                }
                (Token::Data(mut data), _) => {
                    if std::mem::take(&mut self.trims_next) {
                        data = data.trim_start().to_owned();
                    }
                    let (Token::BlockStart { trims }
                    | Token::VariableStart { trims }
                    | Token::Comment { trims_before: trims, .. }) = *self.peek()?
                    else {
                        nodes.push(Node::Text(data));
                        continue;
                    };
                    if trims {
                        data.truncate(data.trim_end().len());
                    }
                    if !data.is_empty() {
                        nodes.push(Node::Text(data));
                    }
                }
                (Token::Comment { trims_after, .. }, _) => self.trims_next = trims_after,
                (Token::VariableStart { .. }, _) => {
                    self.links = 0;
                    let expression = self.expression()?;
                    match self.take()? {
                        (Token::VariableEnd { trims }, _) => self.trims_next = trims,
                        other => {
                            self.peeked = Some(other);
                            return self.unexpected("`}}`");
                        }
                    }
                    nodes.push(Node::Output(expression));
                }
                (Token::BlockStart { .. }, place) => {
                    self.links = 0;
                    let tag = self.name("the name of a block")?;
                    if until.contains(&&*tag) {
                        return Ok((nodes, tag));
                    }
                    nodes.push(self.within(|parser| parser.block(&tag, place))?);
                }
                other => {
                    self.peeked = Some(other);
                    return self.unexpected("a text or a tag");
                }
            }
        }
    }

    fn block(&mut self, tag: &str, place: Place) -> Result<Node, Fault> {
        match tag {
            "if" => self.branches(),
            "for" => self.repeat(),
            "set" => self.set(),
            "macro" => self.definition(place),
            "call" => self.call(place),
            "filter" => self.filtered(),
            "switch" => self.switch(),
            "raw" | "verbatim" => {
                self.block_end()?;
                Ok(Node::Text(self.lexer.raw(tag)?))
            }
            "block" => {
                self.name("the name of the block")?;
                self.block_end()?;
                let (body, _) = self.nodes(&["endblock"])?;
                if !matches!(self.peek()?, Token::BlockEnd { .. }) {
                    self.name("`%}`")?;
                }
                self.block_end()?;
                Ok(Node::Block(body))
            }
            "include" | "import" | "from" | "extends" => {
                Err(Fault::at(self.text, place, format!("`{tag}` reads another file, which templates do not")))
            }
            _ => Err(Fault::at(self.text, place, format!("no block is named `{tag}`"))),
        }
    }

    fn branches(&mut self) -> Result<Node, Fault> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.expression()?;
            self.block_end()?;
            let (body, next) = self.nodes(&["elif", "elseif", "else", "endif"])?;
            branches.push((condition, body));
            match &*next {
                "elif" | "elseif" => continue,
                "else" => {
                    self.block_end()?;
                    otherwise = self.nodes(&["endif"])?.0;
                }
                _ => {}
            }
            self.block_end()?;
            return Ok(Node::If { branches, otherwise });
        }
    }

    fn repeat(&mut self) -> Result<Node, Fault> {
        let mut targets = vec![self.name("the name of a variable")?];
        while self.takes_sign(",")? {
            targets.push(self.name("the name of a variable")?);
        }
        if !self.takes_word("in")? {
            return self.unexpected("`in`");
        }
        let over = self.expression()?;
        self.block_end()?;
        let (body, next) = self.nodes(&["endfor", "else"])?;
        let mut otherwise = Vec::new();
        if &*next == "else" {
            self.block_end()?;
            otherwise = self.nodes(&["endfor"])?.0;
        }
        self.block_end()?;
        Ok(Node::For { targets, over, body, otherwise })
    }

    fn set(&mut self) -> Result<Node, Fault> {
        let mut targets = vec![self.name("the name of a variable")?];
        while self.takes_sign(",")? {
            targets.push(self.name("the name of a variable")?);
        }
        if self.takes_sign("=")? {
            let value = self.expression()?;
            self.block_end()?;
            return Ok(Node::Set { targets, value });
        }
        self.block_end()?;
        let (body, _) = self.nodes(&["endset"])?;
        self.block_end()?;
        Ok(Node::Capture { targets, body })
    }

    fn parameters(&mut self) -> Result<Parameters, Fault> {
        let (mut parameters, mut defaults) = (Vec::new(), Vec::new());
        if !self.takes_sign("(")? {
            return self.unexpected("`(`");
        }
        while !self.takes_sign(")")? {
            if !(parameters.is_empty() && defaults.is_empty() || self.takes_sign(",")?) {
                return self.unexpected("`,` or `)`");
            }
            let name = self.name("the name of a parameter")?;
            if self.takes_sign("=")? {
                defaults.push((name, self.expression()?));
            } else {
                parameters.push(name);
            }
        }
        Ok((parameters, defaults))
    }

    fn definition(&mut self, place: Place) -> Result<Node, Fault> {
        let name = self.name("the name of the macro")?;
        let (parameters, defaults) = self.parameters()?;
        self.block_end()?;
        let (body, _) = self.nodes(&["endmacro"])?;
        self.block_end()?;
        Ok(Node::Macro(Rc::new(Macro { name, parameters, defaults, body, place })))
    }

    fn call(&mut self, place: Place) -> Result<Node, Fault> {
        let has_parameters = matches!(self.peek()?, Token::Sign("("));
        let (parameters, defaults) = if has_parameters { self.parameters()? } else { Default::default() };
        let call = self.primary()?;
        let call = self.postfix(call)?;
        if !matches!(call.kind, Kind::Call(..)) {
            return self.unexpected("the call of a macro");
        }
        self.block_end()?;
        let (body, _) = self.nodes(&["endcall"])?;
        self.block_end()?;
        let caller = Rc::new(Macro { name: "caller".into(), parameters, defaults, body, place });
        Ok(Node::Call { call, caller })
    }

    fn filtered(&mut self) -> Result<Node, Fault> {
        let filter = self.filter()?;
        self.block_end()?;
        let (body, _) = self.nodes(&["endfilter"])?;
        self.block_end()?;
        Ok(Node::Filtered { filter, body })
    }

    fn switch(&mut self) -> Result<Node, Fault> {
        const ENDS: [&str; 3] = ["case", "default", "endswitch"];
        let subject = self.expression()?;
        self.block_end()?;
        // What stands before the first case is not part of any.
        let (_, mut next) = self.nodes(&ENDS)?;
        let (mut cases, mut default) = (Vec::new(), Vec::new());
        loop {
            match &*next {
                "case" => {
                    let value = self.expression()?;
                    self.block_end()?;
                    let (body, end) = self.nodes(&ENDS)?;
                    cases.push((value, body));
                    next = end;
                }
                "default" => {
                    self.block_end()?;
                    (default, next) = self.nodes(&ENDS)?;
                }
                _ => {
                    self.block_end()?;
                    return Ok(Node::Switch { subject, cases, default });
                }
            }
        }
    }

    fn expression(&mut self) -> Result<Expression, Fault> {
        let chain = std::mem::take(&mut self.chain);
        let expression = self.within(|parser| {
            let then = parser.either()?;
            if !parser.takes_word("if")? {
                return Ok(then);
            }
            let place = then.place;
            let condition = Box::new(parser.either()?);
            let otherwise = if parser.takes_word("else")? { Some(Box::new(parser.either()?)) } else { None };
            Ok(Expression { kind: Kind::InlineIf { then: Box::new(then), condition, otherwise }, place })
        });
        self.chain = chain;
        expression
    }

    fn joined(&mut self, operator: Binary, left: Expression, right: Expression) -> Result<Expression, Fault> {
        self.link()?;
        let place = left.place;
        Ok(Expression { kind: Kind::Binary(operator, Box::new(left), Box::new(right)), place })
    }

    fn either(&mut self) -> Result<Expression, Fault> {
        let mut left = self.both()?;
        while self.takes_word("or")? {
            let right = self.both()?;
            left = self.joined(Binary::Or, left, right)?;
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, Fault> {
        let mut left = self.negated()?;
        while self.takes_word("and")? {
            let right = self.negated()?;
            left = self.joined(Binary::And, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self, operator: Unary, operand: Expression) -> Expression {
        let place = operand.place;
        Expression { kind: Kind::Unary(operator, Box::new(operand)), place }
    }

    fn negated(&mut self) -> Result<Expression, Fault> {
        if self.takes_word("not")? {
            self.link()?;
            let operand = self.within(Self::negated)?;
            return Ok(self.unary(Unary::Not, operand));
        }
        let mut left = self.tested()?;
        loop {
            let inverts = self.takes_word("not")?;
            if !self.takes_word("in")? {
                return if inverts { self.unexpected("`in`") } else { Ok(left) };
            }
            let right = self.tested()?;
            left = self.joined(Binary::In, left, right)?;
            if inverts {
                left = self.unary(Unary::Not, left);
            }
        }
    }

    fn tested(&mut self) -> Result<Expression, Fault> {
        let left = self.compared()?;
        if !self.takes_word("is")? {
            return Ok(left);
        }
        let inverts = self.takes_word("not")?;
        let place = self.place()?;
        let name = match self.take()?.0 {
            Token::Name(name) => name,
            Token::Null => "null".into(),
            _ => return Err(Fault::at(self.text, place, "expected the name of a test after `is`")),
        };
        let arguments = self.arguments_if_any()?;
        let place = left.place;
        let test = Expression { kind: Kind::Test(Box::new(left), Filter { name, arguments, place }), place };
        Ok(if inverts { self.unary(Unary::Not, test) } else { test })
    }

    fn compared(&mut self) -> Result<Expression, Fault> {
        let first = self.level(0)?;
        let mut others = Vec::new();
        while let Token::Sign(sign) = self.peek()? {
            let comparison = match *sign {
                "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "===" => Comparison::Same,
                "!==" => Comparison::NotSame,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => break,
            };
            self.peeked = None;
            self.link()?;
            others.push((comparison, self.level(0)?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        let place = first.place;
        Ok(Expression { kind: Kind::Compare(Box::new(first), others), place })
    }

    /// Operators that bind at least as tightly as this level.
    fn level(&mut self, loosest: usize) -> Result<Expression, Fault> {
        let mut left = self.signed(true)?;
        loop {
            let Token::Sign(sign) = *self.peek()? else { return Ok(left) };
            let found = LEVELS.iter().position(|(own, _)| *own == sign).filter(|level| *level >= loosest);
            let Some(level) = found else { return Ok(left) };
            self.peeked = None;
            let right = self.level(level + 1)?;
            left = self.joined(LEVELS[level].1, left, right)?;
        }
    }

    fn signed(&mut self, filters: bool) -> Result<Expression, Fault> {
        let operator =
            if self.takes_sign("-")? { Some(Unary::Minus) } else { self.takes_sign("+")?.then_some(Unary::Plus) };
        let mut value = if let Some(operator) = operator {
            let operand = self.within(|parser| parser.signed(false))?;
            self.unary(operator, operand)
        } else {
            let primary = self.primary()?;
            self.postfix(primary)?
        };
        while filters && self.takes_sign("|")? {
            self.link()?;
            let filter = self.filter()?;
            let place = value.place;
            value = Expression { kind: Kind::Filter(Box::new(value), filter), place };
        }
        Ok(value)
    }

    fn filter(&mut self) -> Result<Filter, Fault> {
        let place = self.place()?;
        let mut name = self.name("the name of a filter")?;
        while self.takes_sign(".")? {
            name = format!("{name}.{}", self.name("the name of a filter")?).into();
        }
        Ok(Filter { name, arguments: self.arguments_if_any()?, place })
    }

    fn primary(&mut self) -> Result<Expression, Fault> {
        let (token, place) = self.take()?;
        let kind = match token {
            Token::Text(text) => Kind::Text(text),
            Token::Number(number) => Kind::Number(number),
            Token::Bool(bool) => Kind::Bool(bool),
            Token::Null => Kind::Null,
            Token::Name(name) => Kind::Name(name),
            Token::Regex(pattern, flags) => {
                let regex = regex::RegexBuilder::new(&pattern)
                    .case_insensitive(flags.contains('i'))
                    .multi_line(flags.contains('m'))
                    .size_limit(REGEX_SIZE)
                    .build()
                    .map_err(|error| Fault::at(self.text, place, regex_fault(&error)))?;
                Kind::Regex(Rc::new(regex), Flags { global: flags.contains('g') })
            }
            Token::Sign("(") => Kind::Group(self.list(")")?),
            Token::Sign("[") => Kind::List(self.list("]")?),
            Token::Sign("{") => Kind::Object(self.pairs()?),
            other => {
                self.peeked = Some((other, place));
                return self.unexpected("a value");
            }
        };
        Ok(Expression { kind, place })
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expression>, Fault> {
        let mut items = Vec::new();
        while !self.takes_sign(end)? {
            if !(items.is_empty() || self.takes_sign(",")?) {
                return self.unexpected(&format!("`,` or `{end}`"));
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn pairs(&mut self) -> Result<Vec<(Rc<str>, Expression)>, Fault> {
        let mut pairs = Vec::new();
        while !self.takes_sign("}")? {
            if !(pairs.is_empty() || self.takes_sign(",")?) {
                return self.unexpected("`,` or `}`");
            }
            let key = match self.take()? {
                (Token::Name(key) | Token::Text(key), _) => key,
                other => {
                    self.peeked = Some(other);
                    return self.unexpected("a key");
                }
            };
            if !self.takes_sign(":")? {
                return self.unexpected("`:` after the key");
            }
            pairs.push((key, self.expression()?));
        }
        Ok(pairs)
    }

    fn postfix(&mut self, mut value: Expression) -> Result<Expression, Fault> {
        loop {
            let place = value.place;
            let kind = match self.peek()? {
                Token::Sign("(") => {
                    let arguments = self.arguments_if_any()?;
                    Kind::Call(Box::new(value), arguments)
                }
                Token::Sign("[") => {
                    self.peeked = None;
                    self.index(value)?
                }
                Token::Sign(".") => {
                    self.peeked = None;
                    let key_place = self.place()?;
                    let key = self.name("a name after `.`")?;
                    let key = Expression { kind: Kind::Text(key), place: key_place };
                    Kind::Lookup(Box::new(value), Box::new(key))
                }
                _ => return Ok(value),
            };
            self.link()?;
            value = Expression { kind, place };
        }
    }

    /// What follows `[`: an index, or the bounds of a slice.
    fn index(&mut self, value: Expression) -> Result<Kind, Fault> {
        let mut bounds = [None, None, None];
        let mut colons = 0;
        loop {
            if self.takes_sign("]")? {
                break;
            }
            if self.takes_sign(":")? {
                colons += 1;
                if colons == bounds.len() {
                    return self.unexpected("`]`");
                }
            } else if bounds[colons].is_none() {
                bounds[colons] = Some(Box::new(self.expression()?));
            } else {
                return self.unexpected("`]`");
            }
        }
        match bounds {
            _ if colons > 0 => Ok(Kind::Slice(Box::new(value), bounds)),
            [Some(index), ..] => Ok(Kind::Lookup(Box::new(value), index)),
            _ => self.unexpected("an index"),
        }
    }

    fn arguments_if_any(&mut self) -> Result<Arguments, Fault> {
        let mut arguments = Arguments::default();
        if !self.takes_sign("(")? {
            return Ok(arguments);
        }
        while !self.takes_sign(")")? {
            let is_first = arguments.positional.is_empty() && arguments.named.is_empty();
            if !(is_first || self.takes_sign(",")?) {
                return self.unexpected("`,` or `)`");
            }
            let value = self.expression()?;
            match value.kind {
                Kind::Name(name) if self.takes_sign("=")? => arguments.named.push((name, self.expression()?)),
                kind => arguments.positional.push(Expression { kind, place: value.place }),
            }
        }
        Ok(arguments)
    }
}

fn regex_fault(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "a regular expression that is too large".to_owned(),
        _ => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            format!("not a regular expression: {}", reason.trim_start_matches("error: "))
        }
    }
}
