//! A parsed expression, as far as its operands must be distinguished.

use std::ops::Range;

use super::moment::TimeCall;

/// A part of an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Its place in the text, in bytes.
    pub(super) place: Range<usize>,
    /// Whether its value may differ from row to row.
    pub(super) reads_row: bool,
    /// Whether it is a call of the current time.
    pub(super) call: Option<TimeCall>,
    /// What it consists of.
    pub(super) parts: Vec<Node>,
    /// Whether an operator combines its parts, whose types depend on each other.
    pub(super) compares: bool,
}

impl Node {
    pub(super) fn of_parts(place: Range<usize>, parts: Vec<Self>) -> Self {
        Self {
            place,
            reads_row: parts.iter().any(|part| part.reads_row),
            parts,
            ..Self::default()
        }
    }

    pub(super) fn of_operator(place: Range<usize>, parts: Vec<Self>) -> Self {
        Self {
            compares: true,
            ..Self::of_parts(place, parts)
        }
    }

    pub(super) fn constant(place: Range<usize>) -> Self {
        Self::of_parts(place, Vec::new())
    }

    pub(super) fn of_row(place: Range<usize>) -> Self {
        Self {
            reads_row: true,
            ..Self::constant(place)
        }
    }

    /// Whether it contains a call of the current time.
    pub(super) fn has_time(&self) -> bool {
        self.call.is_some() || self.parts.iter().any(Self::has_time)
    }
}
