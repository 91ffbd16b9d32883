//! Roles and memberships between two servers, by a superuser and by others.

use std::collections::BTreeSet;

use seren_replicator::catalog::cluster::{Attribute, Roles, is_predefined};
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::connect::Secret;
use seren_replicator::ddl::cluster::RoleMerge;
use seren_replicator::ddl::cluster::plan_temporary_memberships;
use seren_replicator::pg::Ident;
use seren_replicator::sql;

use super::clusters::{ROLES, apply, merged, open, open_as, pair, run};

/// One line per fact, without keys and what comes with a server.
fn told(roles: &Roles) -> Vec<String> {
    let own = roles.roles.values().filter(|role| !role.is_predefined());
    let mut told: Vec<_> = own
        .map(|role| {
            let shown = role.password.as_ref().map(Secret::expose);
            let (attributes, limit) = (&role.attributes, role.connection_limit);
            let (until, settings) = (&role.valid_until, &role.settings);
            let (name, comment) = (&role.name, &role.comment);
            format!("{name} {attributes:?} {limit} {shown:?} {until:?} {settings:?} {comment:?}")
        })
        .collect();
    for membership in roles
        .memberships
        .iter()
        .filter(|m| !is_predefined(&m.member))
    {
        // Before 16 there are no options, and the member's attribute decides.
        let inherit = membership
            .inherit
            .unwrap_or_else(|| roles.roles[&membership.member].has(Attribute::Inherit));
        let set = membership.set.unwrap_or(true);
        let (role, member, admin) = (&membership.role, &membership.member, membership.admin);
        let grantor = membership
            .grantor
            .as_ref()
            .map_or("postgres", Ident::as_str);
        told.push(format!(
            "{role} to {member}: {admin} {inherit} {set} by {grantor}"
        ));
    }
    told.extend(
        roles
            .parameters
            .iter()
            .map(|parameter| format!("{parameter:?}")),
    );
    told
}

async fn roles_arrive(majors: [u32; 2], script: &str) {
    let (source, target) = pair(majors);
    let (source, target) = (
        open(&source, "postgres").await,
        open(&target, "postgres").await,
    );
    run(&source, ROLES).await;
    run(&source, script).await;
    let plan = merged(&source, &target).await;
    assert_eq!(plan.differences, []);
    apply(&target, &plan).await;
    let wanted = told(&load_roles(&source).await.unwrap());
    assert_eq!(told(&load_roles(&target).await.unwrap()), wanted);
    assert_eq!(merged(&source, &target).await, RoleMerge::default());
}

#[tokio::test]
async fn roles_arrive_with_all_they_have_from_12_to_14() {
    roles_arrive([12, 14], r#"GRANT "Group 1" TO leaf"#).await;
}

#[tokio::test]
async fn roles_arrive_with_options_and_grantors_of_memberships_from_16_to_18() {
    let chain = r#"
        SET ROLE "o-wner's ""ä""";
        GRANT "Group 1" TO leaf WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
        RESET ROLE;
        SET ROLE leaf;
        GRANT "Group 1" TO admin WITH INHERIT TRUE;
        RESET ROLE;
        GRANT "Group 1" TO admin WITH INHERIT FALSE;
        GRANT SET ON PARAMETER log_min_messages TO leaf WITH GRANT OPTION;
        GRANT ALTER SYSTEM, SET ON PARAMETER "app.x" TO "Group 1";
        SET ROLE leaf;
        GRANT SET ON PARAMETER log_min_messages TO PUBLIC;
        RESET ROLE;
    "#;
    roles_arrive([16, 18], chain).await;
}

/// A role that may create roles and databases brings what it may, and says what it may not.
async fn without_superuser(majors: [u32; 2], left_out: &[&str]) {
    let (source, target) = pair(majors);
    let from = open(&source, "postgres").await;
    run(&from, ROLES).await;
    let root = open(&target, "postgres").await;
    run(&root, "CREATE ROLE deployer LOGIN CREATEROLE CREATEDB").await;
    let to = open_as("deployer", &target, "postgres").await;
    let plan = merged(&from, &to).await;
    let differences: Vec<_> = plan.differences.iter().map(ToString::to_string).collect();
    assert_eq!(differences, left_out);
    let before = load_roles(&to).await.unwrap();
    apply(&to, &plan).await;

    run(&to, "CREATE DATABASE mine TEMPLATE template0").await;
    let mine = open_as("deployer", &target, "mine").await;
    run(&mine, "CREATE SCHEMA s; CREATE TABLE s.t ()").await;
    let owner = Ident::from_catalog("o-wner's \"ä\"");
    let owners = BTreeSet::from([owner.clone(), Ident::from_catalog("postgres")]);
    let temporary = plan_temporary_memberships(&before, &owners, &plan);
    assert_eq!(temporary.impossible, [Ident::from_catalog("postgres")]);
    for grant in &temporary.grants {
        mine.batch(grant).await.unwrap();
    }
    mine.batch(&sql!("GRANT CREATE ON SCHEMA s TO {}", owner))
        .await
        .unwrap();
    mine.batch(&sql!("ALTER TABLE s.t OWNER TO {}", owner))
        .await
        .unwrap();
    for revoke in &temporary.revokes {
        mine.batch(revoke).await.unwrap();
    }
    let after = load_roles(&to).await.unwrap();
    let ours = after
        .memberships
        .iter()
        .filter(|m| m.member == after.connected_as && !m.admin);
    assert_eq!(ours.count(), 0, "{:?}", after.memberships);
}

#[tokio::test]
async fn without_superuser_the_rest_arrives_on_15() {
    without_superuser(
        [15, 15],
        &[
            "role admin is created without SUPERUSER, which the target's connecting role may not give",
            "role admin is created without REPLICATION, which the target's connecting role may not give",
            "role admin is created without BYPASSRLS, which the target's connecting role may not give",
            "role leaf is created without its setting of app.tenant, which the target does not know or does not let us set",
        ],
    )
    .await;
}

#[tokio::test]
async fn without_superuser_the_rest_arrives_on_17() {
    without_superuser(
        [17, 17],
        &[
            "role admin is created without SUPERUSER, which the target's connecting role may not give",
            "role admin is created without REPLICATION, which the target's connecting role may not give",
            "role admin is created without BYPASSRLS, which the target's connecting role may not give",
            "membership of leaf in pg_monitor: skipped, the target's connecting role may not grant it",
            "role leaf is created without its setting of app.tenant, which the target does not know or does not let us set",
        ],
    )
    .await;
}
