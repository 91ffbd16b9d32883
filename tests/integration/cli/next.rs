//! The end of every report, and line breaks on a terminal.

use crate::support::command::{Finished, program};
use crate::support::route::{Route, common};
use crate::support::{run, value};

const PROGRAM: &str = "postgres-seren-replicator";

/// A database with a table of 100 rows.
async fn small(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY);
                INSERT INTO public.t SELECT generate_series(1, 100)";
    run(&route.source.url(&name), fill).await;
    name
}

/// The last line of the report.
fn last(finished: &Finished) -> &str {
    finished
        .stdout
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
}

#[tokio::test]
async fn every_report_ends_with_the_next_command() {
    let route = Route::of_majors([17, 17]);
    let name = small(&route, "next").await;
    let home = tempfile::tempdir().unwrap();
    let run_one = |command: &str, more: &[&str]| route.command(command, &[&name], more);
    let urls = "--source SOURCE_URL --target TARGET_URL";
    let databases = format!("--include-databases '\"{name}\"'");
    let command = |command: &str| format!("{PROGRAM} {command} {urls} {databases}");

    let ready = run_one("validate", &[]).run().expect(0);
    assert_eq!(last(&ready), format!("next: {}", command("init")));
    let planned = run_one("init", &["--dry-run"]).run().expect(0);
    assert_eq!(last(&planned), format!("-- next: {}", command("init")));
    let copied = run_one("init", &["--yes"]).state(&home).run().expect(0);
    assert_eq!(last(&copied), format!("next: {}", command("sync")));
    let refused = run_one("validate", &[]).run().expect(1);
    let again = command("validate");
    let resolve = format!("next: resolve the errors above, then run: {again}");
    assert_eq!(last(&refused), resolve);

    let equal = run_one("verify", &[]).run().expect(0);
    let teardown = command("teardown");
    let list = format!("next: list what runs have left: {teardown} --dry-run");
    assert_eq!(last(&equal), list);
    run(&route.target.url(&name), "DELETE FROM public.t").await;
    let different = run_one("verify", &[]).run().expect(1);
    let again = command("verify");
    let stop = format!("next: stop writes on the source, then run: {again}");
    assert_eq!(last(&different), stop);

    let listed = run_one("teardown", &["--dry-run"]).state(&home).run();
    assert_eq!(last(&listed.expect(0)), format!("next: {teardown}"));
    let removed = run_one("teardown", &["--yes"]).state(&home).run();
    assert!(last(&removed.expect(0)).starts_with("next: nothing; "));
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&route.source.url(&name), slots).await, "0");
}

#[test]
fn both_servers_are_named_if_neither_can_be_reached() {
    let validate = |more: &[&str]| {
        let urls = ["postgresql://127.0.0.1:1/x", "postgresql://127.0.0.1:2/y"];
        let arguments = ["validate", "--source", urls[0], "--target", urls[1]];
        program(&[&arguments, more].concat()).run().expect(1)
    };
    let failed = validate(&[]);
    failed.assert_prints(&[
        "neither server can be used: ",
        "connect to the source: ",
        "127.0.0.1:1",
        "; connect to the target: ",
        "127.0.0.1:2",
        "listen_addresses",
    ]);
    let failed = validate(&["--output", "json"]);
    let object: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(object["error"]["where"], "source and target", "{object}");
}

#[tokio::test]
async fn lines_break_between_words() {
    let route = common();
    let name = small(route, "broken").await;
    let bare = "CREATE TABLE public.bare AS SELECT generate_series(1, 5) AS n";
    run(&route.source.url(&name), bare).await;
    for columns in [80, 40] {
        let checked = route.command("validate", &[&name], &[]);
        let checked = checked.on_terminal(columns).finish().expect(1);
        let text = "table public.bare has no primary key and no other replica identity";
        assert!(checked.shows(text), "{:#?}", checked.rows);
        // The terminal has broken no line itself, except commands.
        for row in checked.rows.iter().filter(|row| !row.contains(PROGRAM)) {
            let width = row.chars().count();
            assert!(width <= usize::from(columns), "{width}: {row}");
        }
    }
}
