use super::difference::{Difference, MembershipDifference};
use super::merge::plan_role_merge;
use super::role_merge::{RoleMerge, RoleOptions};
use crate::catalog::cluster::{Attribute, Membership, Role, Roles, Settable, Setting};
use crate::catalog::provider::Provider;
use crate::connect::Secret;
use crate::pg::{Ident, Oid, ServerVersion};
use std::collections::{BTreeMap, BTreeSet};

fn name(text: &str) -> Ident {
    Ident::from_catalog(text)
}

fn role(text: &str, attributes: &[Attribute]) -> Role {
    Role {
        oid: Oid(if text == "postgres" { 10 } else { 20_000 }),
        name: name(text),
        attributes: attributes.iter().copied().collect(),
        connection_limit: -1,
        password: None,
        valid_until: None,
        settings: Vec::new(),
        comment: None,
    }
}

fn cluster(major: u32, roles: Vec<Role>) -> Roles {
    let superuser = role("postgres", &Attribute::ALL);
    let roles: BTreeMap<_, _> = std::iter::once(superuser)
        .chain(roles)
        .map(|role| (role.name.clone(), role))
        .collect();
    Roles {
        version: ServerVersion::new(major * 10_000),
        connected_as: name("postgres"),
        bootstrap: Some(name("postgres")),
        provider: None,
        passwords_readable: true,
        roles,
        common_settings: Vec::new(),
        memberships: Vec::new(),
        parameters: Vec::new(),
        orphan_memberships: 0,
    }
}

fn grants(role: &str, member: &str, grantor: &str) -> Membership {
    Membership {
        role: name(role),
        member: name(member),
        grantor: Some(name(grantor)),
        admin: false,
        inherit: Some(true),
        set: Some(true),
    }
}

fn planned(source: &Roles, target: &Roles) -> RoleMerge {
    let mut settable = Settable::default();
    settable.add("work_mem");
    let options = RoleOptions {
        passwords: true,
        settable: &settable,
    };
    plan_role_merge(source, target, options)
}

fn texts(merge: &RoleMerge) -> Vec<&str> {
    merge.statements.iter().map(|s| s.sql.as_str()).collect()
}

#[test]
fn a_missing_role_gets_all_it_had_and_its_password_is_never_shown() {
    let mut app = role("app", &[Attribute::Login, Attribute::Inherit]);
    app.password = Some(Secret::new("SCRAM-SHA-256$x"));
    app.connection_limit = 3;
    app.valid_until = Some("infinity".to_owned());
    app.comment = Some("it's".to_owned());
    app.settings = vec![Setting::parse("work_mem=1MB"), Setting::parse("gone=1")];
    let merge = planned(&cluster(17, vec![app]), &cluster(17, Vec::new()));
    assert_eq!(
        texts(&merge),
        [
            r#"CREATE ROLE "app" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 3 VALID UNTIL 'infinity'"#,
            r#"ALTER ROLE "app" PASSWORD 'SCRAM-SHA-256$x'"#,
            r#"COMMENT ON ROLE "app" IS 'it''s'"#,
            r#"ALTER ROLE "app" SET "work_mem" TO '1MB'"#,
        ]
    );
    assert!(!format!("{merge:?}").contains("SCRAM"));
    assert_eq!(
        merge.differences,
        [Difference::NotSettable {
            role: name("app"),
            parameter: "gone".to_owned()
        }]
    );
}

#[test]
fn an_existing_role_is_left_alone_and_every_difference_told() {
    let mut source = role("app", &[Attribute::Login, Attribute::Superuser]);
    source.settings = vec![Setting::parse("work_mem=1MB")];
    source.password = Some(Secret::new("a"));
    let target = role("app", &[Attribute::Login]);
    let merge = planned(&cluster(17, vec![source]), &cluster(17, vec![target]));
    assert!(merge.statements.is_empty());
    let differences: Vec<_> = merge.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        differences,
        [
            "role app exists on the target and keeps its own NOSUPERUSER",
            "role app exists on the target and keeps its own password",
            "role app exists on the target and keeps its own setting work_mem",
        ]
    );
}

#[test]
fn what_we_may_not_give_is_dropped_and_told() {
    let mut admin = role(
        "admin",
        &[
            Attribute::Login,
            Attribute::Superuser,
            Attribute::Replication,
            Attribute::CreateDatabase,
        ],
    );
    admin.password = Some(Secret::new("hash"));
    let mut target = cluster(
        16,
        vec![role("me", &[Attribute::CreateRole, Attribute::Replication])],
    );
    target.connected_as = name("me");
    let merge = planned(&cluster(16, vec![admin]), &target);
    assert_eq!(
        texts(&merge),
        [
            r#"CREATE ROLE "admin" WITH NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB LOGIN REPLICATION NOBYPASSRLS"#,
            r#"ALTER ROLE "admin" PASSWORD 'hash'"#,
        ]
    );
    assert_eq!(merge.differences.len(), 2, "{:?}", merge.differences);
}

