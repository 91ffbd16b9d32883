//! What the plan of every database depends on.

use crate::cluster::RunInstant;
use crate::cluster::identity::ServerIdentity;
use crate::cluster::server::Cluster;
use crate::migrate::options::Options;
use crate::migrate::resume::Resume;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Sides;
use crate::task::Scope;

/// What the plan of every database depends on.
pub(crate) struct Planner<'a> {
    pub(crate) options: &'a Options,
    pub(crate) servers: Sides<Cluster>,
    /// The target, and what is done to its roles.
    pub(crate) target: TargetCluster,
    pub(crate) resume: Option<Resume>,
    /// The instant that filters use as the current time, if there are filters.
    pub(crate) instant: Option<RunInstant>,
    pub(crate) scope: &'a Scope,
}

impl Planner<'_> {
    /// Which servers they are.
    pub(crate) fn identities(&self) -> Sides<ServerIdentity> {
        self.servers.as_ref().map(ServerIdentity::of_server)
    }
}
