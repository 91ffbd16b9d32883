//! Reads an expression with the server's precedence of operators (PostgreSQL manual, 4.1.6 "Operator
//! Precedence"), as far as that is needed to find operands. Forms that it does not know are an error, never a guess.

use super::moment::{Moment, TimeCall};
use super::node::Node;
use super::not_bounded::NotBoundedReason;
use super::reader::{Reader, Stop};
use super::text::catalog_name;
use super::time_call::is_time_at;
use super::token::{Kind, Token};

/// How strongly operators bind, the weakest first.
mod binding {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const IS: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const MATCH: u8 = 6;
    pub(super) const OTHER: u8 = 7;
    pub(super) const SUM: u8 = 8;
    pub(super) const PRODUCT: u8 = 9;
    pub(super) const POWER: u8 = 10;
    pub(super) const AT: u8 = 11;
    pub(super) const COLLATE: u8 = 12;
    pub(super) const SIGN: u8 = 13;
}

/// Words that are values, the same for every row.
const CONSTANTS: [&str; 10] = [
    "null",
    "true",
    "false",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "system_user",
    "current_catalog",
    "current_schema",
];

/// Words that begin or continue something other than an expression.
const RESERVED: [&str; 24] = [
    "select",
    "from",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "with",
    "window",
    "when",
    "then",
    "else",
    "end",
    "as",
    "on",
    "using",
    "and",
    "or",
];

/// Reads all tokens as one expression.
pub(super) fn parse_expression(text: &str, tokens: &[Token]) -> Result<Node, Stop> {
    let mut reader = Reader {
        text,
        tokens,
        at: 0,
    };
    let node = reader.read_expression(0)?;
    if reader.peek(0).is_some() {
        return Err(reader.stop());
    }
    Ok(node)
}

