use super::ObjectId;
use crate::pg::{Ident, QualifiedName, Sql};

/// An operator that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its row.
    pub id: ObjectId,
    /// Its name for people.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// Its name as SQL: operators are not quoted.
    pub symbol: Sql,
    /// The type to its left; none for a prefix operator.
    pub left: Option<Sql>,
    /// The type to its right; none for a postfix operator, which there are up to 13.
    pub right: Option<Sql>,
    /// What is between the parentheses: function, types, partners, estimators.
    pub definition: Sql,
    /// Whether it calls one of the server's array functions whose arguments have other types since 14.
    pub uses_old_arrays: bool,
}

/// An operator family that a user made, or that came with an operator class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorFamily {
    /// Its row.
    pub id: ObjectId,
    /// Its name, which families of other access methods may share.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// The access method of its indexes.
    pub method: Ident,
    /// What belongs to the family and to none of its classes.
    pub members: FamilyMembers,
}

/// An operator class that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorClass {
    /// Its row.
    pub id: ObjectId,
    /// Its name, which classes of other access methods may share.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// The access method of its indexes.
    pub method: Ident,
    /// The family that it is in.
    pub family: QualifiedName,
    /// The type of the columns, as SQL.
    pub type_name: Sql,
    /// The type within the index, where it is another one.
    pub storage: Option<Sql>,
    /// Whether indexes of the type use it unasked.
    pub is_default: bool,
    /// What comes and goes with it.
    pub members: FamilyMembers,
}

/// Operators and support functions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyMembers {
    /// Their rows.
    pub rows: Vec<ObjectId>,
    /// Each as `CREATE OPERATOR CLASS` writes it.
    pub definitions: Vec<Sql>,
}
