//! Insert-only tables: a publication of their own, without a replica identity.

use crate::support::route::{Route, common, shared};
use crate::support::{database, run, value, wait_for};

/// Tables without an identity, and a partitioned one of which one partition has none.
const APP: &str = "
    CREATE TABLE public.users (id int PRIMARY KEY, name text);
    CREATE TABLE public.views (at timestamp, page text);
    CREATE TABLE public.log (at int, note text) PARTITION BY RANGE (at);
    CREATE TABLE public.log_old PARTITION OF public.log FOR VALUES FROM (0) TO (100);
    CREATE TABLE public.log_new PARTITION OF public.log FOR VALUES FROM (100) TO (200);
    CREATE TABLE public.tree (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
    CREATE TABLE public.tree_low PARTITION OF public.tree FOR VALUES FROM (0) TO (100);
    CREATE TABLE public.tree_high PARTITION OF public.tree FOR VALUES FROM (100) TO (200);
    ALTER TABLE public.tree_high REPLICA IDENTITY NOTHING;
    INSERT INTO public.users SELECT g, 'u' FROM generate_series(1, 10) g;
    INSERT INTO public.views SELECT '2026-01-01', 'p' || g FROM generate_series(1, 10) g;
    INSERT INTO public.log SELECT g, 'l' FROM generate_series(0, 199) g;
    INSERT INTO public.tree SELECT g, 't' FROM generate_series(0, 199) g;";

const RULES: [&str; 2] = ["--insert-only-tables", "views,public.log,tree_high"];

const FIRST: &str = "seren_replication_pub";

const SECOND: &str = "seren_replication_pub_inserts";

const PUBLICATIONS: &str =
    "SELECT coalesce(string_agg(pubname, ' ' ORDER BY pubname), '') FROM pg_publication";

/// The tables of a publication, as it lists them.
async fn listed(source: &str, publication: &str) -> String {
    let listed = format!(
        "SELECT string_agg(prrelid::regclass::text, ' ' ORDER BY prrelid::regclass::text)
           FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE pubname = '{publication}'"
    );
    value(source, &listed).await
}

async fn publishes_inserts_apart(majors: [u32; 2]) {
    let route = Route::of_majors(majors);
    route.create("app").await;
    let source = route.source.url("app");
    run(&source, APP).await;
    let refused = route.replicate("app", &[]).run().expect(1);
    refused.assert_prints(&["no primary key", "public.log", "--insert-only-tables"]);
    let machine = tempfile::tempdir().unwrap();
    let done = route.replicate("app", &RULES).state(&machine);
    let done = done.run().expect(0);
    done.assert_prints(&[
        "later INSERT and TRUNCATE only: public.log, public.tree_high, public.views",
    ]);
    assert_eq!(listed(&source, FIRST).await, "public.tree_low public.users");
    assert_eq!(
        listed(&source, SECOND).await,
        "public.log public.tree_high public.views"
    );
    let sent = format!(
        "SELECT pubinsert AND pubtruncate AND NOT pubupdate AND NOT pubdelete AND pubviaroot FROM pg_publication
          WHERE pubname = '{SECOND}'"
    );
    assert_eq!(value(&source, &sent).await, "t");
    route.command("verify", &["app"], &RULES).run().expect(0);

    let target = route.target.url("app");
    let conninfo = format!(
        "host={} port={} user=postgres dbname=app",
        value(&source, "SHOW unix_socket_directories").await,
        value(&source, "SHOW port").await
    );
    let slot = value(&source, "SELECT slot_name FROM pg_replication_slots").await;
    let subscribe = format!(
        "CREATE SUBSCRIPTION follows CONNECTION '{conninfo}' PUBLICATION {FIRST}, {SECOND} \
         WITH (create_slot = false, slot_name = '{slot}', copy_data = false)"
    );
    run(&target, &subscribe).await;
    // Updates and deletes of a table without identity work on the source, and stay there.
    run(
        &source,
        "UPDATE public.views SET page = 'changed'; DELETE FROM public.log WHERE at < 100;
         UPDATE public.tree SET note = 'changed'; DELETE FROM public.users WHERE id > 5;
         INSERT INTO public.views VALUES ('2026-02-02', 'new'); INSERT INTO public.log VALUES (150, 'new');
         INSERT INTO public.users VALUES (11, 'last')",
    )
    .await;
    let arrived = "SELECT count(*) = 1 FROM public.users WHERE id = 11";
    wait_for(&database(&target).await, arrived).await;
    let state = "SELECT concat_ws(' ',
        (SELECT count(*) FROM public.views), (SELECT count(*) FROM public.views WHERE page = 'changed'),
        (SELECT count(*) FROM public.log), (SELECT count(*) FROM public.tree WHERE note = 'changed'),
        (SELECT count(*) FROM public.users))";
    assert_eq!(value(&target, state).await, "11 0 201 100 6");
    run(
        &source,
        "TRUNCATE public.views; INSERT INTO public.users VALUES (12, 'after')",
    )
    .await;
    let arrived = "SELECT count(*) = 1 FROM public.users WHERE id = 12";
    wait_for(&database(&target).await, arrived).await;
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.views").await,
        "0"
    );

    run(&target, "ALTER SUBSCRIPTION follows DISABLE").await;
    run(&target, "ALTER SUBSCRIPTION follows SET (slot_name = NONE)").await;
    run(&target, "DROP SUBSCRIPTION follows").await;
    let free = "SELECT NOT bool_or(active) FROM pg_replication_slots";
    wait_for(&database(&source).await, free).await;
    let gone = route.command("teardown", &["app"], &["--yes"]);
    let gone = gone.state(&machine).run().expect(0);
    gone.assert_prints(&[&format!("publications {FIRST} and {SECOND}")]);
    assert_eq!(value(&source, PUBLICATIONS).await, "");
}

