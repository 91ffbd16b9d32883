use crate::logical::PUBLICATION;
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
            identity_full: self.replica_identity_full,
            ..ReplicationOptions::default()
        }
    }
}
