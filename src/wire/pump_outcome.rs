//! How a pump ended.

use std::fmt;

use super::connection::{Connection, Idle};
use super::copy_out::CopyOut;
use super::error::Error;
use super::tally::Copied;
use crate::event::WithCauses as _;

/// Who ended a pump before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The source, by an error.
    Source,
    /// The target, by an error.
    Target,
    /// The stop token.
    Stop,
}

/// Why the rows did not all arrive.
#[derive(Debug)]
pub struct PumpError {
    /// Who was first.
    pub ended_by: EndedBy,
    /// What went wrong on the source, if anything did.
    pub source_error: Option<Error>,
    /// What went wrong on the target, if anything did.
    pub target_error: Option<Error>,
}

impl PumpError {
    /// The error of the side that was first; none after a stop.
    pub const fn first(&self) -> Option<&Error> {
        match self.ended_by {
            EndedBy::Source => self.source_error.as_ref(),
            EndedBy::Target => self.target_error.as_ref(),
            EndedBy::Stop => None,
        }
    }

    /// Whether the same copy may succeed later on new connections.
    pub fn is_transient(&self) -> bool {
        self.first().is_some_and(Error::is_transient)
    }
}

impl fmt::Display for PumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [
            ("source", &self.source_error, EndedBy::Source),
            ("target", &self.target_error, EndedBy::Target),
        ];
        if self.ended_by == EndedBy::Stop {
            f.write_str("stopped")?;
        }
        let mut written = self.ended_by == EndedBy::Stop;
        let (first, second) = sides
            .into_iter()
            .partition::<Vec<_>, _>(|(_, _, side)| *side == self.ended_by);
        for (name, error, _) in first.into_iter().chain(second) {
            let Some(error) = error else { continue };
            let separator = if written { "; then " } else { "" };
            write!(f, "{separator}{name}: {}", error.chain())?;
            if let Error::Server(answer) = error {
                let place = answer.copy_place().or_else(|| answer.context_line());
                let place = place.map(|place| format!("; {place}"));
                let remedy = answer.encoding_remedy().map(|remedy| format!("; {remedy}"));
                f.write_str(&(place.unwrap_or_default() + &remedy.unwrap_or_default()))?;
            }
            written = true;
        }
        Ok(())
    }
}

impl std::error::Error for PumpError {}

/// What became of the source's connection.
#[derive(Debug)]
pub enum SourceAfter {
    /// It waits for a command.
    Idle(Connection<Idle>),
    /// It still sends rows. Send a cancel request with its key and then
    /// [`finish`](Connection::finish) it to use it again, or drop it.
    Running(Box<Connection<CopyOut>>),
    /// It is of no use.
    Lost,
}

impl SourceAfter {
    /// The connection, if it waits for a command.
    pub fn into_idle(self) -> Option<Connection<Idle>> {
        match self {
            Self::Idle(connection) => Some(connection),
            Self::Running(_) | Self::Lost => None,
        }
    }
}

/// How a pump ended, and what is left of the two connections.
#[derive(Debug)]
pub struct PumpOutcome {
    /// What was copied, by the count of both servers and ours.
    pub result: Result<Copied, PumpError>,
    /// The same copy by copy: those that the source has ended. After an error, the target keeps
    /// none of them.
    pub copies: Vec<Copied>,
    /// Which copy, from 0, was at work on the side that ended the pump, if one did.
    pub at: usize,
    /// The source's connection.
    pub source: SourceAfter,
    /// The target's connection, if it waits for a command.
    pub target: Option<Connection<Idle>>,
}
