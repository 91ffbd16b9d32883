use super::{ObjectId, Options};
use crate::connect::Secret;
use crate::pg::{Ident, QualifiedName};

/// What makes foreign tables of a sort possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignDataWrapper {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
    /// Its handler function.
    pub handler: Option<QualifiedName>,
    /// The function that checks options.
    pub validator: Option<QualifiedName>,
    /// Its options.
    pub options: Options,
}

/// A place that a wrapper reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignServer {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
    /// Its wrapper.
    pub wrapper: Ident,
    /// What the wrapper takes it for.
    pub server_type: Option<String>,
    /// Its version, for the wrapper.
    pub version: Option<String>,
    /// Its options.
    pub options: Options,
}

/// A role's login at a foreign server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMapping {
    /// Its row.
    pub id: ObjectId,
    /// The server.
    pub server: Ident,
    /// The role; None: everyone.
    pub role: Option<Ident>,
    /// Its options, often a password; None: they may not be read.
    pub options: Option<Vec<(String, Secret)>>,
}

/// Where the rows of a foreign table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSource {
    /// The server.
    pub server: Ident,
    /// The table's options.
    pub options: Options,
}
