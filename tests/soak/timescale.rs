//! Hypertables against a real TimescaleDB, whose server `timescaledb.sh` builds.

use std::path::PathBuf;

use seren_replicator::connect::Purpose;
use seren_replicator::sandbox::{Builder, Cluster};

use crate::support::route::Route;
use crate::support::schema::read;
use crate::support::{endpoint, oracle, run, value};

const MAJOR: u32 = 15;

/// The programs that `timescaledb.sh` printed.
fn server() -> Builder {
    let folder = std::env::var_os("SEREN_TIMESCALEDB")
        .expect("SEREN_TIMESCALEDB names the folder that tests/soak/timescaledb.sh prints");
    Cluster::builder(MAJOR)
        .with_binaries(&PathBuf::from(folder))
        .with_setting("timescaledb.telemetry_level", "off")
}

fn loaded() -> Builder {
    server().with_setting("shared_preload_libraries", "timescaledb")
}

/// A route whose source holds hypertables.
async fn hypertables(target: Builder) -> Route {
    let source = loaded()
        .with_setting("log_statement", "all")
        .with_setting("log_line_prefix", "%a|");
    let route = Route::start([source, target]);
    route.create("app").await;
    fill(route.source.url("app"), include_str!("hypertables.sql")).await;
    route
}

async fn fill(url: String, script: &'static str) {
    tokio::task::spawn_blocking(move || oracle::psql(&url, script))
        .await
        .unwrap();
}

/// The settings of hypertables and their dimensions, and how many chunks there are.
const SETTINGS: &str = "
    SELECT string_agg(concat_ws(' ', h.schema_name, h.table_name, nullif(h.associated_schema_name, '_timescaledb_internal'),
                                nullif(h.associated_table_prefix, '_hyper_' || h.id), d.column_name, d.num_slices,
                                d.partitioning_func, d.interval_length, d.integer_now_func, chunks.count), E'\\n'
                      ORDER BY 1, h.table_name, d.id)
      FROM _timescaledb_catalog.hypertable h
      JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id,
           LATERAL (SELECT count(*) FROM _timescaledb_catalog.chunk c WHERE c.hypertable_id = h.id) chunks
     WHERE h.schema_name <> '_timescaledb_internal'";

