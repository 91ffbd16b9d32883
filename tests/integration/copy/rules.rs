//! Rules of tables: which rows are copied, and which changes are published.

use seren_replicator::pg::Ident;
use seren_replicator::sql;

use crate::support::route::{Route, common, shared};
use crate::support::{database, run, value};

/// Tables of every kind that a rule may name.
const APP: &str = "
    CREATE SCHEMA analytics;
    CREATE TABLE public.users (id int PRIMARY KEY, name text);
    CREATE TABLE public.audit (id int PRIMARY KEY, note text);
    CREATE TABLE analytics.events (id int PRIMARY KEY, note text);
    CREATE TABLE public.unkeyed (note text);
    CREATE TABLE public.log (at int, note text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
    CREATE TABLE public.log_old PARTITION OF public.log FOR VALUES FROM (0) TO (100);
    CREATE TABLE public.log_new PARTITION OF public.log FOR VALUES FROM (100) TO (200);
    CREATE INDEX ON public.audit (note);
    CREATE MATERIALIZED VIEW analytics.counted AS SELECT count(*) FROM public.audit;
    INSERT INTO public.users SELECT g, 'u' FROM generate_series(1, 10) g;
    INSERT INTO public.audit SELECT g, 'a' FROM generate_series(1, 10) g;
    INSERT INTO analytics.events SELECT g, 'e' FROM generate_series(1, 10) g;
    INSERT INTO public.unkeyed SELECT 'n' FROM generate_series(1, 10);
    INSERT INTO public.log SELECT g, 'l' FROM generate_series(0, 199) g;";

/// The rows of each table, in the order of their names.
const ROWS: &str = "SELECT concat_ws(' ',
    (SELECT count(*) FROM public.audit), (SELECT count(*) FROM analytics.events),
    (SELECT count(*) FROM public.log_new), (SELECT count(*) FROM public.log_old),
    (SELECT count(*) FROM public.unkeyed), (SELECT count(*) FROM public.users))";

/// What the publication of a run lists.
const PUBLISHED: &str =
    "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname, tablename)
      FROM pg_publication_tables WHERE pubname = 'seren_replication_pub'";

async fn copies_by_rules(majors: [u32; 2]) {
    let route = shared(majors);
    let name = route.filled("ruled", APP).await;
    let machine = tempfile::tempdir().unwrap();
    let rules = [
        "--schema-only-tables",
        "audit,analytics.events,public.log_old",
        "--snapshot-only-tables",
        "unkeyed",
    ];
    let flags = [&rules[..], &["--yes"]].concat();
    let done = route.command("init", &[&name], &flags).state(&machine);
    let done = done.run().expect(0);
    done.assert_prints(&[
        "without rows: analytics.events, public.audit, public.log_old",
        "without later changes: public.unkeyed",
    ]);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    assert_eq!(value(&target, ROWS).await, "0 0 100 0 10 10");
    assert_eq!(
        value(
            &target,
            "SELECT count(*) FROM pg_indexes WHERE tablename = 'audit'"
        )
        .await,
        "2"
    );
    assert_eq!(
        value(
            &target,
            "SELECT relispopulated FROM pg_class WHERE relname = 'counted'"
        )
        .await,
        "t"
    );
    // A partition with a rule of its own: the tree is published by its leaves.
    assert_eq!(
        value(&source, PUBLISHED).await,
        "public.log_new public.users"
    );

    let verified = route.command("verify", &[&name], &rules).run().expect(0);
    let apart = format!("- {name}.public.unkeyed: not compared, its changes are not replicated");
    verified.assert_prints(&[&apart]);
    run(&target, "INSERT INTO public.audit VALUES (1, 'here')").await;
    let verified = route.command("verify", &[&name], &rules).run().expect(1);
    verified.assert_prints(&["public.audit: 0 rows on the source, 1 on the target"]);
    let dropped = route.command("teardown", &[&name], &["--yes"]);
    dropped.state(&machine).run().expect(0);
}

