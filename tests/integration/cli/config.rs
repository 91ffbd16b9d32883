//! The configuration file: what it selects, what options of the command line replace, and what is refused.

use serde_json::Value;
use tempfile::TempDir;

use super::command::assert_documented;
use crate::support::command::{Program, program};
use crate::support::route::Route;
use crate::support::{run, value};

/// No server is there.
const NOWHERE: &str = "postgresql://u:canary@127.0.0.1:1/x";

/// A file in a folder of its own.
struct ConfigFile {
    folder: TempDir,
}

impl ConfigFile {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.toml"), text).unwrap();
        Self { folder }
    }

    /// The same file with another text in one place.
    fn replaced(&self, text: &str, other: &str) -> Self {
        let content = std::fs::read_to_string(self.path()).unwrap();
        assert!(content.contains(text));
        Self::new(&content.replace(text, other))
    }

    fn path(&self) -> String {
        self.folder.path().join("shop.toml").display().to_string()
    }

    /// A command with this file and no server that it could reach.
    fn command(&self, command: &[&str], more: &[&str]) -> Program {
        let path = self.path();
        let arguments = [command, &["--config", &path], more].concat();
        let program = program(&arguments).env("SOURCE_DATABASE_URL", NOWHERE);
        program.env("TARGET_DATABASE_URL", NOWHERE)
    }
}

#[test]
fn acceptance_14_a_fault_of_the_file_ends_every_command_before_a_connection() {
    for (text, expected) in [
        (
            "jobs = 2\n\n[databases.shop]\ntabel_filters = []\n",
            "unknown key \"tabel_filters\" at 4:1; did you mean \"table_filters\"?",
        ),
        (
            "\u{feff}include_tables = 'a'\r\n",
            "\"include_tables\" has a string at 1:18; write an array of strings",
        ),
        (
            "[databases.shop]\nschema_only = ['a']\nsnapshot_only = ['public.a']\n",
            "two rules for table public.a in database shop: schema only at 2:16 and snapshot only at 3:18",
        ),
        (
            "source = 'postgresql://u:canary@h/d'",
            "next: pass --source and --target, or set the environment variables SOURCE_DATABASE_URL and \
             TARGET_DATABASE_URL",
        ),
        (
            "password = 'canary'",
            "next: use a password file (~/.pgpass)",
        ),
        (
            "drop_existing = true",
            "next: pass --drop-existing on the command line",
        ),
        ("jobs = 1\njobs = 2", "duplicate key at 2:1"),
    ] {
        let file = ConfigFile::new(text);
        for command in [
            &["validate"][..],
            &["init", "--yes"],
            &["verify"],
            &["config", "show"],
        ] {
            let refused = file.command(command, &[]).run().expect(2);
            refused.assert_prints(&[&file.path(), expected]);
            assert_eq!(refused.stdout, "");
            assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
            let refused = file.command(command, &["--output", "json"]).run().expect(2);
            let object: Value = serde_json::from_str(&refused.stdout).unwrap();
            assert_eq!(object["exit_code"], 2);
            assert!(!object["error"].is_null());
        }
    }
    let missing = program(&["config", "show", "--config", "/nonexistent/x.toml"]);
    missing
        .run()
        .expect(2)
        .assert_prints(&["/nonexistent/x.toml"]);
}

#[test]
fn the_example_is_a_file_that_every_command_takes() {
    let printed = program(&["config", "example", "--output", "json"])
        .run()
        .expect(0);
    assert_eq!(printed.stderr, "");
    let file = ConfigFile::new(&printed.stdout);
    let shown = file.command(&["config", "show"], &[]).run().expect(0);
    shown.assert_prints(&["shop.public.audit_log", "created_at, last 6 months"]);
}

const SHOWN: &str = "include_databases = ['shop', 'my.db']
jobs = 3
[databases.shop]
schema_only = ['audit', 'crm.users']
snapshot_only = ['shop.public.queue']
";