impl Reader<'_> {
    /// Reads an expression whose operators bind at least so strongly.
    fn read_expression(&mut self, least: u8) -> Result<Node, Stop> {
        let start = self.start();
        let mut left = self.read_prefixed()?;
        loop {
            left = match self.read_infix(start, left, least)? {
                Infix::Read(node) => node,
                Infix::End(node) => return Ok(node),
            };
        }
    }

    fn read_prefixed(&mut self) -> Result<Node, Stop> {
        let start = self.start();
        if self.take_word(&["not"]) {
            let part = self.read_expression(binding::NOT)?;
            return Ok(Node::of_parts(self.since(start), vec![part]));
        }
        if self.peek_kind(0) == Some(Kind::Operator) {
            let least = match self.peek_text() {
                "+" | "-" => binding::SIGN,
                _ => binding::OTHER,
            };
            self.at += 1;
            let part = self.read_expression(least)?;
            return Ok(Node::of_parts(self.since(start), vec![part]));
        }
        let primary = self.read_primary()?;
        self.read_postfix(start, primary)
    }

    /// Reads subscripts, fields and casts.
    fn read_postfix(&mut self, start: usize, mut node: Node) -> Result<Node, Stop> {
        loop {
            if self.take(Kind::Cast) {
                self.read_type()?;
                node = Node::of_parts(self.since(start), vec![node]);
            } else if self.take(Kind::OpenBracket) {
                let mut parts = vec![node];
                while !self.take(Kind::CloseBracket) {
                    if !self.take(Kind::Colon) && !self.take(Kind::Comma) {
                        parts.push(self.read_expression(0)?);
                    }
                }
                node = Node::of_parts(self.since(start), parts);
            } else if self.take(Kind::Dot) {
                self.advance()?;
                node = Node::of_parts(self.since(start), vec![node]);
            } else {
                return Ok(node);
            }
        }
    }

    /// Reads one operator and its right operand, if it binds strongly enough.
    fn read_infix(&mut self, start: usize, left: Node, least: u8) -> Result<Infix, Stop> {
        if self.peek_kind(0) == Some(Kind::Operator) {
            return self.read_operator(start, left, least);
        }
        let negated = usize::from(self.is_word(0, &["not"]));
        let found = [
            (&["or"][..], binding::OR),
            (&["and"], binding::AND),
            (&["is", "isnull", "notnull"], binding::IS),
            (
                &["between", "in", "like", "ilike", "similar"],
                binding::MATCH,
            ),
            (&["operator"], binding::OTHER),
            (&["at"], binding::AT),
            (&["collate"], binding::COLLATE),
        ]
        .into_iter()
        .find(|(words, _)| self.is_word(negated, words));
        let Some((_, strength)) = found else {
            return Ok(Infix::End(left));
        };
        if negated == 1 && strength != binding::MATCH {
            return Err(self.stop());
        }
        if strength <= least {
            return Ok(Infix::End(left));
        }
        self.at += negated;
        let node = match strength {
            binding::OR | binding::AND => {
                self.at += 1;
                let right = self.read_expression(strength)?;
                Node::of_parts(self.since(start), vec![left, right])
            }
            binding::IS => self.read_is(start, left)?,
            binding::MATCH => self.read_match(start, left)?,
            binding::OTHER => return self.read_named_operator(start, left),
            binding::AT => self.read_at(start, left)?,
            _ => {
                self.at += 1;
                self.read_name()?;
                Node::of_parts(self.since(start), vec![left])
            }
        };
        Ok(Infix::Read(node))
    }

    fn read_operator(&mut self, start: usize, left: Node, least: u8) -> Result<Infix, Stop> {
        let strength = match self.peek_text() {
            "<" | ">" | "=" | "<=" | ">=" | "<>" | "!=" => binding::COMPARISON,
            "+" | "-" => binding::SUM,
            "*" | "/" | "%" => binding::PRODUCT,
            "^" => binding::POWER,
            _ => binding::OTHER,
        };
        if strength <= least {
            return Ok(Infix::End(left));
        }
        self.at += 1;
        self.read_right(start, left, strength).map(Infix::Read)
    }

    /// Reads `OPERATOR(schema.name)` and its right operand.
    fn read_named_operator(&mut self, start: usize, left: Node) -> Result<Infix, Stop> {
        self.at += 1;
        self.expect(Kind::Open)?;
        self.skip_parentheses()?;
        self.read_right(start, left, binding::OTHER)
            .map(Infix::Read)
    }

    fn read_right(&mut self, start: usize, left: Node, strength: u8) -> Result<Node, Stop> {
        let is_each =
            self.is_word(0, &["any", "some", "all"]) && self.peek_kind(1) == Some(Kind::Open);
        self.at += usize::from(is_each);
        let right = self.read_expression(strength)?;
        Ok(Node::of_operator(self.since(start), vec![left, right]))
    }

    fn read_is(&mut self, start: usize, left: Node) -> Result<Node, Stop> {
        if self.take_word(&["isnull", "notnull"]) {
            return Ok(Node::of_parts(self.since(start), vec![left]));
        }
        self.at += 1;
        self.take_word(&["not"]);
        if self.take_word(&["null", "true", "false", "unknown"]) {
            return Ok(Node::of_parts(self.since(start), vec![left]));
        }
        self.expect_word(&["distinct"])?;
        self.expect_word(&["from"])?;
        let right = self.read_expression(binding::IS)?;
        Ok(Node::of_operator(self.since(start), vec![left, right]))
    }

    /// Reads `BETWEEN`, `IN`, `LIKE`, `ILIKE` or `SIMILAR TO`.
    fn read_match(&mut self, start: usize, left: Node) -> Result<Node, Stop> {
        let mut parts = vec![left];
        if self.take_word(&["between"]) {
            self.take_word(&["symmetric", "asymmetric"]);
            parts.push(self.read_expression(binding::MATCH)?);
            self.expect_word(&["and"])?;
            parts.push(self.read_expression(binding::MATCH)?);
        } else if self.take_word(&["in"]) {
            self.expect(Kind::Open)?;
            parts.extend(self.read_list()?);
        } else {
            if self.take_word(&["similar"]) {
                self.expect_word(&["to"])?;
            } else {
                self.at += 1;
            }
            parts.push(self.read_expression(binding::MATCH)?);
            if self.take_word(&["escape"]) {
                parts.push(self.read_expression(binding::MATCH)?);
            }
        }
        Ok(Node::of_operator(self.since(start), parts))
    }

    fn read_at(&mut self, start: usize, left: Node) -> Result<Node, Stop> {
        self.at += 1;
        if self.take_word(&["local"]) {
            return Ok(Node::of_parts(self.since(start), vec![left]));
        }
        self.expect_word(&["time"])?;
        self.expect_word(&["zone"])?;
        let zone = self.read_expression(binding::AT)?;
        Ok(Node::of_parts(self.since(start), vec![left, zone]))
    }

    /// Reads expressions up to the closing parenthesis; of a query only that it reads rows.
    fn read_list(&mut self) -> Result<Vec<Node>, Stop> {
        if self.is_word(0, &["select", "with", "values", "table"]) {
            let start = self.start();
            self.skip_parentheses()?;
            return Ok(vec![Node::of_row(self.since(start))]);
        }
        let mut parts = vec![self.read_expression(0)?];
        while self.take(Kind::Comma) {
            parts.push(self.read_expression(0)?);
        }
        self.expect(Kind::Close)?;
        Ok(parts)
    }

    fn read_primary(&mut self) -> Result<Node, Stop> {
        let start = self.start();
        match self.peek_kind(0).ok_or_else(|| self.stop())? {
            Kind::Number | Kind::Text => {
                self.at += 1;
                Ok(Node::constant(self.since(start)))
            }
            Kind::Open => {
                self.at += 1;
                let parts = self.read_list()?;
                Ok(Node::of_parts(self.since(start), parts))
            }
            Kind::Word | Kind::Quoted => self.read_word(start),
            Kind::Operator
            | Kind::Cast
            | Kind::Close
            | Kind::OpenBracket
            | Kind::CloseBracket
            | Kind::Comma
            | Kind::Dot
            | Kind::Colon => Err(self.stop()),
        }
    }

    fn read_word(&mut self, start: usize) -> Result<Node, Stop> {
        if self.is_word(0, &RESERVED) {
            return Err(self.stop());
        }
        if let Some(call) = self.read_time_word()? {
            return Ok(call);
        }
        let opens = self.peek_kind(1) == Some(Kind::Open);
        if self.is_word(0, &["case"]) {
            return self.read_case(start);
        }
        if self.is_word(0, &["array"]) && self.peek_kind(1) == Some(Kind::OpenBracket) {
            self.at += 1;
            return self.read_postfix(start, Node::constant(start..start));
        }
        if self.is_word(0, &["cast"]) && opens {
            return self.read_cast(start);
        }
        if self.is_word(0, &["extract"]) && opens {
            return self.read_extract(start);
        }
        if self.is_word(0, &["exists", "array"]) && opens {
            self.at += 2;
            self.skip_parentheses()?;
            return Ok(Node::of_row(self.since(start)));
        }
        if self.take_typed_constant()? {
            return Ok(Node::constant(self.since(start)));
        }
        if self.is_word(0, &CONSTANTS) && !opens {
            self.at += 1;
            return Ok(Node::constant(self.since(start)));
        }
        self.read_reference(start)
    }

    /// Reads a key word of the current time.
    fn read_time_word(&mut self) -> Result<Option<Node>, Stop> {
        let start = self.start();
        let Some(moment) = Moment::of_word(self.peek_text()) else {
            return Ok(None);
        };
        self.at += 1;
        let mut precision = None;
        if self.take(Kind::Open) {
            precision = Some(self.peek_text().to_owned());
            self.expect(Kind::Number)?;
            self.expect(Kind::Close)?;
        }
        let place = self.since(start);
        let call = TimeCall {
            place: place.clone(),
            moment,
            precision,
        };
        Ok(Some(Node {
            call: Some(call),
            ..Node::constant(place)
        }))
    }

    /// Reads a column, or the call of a function.
    fn read_reference(&mut self, start: usize) -> Result<Node, Stop> {
        self.read_name()?;
        if self.peek_kind(0) != Some(Kind::Open) {
            return Ok(Node::of_row(self.since(start)));
        }
        let name = self.at - 1;
        let is_time = is_time_at(self.text, self.tokens, name);
        self.at += 1;
        if self.take(Kind::Close) {
            let place = self.since(start);
            let call = is_time.then(|| TimeCall {
                place: place.clone(),
                moment: Moment::Timestamp,
                precision: None,
            });
            return Ok(Node {
                call,
                ..Node::constant(place)
            });
        }
        let parts = self.read_arguments()?;
        Ok(Node::of_parts(self.since(start), parts))
    }

    fn read_arguments(&mut self) -> Result<Vec<Node>, Stop> {
        let mut parts = Vec::new();
        loop {
            self.take_word(&["variadic"]);
            let is_named = self.peek_kind(1) == Some(Kind::Colon)
                || self
                    .peek(1)
                    .is_some_and(|token| &self.text[token.span.clone()] == "=>");
            self.at += if is_named { 2 } else { 0 };
            parts.push(self.read_expression(0)?);
            if self.take(Kind::Close) {
                return Ok(parts);
            }
            self.expect(Kind::Comma)?;
        }
    }

    /// Reads names with dots between them.
    fn read_name(&mut self) -> Result<(), Stop> {
        loop {
            let token = self.peek(0).ok_or_else(|| self.stop())?;
            if catalog_name(self.text, token).is_none() {
                return Err(self.stop());
            }
            self.at += 1;
            let continues = self.peek_kind(0) == Some(Kind::Dot)
                && matches!(self.peek_kind(1), Some(Kind::Word | Kind::Quoted));
            if !continues {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn read_case(&mut self, start: usize) -> Result<Node, Stop> {
        self.at += 1;
        let mut parts = Vec::new();
        if !self.is_word(0, &["when"]) {
            parts.push(self.read_expression(0)?);
        }
        while self.take_word(&["when"]) {
            parts.push(self.read_expression(0)?);
            self.expect_word(&["then"])?;
            parts.push(self.read_expression(0)?);
        }
        if self.take_word(&["else"]) {
            parts.push(self.read_expression(0)?);
        }
        self.expect_word(&["end"])?;
        Ok(Node::of_parts(self.since(start), parts))
    }

    fn read_cast(&mut self, start: usize) -> Result<Node, Stop> {
        self.at += 2;
        let part = self.read_expression(0)?;
        self.expect_word(&["as"])?;
        self.read_type()?;
        self.expect(Kind::Close)?;
        Ok(Node::of_parts(self.since(start), vec![part]))
    }

    fn read_extract(&mut self, start: usize) -> Result<Node, Stop> {
        self.at += 2;
        self.advance()?;
        if !self.take_word(&["from"]) {
            return Err(Stop {
                reason: NotBoundedReason::Form,
                ..self.stop()
            });
        }
        let part = self.read_expression(0)?;
        self.expect(Kind::Close)?;
        Ok(Node::of_parts(self.since(start), vec![part]))
    }
}

/// What came of looking for an operator.
enum Infix {
    /// The expression with the operator and its operands.
    Read(Node),
    /// The expression ends here.
    End(Node),
}
