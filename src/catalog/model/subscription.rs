use crate::pg::Ident;

/// A subscription. It is never created, since it would use the source's replication slot at its publisher, but the
/// statement that creates it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub name: Ident,
    /// More than the name, which is all that everyone may read.
    pub details: Option<SubscriptionDetails>,
}

/// What only superusers may read of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionDetails {
    /// How it reaches its publisher, with passwords masked.
    pub connection: String,
    /// The publications that it follows.
    pub publications: Vec<Ident>,
    /// `synchronous_commit` of the apply worker.
    pub synchronous_commit: String,
    /// Whether rows come in binary; since 14.
    pub binary: bool,
    /// `off`, `on` or `parallel`; since 14.
    pub streaming: String,
    /// Whether prepared transactions are applied as such; since 15.
    pub two_phase: bool,
    /// Whether an error disables it; since 15.
    pub disable_on_error: bool,
    /// Whether the connection must use a password; since 16.
    pub password_required: bool,
    /// Whether changes are applied as its owner; since 16, as all were before.
    pub run_as_owner: bool,
    /// `any` or `none`; since 16.
    pub origin: String,
    /// Whether its slot is kept on standbys; since 17.
    pub failover: bool,
}
