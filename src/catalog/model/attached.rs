//! Objects attached to a relation, without an owner of their own.

use std::str::FromStr;

use super::ObjectId;
use super::relation::letters;
use crate::pg::{Ident, Oid, QualifiedName, Sql, UnknownLetter};

letters! {
    /// `pg_trigger.tgenabled`, `pg_rewrite.ev_enabled`; the word follows `ALTER TABLE name`.
    Enabled, "tgenabled" {
        /// Except on replicas: the default.
        Origin = "O" => "ENABLE",
        /// Never.
        Disabled = "D" => "DISABLE",
        /// Only on replicas.
        Replica = "R" => "ENABLE REPLICA",
        /// Everywhere.
        Always = "A" => "ENABLE ALWAYS",
    }
}

/// A trigger of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its table or view.
    pub relation: Oid,
    /// `CREATE TRIGGER …` in full; nothing for the clone on a partition, which comes with the
    /// parent's trigger and is listed only where its state differs.
    pub definition: Option<Sql>,
    /// When it fires.
    pub enabled: Enabled,
}

/// A rewrite rule other than the one that defines a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its table or view.
    pub relation: Oid,
    /// `CREATE RULE …` in full.
    pub definition: Sql,
    /// When it applies.
    pub enabled: Enabled,
}

/// A trigger of the server's own behind a key, that does not fire as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTrigger {
    /// Its row.
    pub id: ObjectId,
    /// The key's row: of a foreign key that of the topmost table.
    pub constraint_oid: Oid,
    /// The key.
    pub constraint: Ident,
    /// The key's table.
    pub table: QualifiedName,
    /// The table that the trigger is on: of a foreign key also the other one.
    pub relation: QualifiedName,
    /// The server's function that it calls, which identifies each trigger of a key.
    pub function: Ident,
    /// When it fires.
    pub enabled: Enabled,
}

/// A row security policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its table.
    pub relation: Oid,
    /// What it applies to.
    pub command: PolicyCommand,
    /// Whether one of several is enough.
    pub is_permissive: bool,
    /// Whom it applies to; empty for everyone.
    pub roles: Vec<Ident>,
    /// Which rows are seen.
    pub using: Option<Sql>,
    /// Which rows may be written.
    pub with_check: Option<Sql>,
}

letters! {
    /// `pg_policy.polcmd`.
    PolicyCommand, "polcmd" {
        /// Every command.
        All = "*" => "ALL",
        /// `SELECT`.
        Select = "r" => "SELECT",
        /// `INSERT`.
        Insert = "a" => "INSERT",
        /// `UPDATE`.
        Update = "w" => "UPDATE",
        /// `DELETE`.
        Delete = "d" => "DELETE",
    }
}

/// Extended statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// The table that it describes.
    pub relation: Oid,
    /// `CREATE STATISTICS …` in full.
    pub definition: Sql,
    /// Whether it is on expressions; since 14.
    pub has_expressions: bool,
    /// The statistics target, where it is set; since 13.
    pub target: Option<i32>,
}
