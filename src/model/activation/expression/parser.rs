//! This module parses expressions by precedence climbing.

use std::ops::Range;

use super::super::error::{ExpressionError, excerpt, nearest};
use super::super::op::{Binary, Unary};
use super::{Expression, MAX_DEPTH, MAX_LENGTH, Node, SIGN, operator};

/// `Name` says what a name stands for.
#[derive(Debug, Clone, Copy)]
enum Name {
    Value(Node),
    Unary(Unary),
    Binary(Binary),
}

/// Lists all names, the likeliest first.
fn names() -> impl Iterator<Item = (&'static str, Name)> {
    let values = [
        ("z", Node::Z),
        ("v", Node::V),
        ("pi", Node::Pi),
        ("e", Node::E),
    ];
    let unary = Unary::ALL.into_iter().filter(|&op| op != Unary::Neg);
    let binary = [Binary::Min, Binary::Max];
    values
        .into_iter()
        .map(|(name, node)| (name, Name::Value(node)))
        .chain(unary.map(|op| (op.name(), Name::Unary(op))))
        .chain(binary.map(|op| (op.name(), Name::Binary(op))))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Number(f64),
    Name,
    Sign(char),
}

/// `Parser` holds what is read so far, and the token that comes next.
pub(super) struct Parser<'a> {
    source: &'a str,
    nodes: Vec<Node>,
    places: Vec<Range<usize>>,
    depth: usize,
    /// The next token; `None` at the end, where the place is empty.
    next: Option<Token>,
    place: Range<usize>,
}

impl<'a> Parser<'a> {
    pub fn new(source: &'a str) -> Result<Self, ExpressionError> {
        let mut parser = Self {
            source,
            nodes: vec![],
            places: vec![],
            depth: 0,
            next: None,
            place: 0..0,
        };
        if source.len() > MAX_LENGTH {
            let message = format!("this is longer than {MAX_LENGTH} bytes");
            // The first character beyond.
            let beyond = |&(at, _): &(usize, char)| at + 1 > MAX_LENGTH;
            let at = source.char_indices().find(beyond);
            let at = at.map_or(source.len(), |(at, _)| at);
            return Err(parser.error(at..source.len(), message));
        }
        parser.advance()?;
        Ok(parser)
    }

    pub fn expression(mut self) -> Result<Expression, ExpressionError> {
        if self.next.is_none() {
            let message = "the expression is empty; write one in z, such as tanh(z)";
            return Err(self.error(self.place.clone(), message));
        }
        self.operation(0)?;
        match self.next {
            None => Ok(Expression {
                source: self.source.into(),
                nodes: self.nodes,
                places: self.places,
            }),
            Some(Token::Sign(')')) => Err(self.here("this parenthesis closes none")),
            Some(Token::Sign(',')) => {
                Err(self.here("a comma stands between arguments only; decimals have a point"))
            }
            Some(_) => Err(self.here("an operator is missing before this, such as *")),
        }
    }

