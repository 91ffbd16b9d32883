//! Several runs: one in progress, one at its confirmation prompt, one of another machine, one with another target.
//! None touches what another has made.

use std::io::Write as _;

use crate::support::command::{Program, Running, program};
use crate::support::gate::Gate;
use crate::support::route::{RUN, Route, common, older};
use crate::support::{database, fresh_name, run, text, value, wait_for};

/// What a run has left on the source: slots, and the publications' marks.
const LEFT: &str = "SELECT concat_ws(' ', \
    (SELECT string_agg(slot_name || confirmed_flush_lsn, ',' ORDER BY 1) FROM pg_replication_slots \
      WHERE database = current_database()), \
    (SELECT string_agg(pubname || obj_description(oid, 'pg_publication'), ',' ORDER BY pubname) FROM pg_publication))";

const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";

const COMPLETE: &str =
    "SELECT obj_description(oid, 'pg_publication')::json ->> 'complete' FROM pg_publication";

/// A database whose copy waits at the gate.
async fn gated(route: &Route) -> (String, Gate) {
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("runs").await;
    let fill = gate.function()
        + "CREATE TABLE public.t (id int PRIMARY KEY);
           INSERT INTO public.t SELECT generate_series(1, 10);
           CREATE INDEX ON public.t (public.gate(id));";
    run(&route.source.url(&name), &fill).await;
    (name, gate)
}

/// A small database.
async fn filled(route: &Route) -> String {
    let name = route.fresh("runs").await;
    let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)";
    run(&route.source.url(&name), fill).await;
    name
}

fn teardown(route: &Route, name: &str, more: &[&str]) -> Program {
    route.command("teardown", &[name], &[&["--yes"], more].concat())
}

async fn rows(route: &Route, name: &str) -> String {
    value(&route.target.url(name), "SELECT count(*) FROM public.t").await
}

#[tokio::test]
async fn nothing_of_a_run_at_work_is_touched() {
    for route in [common(), older()] {
        let (name, gate) = gated(route).await;
        let source = route.source.url(&name);
        let machine = tempfile::tempdir().unwrap();
        let first = route.replicate(&name, &[]).state(&machine).start();
        gate.reached(&name).await;
        let left = value(&source, LEFT).await;
        let number = value(&source, RUN).await;
        let who = "another run: postgres-seren-replicator/init, process ";
        for more in [&[][..], &["--drop-existing"]] {
            let second = route.replicate(&name, more).run().expect(1);
            second.assert_prints(&["is being copied by", who, "since 2", &number, " on "]);
        }
        for program in [
            teardown(route, &name, &[]),
            teardown(route, &name, &[]).state(&machine),
            teardown(route, &name, &["--run", &number]),
        ] {
            program
                .run()
                .expect(1)
                .assert_prints(&["is being copied by", who]);
        }
        assert_eq!(value(&source, LEFT).await, left);
        gate.open().await;
        first.finish().expect(0);
        assert_eq!(value(&source, COMPLETE).await, "true");
        assert_eq!(value(&source, SLOTS).await, "1");
        assert_eq!(rows(route, &name).await, "10");
    }
}

#[tokio::test]
async fn what_another_machine_has_finished_is_only_replaced_by_name() {
    let route = common();
    let name = filled(route).await;
    let source = route.source.url(&name);
    route.replicate(&name, &[]).run().expect(0);
    let first = value(&source, RUN).await;
    let left = value(&source, LEFT).await;
    let refused = route.replicate(&name, &["--drop-existing"]).run().expect(1);
    let adopt = format!("init --adopt {first}");
    let remove = format!("teardown --run {first}");
    refused.assert_prints(&[&adopt, &remove, "complete", "started 2"]);
    assert_eq!(value(&source, LEFT).await, left);
    let wrong = ["--drop-existing", "--adopt", "0123456789abcdef"];
    let wrong = route.replicate(&name, &wrong).run().expect(1);
    wrong.assert_prints(&["is of run 0123456789abcdef", "--adopt"]);
    let machine = tempfile::tempdir().unwrap();
    let more = ["--drop-existing", "--adopt", &first];
    let adopted = route.replicate(&name, &more).state(&machine);
    adopted.run().expect(0);
    let second = value(&source, RUN).await;
    assert_ne!(second, first);
    assert_eq!(value(&source, COMPLETE).await, "true");
    // Whose state knows the run, it is.
    let again = route.replicate(&name, &["--drop-existing"]).state(&machine);
    again.run().expect(0);
    let third = value(&source, RUN).await;
    let replaced = teardown(route, &name, &["--run", &second]).run().expect(1);
    replaced.assert_prints(&["has left nothing", &third]);
    assert_eq!(value(&source, RUN).await, third);
    teardown(route, &name, &["--run", &third]).run().expect(0);
    assert_eq!(value(&source, LEFT).await, "");
    route.replicate(&name, &["--drop-existing"]).run().expect(0);
    assert_eq!(rows(route, &name).await, "1");
}

