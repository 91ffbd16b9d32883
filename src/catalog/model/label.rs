use super::{Class, ObjectId};
use crate::pg::{Ident, Oid, QualifiedName, Sql};

/// A security label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityLabel {
    /// The catalog that holds the object, by its oid.
    pub class: Oid,
    /// The object.
    pub oid: Oid,
    /// The module that reads it.
    pub provider: String,
    /// The object's kind and name, as `SECURITY LABEL` takes it.
    pub object: Sql,
    /// The object, if it is a role.
    pub role: Option<Ident>,
    /// The label.
    pub label: String,
}

impl SecurityLabel {
    /// What is labelled.
    pub fn owner(&self) -> LabelOwner {
        const ROLE: Oid = Oid(1260);
        const DATABASE: Oid = Oid(1262);
        match (Class::from_oid(self.class), self.class) {
            (Some(class), _) => LabelOwner::Object(ObjectId::new(class, self.oid)),
            (None, ROLE) => LabelOwner::Role,
            (None, DATABASE) => LabelOwner::Database,
            (None, _) => LabelOwner::Other,
        }
    }
}

/// What a security label is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelOwner {
    /// A role.
    Role,
    /// The database.
    Database,
    /// An object within it.
    Object(ObjectId),
    /// Something that is never made: a subscription.
    Other,
}

/// A relation that belongs to an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRelation {
    /// The extension and its version.
    pub extension: (String, String),
    /// Its name.
    pub name: QualifiedName,
}

/// A comment on an object of an extension, or a user's on one of the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberComment {
    /// The extension and its version; both empty for the server.
    pub extension: (String, String),
    /// The object's kind and name, as `COMMENT ON` takes it.
    pub object: String,
    /// The text.
    pub text: String,
}
