//! Connections that break during a copy: a lost lane is replaced and its part repeated, so that
//! the copy ends complete and no row is there twice.

use std::time::{Duration, Instant};

use crate::support::cut::{Break, Fault, Way};
use crate::support::distance::{Distance, READS, WRITES};
use crate::support::route::{Route, common};
use crate::support::times::within;
use crate::support::{database, run, wait_for, wait_until};

/// Wide and narrow tables, one of several MB, with keys between them.
const TABLES: &str = "
    CREATE TABLE public.wide (id int PRIMARY KEY, filler text);
    CREATE TABLE public.narrow (id int PRIMARY KEY, wide int REFERENCES public.wide);
    CREATE TABLE public.plain (n int, t text DEFAULT 'x');
    CREATE TABLE public.single (n int);
    CREATE TABLE public.none (n int);
    INSERT INTO public.wide SELECT n, repeat(md5(n::text), 16) FROM generate_series(1, 12000) n;
    INSERT INTO public.narrow SELECT n, n FROM generate_series(1, 12000) n;
    INSERT INTO public.plain SELECT n % 100 FROM generate_series(1, 50000) n;
    INSERT INTO public.single VALUES (1);
    CREATE INDEX ON public.plain (n, t);
";

async fn filled(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    run(&route.source.url(&name), TABLES).await;
    name
}

/// Which server's connections break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

/// The first bytes of a copy that go from one side or the other: the command has just been sent.
fn cut(side: Side, way: Way, after: u64) -> (Side, Break) {
    let since = match side {
        Side::Source => READS,
        Side::Target => WRITES,
    };
    let plan = Break {
        fault: Fault::Cut,
        way,
        since,
        after,
        connection: None,
        times: 1,
    };
    (side, plan)
}

/// Copies a database once for each break, and asks for a complete copy each time.
async fn survives(hint: &str, breaks: Vec<(Side, Break)>, more: &[&str]) {
    let route = common();
    let name = filled(route, hint).await;
    for (side, plan) in breaks {
        let told = format!("{side:?} {plan:?}");
        let distance = Distance::between(route);
        let line = match side {
            Side::Source => &distance.source,
            Side::Target => &distance.target,
        };
        line.plan(plan);
        distance.init(&name, more).run().expect(0);
        assert_eq!(line.struck(), 1, "{told}");
        distance.assert_equal(&name, &told);
        route.drop_target(&name).await;
    }
}

#[tokio::test]
async fn rows_that_are_cut_off_on_their_way_from_the_source_are_read_again() {
    let offsets = [0, 1, 30, 5_000, 300_000, 3_000_000];
    let breaks = offsets.map(|after| cut(Side::Source, Way::ToClient, after));
    survives("cut_source", breaks.into(), &["--jobs", "2"]).await;
}

#[tokio::test]
async fn rows_that_are_cut_off_on_their_way_to_the_target_are_sent_again() {
    let offsets = [0, 1, 30, 5_000, 300_000, 3_000_000];
    let breaks = offsets.map(|after| cut(Side::Target, Way::ToServer, after));
    survives("cut_target", breaks.into(), &["--jobs", "2"]).await;
}

/// The answers of one copy and its commit are some dozen bytes; where among them the connection ends, we
/// cannot know whether the rows are committed.
#[tokio::test]
async fn rows_are_not_doubled_when_the_answer_to_their_commit_is_lost() {
    let breaks = (0..90).step_by(6);
    let breaks = breaks.map(|after| cut(Side::Target, Way::ToClient, after));
    survives("cut_commit", breaks.collect(), &["--jobs", "1"]).await;
}

#[tokio::test]
async fn several_lanes_may_be_lost_on_both_sides_in_one_copy() {
    let route = common();
    let name = filled(route, "cut_both").await;
    let distance = Distance::between(route);
    for after in [2_000, 400_000, 1_000_000] {
        distance
            .source
            .plan(cut(Side::Source, Way::ToClient, after).1);
        distance
            .target
            .plan(cut(Side::Target, Way::ToServer, after).1);
    }
    distance.init(&name, &["--jobs", "3"]).run().expect(0);
    assert_eq!((distance.source.struck(), distance.target.struck()), (3, 3));
    distance.assert_equal(&name, "three on each side");
}

