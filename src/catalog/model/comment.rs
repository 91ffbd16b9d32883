//! Comments, and how the object of each is named.

use super::search::SearchKind;
use crate::pg::{Ident, Oid, QualifiedName, RelKind, Sql};

/// A comment of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The catalog that holds the object (`pg_class`, …), by its oid.
    pub class: Oid,
    /// The object.
    pub oid: Oid,
    /// The column's number; 0 for the object itself.
    pub attnum: i32,
    /// What is commented on.
    pub target: CommentTarget,
    /// The text. None: a comment that the object has by itself was removed.
    pub text: Option<String>,
}

/// What is commented on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentTarget {
    /// A schema.
    Schema(Ident),
    /// An extension.
    Extension(Ident),
    /// Anything in `pg_class`.
    Relation(RelKind, QualifiedName),
    /// A column of a relation or an attribute of a composite type.
    Column(QualifiedName, Ident),
    /// A type, as `format_type` writes it.
    Type(Sql),
    /// A domain, likewise.
    Domain(Sql),
    /// A function, procedure or aggregate.
    Routine(RoutineKind, QualifiedName, Sql),
    /// A constraint of a table.
    Constraint {
        /// Its name.
        name: Ident,
        /// Its table.
        table: QualifiedName,
        /// Whether it is a not-null constraint, which has no name of its own before 18.
        is_not_null: bool,
    },
    /// A constraint of a domain.
    DomainConstraint {
        /// Its name.
        name: Ident,
        /// Its domain.
        domain: QualifiedName,
        /// Whether it is a not-null constraint, which has no name of its own before 17.
        is_not_null: bool,
    },
    /// A trigger and its table.
    Trigger(Ident, QualifiedName),
    /// A policy and its table.
    Policy(Ident, QualifiedName),
    /// A rule and its table or view.
    Rule(Ident, QualifiedName),
    /// A collation.
    Collation(QualifiedName),
    /// A text search object.
    Search(SearchKind, QualifiedName),
    /// A language.
    Language(Ident),
    /// An access method.
    AccessMethod(Ident),
    /// A cast: the types that it takes and gives, both as SQL.
    Cast(Sql, Sql),
    /// A transform: the type, as SQL, and the language.
    Transform(Sql, Ident),
    /// A conversion between encodings.
    Conversion(QualifiedName),
    /// An operator: its symbol and its operands, both as SQL.
    Operator(Sql, Sql),
    /// An operator family and its access method.
    OperatorFamily(QualifiedName, Ident),
    /// An operator class and its access method.
    OperatorClass(QualifiedName, Ident),
    /// A foreign data wrapper.
    ForeignDataWrapper(Ident),
    /// A foreign server.
    ForeignServer(Ident),
    /// A publication.
    Publication(Ident),
    /// An event trigger.
    EventTrigger(Ident),
    /// Extended statistics.
    Statistics(QualifiedName),
}

/// The word by which a routine is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutineKind {
    /// A function, also a window function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
}
