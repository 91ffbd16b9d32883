//! Databases, privileges and comments between two servers: written by our statements, read again by our queries, and
//! compared as models.

use std::collections::BTreeSet;

use seren_replicator::catalog::acl::{Acl, AclKind, DefaultAcl, Grantee, ObjectAcl, plan_changes};
use seren_replicator::catalog::cluster::{Candidate, Database};
use seren_replicator::catalog::load::acl::load_acls;
use seren_replicator::catalog::load::comment::load_comments;
use seren_replicator::catalog::load::database::{load_databases, load_settable};
use seren_replicator::catalog::load::default_acl::load_default_acls;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::catalog::load::unsupported::load_unsupported;
use seren_replicator::connect::Session;
use seren_replicator::ddl::cluster::database::{DatabaseOptions, render_create, render_finish};
use seren_replicator::ddl::object::comment::render_comment;
use seren_replicator::ddl::object::grant::{
    render_default_privileges, render_grants, render_without_default_privileges,
};
use seren_replicator::ddl::{Options, Target};
use seren_replicator::pg::{Ident, Oid};
use seren_replicator::sandbox::Cluster;

use super::clusters::{ROLES, apply, merged, open, pair, run};
use crate::support::{database, fresh_database};

const DATABASE: &str = r#"
    CREATE DATABASE "my-äpp ""x""" TEMPLATE template0 ENCODING 'UTF8' OWNER "o-wner's ""ä""" LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' CONNECTION LIMIT 9;
"#;

const DATABASE_PROPERTIES: [&str; 7] = [
    r#"COMMENT ON DATABASE "my-äpp ""x""" IS 'the ''app''';"#,
    r#"REVOKE ALL ON DATABASE "my-äpp ""x""" FROM PUBLIC;"#,
    r#"GRANT CONNECT ON DATABASE "my-äpp ""x""" TO leaf WITH GRANT OPTION;"#,
    r#"SET ROLE leaf; GRANT CONNECT ON DATABASE "my-äpp ""x""" TO "Group 1"; RESET ROLE"#,
    r#"ALTER DATABASE "my-äpp ""x""" SET search_path TO "$user", "A b"; ALTER DATABASE "my-äpp ""x""" SET "app.x" TO '1'"#,
    r#"ALTER ROLE leaf IN DATABASE "my-äpp ""x""" SET work_mem TO '3MB'"#,
    r#"ALTER ROLE admin IN DATABASE "my-äpp ""x""" SET statement_timeout TO '0'"#,
];

