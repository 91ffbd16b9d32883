use crate::logical::{PUBLICATION, SUBSCRIPTION};
use crate::migrate::ReplicationOptions;
use crate::pg::{Ident, InvalidName};

/// How the source is prepared for logical replication.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Replication")]
pub(in crate::cli) struct Replication {
    /// Copy once, without publication and slot; the source may be a standby
    #[arg(long)]
    no_sync: bool,

    /// Set REPLICA IDENTITY FULL on tables without a usable replica identity
    ///
    /// This concerns published tables only. teardown restores their replica identities.
    #[arg(long)]
    replica_identity_full: bool,

    /// Name of the publication in each source database; use one name per target
    #[arg(long, value_name = "NAME", hide_short_help = true, default_value = PUBLICATION, value_parser = parse_publication)]
    publication: Ident,

    /// Name of the subscription in each target database, if sync was given another one; --drop-existing drops it
    #[arg(long, value_name = "NAME", hide_short_help = true, default_value = SUBSCRIPTION, value_parser = parse_publication)]
    subscription: Ident,

    /// Create failover slots, which standbys of the source synchronize; requires a source of version 17 or newer
    ///
    /// A standby has the slots after replication from them has begun. If it is promoted then, replication can continue
    /// there. validate lists what the source and its standbys require.
    #[arg(long, hide_short_help = true, conflicts_with = "no_sync")]
    failover_slot: bool,
}

/// A publication's name.
pub(in crate::cli) fn parse_publication(text: &str) -> Result<Ident, InvalidName> {
    Ident::new(text)
}

impl Replication {
    /// Whether replication is to follow.
    pub(in crate::cli) fn follows(&self) -> bool {
        !self.no_sync
    }

    /// How the source is prepared.
    pub(in crate::cli) fn options(&self) -> ReplicationOptions {
        ReplicationOptions {
            publication: self.publication.clone(),
            subscription: self.subscription.clone(),
            identity_full: self.replica_identity_full,
            failover_slots: self.failover_slot,
            ..ReplicationOptions::default()
        }
    }
}
