use super::ObjectId;
use crate::pg::{Ident, QualifiedName, Sql};

/// A dictionary or a configuration of full text search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// What stands between the parentheses: the template with its options, or the parser.
    pub definition: Sql,
    /// Of a configuration: the dictionaries that each kind of token is given to, as SQL.
    pub mappings: Vec<(Ident, Sql)>,
}
