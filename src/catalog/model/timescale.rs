//! What TimescaleDB records beside the server's catalogs (its manual: hypertables and chunks).

use std::collections::HashMap;

use super::ObjectId;
use crate::pg::{Ident, Oid, QualifiedName, Sql};

/// What TimescaleDB built from a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timescale {
    /// The extension.
    pub extension: ObjectId,
    /// The relations that it created internally: chunks, tables of compressed rows, continuous
    /// aggregates with what is behind them. They are not in the catalog, nor are their dependent objects; but
    /// something there may depend on one. Each has its name.
    pub internals: HashMap<ObjectId, QualifiedName>,
    /// Continuous aggregates, which are reported and not created.
    pub aggregates: Vec<ContinuousAggregate>,
    /// Jobs of users, policies among them, which are reported and not created.
    pub jobs: Vec<Job>,
}

/// A hypertable: a table whose rows are in chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypertable {
    /// The schema of its chunks, where one was chosen.
    pub chunk_schema: Option<Ident>,
    /// How the names of its chunks begin, where that was chosen.
    pub chunk_prefix: Option<String>,
    /// By what it is cut into chunks; the first is a range.
    pub dimensions: Vec<Dimension>,
    /// The tablespaces that its chunks take turns in.
    pub tablespaces: Vec<Ident>,
    /// How old chunks are compressed, if they are.
    pub compression: Option<HypertableCompression>,
}

/// One way in which a hypertable is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// The column.
    pub column: Ident,
    /// Into how many, or how long, slices.
    pub slices: Slices,
    /// What the column's value is turned into first.
    pub function: Option<QualifiedName>,
    /// The source of the current value of a column that counts.
    pub now: Option<QualifiedName>,
    /// The rows of both functions, as far as they differ.
    pub routines: Vec<Oid>,
}

/// The slices of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slices {
    /// Ranges of this length: microseconds, or the column's own unit where it counts.
    Length(i64),
    /// This many parts, by hash.
    Number(i16),
}

/// How chunks of a hypertable are compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HypertableCompression {
    /// The columns whose equal values are stored together.
    pub segment_by: Vec<Ident>,
    /// The columns that rows are ordered by, each with its direction.
    pub order_by: Vec<Sql>,
}

/// A view whose rows TimescaleDB keeps up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContinuousAggregate {
    /// Its name.
    pub name: QualifiedName,
    /// Its query, without the final semicolon.
    pub definition: Sql,
    /// Whether it shows materialized rows only.
    pub materialized_only: bool,
}

/// What TimescaleDB runs by itself from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i32,
    /// The procedure.
    pub procedure: QualifiedName,
    /// How often, as an interval.
    pub schedule: String,
    /// Its settings: a JSON object.
    pub config: Option<serde_json::Map<String, serde_json::Value>>,
    /// The hypertable or continuous aggregate that it works on.
    pub relation: Option<QualifiedName>,
}
