//! The source's roles come to the target, in one transaction; and what our own role
//! must be a member of meanwhile.

use crate::cluster::maintenance;
use crate::connect::{Purpose, Session};
use crate::ddl::cluster::{RoleMerge, RoleStatement};
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Side;
use crate::pg::{Sql, SqlState};

/// Makes missing roles and memberships; what differs on purpose.
///
/// # Errors
/// The target refuses a statement that must succeed. No role was created then.
pub(crate) async fn create_roles(
    cluster: &TargetCluster,
    options: &Options,
) -> Result<Vec<String>, Error> {
    let RoleMerge {
        statements,
        differences,
        ..
    } = &cluster.merge;
    let mut told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    if !statements.is_empty() {
        told.extend(run_role_statements(statements, options).await?);
    }
    Ok(told)
}

/// Runs statements in one transaction; what was refused that may be.
async fn run_role_statements(
    statements: &[RoleStatement],
    options: &Options,
) -> Result<Vec<String>, Error> {
    let session = maintenance::open_session(Side::Target, &options.target, Purpose::Build).await?;
    let mut refused = Vec::new();
    run_fixed(&session, "BEGIN").await?;
    for statement in statements {
        let wrap = |source| Error::Roles {
            role: Some(statement.role.clone()),
            source,
        };
        let Some(otherwise) = &statement.otherwise else {
            session.batch(&statement.sql).await.map_err(wrap)?;
            continue;
        };
        run_fixed(&session, "SAVEPOINT optional").await?;
        match session.batch(&statement.sql).await {
            Ok(()) => {}
            Err(error) if error.sqlstate().is_some_and(SqlState::is_refusal) => {
                tracing::debug!(%error, role = %statement.role, "a property was refused");
                run_fixed(&session, "ROLLBACK TO SAVEPOINT optional").await?;
                refused.push(otherwise.to_string());
            }
            Err(error) => return Err(wrap(error)),
        }
        run_fixed(&session, "RELEASE SAVEPOINT optional").await?;
    }
    run_fixed(&session, "COMMIT").await?;
    Ok(refused)
}

async fn run_fixed(session: &Session, sql: &'static str) -> Result<(), Error> {
    let done = session.batch(&Sql::fixed(sql)).await;
    done.map_err(|source| Error::Roles { role: None, source })
}

/// Makes our role a member of those that it acts for, or ends that.
///
/// # Errors
/// The target refuses.
pub(crate) async fn run_memberships(statements: &[Sql], options: &Options) -> Result<(), Error> {
    if statements.is_empty() {
        return Ok(());
    }
    let session = maintenance::open_session(Side::Target, &options.target, Purpose::Build).await?;
    run_fixed(&session, "BEGIN").await?;
    for statement in statements {
        let done = session.batch(statement).await;
        done.map_err(|source| Error::Roles { role: None, source })?;
    }
    run_fixed(&session, "COMMIT").await
}