#[test]
fn every_value_is_shown_with_its_origin_and_no_password() {
    let file = ConfigFile::new(SHOWN);
    let more = [
        "--target",
        "postgresql://v:canary@h2:5433/e?sslmode=require",
        "--exclude-tables",
        "logs",
        "--snapshot-only-tables",
        "shop.crm.users",
    ];
    let shown = file.command(&["config", "show"], &more).run().expect(0);
    assert!(!shown.all().contains("canary"), "{}", shown.all());
    assert_eq!(shown.stderr, "");
    let path = file.path();
    let lines: Vec<String> = shown.stdout.lines().map(single_blanks).collect();
    let expected = [
        "setting value origin".to_owned(),
        "source u@127.0.0.1:1/x environment variable SOURCE_DATABASE_URL".to_owned(),
        "target v@h2:5433/e command line".to_owned(),
        format!("include_databases shop {path}:1:1"),
        format!("include_databases \"my.db\" {path}:1:1"),
        "exclude_tables logs command line".to_owned(),
        "as_of time of the source when the run begins default".to_owned(),
        format!("jobs 3 {path}:2:1"),
        "snapshot_only shop.crm.users command line".to_owned(),
        format!("schema_only shop.public.audit {path}:4:16"),
        format!("schema_only shop.crm.users {path}:4:25, replaced by the command line"),
        format!("snapshot_only shop.public.queue {path}:5:18"),
        format!(
            "next: postgres-seren-replicator validate --config '{path}' --target TARGET_URL --exclude-tables logs \
             --snapshot-only-tables shop.crm.users"
        ),
    ];
    assert_eq!(lines, expected);
}

fn single_blanks(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn programs_get_every_value_with_its_origin() {
    let file = ConfigFile::new(SHOWN);
    let more = ["--output", "json", "--jobs", "5"];
    let shown = file.command(&["config", "show"], &more).run().expect(0);
    assert!(!shown.all().contains("canary"), "{}", shown.all());
    let object: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_documented(&object);
    assert_eq!(object["command"], "config");
    assert_eq!(object["file"], file.path());
    let settings = object["settings"].as_array().unwrap();
    let setting = |name: &str| settings.iter().find(|one| one["setting"] == name).unwrap();
    assert_eq!(setting("source")["value"], "u@127.0.0.1:1/x");
    assert_eq!(setting("source")["variable"], "SOURCE_DATABASE_URL");
    assert_eq!(setting("include_databases")["value"][0], "shop");
    assert_eq!(setting("include_databases")["line"], 1);
    assert_eq!(setting("include_tables")["origin"], "default");
    assert_eq!(setting("jobs")["value"], 5);
    assert_eq!(setting("jobs")["origin"], "command line");
    let rule = &object["rules"][0];
    assert_eq!(rule["rule"], "schema_only");
    assert_eq!(
        (&rule["database"], &rule["table"]),
        (&"shop".into(), &"public.audit".into())
    );
    assert_eq!((&rule["line"], &rule["column"]), (&4.into(), &16.into()));

    let nothing = program(&["config", "show"]).run().expect(0);
    let lines: Vec<String> = nothing.stdout.lines().map(single_blanks).collect();
    assert_eq!(
        lines[1..],
        [
            "source not set default",
            "target not set default",
            "include_databases all default",
            "include_tables all default",
            "as_of time of the source when the run begins default",
            "jobs number of CPU cores, at most 8 default",
            "next: postgres-seren-replicator validate",
        ]
    );
}

/// Tables of equal names in two databases and in two schemas, of which one has the name of a database.
const TABLES: &str = "
    CREATE SCHEMA crm;
    CREATE TABLE public.users (id int PRIMARY KEY);
    CREATE TABLE crm.users (id int PRIMARY KEY);
    CREATE TABLE public.audit (id int PRIMARY KEY);
    CREATE TABLE public.logs (id int PRIMARY KEY);
    INSERT INTO public.users SELECT generate_series(1, 10);
    INSERT INTO crm.users SELECT generate_series(1, 20);
    INSERT INTO public.audit SELECT generate_series(1, 30);
    INSERT INTO public.logs SELECT generate_series(1, 40);";

/// The rows of `public.users`, `crm.users` and `public.audit`, and whether there are logs.
const ROWS: &str =
    "SELECT concat_ws(' ', (SELECT count(*) FROM public.users), (SELECT count(*) FROM crm.users),
    (SELECT count(*) FROM public.audit), to_regclass('public.logs') IS NOT NULL)";