#[tokio::test]
async fn acceptance_13_rules_decide_which_rows_are_copied_from_12_to_17() {
    copies_by_rules([12, 17]).await;
}

#[tokio::test]
async fn acceptance_13_rules_decide_which_rows_are_copied_from_17_to_18() {
    copies_by_rules([17, 18]).await;
}

#[tokio::test]
async fn statistics_describe_the_rows_that_were_copied() {
    let route = shared([18, 18]);
    let name = route.filled("counted", APP).await;
    run(&route.source.url(&name), "ANALYZE").await;
    let flags = [
        "--yes",
        "--no-sync",
        "--schema-only-tables",
        "audit,log_old",
    ];
    let done = route.command("init", &[&name], &flags);
    done.run().expect(0);
    let target = database(&route.target.url(&name)).await;
    for (table, tuples) in [("users", 10.0), ("log_new", 100.0)] {
        let name = Ident::from_catalog(table);
        let asked = sql!(
            "SELECT reltuples FROM pg_class WHERE oid = 'public.{}'::regclass",
            name
        );
        let found: f32 = target.query_one(&asked, &[]).await.unwrap().get(0);
        assert!((found - tuples).abs() < f32::EPSILON, "{table}: {found}");
    }
    let empty =
        "SELECT count(*) FROM pg_class WHERE relname IN ('audit', 'log_old') AND reltuples > 0";
    assert_eq!(value(&route.target.url(&name), empty).await, "0");
}

#[tokio::test]
async fn acceptance_13_a_rule_that_matches_nothing_changes_nothing() {
    let route = common();
    let name = route.filled("wrong", APP).await;
    for (flags, code, text) in [
        (
            &["--schema-only-tables", "nobody"][..],
            1,
            "no table nobody in the selected databases",
        ),
        (
            &["--schema-only-tables", "a.b.c.d"],
            2,
            "a.b.c.d is not table",
        ),
        (&["--snapshot-only-tables", "users,"], 2, "empty"),
        (
            &[
                "--schema-only-tables",
                "users",
                "--snapshot-only-tables",
                "public.users",
            ],
            1,
            "two rules for table public.users",
        ),
        (
            &["--schema-only-tables", "analytics.counted"],
            1,
            "is a materialized view",
        ),
    ] {
        for command in ["validate", "init"] {
            let confirmed = (command == "init").then_some("--yes");
            let flags: Vec<&str> = flags.iter().copied().chain(confirmed).collect();
            let refused = route.command(command, &[&name], &flags).run().expect(code);
            refused.assert_prints(&[text]);
        }
    }
    let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &exists).await, "0");
}

#[tokio::test]
async fn acceptance_13_a_name_with_two_readings_is_a_schema_with_a_warning() {
    let route = Route::of_majors([17, 17]);
    for name in ["app", "analytics"] {
        route.create(name).await;
        run(&route.source.url(name), APP).await;
    }
    run(
        &route.source.url("analytics"),
        "CREATE TABLE public.events (id int PRIMARY KEY); INSERT INTO public.events VALUES (1)",
    )
    .await;
    let flags = [
        "--yes",
        "--no-sync",
        "--schema-only-tables",
        "analytics.events",
        "--exclude-tables",
        "log_old",
        "--snapshot-only-tables",
        "log_old",
    ];
    let done = route.command("init", &[], &flags).run().expect(0);
    done.assert_prints(&[
        "analytics.events is taken as schema analytics; write analytics.public.events",
        "snapshot only has no effect on public.log_old in database app: the table is not selected",
    ]);
    let count = "SELECT count(*) FROM analytics.events";
    for name in ["app", "analytics"] {
        assert_eq!(value(&route.target.url(name), count).await, "0", "{name}");
    }
    let kept = "SELECT count(*) FROM public.events";
    assert_eq!(value(&route.target.url("analytics"), kept).await, "1");
}

#[tokio::test]
async fn a_table_without_identity_can_be_copied_without_its_changes() {
    let route = common();
    let name = route.filled("unkeyed", APP).await;
    let refused = route.command("init", &[&name], &["--yes"]).run().expect(1);
    refused.assert_prints(&["public.unkeyed", "--snapshot-only-tables"]);
}

