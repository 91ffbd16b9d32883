//! `status --watch` and `--listen`: what is observed again and again.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::{Copied, TABLE};
use crate::support::command::Running;
use crate::support::route::{Route, common};
use crate::support::terminal::{CTRL_C, Terminal};
use crate::support::{value, wait_until, wait_until_true};

/// Starts the web server of a replication; its address.
fn serve(copied: &Copied<'_>, more: &[&str]) -> (Running, String) {
    let listen = ["--watch", "0.2", "--listen", "127.0.0.1:0"];
    let program = copied
        .route
        .command("status", &[&copied.name], &[&listen[..], more].concat());
    let running = program.state(&copied.machine).start();
    running.wait_for_error("status page: http://127.0.0.1:");
    let printed = running.error_text();
    let (_, rest) = printed.split_once("http://").unwrap();
    let address = rest.split('/').next().unwrap().to_owned();
    (running, address)
}

/// The answer to a request, head and body.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn the_web_server_shows_a_working_and_a_broken_replication() {
    let copied = Copied::synced(common(), "watch_web", TABLE).await;
    let (running, address) = serve(&copied, &[]);
    wait_until("it is ready", || {
        get(&address, "/readyz")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    let metrics = get(&address, "/metrics");
    let line = format!(
        "seren_replication_lag_seconds{{database=\"{}\"",
        copied.name
    );
    assert!(metrics.contains(&line), "{metrics}");
    assert!(get(&address, "/").contains("<!DOCTYPE html>"));
    // Events come one after the other.
    let mut events = TcpStream::connect(&address).unwrap();
    write!(events, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(events).lines().map(Result::unwrap);
    for _ in 0..2 {
        let event = lines
            .by_ref()
            .find(|line| line.starts_with("data: "))
            .unwrap();
        assert!(event.contains("\"caught_up\""), "{event}");
    }
    copied.on_target("DROP TABLE public.t CASCADE").await;
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'lost')")
        .await;
    wait_until("it is broken", || {
        get(&address, "/readyz")
            .starts_with("HTTP/1.1 503")
            .then_some(())
    });
    wait_until("the report says so", || {
        get(&address, "/api/status")
            .contains("\"broken\"")
            .then_some(())
    });
    running.signal("INT");
    let ended = running.finish().expect(0);
    assert!(ended.stdout.lines().count() >= 2, "{}", ended.stdout);
    copied.remove();
}

#[tokio::test]
async fn lines_and_objects_are_printed_without_a_terminal() {
    let copied = Copied::synced(common(), "watch_lines", TABLE).await;
    let watch = |more: &[&str]| {
        let arguments = [&["--watch", "0.2"], more].concat();
        let program = copied.route.command("status", &[&copied.name], &arguments);
        program.state(&copied.machine).start()
    };
    let running = watch(&["--output", "json"]);
    running.wait_for_output(2);
    running.signal("TERM");
    for line in running.finish().expect(0).stdout.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["databases"][0]["verdict"], "caught_up", "{line}");
    }
    let running = watch(&[]);
    running.wait_for_output(2);
    running.signal("INT");
    let printed = running.finish().expect(0).stdout;
    assert!(
        printed.lines().all(|line| line.contains("CAUGHT UP")),
        "{printed}"
    );
    copied.remove();
}

#[tokio::test]
async fn the_monitor_fills_the_terminal_and_leaves_it_whole() {
    let copied = Copied::synced(common(), "watch_monitor", TABLE).await;
    for (end, width) in [("q", 80), (CTRL_C, 40)] {
        let program = copied
            .route
            .command("status", &[&copied.name], &["--watch", "0.2"]);
        let mut terminal = program.state(&copied.machine).on_terminal(width);
        terminal.wait_for_text("CAUGHT UP");
        terminal.press("?");
        terminal.press(end);
        let ended = terminal.finish().expect(0);
        assert!(ended.has_same_modes);
        assert!(!ended.shows("CAUGHT UP"), "{:#?}", ended.rows);
    }
    copied.remove();
}

