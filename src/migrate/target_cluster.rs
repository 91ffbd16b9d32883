//! What is known of the target cluster when databases are created on it.

use std::collections::BTreeSet;

use crate::catalog::cluster::Roles;
use crate::ddl;
use crate::ddl::cluster::{RoleMerge, TemporaryMemberships, plan_temporary_memberships};
use crate::pg::Ident;

/// What is known of the target cluster when databases are created on it.
#[derive(Debug)]
pub(crate) struct TargetCluster {
    /// Its roles as the checks read them.
    pub(crate) roles: Roles,
    /// What is done to its roles.
    pub(crate) merge: RoleMerge,
    /// What scripts for it may use, and what they copy.
    pub(crate) options: ddl::Options,
    /// The roles that we must act for.
    pub(crate) actors: BTreeSet<Ident>,
}

impl TargetCluster {
    /// How our role comes to act for others.
    pub(crate) fn plan_memberships(&self) -> TemporaryMemberships {
        plan_temporary_memberships(&self.roles, &self.actors, &self.merge)
    }
}