async fn three_databases() -> Route {
    let route = Route::of_majors([17, 17]);
    for name in ["app", "crm", "my.db"] {
        route.create(name).await;
        run(&route.source.url(name), TABLES).await;
    }
    route
}

fn command(route: &Route, command: &str, file: &ConfigFile, more: &[&str]) -> Program {
    let path = file.path();
    route.command(command, &[], &[&["--config", &path], more].concat())
}

async fn rows(route: &Route, database: &str) -> String {
    value(&route.target.url(database), ROWS).await
}

async fn exists(route: &Route, database: &str) -> bool {
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{database}'");
    value(&route.target.url("postgres"), &count).await == "1"
}

#[tokio::test]
async fn acceptance_14_the_command_line_replaces_a_section_table_by_table() {
    let route = three_databases().await;
    let file = ConfigFile::new(
        "include_databases = ['app', 'crm', 'my.db']
exclude_tables = ['app.logs', 'my.db.public.logs']
[databases.app]
# The schema, and not the database of this name.
schema_only = ['audit', 'crm.users']
[databases.crm]
schema_only = ['crm.public.users']
snapshot_only = ['audit']
[databases.'my.db']
schema_only = ['\"my.db\".crm.users', 'users']
",
    );
    let refused = command(&route, "validate", &file, &[]).run().expect(2);
    refused.assert_prints(&["\"my.db.public.logs\" at 2:31 is not table"]);

    let file = file.replaced("my.db.public.logs", "\"my.db\".public.logs");
    let validated = command(&route, "validate", &file, &[]).run().expect(0);
    validated.assert_prints(&[
        "without rows: crm.users, public.audit",
        "without later changes: public.audit",
    ]);
    // A rule of one part is about all databases, a rule of three parts about one.
    let given = [
        "--no-sync",
        "--schema-only-tables",
        "audit",
        "--snapshot-only-tables",
        "app.crm.users",
    ];
    let confirmed = [&given[..], &["--yes"]].concat();
    let done = command(&route, "init", &file, &confirmed).run().expect(0);
    done.assert_prints(&[
        "schema only (5:25 of the configuration file) has no effect on crm.users in database app",
        "snapshot only (8:18 of the configuration file) has no effect on public.audit in database crm",
    ]);
    assert_eq!(rows(&route, "app").await, "10 20 0 f");
    assert_eq!(rows(&route, "crm").await, "0 20 0 t");
    assert_eq!(rows(&route, "my.db").await, "0 0 0 f");
    let verified = command(&route, "verify", &file, &given[1..])
        .run()
        .expect(0);
    verified.assert_prints(&["- app.crm.users: not compared, its changes are not replicated"]);
    // Without the rules of the command line other rows are expected.
    command(&route, "verify", &file, &[]).run().expect(1);
}

#[tokio::test]
async fn filters_of_a_section_select_rows_of_its_database_only() {
    let route = three_databases().await;
    let timed = "ALTER TABLE public.audit ADD COLUMN \"at Time\" timestamptz;
                 UPDATE public.audit SET \"at Time\" = now() - id * interval '1 day'";
    run(&route.source.url("app"), timed).await;
    let file = ConfigFile::new(
        "exclude_databases = ['my.db']
[[databases.app.table_filters]]
table = 'users'
where = 'id <= 4'
[[databases.app.table_filters]]
schema = 'crm'
table = 'users'
where = 'id <= 5'
[[databases.app.time_filters]]
table = 'app.public.audit'
column = 'at Time'
last = '9 days'
[databases.crm]
table_filters = [{ table = 'users', where = 'id <= 6' }, { table = 'logs', where = 'false' }]
",
    );
    // One table of one database gets all rows again.
    let given = ["--no-sync", "--table-filter", "app.crm.users:true"];
    let confirmed = [&given[..], &["--yes"]].concat();
    let machine = tempfile::tempdir().unwrap();
    let done = command(&route, "init", &file, &confirmed).state(&machine);
    done.run().expect(0);
    assert_eq!(rows(&route, "app").await, "4 20 8 t");
    assert_eq!(rows(&route, "crm").await, "6 20 30 t");
    let logs = "SELECT count(*) FROM public.logs";
    assert_eq!(value(&route.target.url("crm"), logs).await, "0");
    assert_eq!(value(&route.target.url("app"), logs).await, "40");
    let verified = command(&route, "verify", &file, &given[1..]).state(&machine);
    verified.run().expect(0);
    let missing = file.replaced("at Time", "At time");
    let refused = command(&route, "validate", &missing, &[]).run().expect(1);
    refused.assert_prints(&["At time"]);
}