#[tokio::test]
async fn a_run_that_waited_at_its_question_sees_what_happened_meanwhile() {
    let route = common();
    let name = filled(route).await;
    let source = route.source.url(&name);
    let (waiting, mut stdin) = route.command("init", &[&name], &[]).start_open();
    waiting.wait_for_error("[y/N]:");
    route.replicate(&name, &[]).run().expect(0);
    let left = value(&source, LEFT).await;
    stdin.write_all(b"y\n").unwrap();
    let number = value(&source, RUN).await;
    let refused = waiting.finish().expect(1);
    refused.assert_prints(&[&format!("init --adopt {number}")]);
    assert_eq!(value(&source, LEFT).await, left);
    assert_eq!(rows(route, &name).await, "1");
}

/// A run that was killed while it filled its target database; its number.
async fn killed(route: &Route, more: &[&str]) -> (String, String) {
    let (name, gate) = gated(route).await;
    if more.contains(&"used") {
        let create = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
        run(&route.target.url("postgres"), &create).await;
    }
    let running = route.replicate(&name, &[]).start();
    gate.reached(&name).await;
    running.signal("KILL");
    running.finish().expect(137);
    gate.open().await;
    let number = value(&route.source.url(&name), RUN).await;
    (name, number)
}

#[tokio::test]
async fn what_a_killed_run_has_left_is_adopted_by_another_machine() {
    for (route, more) in [(common(), &[][..]), (older(), &["used"])] {
        let (name, number) = killed(route, more).await;
        let source = route.source.url(&name);
        let refused = route.replicate(&name, &["--drop-existing"]).run().expect(1);
        refused.assert_prints(&[&format!("init --adopt {number}"), "incomplete"]);
        let oid = format!("SELECT oid FROM pg_database WHERE datname = '{name}'");
        let before = value(&route.target.url("postgres"), &oid).await;
        // The journal in the database says what that run has created; a user's table is none of it.
        let theirs = "CREATE TABLE public.theirs (n int)";
        run(&route.target.url(&name), theirs).await;
        let adopt = ["--adopt", &number];
        let refused = route.replicate(&name, &adopt).run().expect(1);
        refused.assert_prints(&["public.theirs", "is not empty"]);
        assert_eq!(value(&source, RUN).await, number);
        let count = "SELECT count(*) FROM public.theirs";
        assert_eq!(value(&route.target.url(&name), count).await, "0");
        run(&route.target.url(&name), "DROP TABLE public.theirs").await;
        route.replicate(&name, &adopt).run().expect(0);
        assert_eq!(value(&source, COMPLETE).await, "true");
        assert_eq!(value(&source, SLOTS).await, "1");
        assert_eq!(rows(route, &name).await, "10");
        let after = value(&route.target.url("postgres"), &oid).await;
        assert_eq!(before == after, more.contains(&"used"));
    }
}

#[tokio::test]
async fn an_adopted_run_that_is_killed_as_well_continues() {
    let route = common();
    let (name, gate) = gated(route).await;
    let first = route.replicate(&name, &[]).start();
    gate.reached(&name).await;
    first.signal("KILL");
    first.finish().expect(137);
    let number = value(&route.source.url(&name), RUN).await;
    let admin = route.target.url("postgres");
    let oid = format!("SELECT oid FROM pg_database WHERE datname = '{name}'");
    let oid = value(&admin, &oid).await;
    let machine = tempfile::tempdir().unwrap();
    let adopt = route.replicate(&name, &["--adopt", &number]);
    let second = adopt.state(&machine).start();
    // The database of the second run is another one.
    let at_gate = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity \
          WHERE wait_event = 'PgSleep' AND datname = '{name}' AND datid <> {oid}"
    );
    wait_for(&database(&admin).await, &at_gate).await;
    second.signal("KILL");
    second.finish().expect(137);
    gate.open().await;
    let again = route.replicate(&name, &[]).state(&machine);
    again.run().expect(0);
    assert_eq!(rows(route, &name).await, "10");
    assert_eq!(value(&route.source.url(&name), SLOTS).await, "1");
}