/// A family with keys into tables that a rule empties.
const FAMILY: &str = "
    CREATE TABLE public.parent (id int PRIMARY KEY);
    CREATE TABLE public.child (id int PRIMARY KEY, parent int CONSTRAINT child_parent REFERENCES public.parent,
                               self int REFERENCES public.child);
    CREATE TABLE public.tree (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE public.tree_low PARTITION OF public.tree FOR VALUES FROM (0) TO (10);
    CREATE TABLE public.tree_high PARTITION OF public.tree FOR VALUES FROM (10) TO (20);
    CREATE TABLE public.leaf (id int PRIMARY KEY, tree int CONSTRAINT leaf_tree REFERENCES public.tree);
    INSERT INTO public.parent SELECT generate_series(1, 5);
    INSERT INTO public.child SELECT g, CASE WHEN g < 4 THEN g END, 1 FROM generate_series(1, 5) g;
    INSERT INTO public.tree SELECT generate_series(0, 19);
    INSERT INTO public.leaf SELECT g, 15 FROM generate_series(1, 2) g;";

#[tokio::test]
async fn references_to_rows_that_are_not_copied_are_counted_before_anything_is_written() {
    let route = common();
    let name = route.filled("family", FAMILY).await;
    let empty = ["--no-sync", "--schema-only-tables", "parent"];
    let refused = route.command("validate", &[&name], &empty).run().expect(1);
    refused.assert_prints(&[
        "FK-related table public.parent is NOT being copied in full: 3 rows of public.child refer to rows outside \
         its scope (child_parent)",
        "--allow-orphans",
    ]);
    // Rows of a partition that nobody refers to may go; those of the other may not.
    let low = ["--no-sync", "--schema-only-tables", "tree_low"];
    route.command("validate", &[&name], &low).run().expect(0);
    let high = ["--no-sync", "--schema-only-tables", "tree_high"];
    let refused = route.command("validate", &[&name], &high).run().expect(1);
    refused.assert_prints(&["2 rows of public.leaf refer to rows outside its scope (leaf_tree)"]);
    // Both without rows: nothing refers to anything.
    let both = ["--no-sync", "--schema-only-tables", "parent,child"];
    route.command("validate", &[&name], &both).run().expect(0);
}

#[tokio::test]
async fn orphans_are_allowed_on_request_and_their_key_stays_unchecked() {
    let route = common();
    let name = route.filled("orphans", FAMILY).await;
    let flags = [
        "--yes",
        "--no-sync",
        "--schema-only-tables",
        "parent,tree_high",
        "--allow-orphans",
    ];
    let done = route.command("init", &[&name], &flags).run().expect(0);
    done.assert_prints(&["foreign key child_parent on public.child: NOT VALID"]);
    let target = route.target.url(&name);
    let keys = "SELECT string_agg(conname || ' ' || convalidated, ', ' ORDER BY conname) FROM pg_constraint
                 WHERE contype = 'f' AND conparentid = 0 AND conrelid IN ('public.child'::regclass, 'public.leaf'::regclass)";
    assert_eq!(
        value(&target, keys).await,
        "child_parent false, child_self_fkey true, leaf_tree false"
    );
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.child").await,
        "5"
    );
}

#[tokio::test]
async fn the_state_records_rules() {
    let route = common();
    let name = route.filled("changed", FAMILY).await;
    let machine = tempfile::tempdir().unwrap();
    let first = ["--yes", "--no-sync", "--schema-only-tables", "parent,child"];
    let done = route.command("init", &[&name], &first).state(&machine);
    done.run().expect(0);
    let state = std::fs::read_to_string(
        walk(machine.path())
            .into_iter()
            .find(|path| path.ends_with("state.json"))
            .unwrap(),
    )
    .unwrap();
    assert!(
        state.contains(r#"{"schema_only_table":["public","parent"]}"#),
        "{state}"
    );
}

/// All files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
