//! The interactive selection on a terminal.

use crate::support::command::program;
use crate::support::route::Route;
use crate::support::terminal::{CTRL_C, ENTER, Terminal};
use crate::support::{run, value};

const DOWN: &str = "\u{1b}[B";
const ESCAPE: &str = "\u{1b}";
const SPACE: &str = " ";

const DATABASES: &str = "Select databases to replicate:";
const EXCLUDE: &str = "Select tables to EXCLUDE from 'app'";
const EMPTY: &str = "Select tables of 'app' to create WITHOUT rows";
const RECENT: &str = "Select tables of 'crm' to copy only RECENT rows of";
const PROCEED: &str = "Proceed with this configuration? [Y/n]:";
const WRITE_FILE: &str = "Name of a file to save this selection in (Enter: do not save):";

/// Clusters with databases `app` and `crm`.
async fn two_databases() -> Route {
    let route = Route::of_majors([17, 17]);
    for name in ["app", "crm"] {
        route.create(name).await;
    }
    let tables = "
        CREATE SCHEMA other;
        CREATE TABLE public.audit AS SELECT generate_series(1, 5) AS n;
        CREATE TABLE public.orders AS SELECT generate_series(1, 5) AS n;
        CREATE TABLE other.\"a.b\" AS SELECT generate_series(1, 5) AS n";
    run(&route.source.url("app"), tables).await;
    route
}

fn start(route: &Route, command: &str, more: &[&str], columns: u16) -> Terminal {
    let (source, target) = (route.source.url("postgres"), route.target.url("postgres"));
    let arguments = [&[command, "--source", &source, "--target", &target], more].concat();
    program(&arguments).on_terminal(columns)
}

fn wait_for(terminal: &Terminal, text: &str) {
    terminal.wait_for_row(text, |row| row.contains(text));
}

async fn databases_of(route: &Route) -> String {
    let names =
        "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
    value(&route.target.url("postgres"), names).await
}

#[tokio::test]
async fn what_is_ticked_is_copied_and_the_command_that_repeats_it_is_shown() {
    let route = two_databases().await;
    let mut lists = start(&route, "init", &["--no-sync"], 80);
    wait_for(&lists, DATABASES);
    wait_for(&lists, "crm");
    lists.press(SPACE);
    lists.press(ENTER);
    wait_for(&lists, EXCLUDE);
    wait_for(&lists, "orders");
    // Typing narrows the list.
    lists.press("a.b");
    lists.wait_for_row("only one table", |row| row.contains("other.a.b"));
    lists.press(SPACE);
    lists.press(ENTER);
    wait_for(&lists, EMPTY);
    wait_for(&lists, "audit");
    lists.press(SPACE);
    lists.press(ENTER);
    lists.wait_for_last_row(PROCEED);
    let summary = lists.rows().join("\n");
    for part in [
        "Databases to replicate: 1",
        "✓ app",
        "✗ app.other.a.b",
        "○ app.audit",
        "init --no-sync --include-databases 'app'",
        "--exclude-tables 'app.other.\"a.b\"'",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    lists.press(ENTER);
    lists.wait_for_last_row(WRITE_FILE);
    lists.press(ENTER);
    lists.wait_for_last_row("Proceed with replication? [y/N]:");
    lists.press("y");
    lists.press(ENTER);
    let done = lists.finish().expect(0);
    assert!(done.has_same_modes);
    assert_eq!(databases_of(&route).await, "app postgres");
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                   WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'other'::regnamespace)";
    let target = route.target.url("app");
    assert_eq!(value(&target, tables).await, "audit orders");
    let rows =
        "SELECT (SELECT count(*) FROM public.audit) || ' ' || (SELECT count(*) FROM public.orders)";
    assert_eq!(value(&target, rows).await, "0 5");
}

/// Rows of the last 30 years and older ones, and a table without times.
const EVENTS: &str = "
    CREATE TABLE public.events (id int PRIMARY KEY, day date, at timestamptz NOT NULL);
    INSERT INTO public.events SELECT g, current_date, now() - g * interval '10 years' FROM generate_series(0, 9) g;
    CREATE TABLE public.notes (id int PRIMARY KEY)";

