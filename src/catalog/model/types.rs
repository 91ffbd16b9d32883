use std::str::FromStr;

use super::relation::letters;
use super::{Attribute, ObjectId, Storage};
use crate::pg::{Ident, Oid, QualifiedName, Sql, UnknownLetter};

/// A type created by `CREATE TYPE` or `CREATE DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// What it consists of.
    pub kind: TypeKind,
    /// The array type that the server created for it, or invalid.
    pub array: Oid,
}

/// What a type consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// Labels in their order.
    Enum(Vec<String>),
    /// Named attributes; the oid is that of the row in `pg_class`.
    Composite(Oid, Vec<Attribute>),
    /// Another type with conditions.
    Domain(Domain),
    /// Ranges over another type.
    Range(Range),
    /// Values that functions read and write.
    Base(Base),
    /// Announced and not defined.
    Shell,
}

/// What a domain adds to its base type; its checks are among the constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The base type with modifiers, as SQL.
    pub base: Sql,
    /// Its collation, where it differs from the base type's.
    pub collation: Option<QualifiedName>,
    /// Its default.
    pub default: Option<Sql>,
    /// Whether it refuses NULL.
    pub not_null: bool,
}

/// The parts of a range type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The type of its bounds, as SQL.
    pub subtype: Sql,
    /// The operator class, where it is not the default one.
    pub operator_class: Option<QualifiedName>,
    /// The collation, where it differs from the subtype's.
    pub collation: Option<QualifiedName>,
    /// The function that brings values to one form, as SQL.
    pub canonical: Option<Sql>,
    /// The function that subtracts bounds, as SQL.
    pub difference: Option<Sql>,
    /// The multirange type, since 14.
    pub multirange: Option<Multirange>,
}

/// The parts of a base type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// What is between the parentheses, but for the following: functions, size and so on.
    pub definition: Sql,
    /// Where values may begin.
    pub alignment: Alignment,
    /// How columns store values.
    pub storage: Storage,
    /// The function behind subscripts, as SQL; since 14.
    pub subscript: Option<Sql>,
}

letters! {
    /// `pg_type.typalign`.
    Alignment, "typalign" {
        /// Anywhere.
        Char = "c" => "char",
        /// At even bytes.
        Short = "s" => "int2",
        /// At every fourth byte.
        Int = "i" => "int4",
        /// At every eighth byte.
        Double = "d" => "double",
    }
}

/// The type of sets of ranges that comes with a range type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multirange {
    /// The type.
    pub oid: Oid,
    /// Its array type.
    pub array: Oid,
    /// Its name.
    pub name: QualifiedName,
}
