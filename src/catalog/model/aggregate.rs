use super::ObjectId;
use crate::pg::{Ident, QualifiedName, Sql};

/// An aggregate that a user made, of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Its row in `pg_proc`.
    pub id: ObjectId,
    /// Its name, which several routines may share.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// Its arguments with names, modes and `ORDER BY`; a star for none.
    pub arguments: Sql,
    /// What is between the parentheses: state function, state type and so on.
    pub definition: Sql,
    /// Whether its state is something that only the server's own functions know.
    pub has_internal_state: bool,
    /// Whether it is for any type and built from the server's array functions whose arguments have other
    /// types since 14.
    pub uses_old_arrays: bool,
}
