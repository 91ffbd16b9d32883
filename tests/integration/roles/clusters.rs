//! Pairs of clusters with roles, and the merge of the roles of one into the other.

use seren_replicator::catalog::load::database::load_settable;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::connect::Session;
use seren_replicator::ddl::cluster::{RoleMerge, RoleOptions, plan_role_merge};
use seren_replicator::sandbox::Cluster;

use crate::support::{database, text};

/// Two clusters of our own, since roles belong to clusters.
pub(super) fn pair([source, target]: [u32; 2]) -> (Cluster, Cluster) {
    (
        Cluster::start(source).unwrap(),
        Cluster::start(target).unwrap(),
    )
}

pub(super) async fn open(cluster: &Cluster, name: &str) -> Session {
    database(&cluster.url(name)).await
}

pub(super) async fn open_as(role: &str, cluster: &Cluster, name: &str) -> Session {
    let port = cluster.port();
    database(&format!("postgresql://{role}@127.0.0.1:{port}/{name}")).await
}

pub(super) const ROLES: &str = r#"
    CREATE ROLE "o-wner's ""ä""" LOGIN CREATEDB CONNECTION LIMIT 7 PASSWORD 'secret' VALID UNTIL '2031-02-03 04:05:06+00';
    CREATE ROLE "Group 1" NOLOGIN NOINHERIT CREATEROLE;
    CREATE ROLE admin SUPERUSER REPLICATION BYPASSRLS VALID UNTIL 'infinity';
    CREATE ROLE leaf LOGIN;
    COMMENT ON ROLE leaf IS 'it''s a \ leaf';
    ALTER ROLE leaf SET search_path TO "$user", 'a b', public;
    ALTER ROLE leaf SET work_mem TO '8MB';
    ALTER ROLE leaf SET "app.tenant" TO 'x=y,''z''';
    ALTER ROLE admin SET role TO "Group 1";
    GRANT "Group 1" TO "o-wner's ""ä""" WITH ADMIN OPTION;
    GRANT pg_monitor TO leaf;
"#;

pub(super) async fn run(session: &Session, script: &str) {
    session.batch(&text(script)).await.unwrap();
}

pub(super) async fn merged(source: &Session, target: &Session) -> RoleMerge {
    let settable = load_settable(target).await.unwrap();
    let options = RoleOptions {
        passwords: true,
        settable: &settable,
    };
    let (source, target) = (
        load_roles(source).await.unwrap(),
        load_roles(target).await.unwrap(),
    );
    plan_role_merge(&source, &target, options)
}

pub(super) async fn apply(session: &Session, merge: &RoleMerge) {
    for statement in &merge.statements {
        session.batch(&statement.sql).await.unwrap();
    }
}