/// The rows of a terminal that has this size now.
fn screen_rows(terminal: &Terminal) -> Vec<String> {
    let screen = terminal.screen();
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).collect()
}

#[tokio::test]
async fn the_monitor_follows_the_size_and_ends_while_reports_arrive() {
    let copied = Copied::synced(common(), "watch_resize", TABLE).await;
    // Observed without a pause: at any moment a report is under way, or comes.
    for round in 0_u16..8 {
        let program = copied
            .route
            .command("status", &[&copied.name], &["--watch", "0.1"]);
        let mut terminal = program.state(&copied.machine).on_terminal(80);
        terminal.wait_for_text("CAUGHT UP");
        for size in [[12, 40], [3, 10], [1, 1], [30 + round, 120], [24, 80]] {
            terminal.resize(size);
            if size[1] < 40 {
                continue;
            }
            let shown = fmt::from_fn(|f| write!(f, "{size:?}: {:#?}", screen_rows(&terminal)));
            wait_until(shown, || {
                let rows = screen_rows(&terminal);
                let ends = rows.last().unwrap().starts_with("q quit");
                let begins = rows[0].starts_with("status ✓ CAUGHT UP");
                (begins && ends).then_some(())
            });
        }
        terminal.press(if round % 2 == 0 { "q" } else { CTRL_C });
        let ended = terminal.finish().expect(0);
        assert!(ended.has_same_modes);
        assert!(!ended.shows("panic"), "{:#?}", ended.rows);
    }
    copied.remove();
}

#[tokio::test]
async fn a_slot_over_its_limit_is_named_and_dropped_only_on_request() {
    let route = Route::of_majors([17, 17]);
    let copied = Copied::synced(&route, "app", TABLE).await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
        .await;
    let fill = "CREATE UNLOGGED TABLE public.noise (); DROP TABLE public.noise;
         SELECT pg_logical_emit_message(false, 'x', repeat('y', 2000000))";
    copied.on_source(fill).await;
    let limit = ["--max-retained-wal", "1MB"];
    let named = copied.command("status", &limit).expect(4);
    named.assert_prints(&["more than the limit of 1048576"]);
    let usage = copied.command(
        "status",
        &["--drop-slots-over-limit", "--max-retained-wal", "1MB"],
    );
    usage.expect(2);
    let drops = [
        "--watch",
        "0.2",
        "--drop-slots-over-limit",
        "--max-retained-wal",
        "1MB",
    ];
    let running = route.command("status", &[&copied.name], &drops);
    let running = running.state(&copied.machine).start();
    let slots = "SELECT count(*) FROM pg_replication_slots";
    wait_until_true("the slot is gone", async || {
        value(&copied.source(), slots).await == "0"
    })
    .await;
    running.wait_for_error("it was dropped, as requested");
    running.signal("INT");
    running.finish().expect(0);
    copied.status().expect(4).assert_prints(&["BROKEN"]);
}

#[tokio::test]
async fn one_database_that_fails_does_not_keep_the_others_from_replicating() {
    let route = Route::of_majors([17, 17]);
    let machine = tempfile::tempdir().unwrap();
    route.create("good").await;
    route.create("bad").await;
    for name in ["good", "bad"] {
        crate::support::run(&route.source.url(name), TABLE).await;
    }
    let both = ["good", "bad"];
    route
        .command("init", &both, &["--yes"])
        .state(&machine)
        .run()
        .expect(0);
    crate::support::run(&route.target.url("bad"), "ALTER TABLE public.t ADD COLUMN needed int; UPDATE public.t SET needed = 1; ALTER TABLE public.t ALTER needed SET NOT NULL").await;
    crate::support::run(
        &route.source.url("bad"),
        "INSERT INTO public.t VALUES (11, 'x')",
    )
    .await;
    let synced = route
        .command("sync", &both, &["--timeout", "60"])
        .state(&machine)
        .run()
        .expect(1);
    synced.assert_prints(&["✓ good", "✗ bad", "needed", "1 of 2 databases"]);
    let good = route.command("status", &["good"], &[]).state(&machine);
    good.run().expect(0);
}
