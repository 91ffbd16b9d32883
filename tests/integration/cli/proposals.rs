//! What `init` asks on a terminal instead of refusing: a one-off copy, tables without a replica identity, databases
//! that are not empty.

use std::path::Path;

use seren_replicator::sandbox::Cluster;

use super::command::cluster_state;
use crate::support::command::Program;
use crate::support::route::{Route, shared};
use crate::support::terminal::{CTRL_C, ENTER, Ended, Terminal};
use crate::support::{run, value};

/// The widths at which everything must be readable.
const WIDTHS: [u16; 2] = [80, 40];

/// What ends the input of a terminal.
const END_OF_INPUT: &str = "\u{4}";

/// Keys that mean no.
const REFUSALS: [&str; 3] = ["n\r", ENTER, END_OF_INPUT];

const COPY_ONCE: &str = "Proceed with a one-off copy, without replication? [y/N]:";
const PROCEED: &str = "Proceed with replication? [y/N]:";

/// A database with a table that has a primary key, and some that have none.
async fn database(route: &Route, hint: &str, without_key: u32) -> String {
    let name = route.fresh(hint).await;
    let mut fill = "CREATE TABLE public.keyed (n int PRIMARY KEY);
                    INSERT INTO public.keyed SELECT generate_series(1, 100);"
        .to_owned();
    for number in 1..=without_key {
        let bare = "AS SELECT generate_series(1, 5) AS n;";
        fill.extend(["CREATE TABLE public.bare", &number.to_string(), " ", bare]);
    }
    run(&route.source.url(&name), &fill).await;
    name
}

/// Everything that a run could have changed on either server.
async fn state(route: &Route, name: &str) -> [String; 3] {
    let replication = "SELECT (SELECT count(*) FROM pg_publication) || ' ' ||
                              (SELECT count(*) FROM pg_replication_slots)";
    [
        cluster_state(&route.source.url("postgres")),
        cluster_state(&route.target.url("postgres")),
        value(&route.source.url(name), replication).await,
    ]
}

fn init(route: &Route, names: &[&str], more: &[&str]) -> Program {
    route.command("init", names, more)
}

/// Presses keys at a question.
fn answer(terminal: &mut Terminal, question: &str, keys: &str) {
    terminal.wait_for_last_row(question);
    terminal.press(keys);
}

/// Answers a question in every way that means no, and then with Ctrl-C: nothing may change.
async fn refuse(route: &Route, names: &[&str], question: &str, flag: &str) {
    let before = state(route, names[0]).await;
    for (keys, columns) in REFUSALS.into_iter().zip(WIDTHS.into_iter().cycle()) {
        let mut asked = init(route, names, &[]).on_terminal(columns);
        answer(&mut asked, question, keys);
        let declined = asked.finish().expect(1);
        assert!(declined.has_same_modes);
        assert_shows(&declined, &["nothing was changed", &format!("pass {flag}")]);
    }
    let mut asked = init(route, names, &[]).on_terminal(80);
    answer(&mut asked, question, CTRL_C);
    let stopped = asked.finish().expect(130);
    assert!(stopped.has_same_modes);
    assert_eq!(state(route, names[0]).await, before);
}

#[track_caller]
fn assert_shows(ended: &Ended, texts: &[&str]) {
    for text in texts {
        assert!(ended.shows(text), "{text} in {:#?}", ended.rows);
    }
}

async fn rows(route: &Route, database: &str, table: &str) -> String {
    let count = format!("SELECT count(*) FROM public.{table}");
    value(&route.target.url(database), &count).await
}

#[tokio::test]
async fn without_wal_level_logical_a_one_off_copy_is_offered() {
    let source = Cluster::builder(17).with_setting("wal_level", "replica");
    let route = Route::start([source, Cluster::builder(17)]);
    let name = database(&route, "once", 1).await;
    refuse(&route, &[&name], COPY_ONCE, "--no-sync").await;

    // A script gets the flag named.
    let script = init(&route, &[&name], &[]).input("y\n").run().expect(1);
    script.assert_prints(&["wal_level is replica", "copy once with --no-sync"]);
    assert!(!script.stderr.contains("[y/N]"), "{}", script.stderr);
    let yes = init(&route, &[&name], &["--yes"]).run().expect(1);
    assert!(!yes.stderr.contains("[y/N]"), "{}", yes.stderr);

    for columns in WIDTHS {
        let name = database(&route, "once", 1).await;
        let mut asked = init(&route, &[&name], &[]).on_terminal(columns);
        answer(&mut asked, COPY_ONCE, "y\r");
        let copied = asked.finish().expect(0);
        assert_shows(&copied, &["Equivalent option: --no-sync", "Done in"]);
        assert!(!copied.shows(PROCEED), "{:#?}", copied.rows);
        assert_eq!(rows(&route, &name, "keyed").await, "100");
        assert_eq!(rows(&route, &name, "bare1").await, "5");
        let publications = "SELECT count(*) FROM pg_publication";
        let publications = value(&route.source.url(&name), publications).await;
        assert_eq!(publications, "0");
    }
}

/// The files below a folder, as one text.
fn contents(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &contents(&path);
        } else {
            text += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    text
}

