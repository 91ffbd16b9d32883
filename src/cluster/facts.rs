//! Facts about a server: its version, its settings, and the privileges of the connecting role.

use crate::connect::{self, Session};
use crate::pg::{ServerVersion, Sql};

/// The facts about a server that the checks use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version.
    pub version: ServerVersion,
    /// Whether it is a standby server.
    pub standby: bool,
    /// The system identifier, if the role may read it. A copy restored from a base backup has that of its
    /// origin.
    pub system_identifier: Option<String>,
    /// `wal_level`.
    pub wal_level: String,
    /// The number of free replication slots.
    pub free_slots: i64,
    /// The number of free WAL senders.
    pub free_senders: i64,
    /// The connecting role.
    pub role: String,
    /// Whether that role is a superuser.
    pub superuser: bool,
    /// Whether it may use replication, by its attribute or by a role of the provider.
    pub replication: bool,
    /// Whether it may create databases.
    pub createdb: bool,
    /// Whether it may create roles.
    pub createrole: bool,
    /// The number of prepared transactions; the creation of a slot waits for them.
    pub prepared: i64,
    /// `idle_replication_slot_timeout`, if it is not 0.
    pub idle_slot_timeout: Option<String>,
}

impl ServerFacts {
    /// Loads the facts.
    ///
    /// # Errors
    /// The server refused the query.
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
