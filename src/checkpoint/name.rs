use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pg::QualifiedName;

/// A table's schema and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(String, String);

impl From<&QualifiedName> for Name {
    fn from(name: &QualifiedName) -> Self {
        Self(
            name.schema.as_str().to_owned(),
            name.name.as_str().to_owned(),
        )
    }
}

impl From<&Name> for QualifiedName {
    fn from(Name(schema, name): &Name) -> Self {
        Self::from_catalog(schema, name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        QualifiedName::from(self).fmt(f)
    }
}