    /// Reads operators that bind at least as tightly as `least`, with their operands.
    fn operation(&mut self, least: u8) -> Result<usize, ExpressionError> {
        if self.depth == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} parentheses, signs and powers are nested");
            return Err(self.here(message));
        }
        self.depth += 1;
        let mut left = self.operand()?;
        while let Some((op, binding)) = self.operator().filter(|&(_, binding)| binding >= least) {
            self.advance()?;
            if op == Binary::Mul && self.next == Some(Token::Sign('*')) {
                return Err(self.here("powers are written with ^"));
            }
            let right = self.operation(match op {
                // To the right of ^ signs may stand, and further powers come first.
                Binary::Pow => SIGN,
                _ => binding + 1,
            })?;
            let place = self.places[left].start..self.places[right].end;
            left = self.push(Node::Binary(op, left, right), place);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Binary, u8)> {
        let op = match self.next? {
            Token::Sign('+') => Binary::Add,
            Token::Sign('-') => Binary::Sub,
            Token::Sign('*') => Binary::Mul,
            Token::Sign('/') => Binary::Div,
            Token::Sign('^') => Binary::Pow,
            _ => return None,
        };
        operator(op).map(|binding| (op, binding))
    }

    fn operand(&mut self) -> Result<usize, ExpressionError> {
        let place = self.place.clone();
        match self.next {
            None => Err(self.here("the expression ends where an operand should follow")),
            Some(Token::Number(x)) => {
                self.advance()?;
                Ok(self.push(Node::Number(x), place))
            }
            Some(Token::Name) => self.name(),
            Some(Token::Sign('+')) => {
                self.advance()?;
                self.operation(SIGN)
            }
            Some(Token::Sign('-')) => {
                self.advance()?;
                let operand = self.operation(SIGN)?;
                let place = place.start..self.places[operand].end;
                Ok(self.push(Node::Unary(Unary::Neg, operand), place))
            }
            Some(Token::Sign('(')) => {
                self.advance()?;
                let inner = self.operation(0)?;
                let end = self.place.end;
                self.close(&place)?;
                // The part is shown with its parentheses.
                self.places[inner] = place.start..end;
                Ok(inner)
            }
            Some(Token::Sign(_)) => Err(self.here("an operand is missing before this")),
        }
    }

    fn close(&mut self, opened: &Range<usize>) -> Result<(), ExpressionError> {
        match self.next {
            Some(Token::Sign(')')) => self.advance(),
            None => Err(self.error(opened.clone(), "this parenthesis is not closed")),
            Some(Token::Sign(',')) => Err(self.here("this comma stands between no arguments")),
            Some(_) => Err(self.here("an operator or ) is missing before this")),
        }
    }

    fn name(&mut self) -> Result<usize, ExpressionError> {
        let place = self.place.clone();
        let text = &self.source[place.clone()];
        let known = names().find(|&(name, _)| name == text);
        self.advance()?;
        let called = self.next == Some(Token::Sign('('));
        match known {
            None => Err(self.error(place, unknown(text, called))),
            Some((_, Name::Value(node))) if !called => Ok(self.push(node, place)),
            Some((_, Name::Value(_))) => {
                let message = format!("{text} is no function; write {text}*(..) for a product");
                Err(self.error(place, message))
            }
            Some((_, Name::Unary(_) | Name::Binary(_))) if !called => {
                let message = format!("the argument of {text} stands in parentheses: {text}(..)");
                Err(self.error(place, message))
            }
            Some((_, Name::Unary(op))) => {
                let ([a], end) = self.arguments(text)?;
                Ok(self.push(Node::Unary(op, a), place.start..end))
            }
            Some((_, Name::Binary(op))) => {
                let ([a, b], end) = self.arguments(text)?;
                Ok(self.push(Node::Binary(op, a, b), place.start..end))
            }
        }
    }

    /// Reads the arguments of a function, from its parenthesis on, and tells where they end.
    fn arguments<const N: usize>(
        &mut self,
        function: &str,
    ) -> Result<([usize; N], usize), ExpressionError> {
        let opened = self.place.clone();
        let count = match N {
            1 => "one argument",
            _ => "two arguments",
        };
        let takes = format!("{function} takes {count}");
        let mut arguments = [0; N];
        for (i, argument) in arguments.iter_mut().enumerate() {
            match self.next {
                Some(Token::Sign(',')) if i > 0 => self.advance()?,
                Some(Token::Sign(')')) if i > 0 => return Err(self.here(takes)),
                _ if i > 0 => self.close(&opened)?,
                _ => self.advance()?,
            }
            if self.next == Some(Token::Sign(')')) {
                return Err(self.here(takes));
            }
            *argument = self.operation(0)?;
        }
        if self.next == Some(Token::Sign(',')) {
            return Err(self.here(takes));
        }
        let end = self.place.end;
        self.close(&opened)?;
        Ok((arguments, end))
    }

    fn push(&mut self, node: Node, place: Range<usize>) -> usize {
        self.nodes.push(node);
        self.places.push(place);
        self.nodes.len() - 1
    }

    /// Goes on to the next token.
    fn advance(&mut self) -> Result<(), ExpressionError> {
        let rest = &self.source[self.place.end..];
        let start = self.source.len() - rest.trim_start().len();
        let rest = &self.source[start..];
        let length = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let Some(first) = rest.chars().next() else {
            self.next = None;
            self.place = start..start;
            return Ok(());
        };
        match first {
            '0'..='9' | '.' => return self.number(start),
            'a'..='z' | 'A'..='Z' | '_' => {
                self.place = start..start + length(|c| c.is_ascii_alphanumeric() || c == '_');
                self.next = Some(Token::Name);
            }
            '+' | '-' | '*' | '/' | '^' | '(' | ')' | ',' => {
                self.place = start..start + 1;
                self.next = Some(Token::Sign(first));
            }
            _ => {
                let place = start..start + first.len_utf8();
                return Err(self.error(place, stray(first)));
            }
        }
        Ok(())
    }

    fn number(&mut self, start: usize) -> Result<(), ExpressionError> {
        let bytes = self.source.as_bytes();
        let digits = |from: usize| {
            let count = bytes[from..].iter().take_while(|b| b.is_ascii_digit());
            from + count.count()
        };
        let mut end = digits(start);
        let mut any = end > start;
        if bytes.get(end) == Some(&b'.') {
            let point = end;
            end = digits(end + 1);
            any |= end > point + 1;
        }
        if !any {
            return Err(self.error(start..end, "a number has digits"));
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = end + 1 + sign;
            end = digits(exponent);
            if end == exponent {
                let message = "an exponent has digits, as in 1e-3; write * before the number e";
                return Err(self.error(start..end, message));
            }
        }
        self.place = start..end;
        match self.source[start..end].parse() {
            Ok(x) if f64::is_finite(x) => {
                self.next = Some(Token::Number(x));
                Ok(())
            }
            _ => Err(self.here("this number is too large")),
        }
    }

    /// Makes an error about the next token.
    fn here(&self, message: impl Into<String>) -> ExpressionError {
        self.error(self.place.clone(), message)
    }

    fn error(&self, place: Range<usize>, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.source, place, message)
    }
}

