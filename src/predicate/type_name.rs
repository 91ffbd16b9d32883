//! Reads the name of a type (PostgreSQL manual, 8 "Data Types"; SQL names of several words included).

use super::reader::{Reader, Stop};
use super::token::Kind;

/// Units after `interval`.
const UNITS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

impl Reader<'_> {
    /// Reads the name of a type with its modifiers.
    pub(super) fn read_type(&mut self) -> Result<(), Stop> {
        self.take_word(&["setof"]);
        let first = self.at;
        if !self.take(Kind::Word) && !self.take(Kind::Quoted) {
            return Err(self.stop());
        }
        if self.is_word_at(first, &["double"]) {
            self.take_word(&["precision"]);
        } else if self.is_word_at(first, &["national"]) {
            self.expect_word(&["character", "char"])?;
            self.take_word(&["varying"]);
        } else if self.is_word_at(first, &["character", "char", "nchar", "bit"]) {
            self.take_word(&["varying"]);
        }
        while self.take(Kind::Dot) {
            if !self.take(Kind::Word) && !self.take(Kind::Quoted) {
                return Err(self.stop());
            }
        }
        self.read_modifiers()?;
        if self.is_word_at(first, &["timestamp", "time"]) {
            self.read_time_zone()?;
        }
        if self.is_word_at(first, &["interval"]) {
            self.read_units()?;
        }
        self.take_word(&["array"]);
        while self.take(Kind::OpenBracket) {
            self.take(Kind::Number);
            self.expect(Kind::CloseBracket)?;
        }
        Ok(())
    }

    /// Reads `(10, 2)`.
    fn read_modifiers(&mut self) -> Result<(), Stop> {
        if !self.take(Kind::Open) {
            return Ok(());
        }
        loop {
            self.advance()?;
            if self.take(Kind::Close) {
                return Ok(());
            }
            self.expect(Kind::Comma)?;
        }
    }

    fn read_time_zone(&mut self) -> Result<(), Stop> {
        let is_named = self.is_word(0, &["with", "without"]) && self.is_word(1, &["time"]);
        if is_named {
            self.at += 2;
            self.expect_word(&["zone"])?;
        }
        Ok(())
    }

    /// Reads `DAY TO SECOND (3)`, as it follows an interval.
    pub(super) fn read_units(&mut self) -> Result<(), Stop> {
        if !self.take_word(&UNITS) {
            return Ok(());
        }
        if self.is_word(0, &["to"]) && self.is_word(1, &UNITS) {
            self.at += 2;
        }
        self.read_modifiers()
    }

    /// Reads the string constant of a typed one, such as `date '2026-01-01'`, if that is next.
    pub(super) fn take_typed_constant(&mut self) -> Result<bool, Stop> {
        let start = self.at;
        let is_name = matches!(self.peek_kind(0), Some(Kind::Word | Kind::Quoted));
        if is_name && self.read_type().is_ok() && self.take(Kind::Text) {
            self.read_units()?;
            return Ok(true);
        }
        self.at = start;
        Ok(false)
    }
}
