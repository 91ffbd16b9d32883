use std::str::FromStr;

use super::ObjectId;
use super::relation::letters;
use crate::pg::{Ident, QualifiedName, Sql, UnknownLetter};

/// A cast that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Its row.
    pub id: ObjectId,
    /// The type that it takes, as SQL.
    pub source: Sql,
    /// The type that it gives, as SQL.
    pub target: Sql,
    /// How it is done.
    pub method: CastMethod,
    /// Its function with arguments, where it has one.
    pub function: Option<Sql>,
    /// Where it is done unasked.
    pub context: CastContext,
    /// Whether one of its types is a user's, neither the server's nor an extension's.
    pub is_of_users_type: bool,
}

letters! {
    /// `pg_cast.castmethod`.
    CastMethod, "castmethod" {
        /// By a function.
        Function = "f" => "WITH FUNCTION",
        /// By the output function of one type and the input function of the other.
        InOut = "i" => "WITH INOUT",
        /// The bytes are the same.
        Binary = "b" => "WITHOUT FUNCTION",
    }
}

letters! {
    /// `pg_cast.castcontext`.
    CastContext, "castcontext" {
        /// Nowhere.
        Explicit = "e" => "",
        /// When a value is assigned to a column.
        Assignment = "a" => " AS ASSIGNMENT",
        /// In any expression.
        Implicit = "i" => " AS IMPLICIT",
    }
}

/// How values of a type enter and leave the functions of a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transform {
    /// Its row.
    pub id: ObjectId,
    /// The type, as SQL.
    pub type_name: Sql,
    /// The language.
    pub language: Ident,
    /// The function for arguments, with its own.
    pub from_sql: Option<Sql>,
    /// The function for results, with its arguments.
    pub to_sql: Option<Sql>,
    /// Whether its type and its functions are users', none the server's or an extension's.
    pub is_of_users_parts: bool,
}

/// A conversion between encodings that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// The encoding that it takes.
    pub source: String,
    /// The encoding that it gives.
    pub target: String,
    /// Its function, as SQL.
    pub function: Sql,
    /// Whether it is used for these encodings unasked.
    pub is_default: bool,
}