fn unknown(name: &str, called: bool) -> String {
    let kind = if called { "function" } else { "name" };
    let is_function = |known: &Name| !matches!(known, Name::Value(_));
    let fits = || names().filter(|(_, known)| called == is_function(known));
    let lower = name.to_ascii_lowercase();
    // A function that lacks its parentheses is still the best guess.
    let near = |names: &mut dyn Iterator<Item = (&'static str, Name)>| {
        nearest(&lower, names.map(|(name, _)| name))
    };
    let guess = match lower.as_str() {
        "ln" => Some("log"),
        "arg" | "x" => Some("z"),
        _ if called => near(&mut fits()),
        _ => near(&mut names()),
    };
    match guess {
        Some(guess) => format!(
            "there is no {kind} {}; did you mean {guess}?",
            excerpt(name)
        ),
        None => {
            let all: Vec<&str> = names().map(|(name, _)| name).collect();
            let all = all.join(" ");
            format!("there is no {kind} {}; there are {all}", excerpt(name))
        }
    }
}

fn stray(c: char) -> String {
    let write = match c {
        '×' | '·' | '⋅' => "*",
        '−' | '–' => "-",
        '÷' => "/",
        'π' => "pi",
        '²' => "^2",
        '³' => "^3",
        '√' => "sqrt(..)",
        '|' => "abs(..)",
        '[' | '{' => "(",
        ']' | '}' => ")",
        _ => return "this character has no meaning here".into(),
    };
    format!("write {write} for this")
}
