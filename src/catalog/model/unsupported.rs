use crate::pg::{Oid, Printable, readable};

/// An object that is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its kind, e.g. `operator class`.
    pub kind: String,
    /// Its identity as the server writes it, quoted where needed.
    pub identity: String,
    /// The catalog that holds it, and its key there; invalid where it has none that we may read.
    pub class: Oid,
    /// Key in that catalog.
    pub oid: Oid,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identity = readable(&self.identity);
        write!(f, "{} {}", self.kind, Printable(&identity))
    }
}
