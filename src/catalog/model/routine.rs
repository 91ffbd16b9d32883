use super::ObjectId;
use super::relation::letters;
use crate::catalog::cluster::Setting;
use crate::pg::{Ident, QualifiedName, Sql, UnknownLetter};
use std::str::FromStr;

/// A function, procedure or window function.
#[derive(Clone, Debug, PartialEq)]
pub struct Routine {
    /// Its row.
    pub id: ObjectId,
    /// Its name, which several routines may share.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// What it is.
    pub kind: RoutineKind,
    /// Its arguments with names, modes and defaults.
    pub arguments: Sql,
    /// Its arguments as far as they identify it.
    pub identity: Sql,
    /// What it returns; nothing for a procedure.
    pub result: Option<Sql>,
    /// Its language.
    pub language: Ident,
    /// Whether that is one which users may be let write in.
    pub is_trusted: bool,
    /// Its code.
    pub body: Body,
    /// Types whose transforms it uses, as SQL.
    pub transforms: Vec<Sql>,
    /// What its result depends on.
    pub volatility: Volatility,
    /// Whether it may run in parallel workers.
    pub parallel: Parallel,
    /// Whether NULL in gives NULL out.
    pub is_strict: bool,
    /// Whether it runs as its owner.
    pub is_security_definer: bool,
    /// `LEAKPROOF`: whether it reveals nothing about its arguments.
    pub is_leakproof: bool,
    /// Whether it has an argument that is only given back.
    pub has_out: bool,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// Estimated cost.
    pub cost: f32,
    /// Estimated rows of a set.
    pub rows: f32,
    /// The planner's helper, as SQL.
    pub support: Option<Sql>,
    /// Settings while it runs.
    pub settings: Vec<Setting>,
}

/// The code of a routine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text in the routine's language.
    Source(String),
    /// A symbol in a library.
    Library {
        /// The library.
        file: String,
        /// The symbol.
        symbol: String,
    },
    /// An SQL-standard body, which is parsed when the routine is created; since 14.
    Sql {
        /// The body.
        text: Sql,
        /// Whether it calls its own routine.
        names_itself: bool,
    },
}

letters! {
    /// `pg_proc.prokind`, without aggregates.
    RoutineKind, "prokind" {
        /// A function.
        Function = "f" => "FUNCTION",
        /// A procedure.
        Procedure = "p" => "PROCEDURE",
        /// A window function.
        Window = "w" => "FUNCTION",
    }
}

letters! {
    /// `pg_proc.provolatile`.
    Volatility, "provolatile" {
        /// Always the same for the same arguments.
        Immutable = "i" => "IMMUTABLE",
        /// The same within a statement.
        Stable = "s" => "STABLE",
        /// Anything.
        Volatile = "v" => "VOLATILE",
    }
}

letters! {
    /// `pg_proc.proparallel`.
    Parallel, "proparallel" {
        /// May run in workers.
        Safe = "s" => "SAFE",
        /// May run in the leader only.
        Restricted = "r" => "RESTRICTED",
        /// Forbids parallel plans.
        Unsafe = "u" => "UNSAFE",
    }
}
