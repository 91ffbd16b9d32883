//! The database on which a section runs.

use crate::connect::Endpoint;
use crate::event::Phase;
use crate::snapshot::evaluation::Evaluation;

/// The database on which a section runs.
#[derive(Clone, Debug)]
pub struct BuildTarget {
    /// The target's database.
    pub target: Endpoint,
    /// The name of the source's database, for events.
    pub database: String,
    /// The phase, for events.
    pub phase: Phase,
    /// The settings under which the source's database evaluates its expressions.
    pub evaluation: Evaluation,
}
