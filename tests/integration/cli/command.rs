//! The program as a process: what remains after it, what it prints, and its exit codes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Finished, program};
use crate::support::oracle;
use crate::support::route::{RUN, Route, common};
use crate::support::{run, url_as, value};

/// What a cluster is, as far as a run that was declined could have changed it.
pub(super) fn cluster_state(url: &str) -> String {
    let globals = oracle::run(
        "pg_dumpall",
        &["--globals-only", "--restrict-key=oracle", "-d", url],
    );
    let databases = "SELECT oid, datname, datacl, datdba FROM pg_database ORDER BY 1;";
    globals + &oracle::psql(url, databases)
}

/// A pair with a role and a table that `init` would copy.
async fn small(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    let fill = "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
                ALTER TABLE public.t REPLICA IDENTITY FULL";
    run(&route.source.url(&name), fill).await;
    name
}

#[tokio::test]
async fn whoever_does_not_say_yes_finds_the_target_as_it_was() {
    let route = Route::of_majors([17, 17]);
    let name = small(&route, "declined").await;
    run(&route.source.url("postgres"), "CREATE ROLE left_alone").await;
    let before = cluster_state(&route.target.url("postgres"));
    for answer in ["n\n", "", "\n", "no\n", "yess\n", "ja\n", "Y E S\n"] {
        let declined = route.command("init", &[&name], &[]).input(answer).run();
        let declined = declined.expect(1);
        assert!(
            declined.stderr.contains("Proceed with replication? [y/N]:"),
            "{}",
            declined.stderr
        );
        assert!(
            declined.stderr.contains("nothing was changed"),
            "{}",
            declined.stderr
        );
        assert_eq!(declined.stdout, "", "{answer:?}");
    }
    let planned = route.init(&name, &["--dry-run"]).run().expect(0);
    assert!(
        planned.stderr.contains("create, 1 table"),
        "{}",
        planned.stderr
    );
    assert_eq!(cluster_state(&route.target.url("postgres")), before);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&route.source.url("postgres"), slots).await, "0");
    route
        .command("init", &[&name], &[])
        .input("y\n")
        .run()
        .expect(0);
}

#[tokio::test]
async fn a_signal_at_the_question_changes_nothing() {
    let route = common();
    let name = small(route, "asked").await;
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (asked, stdin) = route.command("init", &[&name], &[]).start_open();
        asked.wait_for_error("[y/N]:");
        asked.signal(signal);
        let stopped = asked.finish().expect(code);
        drop(stdin);
        assert!(
            stopped.stderr.contains("stopped by SIG"),
            "{}",
            stopped.stderr
        );
    }
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

/// The one object on standard output.
fn object(finished: &Finished) -> Value {
    let mut objects = serde_json::Deserializer::from_str(&finished.stdout).into_iter::<Value>();
    let object = objects.next().unwrap().unwrap();
    assert!(objects.next().is_none(), "{}", finished.stdout);
    let mut keys: BTreeSet<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    // Only a dry run has one.
    keys.remove("script");
    let common = [
        "schema",
        "command",
        "ok",
        "exit_code",
        "findings",
        "warnings",
        "error",
        "next",
    ];
    let own: &[&str] = match object["command"].as_str() {
        // One that failed before its report.
        _ if finished.code != 0 && keys.len() == common.len() => &[],
        Some("teardown") => &["objects", "unreachable"],
        _ => &["databases"],
    };
    assert_eq!(keys, common.iter().chain(own).copied().collect());
    assert_eq!(object["exit_code"], finished.code, "{object}");
    assert_eq!(object["ok"], finished.code == 0);
    assert_eq!(object["error"].is_null(), finished.code == 0, "{object}");
    assert_documented(&object);
    object
}

/// The document describes every field of an object, among those of all commands or of its own.
pub(super) fn assert_documented(object: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = |title: &str| {
        let rest = text.split(&format!("\n## {title}\n")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("docs/json.md has no section {title}"));
        rest.split("\n## ").next().unwrap().to_owned()
    };
    let mut described = section("All commands");
    match object["command"].as_str().unwrap() {
        "" => {}
        "init" => described += &(section("init") + &section("validate")),
        command => described += &section(command),
    }
    let mut fields = BTreeSet::new();
    collect_fields(object, &mut fields);
    for field in fields {
        assert!(described.contains(&format!("`{field}`")), "{field}");
    }
}

