//! What a server says of itself: its version, its settings, and what the connecting role may do.

use crate::connect::{self, Session};
use crate::pg::{ServerVersion, Sql};

/// What the checks need to know of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version.
    pub version: ServerVersion,
    /// Whether it replays another cluster's log.
    pub standby: bool,
    /// Which cluster it is; restored copies keep their parent's.
    pub system_identifier: Option<String>,
    /// `wal_level`.
    pub wal_level: String,
    /// Replication slots left.
    pub free_slots: i64,
    /// WAL senders left.
    pub free_senders: i64,
    /// The connecting role.
    pub role: String,
    /// Whether that role is a superuser.
    pub superuser: bool,
    /// Whether it may use replication, by attribute or by a provider's role.
    pub replication: bool,
    /// Whether it may create databases.
    pub createdb: bool,
    /// Whether it may create roles.
    pub createrole: bool,
    /// Prepared transactions, which hold up a slot.
    pub prepared: i64,
    /// `idle_replication_slot_timeout`, where it is not 0.
    pub idle_slot_timeout: Option<String>,
}

impl ServerFacts {
    /// Asks a cluster.
    ///
    /// # Errors
    /// The server refused the question.
    pub async fn load(session: &Session) -> Result<Self, connect::Error> {
        let row = session
            .query_one(&Sql::fixed(include_str!("sql/server.sql")), &[])
            .await?;
        let superuser: bool = row.get("superuser");
        Ok(Self {
            version: session.version(),
            standby: row.get("standby"),
            system_identifier: row.get("system_identifier"),
            wal_level: row.get("wal_level"),
            free_slots: row.get("free_slots"),
            free_senders: row.get("free_senders"),
            role: row.get("role"),
            superuser,
            replication: superuser
                || row.get::<_, bool>("replication")
                || row.get::<_, bool>("provider_replication"),
            createdb: superuser || row.get::<_, bool>("createdb"),
            createrole: superuser || row.get::<_, bool>("createrole"),
            prepared: row.get("prepared"),
            idle_slot_timeout: row.get("idle_slot_timeout"),
        })
    }
}
