//! What a copy can do without.

/// What it means for a copy if something is missing that the target has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Necessity {
    /// The rest is complete without it, and it can be created later.
    Optional,
    /// It goes with what it depends on. By itself it must not be missing.
    Dependent,
    /// Nothing is complete without it: tables, types, keys, and what protects rows.
    Required,
}