fn collect_fields<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name);
                collect_fields(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_fields(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The finding of a kind.
fn finding<'a>(object: &'a Value, code: &str) -> &'a Value {
    let findings = object["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {object}"))
}

#[tokio::test]
async fn programs_read_one_object_whatever_happens() {
    let route = common();
    let name = small(route, "json").await;
    let json = ["--output", "json"];
    let ready = route.command("validate", &[&name], &json).run().expect(0);
    assert_eq!(object(&ready)["databases"][0]["action"], "create");
    let planned = route
        .init(&name, &["--output", "json", "--dry-run"])
        .run()
        .expect(0);
    assert_eq!(object(&planned)["databases"][0]["tables"], 1);
    let done = object(&route.replicate(&name, &json).run().expect(0));
    let number = value(&route.source.url(&name), RUN).await;
    let teardown = [&json[..], &["--yes", "--run", &number]].concat();
    object(
        &route
            .command("teardown", &[&name], &teardown)
            .run()
            .expect(0),
    );
    assert_eq!(done["databases"][0]["rows"], 100);
    assert!(
        done["databases"][0]["consistent_point"].is_string(),
        "{done}"
    );
    let refused = object(&route.init(&name, &json).run().expect(1));
    assert!(refused["error"]["hint"].is_string(), "{refused}");
    let checked = object(&route.command("validate", &[&name], &json).run().expect(1));
    assert_eq!(checked["error"]["message"], "1 error was found");
    assert_eq!(checked["databases"][0]["action"], "replace");
    for report in [&refused, &checked] {
        let found = finding(report, "not-empty");
        assert_eq!(found["level"], "error", "{found}");
        assert_eq!(found["side"], "target", "{found}");
        assert_eq!(found["object"], name.as_str(), "{found}");
        assert!(
            found["remedy"]
                .as_str()
                .unwrap()
                .contains("--drop-existing"),
            "{found}"
        );
        assert_eq!(finding(report, "server-version")["level"], "ok");
        assert_eq!(report["warnings"], serde_json::json!([]));
    }
    let equal = route.command("verify", &[&name], &json).run().expect(0);
    assert_eq!(object(&equal)["command"], "verify");
    run(
        &route.target.url(&name),
        "UPDATE public.t SET n = 0 WHERE n = 7",
    )
    .await;
    let different = object(&route.command("verify", &[&name], &json).run().expect(1));
    assert_eq!(different["error"]["message"], "differences in 1 table");
    assert_eq!(different["databases"][0]["result"], "different");
    let unknown = object(&route.init("not there", &json).run().expect(1));
    assert!(
        unknown["error"]["message"]
            .as_str()
            .unwrap()
            .contains("not there"),
        "{unknown}"
    );
    let unreachable = [
        "init",
        "--source",
        "postgresql://127.0.0.1:1/x",
        "--target",
        "postgresql://127.0.0.1:1/y",
        "--yes",
    ];
    let failed = object(
        &program(&[&unreachable[..], &json[..]].concat())
            .run()
            .expect(1),
    );
    assert!(
        !failed["error"]["cause"].as_array().unwrap().is_empty(),
        "{failed}"
    );
}

#[test]
fn usage_errors_end_with_2_and_are_told_to_programs_too() {
    let url = "postgresql://127.0.0.1:1/x";
    let ends = ["--source", url, "--target", url];
    let wrong: [&[&str]; 7] = [
        &["init", "--no-such-flag"],
        &[
            "init",
            "--include-databases",
            "a",
            "--exclude-databases",
            "b",
        ],
        &["init", "--include-databases", "a,,b"],
        &["verify", "--jobs", "0"],
        &["validate", "--output", "xml"],
        &["init", "--source", "no url", "--target", url],
        &["no-such-command"],
    ];
    for arguments in wrong {
        let own = arguments.contains(&"--source") || arguments[0] == "no-such-command";
        let ends: &[&str] = if own { &[] } else { &ends };
        let failed = program(&[arguments, ends].concat()).run().expect(2);
        assert_eq!(failed.stdout, "", "{arguments:?}");
        assert!(!failed.stderr.is_empty());
        if !arguments.contains(&"--output") {
            let failed = program(&[arguments, ends, &["--output=json"]].concat())
                .run()
                .expect(2);
            let object: Value = serde_json::from_str(&failed.stdout).unwrap();
            assert_eq!(object["exit_code"], 2, "{object}");
            assert!(object["error"]["message"].is_string(), "{object}");
        }
    }
    program(&["--help"]).run().expect(0);
    program(&["--version"]).run().expect(0);
}