/// The server still has the table locked for a session that nobody reads from any more.
#[tokio::test]
async fn a_connection_that_is_lost_on_our_side_alone_keeps_nobody_waiting() {
    let orphan = |side, way, after| {
        let (side, plan) = cut(side, way, after);
        let fault = Fault::Orphan;
        (side, Break { fault, ..plan })
    };
    let breaks = vec![
        orphan(Side::Target, Way::ToServer, 0),
        orphan(Side::Target, Way::ToServer, 300_000),
        orphan(Side::Target, Way::ToClient, 12),
        orphan(Side::Source, Way::ToClient, 300_000),
    ];
    survives("orphan", breaks, &["--jobs", "2"]).await;
}

/// What a lane sends first, when it opens its connections.
const OPENS: &[&str] = &["SAVEPOINT rows"];

#[tokio::test]
async fn a_lane_that_cannot_open_its_connections_tries_again() {
    let (_, plan) = cut(Side::Source, Way::ToServer, 0);
    let since = OPENS;
    let breaks = vec![(Side::Source, Break { since, ..plan })];
    survives("cut_opening", breaks, &["--jobs", "2"]).await;
}

#[tokio::test]
async fn a_stall_that_ends_costs_nothing_but_time() {
    let route = common();
    for side in [Side::Source, Side::Target] {
        let name = filled(route, "stall").await;
        let distance = Distance::between(route);
        let (line, way) = match side {
            Side::Source => (&distance.source, Way::ToClient),
            Side::Target => (&distance.target, Way::ToServer),
        };
        let (_, plan) = cut(side, way, 1_000_000);
        let fault = Fault::Stall;
        line.plan(Break { fault, ..plan });
        let running = distance.init(&name, &[]).start();
        wait_until("a lane stalls", || (line.struck() == 1).then_some(()));
        line.release();
        running.finish().expect(0);
        distance.assert_equal(&name, "after a stall");
    }
}

/// Servers for one test: since 15 a `DROP DATABASE` waits for every session of its cluster, and one that
/// reads the rows of a COPY answers only with the next row.
fn own() -> Route {
    Route::of_majors([17, 17])
}

/// The rows, or the answer to their commit, stay on the way for good, and both connections stay open.
#[tokio::test]
async fn a_stall_without_end_is_noticed_and_the_rows_are_copied_again() {
    let route = &own();
    let stalls = [
        (Side::Source, Way::ToClient, 1_000_000),
        (Side::Target, Way::ToServer, 1_000_000),
        (Side::Target, Way::ToClient, 12),
    ];
    let mut running = Vec::new();
    for (side, way, after) in stalls {
        let name = filled(route, "endless").await;
        let distance = Distance::between(route);
        let line = match side {
            Side::Source => &distance.source,
            Side::Target => &distance.target,
        };
        let (_, plan) = cut(side, way, after);
        let fault = Fault::Stall;
        line.plan(Break { fault, ..plan });
        let copying = distance.init(&name, &[]).start();
        running.push((distance, name, copying));
    }
    for (distance, name, copying) in running {
        let done = copying.finish().expect(0);
        assert!(
            done.stderr.contains("no data has arrived"),
            "{}",
            done.stderr
        );
        distance.assert_equal(&name, "after a stall without end");
    }
}