#[tokio::test]
async fn what_no_journal_of_the_adopted_run_proves_is_only_replaced_when_asked() {
    let route = common();
    let (name, number) = killed(route, &[]).await;
    // A copy of the database under its name has the same journal.
    let admin = route.target.url("postgres");
    let moved = fresh_name("moved");
    for statement in [
        format!("ALTER DATABASE \"{name}\" RENAME TO \"{moved}\""),
        format!("CREATE DATABASE \"{name}\" TEMPLATE \"{moved}\""),
    ] {
        run(&admin, &statement).await;
    }
    let adopt = ["--adopt", &number];
    let refused = route.replicate(&name, &adopt).run().expect(1);
    refused.assert_prints(&["is not empty", "--drop-existing"]);
    let more = ["--drop-existing", "--adopt", &number];
    route.replicate(&name, &more).run().expect(0);
    assert_eq!(rows(route, &name).await, "10");
}

#[tokio::test]
async fn the_locks_of_a_run_are_free_when_it_has_ended() {
    let route = common();
    let name = filled(route).await;
    let application = fresh_name("released");
    let urls = [&route.source, &route.target].map(|cluster| {
        let url = cluster.url("postgres");
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}application_name={application}")
    });
    let held = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
          WHERE application_name = '{application}' AND locktype = 'advisory'"
    );
    let admins = [
        database(&route.source.url("postgres")).await,
        database(&route.target.url("postgres")).await,
    ];
    let machine = tempfile::tempdir().unwrap();
    for command in ["init", "teardown"] {
        let program = Route::command_through(&urls, command, (&[&name], &["--yes"]));
        let done = program.state(&machine).run();
        done.expect(0);
        for admin in &admins {
            let rows = admin.rows(&text(&held)).await.unwrap();
            assert_eq!(rows[0].get(0), Some("0"), "{command}");
        }
    }
}

/// A run at the gate, known by the name of its sessions.
async fn named(route: &Route, application: &str) -> (String, Gate, Running) {
    let (name, gate) = gated(route).await;
    let urls = [&route.source, &route.target].map(|cluster| {
        let url = cluster.url("postgres");
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}application_name={application}")
    });
    let running = Route::command_through(&urls, "init", (&[&name], &["--yes"])).start();
    gate.reached(&name).await;
    (name, gate, running)
}

#[tokio::test]
async fn a_run_that_loses_its_lock_ends_and_takes_everything_back() {
    for (route, side) in [(common(), "source"), (older(), "target")] {
        let application = fresh_name("locked");
        let (name, _gate, running) = named(route, &application).await;
        let end = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_locks USING (pid) \
              WHERE application_name = '{application}' AND locktype = 'advisory'"
        );
        let cluster = match side {
            "source" => &route.source,
            _ => &route.target,
        };
        assert_eq!(value(&cluster.url("postgres"), &end).await, "1");
        let failed = running.finish().expect(1);
        let lost = format!("the session that held this run's locks on the {side} was lost");
        failed.assert_prints(&[&lost]);
        assert_eq!(value(&route.source.url(&name), LEFT).await, "");
        let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
    }
}

