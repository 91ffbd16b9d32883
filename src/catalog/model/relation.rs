use std::str::FromStr;

use super::options::Options;
use super::{ForeignSource, Hypertable, ObjectId};
use crate::pg::{
    Ident, Oid, Persistence, QualifiedName, RelKind, ReplicaIdentity, Sql, UnknownLetter,
};

/// A table: ordinary, partitioned or foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// [`Table`](RelKind::Table), [`PartitionedTable`](RelKind::PartitionedTable) or
    /// [`ForeignTable`](RelKind::ForeignTable); of an extension also
    /// [`Sequence`](RelKind::Sequence).
    pub kind: RelKind,
    /// Whether it survives a crash.
    pub persistence: Persistence,
    /// The type of its rows.
    pub row_type: Oid,
    /// The composite type that it is a table `OF`.
    pub of_type: Option<TypedAs>,
    /// The file that holds its rows: another one after a rewrite. Invalid without storage.
    pub filenode: Oid,
    /// The table access method, where it has one.
    pub access_method: Option<Ident>,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// Storage options.
    pub options: Options,
    /// Storage options of its TOAST table.
    pub toast_options: Options,
    /// Its columns by `attnum`, without dropped ones.
    pub columns: Vec<Column>,
    /// The tables that it inherits from or is a partition of, in order.
    pub parents: Vec<Oid>,
    /// Its bounds, if it is a partition.
    pub partition: Option<Partition>,
    /// Where its rows are, if it is a foreign table.
    pub foreign: Option<ForeignSource>,
    /// How it is partitioned, if it is.
    pub partition_key: Option<PartitionKey>,
    /// How its rows are cut into chunks, if it is a hypertable of TimescaleDB.
    pub hypertable: Option<Hypertable>,
    /// What of an old row is logged.
    pub replica_identity: ReplicaIdentity,
    /// Whether policies apply.
    pub row_security: bool,
    /// Whether they apply to the owner, too.
    pub force_row_security: bool,
    /// How large it is, as an estimate.
    pub size: Size,
}

impl Table {
    /// Whether it is a partition of another table.
    pub fn is_partition(&self) -> bool {
        self.partition.is_some()
    }

    /// Whether it holds rows itself.
    pub fn has_storage(&self) -> bool {
        self.kind == RelKind::Table
    }

    /// The column of this name.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

/// The type that a typed table follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedAs {
    /// The composite type.
    pub oid: Oid,
    /// Its name as SQL.
    pub name: Sql,
}

/// The place of a partition within its parent: `FOR VALUES …` or `DEFAULT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The clause.
    pub bound: Sql,
}

/// `RANGE (a, b)` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionKey {
    /// The clause after `PARTITION BY`.
    pub definition: Sql,
    /// Whether a generated column is part of it, which servers before 13 took.
    pub has_generated: bool,
}

/// Estimates of a table's size, as of the moment when the catalog was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the heap's main fork.
    pub heap_bytes: u64,
    /// Bytes of the TOAST table's main fork.
    pub toast_bytes: u64,
    /// Rows as of the last ANALYZE or VACUUM; None when there was none.
    pub rows: Option<u64>,
}

impl Size {
    /// Adds the size of another table with rows of this one.
    pub fn add(&mut self, other: Self) {
        self.heap_bytes = self.heap_bytes.saturating_add(other.heap_bytes);
        self.toast_bytes = self.toast_bytes.saturating_add(other.toast_bytes);
        let rows = other
            .rows
            .map(|rows| rows.saturating_add(self.rows.unwrap_or_default()));
        self.rows = rows.or(self.rows);
    }

    /// Bytes that a copy reads.
    pub const fn bytes(self) -> u64 {
        self.heap_bytes.saturating_add(self.toast_bytes)
    }
}

/// A column of a table, view or materialized view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// `attnum`, from 1.
    pub number: i16,
    /// Its name.
    pub name: Ident,
    /// The oid of its type.
    pub type_oid: Oid,
    /// Its type with modifiers, as SQL.
    pub type_name: Sql,
    /// Its collation, where it differs from the type's.
    pub collation: Option<QualifiedName>,
    /// Its default or generation expression.
    pub default: Option<Default>,
    /// Whether the server computes it.
    pub generated: Option<Generated>,
    /// Whether it is an identity column.
    pub identity: Option<Identity>,
    /// Whether it takes NULL.
    pub not_null: Option<NotNull>,
    /// Whether it is declared in this very table.
    pub is_local: bool,
    /// Where large values go, where that differs from the type's habit.
    pub storage: Option<Storage>,
    /// How large values are compressed, where that is set.
    pub compression: Option<Compression>,
    /// The statistics target, where it is set.
    pub statistics: Option<i32>,
    /// `n_distinct` and the like.
    pub options: Options,
    /// Options for the foreign data wrapper.
    pub foreign_options: Options,
}