/// The objects of both sides, before anybody is granted anything.
const OBJECTS: &str = r#"
    ALTER SCHEMA public OWNER TO "o-wner's ""ä""";
    CREATE SCHEMA "S ""1""" AUTHORIZATION "o-wner's ""ä""";
    SET ROLE "o-wner's ""ä""";
    CREATE TYPE "S ""1""".mood AS ENUM ('a');
    CREATE DOMAIN "S ""1""".positive AS int CONSTRAINT "is >0" CHECK (value > 0);
    CREATE TYPE "S ""1""".pair AS (a int, "b c" text);
    CREATE TABLE "S ""1""".t (id int PRIMARY KEY, "päy" int, c text CHECK (c <> ''));
    CREATE VIEW "S ""1""".v AS SELECT * FROM "S ""1""".t;
    CREATE MATERIALIZED VIEW "S ""1""".m AS SELECT * FROM "S ""1""".t;
    CREATE SEQUENCE "S ""1"""."se q";
    CREATE FUNCTION "S ""1""".f("S ""1""".mood, VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE "S ""1""".p(INOUT a int) LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION "S ""1""".tg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER "tr g" BEFORE INSERT ON "S ""1""".t FOR EACH ROW EXECUTE FUNCTION "S ""1""".tg();
    CREATE POLICY pol ON "S ""1""".t;
    RESET ROLE;
"#;

const GRANTS: &str = r#"
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA "S ""1""" TO PUBLIC;
    GRANT SELECT, INSERT ON "S ""1""".t TO leaf WITH GRANT OPTION;
    SET ROLE leaf;
    GRANT SELECT ON "S ""1""".t TO "Group 1" WITH GRANT OPTION;
    SET ROLE "Group 1";
    GRANT SELECT ON "S ""1""".t TO PUBLIC;
    RESET ROLE;
    SET ROLE "o-wner's ""ä""";
    REVOKE UPDATE ON "S ""1""".t FROM "o-wner's ""ä""";
    GRANT UPDATE ("päy"), REFERENCES (id) ON "S ""1""".t TO leaf;
    GRANT SELECT (xmin) ON "S ""1""".t TO PUBLIC;
    REVOKE EXECUTE ON FUNCTION "S ""1""".f("S ""1""".mood, int[]) FROM PUBLIC;
    GRANT EXECUTE ON PROCEDURE "S ""1""".p(int) TO leaf WITH GRANT OPTION;
    REVOKE USAGE ON TYPE "S ""1""".mood FROM PUBLIC;
    REVOKE ALL ON DOMAIN "S ""1""".positive FROM PUBLIC;
    GRANT USAGE ON SEQUENCE "S ""1"""."se q" TO leaf;
    GRANT SELECT ON "S ""1""".v, "S ""1""".m TO leaf;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO leaf;
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA "S ""1""" GRANT USAGE ON SEQUENCES TO leaf WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO leaf;
    RESET ROLE;
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
    GRANT SELECT (rolname) ON pg_catalog.pg_authid TO leaf;
    REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
"#;

const COMMENTS: &str = r#"
    COMMENT ON SCHEMA public IS NULL;
    COMMENT ON SCHEMA "S ""1""" IS 'line 1
line 2 \ it''s';
    COMMENT ON TYPE "S ""1""".mood IS 'm';
    COMMENT ON DOMAIN "S ""1""".positive IS 'd';
    COMMENT ON CONSTRAINT "is >0" ON DOMAIN "S ""1""".positive IS 'dc';
    COMMENT ON TYPE "S ""1""".pair IS 'p';
    COMMENT ON COLUMN "S ""1""".pair."b c" IS 'pb';
    COMMENT ON TABLE "S ""1""".t IS 't';
    COMMENT ON COLUMN "S ""1""".t."päy" IS 'tp';
    COMMENT ON CONSTRAINT t_pkey ON "S ""1""".t IS 'pk';
    COMMENT ON INDEX "S ""1""".t_pkey IS 'pki';
    COMMENT ON CONSTRAINT t_c_check ON "S ""1""".t IS 'ck';
    COMMENT ON VIEW "S ""1""".v IS 'v';
    COMMENT ON COLUMN "S ""1""".v.id IS 'vi';
    COMMENT ON RULE "_RETURN" ON "S ""1""".v IS 'vr';
    COMMENT ON MATERIALIZED VIEW "S ""1""".m IS 'mv';
    COMMENT ON SEQUENCE "S ""1"""."se q" IS 's';
    COMMENT ON FUNCTION "S ""1""".f("S ""1""".mood, int[]) IS 'f';
    COMMENT ON PROCEDURE "S ""1""".p(int) IS 'p';
    COMMENT ON TRIGGER "tr g" ON "S ""1""".t IS 'tr';
    COMMENT ON POLICY pol ON "S ""1""".t IS 'po';
    COMMENT ON EXTENSION plpgsql IS 'other';
"#;

/// What somebody granted or revoked, without keys of the cluster and in one order.
fn granted(acls: &[ObjectAcl]) -> Vec<String> {
    let mut told: Vec<_> = acls
        .iter()
        .flat_map(|object| {
            // The schema is compared with a fresh one of its own version: take it whole.
            let nothing = Acl::default();
            let base = if object.is_public_schema() {
                &nothing
            } else {
                &object.base
            };
            let steps = plan_changes(base, &object.acl, &object.owner);
            steps
                .into_iter()
                .map(|step| format!("{:?} {:?}: {step:?}", object.kind, object.name))
        })
        .collect();
    told.sort();
    told
}

/// The server orders some lists by the oids of roles.
fn sort(acl: &mut Acl) {
    acl.items
        .sort_by(|a, b| (&a.grantee, &a.grantor).cmp(&(&b.grantee, &b.grantor)));
}

async fn default_acls(session: &Session) -> Vec<DefaultAcl> {
    let mut defaults = load_default_acls(session).await.unwrap();
    for default in &mut defaults {
        // Oids of schemas differ between clusters; the names identify them.
        default.schema_oid = Oid::INVALID;
        // What an owner holds by himself differs between versions.
        let owner = Grantee::Role(default.role.clone());
        for acl in [&mut default.acl, &mut default.base] {
            acl.items.retain(|item| item.grantee != owner);
            sort(acl);
        }
    }
    defaults
}

async fn grant_all(source: &Session, target: &Session, roles: &BTreeSet<Ident>) {
    let to = Target::unrestricted(target.version(), roles.clone());
    let mut rendered = Vec::new();
    for object in load_acls(source).await.unwrap() {
        rendered.push(render_grants(&object, &to));
    }
    for default in load_default_acls(source).await.unwrap() {
        rendered.push(render_default_privileges(&default, &to));
    }
    for part in rendered {
        assert_eq!(part.skipped, []);
        for statement in part.statements {
            target
                .batch(&statement)
                .await
                .unwrap_or_else(|error| panic!("{statement:?}: {error}"));
        }
    }
}

async fn described(cluster: &Cluster, name: &Ident) -> Database {
    let session = open(cluster, "postgres").await;
    let databases = load_databases(&session).await.unwrap();
    let found = databases
        .into_iter()
        .find(|database| database.name == *name);
    found.unwrap()
}

/// Without what differs between clusters by nature.
fn portable(database: &Database) -> Database {
    Database {
        oid: Oid(0),
        ..database.clone()
    }
}

async fn everything_arrives(majors: [u32; 2]) {
    let (source, target) = pair(majors);
    let name = Ident::from_catalog("my-äpp \"x\"");
    let (from, to) = (
        open(&source, "postgres").await,
        open(&target, "postgres").await,
    );
    run(&from, ROLES).await;
    apply(&to, &merged(&from, &to).await).await;
    run(&from, DATABASE).await;
    for property in DATABASE_PROPERTIES {
        run(&from, property).await;
    }
    let wanted = described(&source, &name).await;
    assert_eq!(wanted.candidate(None), Candidate::Yes);
    let roles: BTreeSet<_> = load_roles(&to).await.unwrap().roles.into_keys().collect();
    let mut script = Options::everything(to.version(), roles.clone());
    script.target.settable = load_settable(&to).await.unwrap();
    let options = DatabaseOptions {
        name: &name,
        locale: None,
        existing: None,
        script: &script,
    };
    to.batch(&render_create(&wanted, options).unwrap())
        .await
        .unwrap();

    let (inner, outer) = (
        open(&source, name.as_str()).await,
        open(&target, name.as_str()).await,
    );
    for session in [&inner, &outer] {
        run(session, OBJECTS).await;
    }
    run(&inner, GRANTS).await;
    run(&inner, COMMENTS).await;
    grant_all(&inner, &outer, &roles).await;
    let acls = load_acls(&inner).await.unwrap();
    assert_eq!(granted(&load_acls(&outer).await.unwrap()), granted(&acls));
    let kinds: BTreeSet<_> = acls.iter().map(|object| object.kind).collect();
    assert!(kinds.contains(&AclKind::Column) && kinds.contains(&AclKind::Language));
    let defaults = default_acls(&inner).await;
    assert_eq!(default_acls(&outer).await, defaults);
    assert_eq!(defaults.len(), 4);

    for comment in load_comments(&inner).await.unwrap() {
        let statement = render_comment(&comment, outer.version()).unwrap();
        outer
            .batch(&statement)
            .await
            .unwrap_or_else(|error| panic!("{statement:?}: {error}"));
    }
    let mut comments = [Vec::new(), Vec::new()];
    for (session, found) in [&inner, &outer].into_iter().zip(&mut comments) {
        let loaded = load_comments(session).await.unwrap();
        found.extend(
            loaded
                .into_iter()
                .map(|c| format!("{:?} {:?}", c.target, c.text)),
        );
        found.sort();
    }
    assert_eq!(comments[0], comments[1]);
    assert_eq!(comments[0].len(), 22);

    let finish = render_finish(&wanted, options);
    assert_eq!(finish.omissions, []);
    for statement in &finish.statements {
        to.batch(&statement.sql)
            .await
            .unwrap_or_else(|error| panic!("{statement:?}: {error}"));
    }
    assert_eq!(
        portable(&described(&target, &name).await),
        portable(&wanted)
    );
}

#[tokio::test]
async fn a_database_arrives_with_properties_privileges_and_comments_within_17() {
    everything_arrives([17, 17]).await;
}

#[tokio::test]
async fn a_database_arrives_with_properties_privileges_and_comments_from_12_to_18() {
    everything_arrives([12, 18]).await;
}

#[tokio::test]
async fn default_privileges_of_the_target_do_not_leak() {
    let cluster = Cluster::start(17).unwrap();
    let session = open(&cluster, "postgres").await;
    run(&session, "CREATE ROLE bob").await;
    let grant = "GRANT SELECT ON TABLES TO bob";
    run(&session, &format!("ALTER DEFAULT PRIVILEGES {grant}")).await;
    let before = load_default_acls(&session).await.unwrap();
    let roles: BTreeSet<_> = load_roles(&session)
        .await
        .unwrap()
        .roles
        .into_keys()
        .collect();
    let to = Target::unrestricted(session.version(), roles.clone());
    for statement in render_without_default_privileges(&before[0], &to).statements {
        session.batch(&statement).await.unwrap();
    }
    run(&session, "CREATE TABLE public.t ()").await;
    for statement in render_default_privileges(&before[0], &to).statements {
        session.batch(&statement).await.unwrap();
    }
    assert_eq!(load_default_acls(&session).await.unwrap(), before);
    let acls = load_acls(&session).await.unwrap();
    assert!(
        acls.iter().all(|object| object.kind != AclKind::Table),
        "{acls:?}"
    );
}

#[tokio::test]
async fn what_is_not_copied_is_listed_before_anything_is_written() {
    let session = database(&fresh_database(17, "rich").await).await;
    assert_eq!(load_unsupported(&session).await.unwrap(), []);
    run(&session, UNSUPPORTED).await;
    let found = load_unsupported(&session).await.unwrap();
    let noted: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        noted,
        [
            r#"operator family member operator 1 ("S x".m, integer) of pg_catalog.integer_ops USING btree"#,
            r#"operator without a function "S x".~~~(integer,integer)"#,
        ]
    );
    run(&session, "DROP SUBSCRIPTION su").await;
}

