//! Reads tokens one after the other.

use std::ops::Range;

use super::not_bounded::NotBoundedReason;
use super::token::{Kind, Token};

/// Where and why an expression was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// The place of the token in the text; none at the end.
    pub(super) place: Option<usize>,
    pub(super) reason: NotBoundedReason,
}

/// Tokens that are still to be read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn peek(&self, ahead: usize) -> Option<&'t Token> {
        self.tokens.get(self.at + ahead)
    }

    pub(super) fn peek_kind(&self, ahead: usize) -> Option<Kind> {
        self.peek(ahead).map(|token| token.kind)
    }

    /// The next token's text.
    pub(super) fn peek_text(&self) -> &'t str {
        self.peek(0)
            .map_or("", |token| &self.text[token.span.clone()])
    }

    /// Whether a token ahead is one of these key words.
    pub(super) fn is_word(&self, ahead: usize, words: &[&str]) -> bool {
        self.is_word_at(self.at + ahead, words)
    }

    /// Whether the token at a place among all is one of these key words.
    pub(super) fn is_word_at(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            let text = &self.text[token.span.clone()];
            token.kind == Kind::Word && words.iter().any(|word| text.eq_ignore_ascii_case(word))
        })
    }

    pub(super) fn advance(&mut self) -> Result<&'t Token, Stop> {
        let token = self.peek(0).ok_or_else(|| self.stop())?;
        self.at += 1;
        Ok(token)
    }

    /// Reads a token if it is of a kind.
    pub(super) fn take(&mut self, kind: Kind) -> bool {
        let is_next = self.peek_kind(0) == Some(kind);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a key word if it is next.
    pub(super) fn take_word(&mut self, words: &[&str]) -> bool {
        let is_next = self.is_word(0, words);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, kind: Kind) -> Result<(), Stop> {
        if self.take(kind) {
            Ok(())
        } else {
            Err(self.stop())
        }
    }

    pub(super) fn expect_word(&mut self, words: &[&str]) -> Result<(), Stop> {
        if self.take_word(words) {
            Ok(())
        } else {
            Err(self.stop())
        }
    }

    /// The end of the last token read.
    pub(super) fn end(&self) -> usize {
        self.at
            .checked_sub(1)
            .map_or(0, |last| self.tokens[last].span.end)
    }

    /// The place of the next token.
    pub(super) fn start(&self) -> usize {
        self.peek(0)
            .map_or(self.text.len(), |token| token.span.start)
    }

    /// What has been read since a place.
    pub(super) fn since(&self, start: usize) -> Range<usize> {
        start..self.end()
    }

    /// Skips to the end of the parentheses that were opened last.
    pub(super) fn skip_parentheses(&mut self) -> Result<(), Stop> {
        let mut depth = 1;
        while depth > 0 {
            let kind = self.advance()?.kind;
            depth += usize::from(kind == Kind::Open);
            depth -= usize::from(kind == Kind::Close);
        }
        Ok(())
    }

    /// The next token is not understood.
    pub(super) fn stop(&self) -> Stop {
        Stop {
            place: self.peek(0).map(|token| token.span.start),
            reason: NotBoundedReason::Form,
        }
    }
}
