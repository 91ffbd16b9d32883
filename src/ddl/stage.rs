//! The stages of the post-data section.

/// What no dependency orders and still has an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Definitions.
    #[default]
    Definitions,
    /// What restricts even their owners: policies; and what sends to others: publications.
    Access,
    /// Comments, labels, privileges. Owners may lose privileges that definitions needed.
    Attached,
    /// Materialized views are filled, for which owners may need privileges.
    Refresh,
    /// Event triggers, which must not fire on the rest.
    Last,
}