/// One object of each kind that needs no file of the server.
const UNSUPPORTED: &str = r#"
    CREATE SCHEMA "S x";
    CREATE TYPE "S x".m AS ENUM ('a');
    CREATE TYPE "S x".r AS RANGE (subtype = int8);
    CREATE FUNCTION "S x".lt("S x".m, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR "S x".< (FUNCTION = "S x".lt, LEFTARG = "S x".m, RIGHTARG = int, COMMUTATOR = OPERATOR("S x".>));
    ALTER OPERATOR FAMILY integer_ops USING btree ADD OPERATOR 1 "S x".< ("S x".m, int);
    CREATE OPERATOR "S x".=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int, COMMUTATOR = OPERATOR("S x".~~~));
    DROP OPERATOR "S x".=== (int, int);
    CREATE FOREIGN DATA WRAPPER fw;
    CREATE SERVER sv FOREIGN DATA WRAPPER fw;
    CREATE USER MAPPING FOR postgres SERVER sv;
    CREATE FOREIGN TABLE "S x".ft (a int) SERVER sv;
    CREATE FUNCTION "S x".et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION "S x".et();
    CREATE TABLE "S x".t (a int, b int);
    CREATE STATISTICS "S x".st ON a, b FROM "S x".t;
    CREATE PUBLICATION pu FOR TABLE "S x".t;
    CREATE SUBSCRIPTION su CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
"#;