#[tokio::test]
async fn tables_without_identity_can_be_copied_without_their_changes() {
    let route = Route::of_majors([17, 17]);
    let name = database(&route, "bare", 3).await;
    let question = "Copy these 3 tables now without following their changes? [y/N]:";
    refuse(&route, &[&name], question, "--snapshot-only-tables").await;
    let script = init(&route, &[&name], &[]).input("y\n").run().expect(1);
    script.assert_prints(&["--snapshot-only-tables"]);
    assert!(!script.stderr.contains("[y/N]"), "{}", script.stderr);

    for (columns, count) in WIDTHS.into_iter().zip([3, 1]) {
        let name = database(&route, "bare", count).await;
        let home = tempfile::tempdir().unwrap();
        let asked = init(&route, &[&name], &[]).state(&home);
        let mut asked = asked.on_terminal(columns);
        let question = match count {
            1 => "Copy this table now without following its changes? [y/N]:",
            _ => question,
        };
        asked.wait_for_last_row(question);
        let last = format!("{name}.public.bare{count}");
        asked.wait_for_row("every table", |row| row.trim() == last);
        asked.press("y\r");
        answer(&mut asked, PROCEED, "y\r");
        let copied = asked.finish().expect(0);
        assert_shows(&copied, &["Done in"]);
        assert_eq!(rows(&route, &name, "bare1").await, "5");
        let published = "SELECT string_agg(tablename, ' ') FROM pg_publication_tables";
        assert_eq!(value(&route.source.url(&name), published).await, "keyed");
        // As with the flag, the choice is recorded.
        let recorded = contents(home.path());
        assert!(recorded.contains("snapshot_only_table"), "{recorded}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_empty_can_be_dropped() {
    let route = Route::of_majors([17, 17]);
    let one = database(&route, "one", 1).await;
    let two = database(&route, "two", 0).await;
    for name in [&one, &two] {
        route.init(name, &[]).run().expect(0);
    }
    run(&route.target.url(&two), "CREATE TABLE public.more (n int)").await;
    let once = ["--no-sync"];
    let question =
        format!("Database \"{one}\" on the target holds 2 tables. Drop and recreate it? [y/N]:");
    let key = "ALTER TABLE public.bare1 ADD PRIMARY KEY (n)";
    run(&route.source.url(&one), key).await;
    refuse(&route, &[&one], &question, "--drop-existing").await;

    let script = init(&route, &[&one], &once).input("y\n").run().expect(1);
    script.assert_prints(&["is not empty", "--drop-existing"]);
    assert!(!script.stderr.contains("[y/N]"), "{}", script.stderr);

    let mut asked = init(&route, &[&one], &once).on_terminal(40);
    answer(&mut asked, &question, "y\r");
    answer(&mut asked, PROCEED, "y\r");
    asked.finish().expect(0);
    let keys = "SELECT count(*) FROM pg_index WHERE indisprimary AND indrelid >= 16384";
    assert_eq!(value(&route.target.url(&one), keys).await, "2");

    // Several are one question.
    let mut asked = init(&route, &[&one, &two], &once).on_terminal(80);
    asked.wait_for_row("the question", |row| {
        row.starts_with("DROP 2 databases on ")
    });
    let rows = asked.rows();
    let asks = rows.last().unwrap();
    assert!(asks.contains("(4 tables, "), "{rows:#?}");
    for name in [&one, &two] {
        let begin = format!("  {name}: 2 tables, ");
        assert!(rows.iter().any(|row| row.starts_with(&begin)), "{rows:#?}");
    }
    asked.press("y\r");
    answer(&mut asked, PROCEED, "n\r");
    asked.finish().expect(1);
    let kept = "SELECT count(*) FROM pg_class WHERE relname = 'more'";
    assert_eq!(value(&route.target.url(&two), kept).await, "1");
}

#[tokio::test]
async fn nothing_is_asked_where_an_answer_would_not_help() {
    let route = Route::of_majors([17, 17]);
    let name = database(&route, "used", 0).await;
    route.init(&name, &[]).run().expect(0);
    let slot = "SELECT pg_create_logical_replication_slot('of_others', 'pgoutput')";
    run(&route.target.url(&name), slot).await;
    let refused = init(&route, &[&name], &["--no-sync"]);
    let refused = refused.on_terminal(80).finish().expect(1);
    assert_shows(&refused, &["remove replication slot of_others"]);
    assert!(!refused.shows("[y/N]"), "{:#?}", refused.rows);

    // A dry run only shows what would be done.
    let bare = database(&route, "bare", 1).await;
    let planned = init(&route, &[&bare], &["--dry-run"]);
    let planned = planned.on_terminal(80).finish().expect(1);
    assert!(!planned.shows("[y/N]"), "{:#?}", planned.rows);
}

#[tokio::test]
async fn an_answer_about_changes_keeps_the_filter_of_the_file() {
    let route = shared([17, 17]);
    let name = database(route, "narrow", 1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    let rule = format!(
        "include_databases = ['{name}']\n[[databases.{name}.table_filters]]\ntable = 'bare1'\nwhere = 'n > 3'\n"
    );
    std::fs::write(&file, rule).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let mut asked = init(route, &[], &config).state(&folder).on_terminal(80);
    let question = "Copy this table now without following its changes? [y/N]:";
    answer(&mut asked, question, "y\r");
    answer(&mut asked, PROCEED, "y\r");
    asked.finish().expect(0);
    assert_eq!(rows(route, &name, "bare1").await, "2");
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&folder).run().expect(0);
}