#[tokio::test]
async fn a_source_is_copied_to_several_targets_by_publications_of_other_names() {
    let route = common();
    let name = filled(route).await;
    let other = fresh_name("runs_other");
    let source = route.source.url(&name);
    route.replicate(&name, &[]).run().expect(0);
    let first = value(&source, LEFT).await;
    let map = format!("{name}={other}");
    let refused = route.replicate(&name, &["--map-database", &map]);
    let refused = refused.run().expect(1);
    refused.assert_prints(&["of another target", "--publication NAME"]);
    let more = ["--map-database", &map, "--publication", "second"];
    route.replicate(&name, &more).run().expect(0);
    assert_eq!(value(&source, SLOTS).await, "2");
    assert_eq!(rows(route, &other).await, "1");
    // Runs without a state: each must be named.
    let both = teardown(route, &name, &[]).run().expect(1);
    both.assert_prints(&["teardown --run", "nothing was removed"]);
    assert_eq!(value(&source, SLOTS).await, "2");
    let of_second = |key: &str| {
        format!(
            "SELECT obj_description(oid, 'pg_publication')::json ->> '{key}' FROM pg_publication \
              WHERE pubname = 'second'"
        )
    };
    let slot = value(&source, &of_second("slot")).await;
    let number = value(&source, &of_second("number")).await;
    teardown(route, &name, &["--run", &number]).run().expect(0);
    assert_eq!(value(&source, LEFT).await, first);
    let gone = format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}'");
    assert_eq!(value(&source, &gone).await, "0");
    route.remove_run(&name).await;
    assert_eq!(value(&source, LEFT).await, "");
}

#[tokio::test]
async fn a_mark_without_a_number_is_named_by_its_clusters() {
    let route = common();
    let name = filled(route).await;
    let source = route.source.url(&name);
    route.replicate(&name, &[]).run().expect(0);
    let old = "DO $$ DECLARE mark jsonb := obj_description(oid, 'pg_publication')::jsonb FROM pg_publication; \
      BEGIN EXECUTE format('COMMENT ON PUBLICATION seren_replication_pub IS %L', \
        '{\"seren_replicator\":1,' || substr((mark - 'seren_replicator' - 'number' - 'host' - 'started')::text, 2)); END $$";
    run(&source, old).await;
    let pair = "SELECT obj_description(oid, 'pg_publication')::json ->> 'run' FROM pg_publication";
    let pair = value(&source, pair).await;
    let refused = route.replicate(&name, &["--drop-existing"]).run().expect(1);
    refused.assert_prints(&[&format!("init --adopt {pair}")]);
    let more = ["--drop-existing", "--adopt", &pair];
    route.replicate(&name, &more).run().expect(0);
    assert_ne!(value(&source, RUN).await, "NULL");
}

#[tokio::test]
async fn a_slot_whose_target_is_gone_is_removed_by_its_name() {
    for route in [common(), older()] {
        let name = filled(route).await;
        let source = route.source.url(&name);
        route.replicate(&name, &[]).run().expect(0);
        let slot = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";
        let slot = value(&source, slot).await;
        let left = value(&source, LEFT).await;
        let by_name = |more: &[&str]| {
            let arguments = ["teardown", "--source", &source, "--slot", &slot];
            program(&[&arguments[..], more].concat())
        };
        let declined = by_name(&[]).input("n\n").run().expect(1);
        let statement = format!("SELECT pg_catalog.pg_drop_replication_slot('{slot}');");
        let drop = "DROP PUBLICATION IF EXISTS \"seren_replication_pub\";";
        declined.assert_prints(&[&statement, drop, "[y/N]:"]);
        assert_eq!(value(&source, LEFT).await, left);
        by_name(&["--yes"]).run().expect(0);
        assert_eq!(value(&source, LEFT).await, "");
        let absent = by_name(&["--yes"]).run().expect(1);
        absent.assert_prints(&[&slot, "does not exist on the source", "--slot"]);
    }
}

#[tokio::test]
async fn a_slot_of_a_run_at_work_or_of_somebody_else_is_not_removed_by_its_name() {
    let route = common();
    let (name, gate) = gated(route).await;
    let source = route.source.url(&name);
    let running = route.replicate(&name, &[]).start();
    gate.reached(&name).await;
    let slot = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";
    let slot = value(&source, slot).await;
    let by_name = |slot: &str| program(&["teardown", "--source", &source, "--slot", slot, "--yes"]);
    by_name(&slot)
        .run()
        .expect(1)
        .assert_prints(&["is being copied by"]);
    gate.open().await;
    running.finish().expect(0);
    assert_eq!(value(&source, SLOTS).await, "1");
    let theirs = fresh_name("theirs");
    let make = format!("SELECT pg_create_logical_replication_slot('{theirs}', 'pgoutput')");
    run(&source, &make).await;
    let refused = by_name(&theirs).run().expect(1);
    refused.assert_prints(&["was not created by this program"]);
    run(
        &source,
        &format!("SELECT pg_drop_replication_slot('{theirs}')"),
    )
    .await;
}