/// A lane that opens its source connection, rows from one side and to the other, large objects.
#[tokio::test]
async fn a_signal_ends_a_copy_in_time_when_nothing_arrives() {
    let route = &own();
    let (to_server, to_client) = (Way::ToServer, Way::ToClient);
    let stalls = [
        (Side::Source, to_server, OPENS, 0),
        (Side::Source, to_client, READS, 1_000_000),
        (Side::Target, to_server, WRITES, 1_000_000),
        (Side::Target, to_client, WRITES, 12),
        (Side::Source, to_client, LOOKS, 0),
    ];
    let name = filled(route, "stop_stalled").await;
    run(&route.source.url(&name), OBJECTS).await;
    let gone = format!("SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')");
    for (side, way, since, after) in stalls {
        let told = format!("{side:?} {way:?} {since:?} {after}");
        let distance = Distance::between(route);
        let line = match side {
            Side::Source => &distance.source,
            Side::Target => &distance.target,
        };
        let (_, plan) = cut(side, way, after);
        let fault = Fault::Stall;
        line.plan(Break {
            fault,
            since,
            ..plan
        });
        let running = distance.init(&name, &[]).start();
        wait_until("a connection stalls", || (line.struck() == 1).then_some(()));
        let asked = Instant::now();
        running.signal("INT");
        let stopped = running.finish().expect(130);
        let told = format!("{told}: {}", stopped.stderr);
        within(Duration::from_secs(5), asked, &told);
        line.release();
        wait_for(&database(&route.target.url("postgres")).await, &gone).await;
    }
}

/// All open connections and all new ones, for cancel requests and for cleanup, are accepted and never answered.
#[tokio::test]
async fn a_signal_ends_a_copy_in_bounded_time_when_a_server_is_gone_without_a_word() {
    let route = &own();
    for side in [Side::Source, Side::Target] {
        let name = filled(route, "silent").await;
        let distance = Distance::between(route);
        let line = match side {
            Side::Source => &distance.source,
            Side::Target => &distance.target,
        };
        // One lane holds still, so that the copy is under way when everything else does.
        let (_, plan) = cut(Side::Target, Way::ToServer, 1_000_000);
        let fault = Fault::Stall;
        distance.target.plan(Break { fault, ..plan });
        let running = distance.init(&name, &[]).start();
        wait_until("a lane stalls", || {
            (distance.target.struck() == 1).then_some(())
        });
        line.stall();
        let asked = Instant::now();
        running.signal("INT");
        let stopped = running.finish().expect(130);
        let told = &stopped.stderr;
        // On the source nothing is left to clear up; on the target half a database.
        let (most, end) = match side {
            Side::Source => (5, "stopped before the end"),
            Side::Target => (35, "stopped before cleanup was complete"),
        };
        within(Duration::from_secs(most), asked, told);
        assert!(told.contains(end), "{side:?}: {told}");
        distance.target.release();
        distance.source.release();
    }
}

/// Objects of a few bytes and one of 8 MB, which travels in pieces.
const OBJECTS: &str = "
    SELECT lo_from_bytea(0, convert_to(n::text, 'UTF8')) FROM generate_series(1, 900) n;
    SELECT lo_from_bytea(0, decode(string_agg(md5(n::text), ''), 'hex')) FROM generate_series(1, 500000) n;
";

/// What a lane of large objects sends to the source before their bytes come.
const LOOKS: &[&str] = &["TRANSACTION SNAPSHOT", "lo_get"];

/// What it sends to the target with them.
const MAKES: &[&str] = &["lo_from_bytea"];

/// What it sends to the target when a batch is whole.
const COMMITS: &[&str] = &["lo_from_bytea", "COMMIT"];

#[tokio::test]
async fn large_objects_that_are_cut_off_are_copied_again_and_none_is_there_twice() {
    let route = common();
    let name = route.fresh("cut_objects").await;
    run(&route.source.url(&name), OBJECTS).await;
    let source = |after| (Side::Source, Way::ToClient, LOOKS, after);
    let target = |after| (Side::Target, Way::ToServer, MAKES, after);
    let commit = |after| (Side::Target, Way::ToClient, COMMITS, after);
    let breaks = [
        source(0),
        source(4_000_000),
        target(0),
        target(4_000_000),
        commit(0),
        commit(8),
        commit(24),
    ];
    for (side, way, since, after) in breaks {
        let told = format!("{side:?} {way:?} {after}");
        let distance = Distance::between(route);
        let line = match side {
            Side::Source => &distance.source,
            Side::Target => &distance.target,
        };
        let (_, plan) = cut(side, way, after);
        line.plan(Break { since, ..plan });
        distance.init(&name, &[]).run().expect(0);
        assert_eq!(line.struck(), 1, "{told}");
        distance.assert_equal(&name, &told);
        route.drop_target(&name).await;
    }
}