/// A default or generation expression: a row of `pg_attrdef`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Default {
    /// Its row.
    pub id: ObjectId,
    /// The expression.
    pub expression: Sql,
}

/// A not-null constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNull {
    /// Before 18: a flag of the column.
    Flag,
    /// Since 18: a constraint of its own.
    Named {
        /// Its row.
        id: ObjectId,
        /// Its name.
        name: Ident,
        /// Whether it is declared in this very table.
        is_local: bool,
        /// Whether children do not inherit it.
        no_inherit: bool,
        /// Whether existing rows were checked.
        is_valid: bool,
        /// The clause after `CONSTRAINT name`.
        definition: Sql,
    },
}

macro_rules! letters {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $letter:literal => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The word in SQL.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownLetter;

            fn from_str(text: &str) -> Result<Self, UnknownLetter> {
                match text {
                    $($letter => Ok(Self::$variant),)+
                    _ => Err(UnknownLetter { what: $what, letter: text.to_owned() }),
                }
            }
        }
    };
}
pub(super) use letters;

letters! {
    /// `pg_attribute.attgenerated`.
    Generated, "attgenerated" {
        /// Computed when written.
        Stored = "s" => "STORED",
        /// Computed when read, since 18.
        Virtual = "v" => "VIRTUAL",
    }
}

letters! {
    /// `pg_attribute.attidentity`.
    Identity, "attidentity" {
        /// A value given by the user needs `OVERRIDING`.
        Always = "a" => "ALWAYS",
        /// A value given by the user wins.
        ByDefault = "d" => "BY DEFAULT",
    }
}

letters! {
    /// `pg_attribute.attstorage`.
    Storage, "attstorage" {
        /// In line, uncompressed.
        Plain = "p" => "PLAIN",
        /// Out of line, uncompressed.
        External = "e" => "EXTERNAL",
        /// In line, compressed, out of line as a last resort.
        Main = "m" => "MAIN",
        /// Compressed, then out of line.
        Extended = "x" => "EXTENDED",
    }
}

letters! {
    /// `pg_attribute.attcompression`, since 14.
    Compression, "attcompression" {
        /// PostgreSQL's own.
        Pglz = "p" => "pglz",
        /// LZ4.
        Lz4 = "l" => "lz4",
    }
}

/// A named part of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Ident,
    /// Its type with modifiers, as SQL.
    pub type_name: Sql,
    /// Its collation, where it differs from the type's.
    pub collation: Option<QualifiedName>,
}

/// A sequence; its value is read when it is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// Whether it survives a crash.
    pub persistence: Persistence,
    /// The type of its values, as SQL.
    pub type_name: Sql,
    /// First value.
    pub start: i64,
    /// Step.
    pub increment: i64,
    /// Lowest value.
    pub min: i64,
    /// Highest value.
    pub max: i64,
    /// How many values a session takes at once.
    pub cache: i64,
    /// Whether it begins again at its end.
    pub cycle: bool,
    /// The column that it belongs to.
    pub owned_by: Option<SequenceOwner>,
}

/// The column that a sequence belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceOwner {
    /// The table.
    pub table: Oid,
    /// `attnum` of the column.
    pub column: i16,
    /// In which way.
    pub how: Owned,
}

/// How a sequence belongs to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owned {
    /// `OWNED BY`, as `serial` creates it.
    By,
    /// It is the identity column's own.
    Identity,
}

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// The type of its rows.
    pub row_type: Oid,
    /// Its query, without the final semicolon.
    pub definition: Sql,
    /// `security_barrier`, `security_invoker`.
    pub options: Options,
    /// `LOCAL` or `CASCADED`, where rows written through it are checked.
    pub check_option: Option<String>,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A materialized view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterializedView {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// Whether it is written to WAL.
    pub persistence: Persistence,
    /// The type of its rows.
    pub row_type: Oid,
    /// Its query, without the final semicolon.
    pub definition: Sql,
    /// The table access method.
    pub access_method: Option<Ident>,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// Storage options.
    pub options: Options,
    /// Storage options of its TOAST table.
    pub toast_options: Options,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Whether it was ever refreshed.
    pub is_populated: bool,
    /// How large it is, as an estimate.
    pub size: Size,
}