#[tokio::test]
async fn inserts_are_published_apart_from_13_to_17() {
    publishes_inserts_apart([13, 17]).await;
}

#[tokio::test]
async fn inserts_are_published_apart_from_17_to_18() {
    publishes_inserts_apart([17, 18]).await;
}

#[tokio::test]
async fn before_13_inserts_are_published_by_leaves() {
    let route = shared([12, 17]);
    let name = route.filled("leaves", APP).await;
    let flags = [&RULES[..], &["--yes"]].concat();
    let machine = tempfile::tempdir().unwrap();
    let done = route.command("init", &[&name], &flags).state(&machine);
    done.run().expect(0);
    let source = route.source.url(&name);
    assert_eq!(
        listed(&source, SECOND).await,
        "public.log_new public.log_old public.tree_high public.views"
    );
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&machine).run().expect(0);
    assert_eq!(value(&source, PUBLICATIONS).await, "");
}

#[tokio::test]
async fn the_filter_of_an_insert_only_table_may_read_any_column() {
    let route = shared([17, 18]);
    let name = route.filled("narrow", APP).await;
    let rules = [
        "--insert-only-tables",
        "log,views,tree",
        "--table-filter",
        "users:name = 'u'",
        "--insert-only-tables",
        "users",
        "--table-filter",
        "views:page < 'p5'",
    ];
    let flags = [&rules[..], &["--yes"]].concat();
    let machine = tempfile::tempdir().unwrap();
    let done = route.command("init", &[&name], &flags).state(&machine);
    done.run().expect(0);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    assert_eq!(
        listed(&source, SECOND).await,
        "public.log public.tree public.users public.views"
    );
    let filters = "SELECT count(*) FROM pg_publication_rel WHERE prqual IS NOT NULL";
    assert_eq!(value(&source, filters).await, "2");
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.views").await,
        "5"
    );
    route.command("verify", &[&name], &rules).run().expect(0);
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&machine).run().expect(0);
}

#[tokio::test]
async fn a_publication_of_somebody_else_with_the_second_name_is_never_changed() {
    let route = common();
    let name = route.filled("taken", APP).await;
    let source = route.source.url(&name);
    let theirs =
        format!("CREATE PUBLICATION {SECOND} FOR TABLE public.users WITH (publish = 'insert')");
    run(&source, &theirs).await;
    let flags = [&RULES[..], &["--yes"]].concat();
    for command in ["validate", "init"] {
        let flags = if command == "init" {
            &flags[..]
        } else {
            &RULES
        };
        let refused = route.command(command, &[&name], flags).run().expect(1);
        let message = format!("publication {SECOND} was not created by this program");
        refused.assert_prints(&[&message]);
    }
    assert_eq!(value(&source, PUBLICATIONS).await, SECOND);
    // Without insert-only tables it is in nobody's way, and teardown leaves it.
    let machine = tempfile::tempdir().unwrap();
    let apart = ["--snapshot-only-tables", "views,log,tree", "--yes"];
    let done = route.command("init", &[&name], &apart).state(&machine);
    done.run().expect(0);
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&machine).run().expect(0);
    assert_eq!(value(&source, PUBLICATIONS).await, SECOND);
    assert_eq!(listed(&source, SECOND).await, "public.users");
}

#[tokio::test]
async fn what_is_left_of_the_two_is_created_again_or_removed() {
    let route = shared([17, 18]);
    let name = route.filled("half", APP).await;
    let source = route.source.url(&name);
    let machine = tempfile::tempdir().unwrap();
    let init = |more: &[&str]| {
        let flags = [&RULES[..], &["--yes"], more].concat();
        route
            .command("init", &[&name], &flags)
            .state(&machine)
            .run()
    };
    init(&[]).expect(0);
    run(&source, &format!("DROP PUBLICATION {FIRST}")).await;
    init(&["--drop-existing"]).expect(0);
    assert_eq!(
        value(&source, PUBLICATIONS).await,
        format!("{FIRST} {SECOND}")
    );
    assert_eq!(listed(&source, FIRST).await, "public.tree_low public.users");
    // Somebody drops the second: what follows would lack its changes.
    run(&source, &format!("DROP PUBLICATION {SECOND}")).await;
    init(&["--drop-existing"]).expect(0);
    run(&source, &format!("DROP PUBLICATION {FIRST}")).await;
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&machine).run().expect(0);
    assert_eq!(value(&source, PUBLICATIONS).await, "");
}

#[tokio::test]
async fn insert_only_is_a_rule_like_others() {
    let route = common();
    let name = route.filled("ruled_inserts", APP).await;
    let exact = format!("{name}.public.views");
    for (flags, text) in [
        (
            &[
                "--insert-only-tables",
                "views",
                "--snapshot-only-tables",
                "views",
            ][..],
            "two rules for table public.views",
        ),
        (
            &[
                "--insert-only-tables",
                "views",
                "--schema-only-tables",
                "views",
            ],
            "two rules for table public.views",
        ),
        (&["--insert-only-tables", "nobody"], "no table nobody"),
    ] {
        let refused = route.command("validate", &[&name], flags).run().expect(1);
        refused.assert_prints(&[text]);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    let text = format!(
        "include_databases = [\"{name}\"]\n[databases.{name}]\ninsert_only = [\"views\", \"log\", \"tree\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let allowed = route.command("validate", &[], &config).run().expect(0);
    allowed.assert_prints(&["later INSERT and TRUNCATE only"]);
    let other = [&config[..], &["--schema-only-tables", &exact]].concat();
    let replaced = route.command("validate", &[], &other).run().expect(0);
    replaced.assert_prints(&["insert only", "the command line has a rule for the table"]);
}
