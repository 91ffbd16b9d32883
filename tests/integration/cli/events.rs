//! With `--log-format json`, every line of standard error is an event.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::command::{Finished, Program, program};
use crate::support::route::{Route, common};
use crate::support::run;

const JSON: [&str; 2] = ["--log-format", "json"];

/// A database with two tables, one of which has no replica identity.
async fn small(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY);
                INSERT INTO public.t SELECT generate_series(1, 100);
                CREATE TABLE public.without_key AS SELECT n FROM generate_series(1, 100) n";
    run(&route.source.url(&name), fill).await;
    name
}

/// The events on standard error.
#[track_caller]
fn events(finished: &Finished) -> Vec<Value> {
    let lines = finished.stderr.lines();
    let events = lines.map(|line| {
        let parsed = serde_json::from_str(line);
        parsed.unwrap_or_else(|error| panic!("{error} in {line:?} of {}", finished.stderr))
    });
    let events: Vec<Value> = events.collect();
    for event in &events {
        let keys: Vec<_> = event.as_object().unwrap().keys().collect();
        let expected = ["event", "fields", "level", "message", "schema", "time"];
        assert_eq!(keys, expected, "{event}");
        assert_eq!(event["schema"], 1, "{event}");
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert!(event["fields"].is_object(), "{event}");
        assert_documented(event);
    }
    events
}

/// docs/json.md lists the fields of the event in its row, or where that refers to.
fn assert_documented(event: &Value) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");
    let text = std::fs::read_to_string(path).unwrap();
    let kind = event["event"].as_str().unwrap();
    let begin = format!("| `{kind}` |");
    let kinds = text.split("\n| `event` | meaning |").nth(1).unwrap();
    let row = kinds.lines().find(|line| line.starts_with(&begin));
    let row = row.unwrap_or_else(|| panic!("no event {kind} in docs/json.md"));
    let is_own = match kind {
        // Those of the message.
        "log" => return,
        "finding" | "plan" | "progress" => false,
        _ => true,
    };
    for field in event["fields"].as_object().unwrap().keys() {
        let field = format!("`{field}`");
        let is_listed = if is_own { row } else { &text }.contains(&field);
        assert!(is_listed, "{field} of {kind}");
    }
}

fn kinds(events: &[Value]) -> BTreeSet<&str> {
    let kinds = events.iter().map(|event| event["event"].as_str().unwrap());
    kinds.collect()
}

#[track_caller]
fn find<'a>(events: &'a [Value], kind: &str) -> &'a Value {
    let found = events.iter().find(|event| event["event"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {events:#?}"))
}

fn with_events(route: &Route, command: &str, name: &str, more: &[&str]) -> Program {
    route.command(command, &[name], &[more, &JSON].concat())
}

#[tokio::test]
async fn every_line_of_a_copy_and_a_comparison_is_an_event() {
    let route = common();
    let name = small(route, "events").await;
    let checked = with_events(route, "validate", &name, &["--no-sync"]);
    events(&checked.run().expect(0));
    let once = ["--no-sync", "--log-level", "trace"];
    let asked = with_events(route, "init", &name, &once).input("n\n");
    let declined = events(&asked.run().expect(1));
    let question = find(&declined, "question");
    assert_eq!(question["message"], "Proceed with replication? [y/N]:");
    let plan = find(&declined, "plan");
    assert_eq!(plan["fields"]["action"], "create", "{plan}");
    let error = declined.last().unwrap();
    assert_eq!(error["event"], "error");
    assert_eq!(error["fields"]["exit_code"], 1, "{error}");

    let copied = with_events(route, "init", &name, &["--no-sync", "--yes"]);
    let copied = events(&copied.run().expect(0));
    let expected = [
        "copy-planned",
        "finding",
        "phase-finished",
        "phase-started",
        "plan",
        "server",
        "sizes",
        "status",
        "table-copied",
    ];
    let shown = kinds(&copied);
    for kind in expected {
        assert!(shown.contains(kind), "{kind} in {shown:?}");
    }
    let table = find(&copied, "table-copied");
    assert_eq!(table["fields"]["rows"], 100, "{table}");
    assert_eq!(table["fields"]["database"], name.as_str());

    let verified = with_events(route, "verify", &name, &[]).run().expect(0);
    let verified = events(&verified);
    assert_eq!(find(&verified, "table-verified")["fields"]["equal"], true);
}

#[tokio::test]
async fn a_refusal_is_findings_and_an_error() {
    let route = common();
    let name = small(route, "refused_events").await;
    let refused = with_events(route, "init", &name, &["--yes"]);
    let refused = refused.run().expect(1);
    assert_eq!(refused.stdout, "");
    let refused = events(&refused);
    let is_key = |event: &&Value| event["fields"]["code"] == "no-replica-identity";
    let finding = refused.iter().find(is_key).unwrap();
    assert_eq!(finding["level"], "error", "{finding}");
    assert_eq!(finding["fields"]["object"], "public.without_key");
    let error = refused.last().unwrap();
    assert_eq!(error["event"], "error");
    assert_eq!(error["fields"]["command"], "init");
    let hint = &error["fields"]["error"]["hint"];
    assert!(hint.is_string(), "{error}");
}

#[test]
fn a_command_line_that_cannot_be_read_is_one_event() {
    let url = "postgresql://127.0.0.1:1/x";
    let ends = ["--source", url, "--target", url];
    let wrong: [&[&str]; 4] = [
        &["init", "--no-such-flag"],
        &["init", "--include-databases", "a,,b"],
        &["verify", "--jobs", "0"],
        &["no-such-command"],
    ];
    for arguments in wrong {
        for form in [&JSON[..], &["--log-format=json"]] {
            let failed = program(&[arguments, &ends, form].concat()).run().expect(2);
            assert_eq!(failed.stdout, "", "{arguments:?}");
            let events = events(&failed);
            assert_eq!(kinds(&events), BTreeSet::from(["error"]), "{events:?}");
            assert_eq!(events.len(), 1);
            assert_eq!(events[0]["fields"]["exit_code"], 2);
        }
    }
    let both = [&["init", "--nonsense", "--output", "json"], &JSON[..]].concat();
    let failed = program(&both).run().expect(2);
    assert_eq!(events(&failed).len(), 1);
    let report: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(report["exit_code"], 2, "{report}");
}

#[tokio::test]
async fn a_signal_at_the_question_is_an_event() {
    let route = common();
    let name = small(route, "stopped_events").await;
    let (asked, stdin) = with_events(route, "init", &name, &["--no-sync"]).start_open();
    asked.wait_for_error("\"question\"");
    asked.signal("INT");
    let stopped = events(&asked.finish().expect(130));
    drop(stdin);
    find(&stopped, "stopping");
    assert_eq!(stopped.last().unwrap()["event"], "error");
}