#[test]
fn who_runs_the_source_does_not_run_the_target() {
    let mut source = cluster(15, vec![role("boss", &Attribute::ALL)]);
    source.connected_as = name("boss");
    let merge = planned(&source, &cluster(15, Vec::new()));
    assert!(texts(&merge)[0].contains("NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN"));
    assert_eq!(merge.differences.len(), 5);
}

#[test]
fn a_grant_follows_the_one_that_gives_its_grantor_the_right() {
    let names = ["a", "b", "c", "r"];
    let roles: Vec<_> = names.iter().map(|text| role(text, &[])).collect();
    let mut source = cluster(17, roles);
    let mut by_b = grants("r", "c", "b");
    by_b.inherit = Some(false);
    by_b.set = Some(false);
    let mut by_postgres = grants("r", "b", "postgres");
    by_postgres.admin = true;
    source.memberships = vec![by_b, grants("r", "a", "c"), by_postgres];
    let merge = planned(&source, &cluster(18, Vec::new()));
    assert_eq!(
        texts(&merge)[4..],
        [
            r#"GRANT "r" TO "b" WITH ADMIN OPTION, INHERIT TRUE"#,
            r#"GRANT "r" TO "c" WITH INHERIT FALSE, SET FALSE GRANTED BY "b""#,
            r#"GRANT "r" TO "a" WITH INHERIT TRUE"#,
        ]
    );
    assert_eq!(merge.differences.len(), 1, "{:?}", merge.differences);
}

#[test]
fn an_older_target_never_gets_more_than_the_source_gave() {
    let roles: Vec<_> = ["a", "b", "r"]
        .iter()
        .map(|text| role(text, &[Attribute::Inherit]))
        .collect();
    let mut source = cluster(16, roles);
    let mut without_set = grants("r", "a", "postgres");
    without_set.set = Some(false);
    let mut without_inherit = grants("r", "b", "postgres");
    without_inherit.inherit = Some(false);
    source.memberships = vec![without_set, without_inherit];
    let merge = planned(&source, &cluster(15, Vec::new()));
    assert_eq!(texts(&merge)[3..], [r#"GRANT "r" TO "b""#]);
    let why: Vec<_> = merge
        .differences
        .iter()
        .map(|difference| {
            let Difference::Membership { why, .. } = difference else {
                panic!("{difference}")
            };
            *why
        })
        .collect();
    assert_eq!(
        why,
        [
            MembershipDifference::WithoutSet,
            MembershipDifference::OtherInherit
        ]
    );
}

#[test]
fn memberships_are_gained_once_and_never_in_a_circle() {
    let roles = || vec![role("a", &[]), role("r", &[])];
    let mut source = cluster(14, roles());
    let mut plain = grants("r", "a", "postgres");
    (plain.inherit, plain.set, plain.grantor) = (None, None, None);
    source.memberships = vec![plain.clone()];
    let mut target = cluster(14, roles());
    assert_eq!(texts(&planned(&source, &target)), [r#"GRANT "r" TO "a""#]);
    target.memberships = vec![plain.clone()];
    assert_eq!(planned(&source, &target), RoleMerge::default());
    target.memberships[0].role = name("a");
    target.memberships[0].member = name("r");
    let merge = planned(&source, &target);
    assert!(merge.statements.is_empty() && merge.differences.len() == 1);
}

#[test]
fn the_roles_of_a_managed_service_stay_there() {
    let names = ["rds_superuser", "rdsadmin", "pg_monitor", "app"];
    let mut source = cluster(16, names.iter().map(|text| role(text, &[])).collect());
    source.provider = Provider::recognize(source.roles.keys());
    let merge = planned(&source, &cluster(16, Vec::new()));
    assert_eq!(merge.created, BTreeSet::from([name("app")]));
}

#[test]
fn settings_of_every_role_are_gained_and_those_of_the_target_kept() {
    let mut source = cluster(17, Vec::new());
    let entries = ["work_mem=7MB", "gone=1", "jit=off"];
    source.common_settings = entries.map(Setting::parse).to_vec();
    let mut target = cluster(17, Vec::new());
    target.common_settings = vec![Setting::parse("jit=on")];
    let merge = planned(&source, &target);
    assert_eq!(texts(&merge), ["ALTER ROLE ALL SET \"work_mem\" TO '7MB'"]);
    let differences: Vec<_> = merge.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        differences,
        [
            "setting gone of every role: skipped, the target does not know it or does not let us set it for every role",
            "setting jit of every role: the target keeps its own value",
        ]
    );
}
