//! The program on a terminal: questions, bars, Ctrl-C.

use crate::support::command::Program;
use crate::support::gate::Gate;
use crate::support::route::{Route, common};
use crate::support::terminal::{CTRL_C, ENTER, Ended};
use crate::support::{run, value};

/// The widths at which everything must be readable.
const WIDTHS: [u16; 2] = [80, 40];

const QUESTION: &str = "Proceed with replication? [y/N]:";

/// A database with a table of 100 rows.
async fn small(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    let fill = "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n";
    run(&route.source.url(&name), fill).await;
    name
}

fn init(route: &Route, name: &str, more: &[&str]) -> Program {
    route.command("init", &[name], &[&["--no-sync"], more].concat())
}

async fn exists_on_target(route: &Route, name: &str) -> bool {
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    value(&route.target.url("postgres"), &count).await == "1"
}

/// Whether a row is a bar: it begins with a name and a sign.
fn is_bar(row: &str) -> bool {
    let is_sign = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
    row.contains(is_sign) || row.contains("[=") || row.contains("[>")
}

#[track_caller]
fn assert_no_bar(ended: &Ended) {
    let bars: Vec<_> = ended.rows.iter().filter(|row| is_bar(row)).collect();
    assert!(bars.is_empty(), "{bars:?} of {:#?}", ended.rows);
}

#[tokio::test]
async fn a_question_stands_alone_and_its_answer_counts() {
    let route = common();
    for columns in WIDTHS {
        let name = small(route, "asked").await;
        let mut asked = init(route, &name, &[]).on_terminal(columns);
        asked.wait_for_last_row(QUESTION);
        asked.press("n");
        asked.wait_for_last_row(&format!("{QUESTION} n"));
        asked.press(ENTER);
        let declined = asked.finish().expect(1);
        assert!(
            declined.shows(&format!("{QUESTION} n")),
            "{:#?}",
            declined.rows
        );
        assert!(
            declined.shows("nothing was changed"),
            "{:#?}",
            declined.rows
        );
        assert!(declined.has_same_modes);
        assert_no_bar(&declined);
        assert!(!exists_on_target(route, &name).await);

        let mut asked = init(route, &name, &[]).on_terminal(columns);
        asked.wait_for_last_row(QUESTION);
        asked.press("y");
        asked.press(ENTER);
        let copied = asked.finish().expect(0);
        assert_no_bar(&copied);
        let count = "SELECT count(*) FROM public.t";
        assert_eq!(value(&route.target.url(&name), count).await, "100");
    }
}

#[tokio::test]
async fn ctrl_c_at_the_question_leaves_a_usable_terminal() {
    let route = common();
    for columns in WIDTHS {
        let name = small(route, "interrupted").await;
        let mut asked = init(route, &name, &[]).on_terminal(columns);
        asked.wait_for_last_row(QUESTION);
        asked.press(CTRL_C);
        let stopped = asked.finish().expect(130);
        assert!(stopped.has_same_modes);
        assert!(stopped.shows("stopped by SIGINT"), "{:#?}", stopped.rows);
        let questions = stopped.rows.iter().filter(|row| row.contains(QUESTION));
        assert_eq!(questions.count(), 1, "{:#?}", stopped.rows);
        assert_no_bar(&stopped);
        assert!(!exists_on_target(route, &name).await);
    }
}

#[tokio::test]
async fn ctrl_c_removes_the_bar() {
    let route = common();
    for columns in WIDTHS {
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let name = small(route, "a_name_that_is_almost_as_long_as_a_row").await;
        let fill = gate.function() + "CREATE INDEX ON public.t (public.gate(n));";
        run(&route.source.url(&name), &fill).await;
        let mut running = init(route, &name, &["--yes"]).on_terminal(columns);
        gate.reached(&name).await;
        running.wait_for_row("a bar", |row| row.contains("indexes, keys and triggers"));
        running.press(CTRL_C);
        let stopped = running.finish().expect(130);
        assert!(stopped.has_same_modes);
        assert_no_bar(&stopped);
        let is_shown = stopped.shows("indexes, keys and triggers");
        assert!(!is_shown, "{:#?}", stopped.rows);
        gate.open().await;
    }
}

#[tokio::test]
async fn the_plan_names_the_servers_and_the_question_what_is_dropped() {
    let route = common();
    let name = small(route, "dropped").await;
    init(route, &name, &["--yes"]).run().expect(0);
    let drop = ["--drop-existing"];
    let declined = init(route, &name, &drop).input("n\n").run().expect(1);
    let (source, target) = (route.source.port(), route.target.port());
    let (source, target) = (source.to_string(), target.to_string());
    let line = |side: &str| {
        let mut lines = declined.stderr.lines();
        let begin = format!("{side}: postgres@");
        let found = lines.find(|line| line.starts_with(&begin));
        found.unwrap_or_default().to_owned()
    };
    for (side, port) in [("source", source), ("target", target.clone())] {
        let line = line(side);
        assert!(line.contains(&port), "{side}: {}", declined.stderr);
        assert!(line.contains(", PostgreSQL 17."), "{}", declined.stderr);
    }
    let asked = declined
        .stderr
        .lines()
        .find(|line| line.starts_with("DROP "));
    let asked = asked.unwrap_or_default();
    assert!(
        asked.starts_with("DROP 1 database on "),
        "{}",
        declined.stderr
    );
    assert!(asked.contains(&format!("{target} (1 table, ")), "{asked}");
    assert!(asked.trim_end().ends_with("MB)? [y/N]"), "{asked}");
    assert!(
        !declined.stderr.contains("Proceed with"),
        "{}",
        declined.stderr
    );
    assert!(exists_on_target(route, &name).await);
    init(route, &name, &drop).input("y\n").run().expect(0);
}
