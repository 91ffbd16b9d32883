//! Which server it is, for people.

use std::fmt;

use crate::cluster::server::Cluster;
use crate::pg::ServerVersion;

/// Who connects to which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerIdentity {
    /// The role.
    pub role: String,
    /// Host and port, or the directory of the socket.
    pub place: String,
    /// The server's version.
    pub version: ServerVersion,
}

impl ServerIdentity {
    /// Returns that of a server.
    pub(crate) fn of_server(server: &Cluster) -> Self {
        Self {
            role: server.facts.role.clone(),
            place: server.endpoint.place(),
            version: server.facts.version,
        }
    }
}

/// `role@host:port, PostgreSQL version`
impl fmt::Display for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            role,
            place,
            version,
        } = self;
        write!(f, "{role}@{place}, PostgreSQL {version}")
    }
}
