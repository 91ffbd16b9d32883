use crate::migrate::ReplicationOptions;

/// How the source is prepared for replication.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Replication")]
pub(in crate::cli) struct Replication {
    /// One-off copy by a plain snapshot, without publication and slot; also works on a standby
    #[arg(long)]
    no_sync: bool,

    /// Give tables without a replica identity the whole row as one; teardown restores them
    #[arg(long)]
    replica_identity_full: bool,
}

impl Replication {
    /// Whether replication is to follow.
    pub(in crate::cli) fn follows(&self) -> bool {
        !self.no_sync
    }

    /// How the source is prepared.
    pub(in crate::cli) fn options(&self, max_retained_wal: Option<u64>) -> ReplicationOptions {
        ReplicationOptions {
            identity_full: self.replica_identity_full,
            max_retained_wal,
        }
    }
}
