//! Phase 5: the source's roles come to the target, in one transaction.

use std::collections::BTreeSet;

use super::{Error, Options, Side, door};
use crate::catalog::cluster::{Roles, Settable};
use crate::connect::Purpose;
use crate::ddl;
use crate::ddl::object::grant::GrantTarget;
use crate::ddl::object::role::{RoleMerge, RoleOptions, RoleStatement, merge};
use crate::pg::{Ident, ServerVersion, Sql};

/// What is known of the target cluster when databases are made on it.
#[derive(Debug)]
pub(super) struct TargetCluster {
    /// Its version.
    pub(super) version: ServerVersion,
    /// Its roles, with those made in this run.
    pub(super) roles: BTreeSet<Ident>,
    /// The parameters that may be set on it.
    pub(super) settable: Settable,
}

impl TargetCluster {
    /// What a script for this target may use.
    pub(super) fn ddl_options(&self, options: &Options) -> ddl::Options {
        ddl::Options {
            rows: !options.schema_only,
            ..ddl::Options::everything(self.version, self.roles.clone())
        }
    }

    /// What grants may refer to.
    pub(super) fn grants(&self) -> GrantTarget<'_> {
        GrantTarget {
            version: self.version,
            roles: &self.roles,
        }
    }
}

/// Roles of both sides as the checks read them, and the target's parameters.
#[derive(Debug)]
pub(super) struct RolesRead {
    pub(super) source: Roles,
    pub(super) target: Roles,
    pub(super) settable: Settable,
}

/// Whether roles come with their passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passwords {
    Included,
    LeftOut,
}

/// What makes missing roles and memberships, and the target as it is then.
pub(super) fn plan(read: &RolesRead, passwords: Passwords) -> (TargetCluster, RoleMerge) {
    let wanted = RoleOptions {
        passwords: passwords == Passwords::Included,
        settable: &read.settable,
    };
    let merge = merge(&read.source, &read.target, wanted);
    let created = merge.created.iter().cloned();
    let cluster = TargetCluster {
        version: read.target.version,
        roles: read.target.roles.keys().cloned().chain(created).collect(),
        settable: read.settable.clone(),
    };
    (cluster, merge)
}

/// Makes missing roles and memberships; the target as it then is, and what differs on purpose.
///
/// # Errors
/// The target refuses a statement. No role was made then.
pub(super) async fn make(
    read: &RolesRead,
    options: &Options,
) -> Result<(TargetCluster, Vec<String>), Error> {
    let (cluster, merge) = plan(read, Passwords::Included);
    if !merge.statements.is_empty() {
        run(&merge.statements, options).await?;
    }
    let differences = merge.differences.iter().map(ToString::to_string);
    Ok((cluster, differences.collect()))
}

async fn run(statements: &[RoleStatement], options: &Options) -> Result<(), Error> {
    let session = door::open(Side::Target, &options.target, Purpose::Build).await?;
    let refused = |source| Error::Roles { role: None, source };
    session.batch(&Sql::fixed("BEGIN")).await.map_err(refused)?;
    for statement in statements {
        session
            .batch(&statement.sql)
            .await
            .map_err(|source| Error::Roles {
                role: Some(statement.role.clone()),
                source,
            })?;
    }
    session.batch(&Sql::fixed("COMMIT")).await.map_err(refused)
}
