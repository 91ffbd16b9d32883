use super::ObjectId;
use crate::catalog::cluster::LocaleProvider;
use crate::pg::{Ident, QualifiedName};

/// A sort order that a user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collation {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner.
    pub owner: Ident,
    /// Where it comes from.
    pub provider: LocaleProvider,
    /// `LC_COLLATE` of the operating system's provider, else empty.
    pub collate: String,
    /// `LC_CTYPE`, likewise.
    pub ctype: String,
    /// Whether strings are equal only where their bytes are.
    pub is_deterministic: bool,
}