#[tokio::test]
async fn recent_rows_can_be_chosen_and_the_selection_written_to_a_file() {
    let route = two_databases().await;
    run(&route.source.url("crm"), EVENTS).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.toml");
    std::fs::write(folder.path().join("old.toml"), "jobs = 1").unwrap();
    for columns in [80, 40] {
        let mut lists = start(&route, "validate", &["--no-sync"], columns);
        wait_for(&lists, "crm");
        lists.press(DOWN);
        lists.press(SPACE);
        lists.press(ENTER);
        for question in ["to EXCLUDE from 'crm'", "to create WITHOUT rows"] {
            lists.wait_for_text(question);
            wait_for(&lists, "notes");
            lists.press(ENTER);
        }
        lists.wait_for_text(RECENT);
        wait_for(&lists, "events");
        lists.press(SPACE);
        lists.press(ENTER);
        lists.wait_for_text("Column of crm.events with the time of a row:");
        lists.press("at");
        lists.press(ENTER);
        lists.wait_for_text(
            "Copy the rows of crm.events by column at of the last (such as 6 months):",
        );
        lists.press("6 fortnights");
        lists.press(ENTER);
        lists.wait_for_text("is no time window");
        lists.press(&"\u{7f}".repeat("fortnights".len()));
        lists.press("years");
        lists.press(ENTER);
        lists.wait_for_last_row(PROCEED);
        lists.wait_for_text("◐ crm.events: at, last 6 years");
        lists.wait_for_text("--time-filter 'crm.public.events:at:6 years'");
        lists.press(ENTER);
        lists.wait_for_last_row(WRITE_FILE);
        lists.press(folder.path().join("old.toml").to_str().unwrap());
        lists.press(ENTER);
        lists.wait_for_text("exists already; choose another name");
        lists.wait_for_last_row(WRITE_FILE);
        lists.press(file.to_str().unwrap());
        lists.press(ENTER);
        let ended = lists.finish().expect(0);
        assert!(ended.has_same_modes);
        // The next command selects the same.
        assert!(ended.shows("--no-sync --config"), "{:#?}", ended.rows);
        let old = std::fs::read_to_string(folder.path().join("old.toml")).unwrap();
        assert_eq!(old, "jobs = 1");
        let config = ["--config", file.to_str().unwrap(), "--no-sync"];
        let flags = [&config[..], &["--yes", "--drop-existing"]].concat();
        route.command("init", &[], &flags).run().expect(0);
        let rows = "SELECT count(*) FROM public.events";
        assert_eq!(value(&route.target.url("crm"), rows).await, "1");
        assert_eq!(databases_of(&route).await, "crm postgres");
        std::fs::remove_file(&file).unwrap();
        run(&route.target.url("postgres"), "DROP DATABASE crm").await;
    }
}

#[tokio::test]
async fn acceptance_05_nothing_ticked_is_nothing_done() {
    let route = two_databases().await;
    for columns in [80, 40] {
        let mut lists = start(&route, "init", &[], columns);
        wait_for(&lists, "crm");
        lists.press(ENTER);
        let ended = lists.finish().expect(1);
        assert!(ended.shows("nothing was changed"), "{:#?}", ended.rows);
        assert!(ended.has_same_modes);
    }
    assert_eq!(databases_of(&route).await, "postgres");
}

#[tokio::test]
async fn escape_and_ctrl_c_leave_a_usable_terminal() {
    let route = two_databases().await;
    for key in [ESCAPE, CTRL_C] {
        let mut lists = start(&route, "validate", &[], 80);
        wait_for(&lists, "crm");
        lists.press(DOWN);
        lists.press(key);
        let ended = lists.finish().expect(1);
        assert!(ended.shows("cancelled"), "{:#?}", ended.rows);
        assert!(ended.has_same_modes);
    }
    let mut lists = start(&route, "validate", &[], 80);
    wait_for(&lists, "crm");
    lists.press(SPACE);
    lists.press(ENTER);
    wait_for(&lists, EXCLUDE);
    lists.press(ENTER);
    wait_for(&lists, EMPTY);
    lists.press(ENTER);
    lists.wait_for_last_row(PROCEED);
    lists.press("perhaps");
    lists.press(ENTER);
    lists.wait_for_last_row(PROCEED);
    lists.press("n");
    lists.press(ENTER);
    let ended = lists.finish().expect(1);
    assert!(ended.shows("cancelled"), "{:#?}", ended.rows);
}

#[tokio::test]
async fn acceptance_21_options_that_select_and_missing_terminals_show_no_list() {
    let route = two_databases().await;
    for more in [
        &["--no-interactive"][..],
        &["--yes"],
        &["--include-databases", "app"],
        &["--exclude-tables", "app.audit"],
        &["--snapshot-only-tables", "app.public.orders"],
    ] {
        let flags = [more, &["--no-sync"]].concat();
        let ended = start(&route, "validate", &flags, 80).finish().expect(0);
        assert!(!ended.shows(DATABASES), "{:#?}", ended.rows);
        assert!(!ended.shows("No terminal"), "{:#?}", ended.rows);
    }
    let piped = route
        .command("validate", &[], &["--no-sync"])
        .run()
        .expect(0);
    let lines = piped.stderr.lines();
    let said = lines.filter(|line| *line == "No terminal: running as with --no-interactive.");
    assert_eq!(said.count(), 1, "{}", piped.stderr);
    let quiet = route.command("validate", &[], &["--no-sync", "--no-interactive"]);
    let quiet = quiet.run().expect(0).stderr;
    assert!(!quiet.contains("No terminal"), "{quiet}");
}