#[tokio::test]
async fn lists_of_the_command_line_replace_those_of_the_file() {
    let route = three_databases().await;
    let file = ConfigFile::new(
        "include_databases = ['app']
include_tables = ['app.users']
jobs = 1
[databases.app]
schema_only = ['users']
[databases.crm]
schema_only = ['users']
",
    );
    let noted = command(&route, "validate", &file, &[]).run().expect(0);
    noted.assert_prints(&[
        "the section of database crm (6:12 of the configuration file) has no effect: the database is not selected",
        "without rows: public.users",
    ]);
    let replaced = [
        "--yes",
        "--no-sync",
        "--exclude-databases",
        "app,my.db",
        "--exclude-tables",
        "logs",
    ];
    let done = command(&route, "init", &file, &replaced).run().expect(0);
    done.assert_prints(&[
        "the section of database app (4:12 of the configuration file) has no effect",
    ]);
    assert_eq!(rows(&route, "crm").await, "0 20 30 f");
    assert!(!exists(&route, "app").await && !exists(&route, "my.db").await);
}

#[tokio::test]
async fn what_the_source_does_not_have_is_an_error_that_names_the_place() {
    let route = three_databases().await;
    for (text, expected) in [
        (
            "[databases.ap]\nschema_only = ['users']",
            "no database \"ap\" on the source (section at 1:12 of the configuration file); there are: app, crm, my.db, \
             postgres",
        ),
        (
            "[databases.app]\nschema_only = ['user']",
            "no table user (2:16 of the configuration file) in database app; the nearest: app.crm.users, \
             app.public.users",
        ),
        (
            "exclude_tables = ['app.nobody']",
            "no table app.nobody (1:19 of the configuration file) in the selected databases",
        ),
        (
            "include_databases = ['ap']",
            "no database \"ap\" on the source",
        ),
    ] {
        let file = ConfigFile::new(text);
        for (name, more) in [("validate", &[][..]), ("init", &["--yes"]), ("verify", &[])] {
            let refused = command(&route, name, &file, more).run().expect(1);
            refused.assert_prints(&[expected]);
        }
    }
    assert!(!exists(&route, "app").await);
}

#[tokio::test]
async fn a_section_selects_the_maintenance_database_unless_lists_exclude_it() {
    let route = Route::of_majors([17, 17]);
    run(
        &route.source.url("postgres"),
        "CREATE TABLE public.t (id int PRIMARY KEY)",
    )
    .await;
    route.create("app").await;
    let file = ConfigFile::new("[databases.postgres]\nschema_only = ['t']\n");
    let planned = command(&route, "validate", &file, &[]).run().expect(0);
    planned.assert_prints(&["postgres: ", "without rows: public.t"]);
    let excluded = ["--exclude-databases", "postgres"];
    let planned = command(&route, "validate", &file, &excluded)
        .run()
        .expect(0);
    planned.assert_prints(&[
        "the section of database postgres (1:12 of the configuration file) has no effect",
    ]);
}

#[tokio::test]
async fn with_a_file_no_checklist_is_shown() {
    let route = three_databases().await;
    let file = ConfigFile::new("include_databases = ['crm']\n");
    let (source, target) = (route.source.url("postgres"), route.target.url("postgres"));
    let path = file.path();
    let arguments = [
        "init",
        "--no-sync",
        "--source",
        &source,
        "--target",
        &target,
        "--config",
        &path,
    ];
    let terminal = program(&arguments).on_terminal(80);
    terminal.wait_for_last_row("Proceed with replication? [y/N]:");
    let rows = terminal.rows().join("\n");
    assert!(rows.contains("crm: create"), "{rows}");
    assert!(!rows.contains("Select databases"), "{rows}");
}