#[tokio::test]
async fn a_pipe_gets_no_escape_codes() {
    let route = common();
    let name = small(route, "plain").await;
    let runs = [
        route.command("validate", &[&name], &[]).run().expect(0),
        route.init(&name, &["--log-level", "trace"]).run().expect(0),
        route.init(&name, &[]).run().expect(1),
        route.command("verify", &[&name], &[]).run().expect(0),
        program(&["--help"]).run().expect(0),
        program(&["init", "--nonsense"]).run().expect(2),
    ];
    for finished in &runs {
        assert!(!finished.all().contains('\u{1b}'), "{:?}", finished.all());
    }
    let colored = route.init(&name, &["--color", "always"]).run().expect(1);
    assert!(colored.stderr.contains('\u{1b}'));
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

#[tokio::test]
async fn nothing_stays_in_temporary_folders() {
    let route = common();
    let name = small(route, "tidy").await;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().to_str().unwrap();
    let tidy = |program: crate::support::command::Program| {
        program
            .env("TMPDIR", folder)
            .env("HOME", folder)
            .env("XDG_STATE_HOME", folder)
    };
    tidy(route.init(&name, &[])).run().expect(0);
    tidy(route.init(&name, &[])).run().expect(1);
    tidy(route.command("verify", &[&name], &[])).run().expect(0);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (asked, stdin) =
            tidy(route.command("init", &[&name], &["--drop-existing"])).start_open();
        asked.wait_for_error("[y/N]");
        asked.signal(signal);
        asked.finish().expect(code);
        drop(stdin);
    }
    let state = home.path().join("postgres-seren-replicator");
    assert_eq!(files(home.path()), [state.display().to_string()]);
}

const CANARY: &str = "kanarienvogel";

#[tokio::test]
async fn a_password_shows_nowhere() {
    let route = Route::of_majors([17, 17]);
    let name = small(&route, "secret").await;
    for url in [route.source.url("postgres"), route.target.url("postgres")] {
        run(
            &url,
            &format!("CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{CANARY}'"),
        )
        .await;
    }
    let with_password = |url: String| url_as(&format!("keeper:{CANARY}"), &url);
    let source = with_password(route.source.tcp_url(&name));
    let target = with_password(route.target.tcp_url("postgres"));
    let run_one = |arguments: &[&str], target: &str| {
        let program = program(
            &[
                arguments,
                &["--include-databases", &name, "--log-level", "trace"],
            ]
            .concat(),
        );
        program
            .env("SOURCE_DATABASE_URL", &source)
            .env("TARGET_DATABASE_URL", target)
    };
    let holder = "BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE";
    let session = crate::support::database(&route.source.url(&name)).await;
    session.batch(&crate::support::text(holder)).await.unwrap();
    let running = run_one(&["init", "--yes", "--no-sync"], &target).start();
    let watcher = crate::support::database(&route.source.url("postgres")).await;
    crate::support::wait_for(
        &watcher,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    )
    .await;
    let command_line = std::fs::read_to_string(running.proc("cmdline")).unwrap();
    let activity = value(&route.source.url("postgres"), "SELECT string_agg(to_jsonb(a)::text, '') FROM pg_stat_activity a WHERE pid <> pg_backend_pid()").await;
    assert!(
        activity.contains("postgres-seren-replicator/init"),
        "{activity}"
    );
    session
        .batch(&crate::support::text("ROLLBACK"))
        .await
        .unwrap();
    let done = running.finish().expect(0);
    let wrong = target.replace(CANARY, &format!("{CANARY}-wrong"));
    let runs = [
        done,
        run_one(&["validate"], &target).run(),
        run_one(&["init", "--yes", "--output", "json"], &target)
            .run()
            .expect(1),
        run_one(&["init", "--yes"], &wrong.replace("postgres?", "x?")).run(),
        run_one(&["verify", "--log-format", "json"], &target)
            .run()
            .expect(0),
        run_one(
            &["verify"],
            "postgresql://keeper:kanarienvogel@127.0.0.1:1/x",
        )
        .run()
        .expect(5),
        run_one(
            &["verify"],
            "postgresql://keeper:kanarienvogel@127.0.0.1:x/x",
        )
        .run()
        .expect(2),
        run_one(&["init"], "kanarienvogel").run().expect(2),
    ];
    let said: String = runs.iter().map(Finished::all).collect();
    for text in [&said, &command_line, &activity] {
        assert!(!text.contains(CANARY), "{text}");
    }
}
