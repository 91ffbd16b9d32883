use std::str::FromStr;

use super::{ObjectId, Options};
use crate::pg::{Ident, Oid, QualifiedName, Sql, UnknownLetter};

/// A constraint of a table or domain. Not-null constraints of tables are kept with their column,
/// constraint triggers with the triggers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its row.
    pub id: ObjectId,
    /// Its name, which need not be unique within the schema.
    pub name: Ident,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Its table, or invalid.
    pub relation: Oid,
    /// Its domain, or invalid.
    pub domain: Oid,
    /// The clause after `CONSTRAINT name`.
    pub definition: Sql,
    /// Whether it is declared in this very table.
    pub is_local: bool,
    /// Whether existing rows were checked.
    pub is_valid: bool,
    /// Whether rows are checked at all, since 18.
    pub is_enforced: bool,
    /// Whether it may be checked at the end of a transaction.
    pub is_deferrable: bool,
    /// Whether it is by itself.
    pub is_deferred: bool,
    /// Whether the last column is a range without overlaps, since 18.
    pub is_temporal: bool,
    /// The index that enforces it, of a foreign key that of the other table; or invalid.
    pub index: Oid,
    /// The table that a foreign key refers to, or invalid.
    pub referenced: Oid,
}

/// `pg_constraint.contype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstraintKind {
    /// `CHECK`.
    Check,
    /// `NOT NULL` of a domain, since 17.
    NotNull,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `UNIQUE`.
    Unique,
    /// `EXCLUDE`.
    Exclusion,
    /// `FOREIGN KEY`.
    ForeignKey,
}

impl FromStr for ConstraintKind {
    type Err = UnknownLetter;

    fn from_str(text: &str) -> Result<Self, UnknownLetter> {
        match text {
            "c" => Ok(Self::Check),
            "n" => Ok(Self::NotNull),
            "p" => Ok(Self::PrimaryKey),
            "u" => Ok(Self::Unique),
            "x" => Ok(Self::Exclusion),
            "f" => Ok(Self::ForeignKey),
            _ => Err(UnknownLetter {
                what: "contype",
                letter: text.to_owned(),
            }),
        }
    }
}

/// An index of a table or materialized view, also one that enforces a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its row in `pg_class`.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// The relation that it indexes.
    pub relation: Oid,
    /// `CREATE INDEX …` in full.
    pub definition: Sql,
    /// The constraint that it enforces, if one created it.
    pub constraint: Option<Oid>,
    /// Whether it enforces an exclusion constraint, or a key without overlaps.
    pub excludes: bool,
    /// What a key built from it is built from.
    pub key: KeyIndex,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// The index of the parent table that it is a partition of.
    pub parent: Option<Oid>,
    /// Whether queries may use it. A partitioned one is not until all its partitions are attached.
    pub is_valid: bool,
    /// Whether `CLUSTER` follows it.
    pub is_clustered: bool,
    /// Whether it is the replica identity.
    pub is_replica_identity: bool,
    /// Statistics targets of its columns, by number.
    pub statistics: Vec<(i16, i32)>,
}

/// The parts of an index that a primary or unique key names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyIndex {
    /// The key columns.
    pub columns: Vec<Ident>,
    /// The columns of `INCLUDE`.
    pub include: Vec<Ident>,
    /// Whether two NULLs are equal, since 15.
    pub nulls_not_distinct: bool,
    /// Storage options.
    pub options: Options,
}
