use std::str::FromStr;

use super::ObjectId;
use super::relation::letters;
use crate::pg::{Ident, Sql, UnknownLetter};

/// A procedural language that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
    /// Whether everyone may be let to use it.
    pub is_trusted: bool,
    /// The function that runs its functions, as SQL.
    pub handler: Sql,
    /// The function behind `DO`, as SQL.
    pub inline: Option<Sql>,
    /// The function that checks its functions, as SQL.
    pub validator: Option<Sql>,
}

/// A way to store tables or indexes that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessMethod {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// What it stores.
    pub kind: AccessMethodKind,
    /// Its function, as SQL.
    pub handler: Sql,
}

letters! {
    /// `pg_am.amtype`.
    AccessMethodKind, "amtype" {
        /// Indexes.
        Index = "i" => "INDEX",
        /// Tables.
        Table = "t" => "TABLE",
    }
}
