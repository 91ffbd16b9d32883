//! The publication and the slot that a replicating `init` leaves on the source, and the tables that it refuses to publish.

use std::collections::BTreeSet;

use seren_replicator::logical::{Mark, load_candidates};

use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::{database, fresh_database, run, text, url_as, value};

const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
const PUBLICATIONS: &str = "SELECT count(*) FROM pg_publication";
const PUBLISHED: &str = "SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY 1) FROM \
    (SELECT n.nspname AS schemaname, c.relname AS tablename FROM pg_publication_rel r \
     JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace) x";

const TABLES: &str = r#"
    CREATE TABLE public.t (id int PRIMARY KEY, filler text);
    INSERT INTO public.t SELECT n, 'x' FROM generate_series(1, 100) n;
    CREATE SCHEMA "odd ""schema";
    CREATE TABLE "odd ""schema"."it's" (a int PRIMARY KEY);
    CREATE TABLE public.parts (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
    CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
    CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES IN (2) PARTITION BY LIST (id);
    CREATE TABLE public.parts_2_1 PARTITION OF public.parts_2 FOR VALUES IN (1);
    CREATE UNLOGGED TABLE public.passing (id int);
    CREATE PUBLICATION seren_replication_of_mine FOR TABLE public.t;
    COMMENT ON PUBLICATION seren_replication_of_mine IS 'mine';
"#;

async fn leaves_slot_and_publication(majors: [u32; 2], published: &str) {
    let route = Route::of_majors(majors);
    route.create("app").await;
    let (source, target) = (route.source.url("app"), route.target.url("app"));
    run(&source, TABLES).await;
    let done = route
        .replicate("app", &["--output", "json"])
        .run()
        .expect(0);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let copied = &report["databases"][0];
    let slot = copied["slot"].as_str().unwrap();
    let state = format!(
        "SELECT NOT temporary AND NOT active AND plugin = 'pgoutput' AND confirmed_flush_lsn = '{}' \
           FROM pg_replication_slots WHERE slot_name = '{slot}'",
        copied["consistent_point"].as_str().unwrap()
    );
    assert_eq!(value(&source, &state).await, "t", "{}", done.stdout);
    let own = PUBLISHED.replace(
        "n.oid = c.relnamespace)",
        "n.oid = c.relnamespace JOIN pg_publication p ON p.oid = r.prpubid \
         WHERE p.pubname = 'seren_replication_pub')",
    );
    assert_eq!(value(&source, &own).await, published);
    let comment = "SELECT obj_description(oid, 'pg_publication') FROM pg_publication \
                   WHERE pubname = 'seren_replication_pub'";
    let mark = Mark::parse(&value(&source, comment).await).unwrap();
    assert!(
        mark.complete && mark.slot == slot && mark.target == "app",
        "{mark:?}"
    );
    let names = "SELECT string_agg(pubname, ',') FROM pg_publication";
    assert_eq!(value(&target, names).await, "seren_replication_of_mine");
    run(
        &source,
        "UPDATE public.t SET filler = 'y'; DELETE FROM public.parts",
    )
    .await;
    let gone = route.remove_run("app").await;
    assert!(
        gone.stdout.contains("removed source, database app"),
        "{}",
        gone.stdout
    );
    assert_eq!(value(&source, SLOTS).await, "0");
    assert_eq!(value(&source, names).await, "seren_replication_of_mine");
    let again = route.command("teardown", &[], &["--yes"]).run().expect(0);
    assert!(
        again.stdout.contains("nothing to remove"),
        "{}",
        again.stdout
    );
    if majors[0] == majors[1] {
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_copy_leaves_slot_and_publication_until_teardown_within_12() {
    let published = "odd \"schema.it's,public.parts_1,public.parts_2_1,public.t";
    leaves_slot_and_publication([12, 12], published).await;
}

#[tokio::test]
async fn a_copy_leaves_slot_and_publication_until_teardown_from_15_to_18() {
    leaves_slot_and_publication([15, 18], "odd \"schema.it's,public.parts,public.t").await;
}

#[tokio::test]
async fn a_copy_leaves_slot_and_publication_until_teardown_within_18() {
    leaves_slot_and_publication([18, 18], "odd \"schema.it's,public.parts,public.t").await;
}

/// Tables that cannot be published, each for another reason.
const BLOCKERS: &str = "
    CREATE TABLE public.bare (n int);
    INSERT INTO public.bare VALUES (1);
    CREATE TABLE public.fitting (n int NOT NULL UNIQUE);
    CREATE TABLE public.deferred (n int PRIMARY KEY DEFERRABLE);
    CREATE TABLE public.lost (n int NOT NULL, m int NOT NULL);
    CREATE UNIQUE INDEX lost_index ON public.lost (n);
    ALTER TABLE public.lost REPLICA IDENTITY USING INDEX lost_index;
    DROP INDEX public.lost_index;
    CREATE TABLE public.nothing (n int PRIMARY KEY);
    ALTER TABLE public.nothing REPLICA IDENTITY NOTHING;
    CREATE TABLE public.parts (n int PRIMARY KEY) PARTITION BY LIST (n);
    CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
    ALTER TABLE public.parts_1 REPLICA IDENTITY FULL;
    CREATE TABLE public.kept (id int PRIMARY KEY);
    INSERT INTO public.kept VALUES (1);";

const IDENTITIES: &str = "SELECT string_agg(relname || '=' || relreplident::text, ',' ORDER BY relname) \
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')";

async fn blockers_are_listed_and_cured(major: u32) {
    let route = Route::of_majors([major, major]);
    route.create("app").await;
    let (source, target) = (route.source.url("app"), route.target.url("app"));
    run(&source, BLOCKERS).await;
    run(
        &source,
        "CREATE TABLE public.docs (doc json); ALTER TABLE public.docs REPLICA IDENTITY FULL",
    )
    .await;
    for command in [&["validate"][..], &["init", "--yes"]] {
        let refused = route
            .command(command[0], &["app"], &command[1..])
            .run()
            .expect(1);
        let said = refused.all();
        for expected in [
            "table public.bare has no primary key and no other replica identity",
            "ALTER TABLE ONLY \"public\".\"bare\" REPLICA IDENTITY FULL;",
            "REPLICA IDENTITY USING INDEX \"fitting_n_key\";",
            "table public.deferred has no primary key",
            "table public.lost has lost the index of its replica identity",
            "table public.nothing has replica identity NOTHING",
            "table public.docs has replica identity FULL, and types without equality in doc",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let differs = "table public.parts_1 has another replica identity than public.parts";
        assert_eq!(said.contains(differs), major > 12, "{said}");
        assert!(!said.contains("public.kept"), "{said}");
    }
    assert_eq!(value(&source, PUBLICATIONS).await, "0");
    assert_eq!(value(&source, SLOTS).await, "0");
    run(
        &source,
        "UPDATE public.bare SET n = 2; DELETE FROM public.kept WHERE id = 2",
    )
    .await;
    assert_eq!(
        value(
            &route.target.url("postgres"),
            "SELECT count(*) FROM pg_database WHERE datname = 'app'"
        )
        .await,
        "0"
    );
    // Tables that REPLICA IDENTITY FULL does not fix are dropped; it fixes the others.
    run(
        &source,
        "DROP TABLE public.docs; ALTER TABLE public.parts_1 REPLICA IDENTITY DEFAULT",
    )
    .await;
    let before = value(&source, IDENTITIES).await;
    let machine = tempfile::tempdir().unwrap();
    let full = route.replicate("app", &["--replica-identity-full"]);
    full.state(&machine).run().expect(0);
    let during = value(&source, IDENTITIES).await;
    assert!(
        during.contains("bare=f") && during.contains("kept=d"),
        "{during}"
    );
    run(&source, "UPDATE public.bare SET n = 3").await;
    let on_target = value(&target, IDENTITIES).await;
    assert!(
        on_target.contains("bare=d") && on_target.contains("nothing=n"),
        "{on_target}"
    );
    // A second run does not take the changed identities for the former ones.
    let again = ["--replica-identity-full", "--drop-existing"];
    let again = route.replicate("app", &again).state(&machine);
    again.run().expect(0);
    let gone = route.command("teardown", &["app"], &["--yes"]);
    gone.state(&machine).run().expect(0);
    // An index that is gone cannot be chosen again.
    assert_eq!(
        value(&source, IDENTITIES).await,
        before.replace("lost=i", "lost=n")
    );
    assert_eq!(value(&source, PUBLICATIONS).await, "0");
}

#[tokio::test]
async fn blockers_are_all_listed_and_cured_by_whole_rows_on_12() {
    blockers_are_listed_and_cured(12).await;
}

#[tokio::test]
async fn blockers_are_all_listed_and_cured_by_whole_rows_on_15() {
    blockers_are_listed_and_cured(15).await;
}

#[tokio::test]
async fn blockers_are_all_listed_and_cured_by_whole_rows_on_18() {
    blockers_are_listed_and_cured(18).await;
}

/// Columns of many types; each is judged like `DISTINCT` does.
const TYPES: &str = "
    CREATE TYPE mood AS ENUM ('a');
    CREATE TYPE pair AS (a int, b json);
    CREATE TYPE fine AS (a int, b text);
    CREATE DOMAIN doc AS json;
    CREATE DOMAIN word AS varchar(9);
    CREATE TABLE every (a json, b jsonb, c xml, d point, e box, f polygon, g varchar, h char(3), i int[], j json[],
      k mood, l mood[], m pair, n fine, o fine[], p pair[], q doc, r word, s word[], t int4range, u tsvector, v tsquery,
      w bit(3), x varbit, y money, z inet, aa cidr, ab macaddr, ac circle, ad lseg, ae path, af line, ag name, ah bytea,
      ai numeric, aj interval, ak oidvector, al regclass, am pg_lsn, an uuid, ao doc[], ap xid, aq tid, ar aclitem,
      at jsonpath, au txid_snapshot, av \"char\", aw timetz, ax int2vector)";

#[tokio::test]
async fn types_have_an_equality_where_the_server_finds_one() {
    for major in [12, 15, 18] {
        let url = fresh_database(major, "types").await;
        run(&url, &format!("SET search_path = public; {TYPES}")).await;
        let session = database(&url).await;
        let candidates = load_candidates(&session).await.unwrap();
        let judged: BTreeSet<String> = candidates[0]
            .unequal
            .iter()
            .map(ToString::to_string)
            .collect();
        let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'public.every'::regclass AND attnum > 0";
        let mut unequal = BTreeSet::new();
        for row in session.query(&text(columns), &[]).await.unwrap() {
            let column: String = row.get(0);
            let distinct = format!("SELECT DISTINCT \"{column}\" FROM public.every");
            if let Err(error) = session.batch(&text(&distinct)).await {
                assert_eq!(error.sqlstate().unwrap().as_str(), "42883", "{column}");
                unequal.insert(column);
            }
        }
        assert!(
            unequal.contains("a") && !unequal.contains("b"),
            "{unequal:?}"
        );
        assert_eq!(judged, unequal, "{major}");
    }
}

#[tokio::test]
async fn a_publication_of_somebody_else_is_used_if_it_fits_and_never_changed() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    run(
        &source,
        "CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.u (id int PRIMARY KEY);
                  CREATE PUBLICATION seren_replication_pub FOR TABLE public.t",
    )
    .await;
    let refused = route.replicate("app", &[]).run().expect(1);
    for expected in ["publish_via_partition_root is false", "lacks public.u"] {
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    assert_eq!(value(&source, PUBLISHED).await, "public.t");
    run(
        &source,
        "ALTER PUBLICATION seren_replication_pub ADD TABLE public.u;
                  ALTER PUBLICATION seren_replication_pub SET (publish_via_partition_root = true)",
    )
    .await;
    let machine = tempfile::tempdir().unwrap();
    let done = route.replicate("app", &[]).state(&machine).run().expect(0);
    assert!(
        done.stderr
            .contains("it publishes what is required and is used"),
        "{}",
        done.stderr
    );
    // No mark is of the run: without its state, only its slot's name is known.
    let unknown = route.command("teardown", &["app"], &["--yes"]).run();
    let slot = value(&source, "SELECT slot_name FROM pg_replication_slots").await;
    let unknown = unknown.expect(1);
    let by_name = format!("postgres-seren-replicator teardown --slot {slot}");
    assert!(unknown.stderr.contains(&by_name), "{}", unknown.stderr);
    assert_eq!(value(&source, SLOTS).await, "1");
    let gone = route.command("teardown", &["app"], &["--yes"]);
    let gone = gone.state(&machine).run().expect(0);
    assert!(
        gone.stderr
            .contains("left alone: source, database app: publication"),
        "{}",
        gone.stderr
    );
    assert_eq!(value(&source, SLOTS).await, "0");
    assert_eq!(value(&source, PUBLISHED).await, "public.t,public.u");
}

#[tokio::test]
async fn what_replication_lacks_on_the_source_is_told() {
    let route = Route::of_majors([14, 14]);
    route.create("app").await;
    let (source, admin) = (route.source.url("app"), route.source.url("postgres"));
    run(&source, "CREATE TABLE public.t (id int PRIMARY KEY)").await;
    run(
        &admin,
        "CREATE ROLE poor LOGIN REPLICATION; GRANT pg_read_all_data TO poor",
    )
    .await;
    run(
        &admin,
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO poor",
    )
    .await;
    run(&admin, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'").await;
    run(&admin, "SELECT pg_reload_conf()").await;
    let poor = url_as("poor", &admin);
    let target = route.target.url("postgres");
    let validate = [
        "validate",
        "--source",
        &poor,
        "--target",
        &target,
        "--include-databases",
        "app",
    ];
    let refused = crate::support::command::program(&validate).run().expect(1);
    for expected in [
        "may not create a publication in it",
        "table public.t belongs to another role and cannot be published",
        "max_slot_wal_keep_size is 1 MB, less than the database's size",
    ] {
        assert!(
            refused.stdout.contains(expected),
            "{expected}: {}",
            refused.stdout
        );
    }
    let once = [&validate[..], &["--no-sync"]].concat();
    let once = crate::support::command::program(&once).run();
    assert!(!once.stdout.contains("publication"), "{}", once.stdout);
}

#[tokio::test]
async fn a_failed_copy_takes_publication_and_slot_back() {
    let route = common();
    let name = route.fresh("taken_back").await;
    let source = route.source.url(&name);
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY);
                INSERT INTO public.t SELECT generate_series(1, 50);";
    run(&source, fill).await;
    // A filter that fails on one row.
    let filter = ["--table-filter", "t:1 / (n - 40) < 3"];
    let failed = route.replicate(&name, &filter).run().expect(1);
    failed.assert_prints(&["division by zero"]);
    assert_eq!(value(&source, SLOTS).await, "0");
    assert_eq!(value(&source, PUBLICATIONS).await, "0");
}

#[tokio::test]
async fn what_a_killed_run_has_left_is_made_anew() {
    let route = Route::of_majors([17, 17]);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    route.create("app").await;
    let source = route.source.url("app");
    let fill = gate.function()
        + "CREATE TABLE public.t (id int PRIMARY KEY);
           INSERT INTO public.t SELECT generate_series(1, 10);
           CREATE INDEX ON public.t (public.gate(id));";
    run(&source, &fill).await;
    let machine = tempfile::tempdir().unwrap();
    let running = route.replicate("app", &[]).state(&machine).start();
    gate.reached("app").await;
    running.signal("KILL");
    running.finish().expect(137);
    gate.open().await;
    assert_eq!(value(&source, SLOTS).await, "1");
    assert_eq!(value(&source, PUBLICATIONS).await, "1");
    let once = route.init("app", &["--drop-existing", "--dry-run"]).run();
    let told = "of an earlier run retains WAL on the source";
    assert!(once.expect(0).stderr.contains(told));
    let done = route.replicate("app", &["--drop-existing"]);
    let done = done.state(&machine).run().expect(0);
    assert!(!done.stderr.contains(told), "{}", done.stderr);
    assert!(
        done.stderr.contains("of an earlier run is created again"),
        "{}",
        done.stderr
    );
    assert_eq!(value(&source, SLOTS).await, "1");
    assert_eq!(
        oracle::data_diff(&source, &route.target.url("app")),
        Vec::<String>::new()
    );
}