#[tokio::test]
async fn hypertables_come_with_their_settings_and_rows() {
    let route = hypertables(loaded()).await;
    let (source, target) = (route.source.url("app"), route.target.url("app"));
    let done = route.init("app", &[]).run().expect(0);
    assert!(!done.stdout.contains("differs:"), "{}", done.all());
    let settings = value(&source, SETTINGS).await;
    assert!(settings.lines().count() >= 8, "{settings}");
    assert_eq!(value(&target, SETTINGS).await, settings);

    let verified = route.command("verify", &["app"], &[]).run().expect(0);
    let line = "app.public.metrics: equal, 2000 rows";
    assert!(verified.stderr.contains(line), "{}", verified.all());
    assert!(!verified.all().contains("_chunk"), "{}", verified.all());
    run(&target, "DELETE FROM public.cut WHERE k = 'k7'").await;
    let different = route.command("verify", &["app"], &[]).run().expect(1);
    assert!(
        different.all().contains("public.cut"),
        "{}",
        different.all()
    );

    // The target read again gives the source's script, by as few statements as any database.
    let mut scripts = Vec::new();
    for url in [&source, &target] {
        let reader = endpoint(url).with_application_name("reader");
        let reader = reader.session(Purpose::Introspect).await.unwrap();
        let writer = endpoint(url).session(Purpose::Introspect).await.unwrap();
        let (catalog, script) = read(&reader, &writer).await;
        assert!(
            catalog
                .tables
                .iter()
                .all(|table| table.name.schema.as_str() != "_timescaledb_internal")
        );
        let lines = script.pre_data.into_iter().chain(script.post_data);
        scripts.push(
            lines
                .map(|statement| statement.sql.as_str().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(scripts[0], scripts[1]);
    let log = route.source.read_log();
    let statements = log.lines().filter(|line| line.starts_with("reader|"));
    let count = statements.count();
    assert!((10..=49).contains(&count), "{count} with COMMIT");
}

#[tokio::test]
async fn what_timescaledb_makes_later_is_told_with_its_statement() {
    let route = hypertables(loaded()).await;
    fill(route.source.url("app"), include_str!("told.sql")).await;
    let done = route.init("app", &[]).run().expect(0);
    for line in [
        "compression of hypertable public.squeezed: not created; after the rows are copied run ALTER TABLE \"public\".\"squeezed\" SET (timescaledb.compress, timescaledb.compress_segmentby = '\"De''v\"', timescaledb.compress_orderby = '\"time\" DESC NULLS FIRST')",
        "continuous aggregate public.daily: not created; after the rows are copied run CREATE MATERIALIZED VIEW \"public\".\"daily\" WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS",
        "policy_retention) on public.squeezed: not created; after the rows are copied run SELECT \"public\".add_retention_policy('\"public\".\"squeezed\"'::pg_catalog.regclass, drop_after => '30 days'::pg_catalog.interval)",
        "on public.daily: not created; after the rows are copied run SELECT \"public\".add_continuous_aggregate_policy('\"public\".\"daily\"'::pg_catalog.regclass, start_offset => NULL, end_offset => '01:00:00'::pg_catalog.interval, schedule_interval => '01:00:00'::pg_catalog.interval)",
        "view public.on_daily: it depends on TimescaleDB's relation public.daily, which is skipped",
        "view public.on_chunk: it depends on TimescaleDB's relation _timescaledb_internal._hyper_1_1_chunk, which is skipped",
    ] {
        assert!(done.stdout.contains(line), "{line}\n{}", done.all());
    }
    let target = route.target.url("app");
    let left = "SELECT count(*)::text FROM pg_class WHERE relname IN \
                ('daily', 'on_daily', '_materialized_hypertable_901', '_compressed_hypertable_900')";
    assert_eq!(value(&target, left).await, "0");
    route.command("verify", &["app"], &[]).run().expect(0);
}

#[tokio::test]
async fn a_rule_names_the_hypertable_and_not_its_chunks() {
    let route = hypertables(loaded()).await;
    let chunk = "SELECT inhrelid::regclass || ' ' || inhparent::regclass FROM pg_inherits
                  WHERE inhrelid::regclass::text LIKE '_timescaledb_internal._hyper_%_chunk' ORDER BY 1 LIMIT 1";
    let found = value(&route.source.url("app"), chunk).await;
    let (chunk, parent) = found.split_once(' ').unwrap();
    for flag in [
        "--schema-only-tables",
        "--snapshot-only-tables",
        "--exclude-tables",
    ] {
        let item = format!("app.{chunk}");
        let refused = route.command("validate", &["app"], &["--no-sync", flag, &item]);
        let message = format!("is a chunk of hypertable {parent}; name the hypertable");
        refused.run().expect(1).assert_prints(&[&message]);
    }
    let whole = ["--no-sync", "--schema-only-tables", parent];
    route.command("validate", &["app"], &whole).run().expect(0);
}

#[tokio::test]
async fn without_timescaledb_hypertables_become_plain_tables_with_all_rows() {
    let route = hypertables(server()).await;
    let unloaded = route.init("app", &[]).run().expect(1);
    for line in [
        "extension timescaledb is not loaded",
        "add it to shared_preload_libraries and restart the server, or pass --skip-extensions timescaledb",
    ] {
        assert!(unloaded.stderr.contains(line), "{}", unloaded.all());
    }
    let admin = route.target.url("postgres");
    let databases = "SELECT count(*)::text FROM pg_database WHERE datname = 'app'";
    assert_eq!(value(&admin, databases).await, "0");

    let flags = ["--skip-extensions", "timescaledb"];
    let done = route.init("app", &flags).run().expect(0);
    let line = "hypertable public.metrics: created as a plain table with all its rows, since TimescaleDB is skipped";
    assert!(done.stdout.contains(line), "{}", done.all());
    assert_eq!(
        value(
            &route.target.url("app"),
            "SELECT count(*)::text FROM ONLY public.cut"
        )
        .await,
        "3000"
    );
    route.command("verify", &["app"], &[]).run().expect(0);
}
