//! A run watches its slot: the copy ends before the slot fills the disk of the source, and at once when the slot is lost.

use crate::support::command::Running;
use crate::support::gate::Gate;
use crate::support::route::{Route, common, shared};
use crate::support::{database, run, text, value, wait_for};

/// A copy that waits at the gate while it builds an index, with its slot made.
async fn held(route: &Route, gate: &Gate, more: &[&str]) -> (String, Running) {
    let name = route.fresh("slot").await;
    let fill = gate.function()
        + "CREATE TABLE public.t (id int PRIMARY KEY);
           INSERT INTO public.t SELECT generate_series(1, 10);
           CREATE INDEX ON public.t (public.gate(id));";
    run(&route.source.url(&name), &fill).await;
    let running = route.replicate(&name, more).start();
    gate.reached(&name).await;
    (name, running)
}

async fn left_clean(route: &Route, name: &str) {
    let left = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots \
                WHERE database = current_database())";
    assert_eq!(value(&route.source.url(name), left).await, "0");
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn a_slot_dropped_under_a_copy_ends_it_with_the_reason() {
    for majors in [[12, 12], [18, 18]] {
        let route = shared(majors);
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let (name, running) = held(route, &gate, &[]).await;
        let drop = format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{name}'"
        );
        run(&route.source.url("postgres"), &drop).await;
        let failed = running.finish().expect(1);
        assert!(
            failed.stderr.contains("was dropped by somebody else"),
            "{}",
            failed.stderr
        );
        left_clean(route, &name).await;
    }
}

#[tokio::test]
async fn a_slot_that_keeps_too_much_log_is_dropped_with_the_run() {
    for majors in [[12, 12], [17, 17]] {
        let route = Route::of_majors(majors);
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let (name, running) = held(&route, &gate, &["--max-retained-wal", "20MB"]).await;
        let url = route.source.url("postgres");
        run(
            &url,
            "CREATE TABLE public.log AS SELECT repeat(md5(n::text), 10) FROM generate_series(1, 100000) n",
        )
        .await;
        let failed = running.finish().expect(1);
        assert!(
            failed.stderr.contains("raise --max-retained-wal"),
            "{}",
            failed.stderr
        );
        left_clean(&route, &name).await;
    }
}

#[tokio::test]
async fn a_slot_that_the_source_gives_up_ends_the_copy() {
    let route = Route::of_majors([17, 17]);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let admin = route.source.url("postgres");
    run(&admin, "ALTER SYSTEM SET max_slot_wal_keep_size = '2MB'").await;
    run(&admin, "SELECT pg_reload_conf()").await;
    // The server removes what a slot may not retain with its next checkpoint.
    for (statement, state) in [
        ("SELECT 1", "is about to be lost"),
        ("CHECKPOINT", "is lost"),
    ] {
        let (name, running) = held(&route, &gate, &[]).await;
        // The run looks at its slot only after all changes.
        running.signal("STOP");
        fill_wal(&admin).await;
        run(&admin, statement).await;
        running.signal("CONT");
        let failed = running.finish().expect(1);
        assert!(failed.stderr.contains(state), "{}", failed.stderr);
        left_clean(&route, &name).await;
    }
}

/// Fills some WAL segments.
async fn fill_wal(admin: &str) {
    let session = database(admin).await;
    for _ in 0..4 {
        session
            .batch(&text("SELECT pg_switch_wal(); SELECT txid_current()"))
            .await
            .unwrap();
        session
            .batch(&text(
                "CREATE TABLE IF NOT EXISTS public.log (n int); INSERT INTO public.log VALUES (1)",
            ))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_signal_while_indexes_are_built_takes_slot_and_publication_back() {
    let route = common();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let (name, running) = held(route, &gate, &[]).await;
        running.signal(signal);
        running.finish().expect(code);
        left_clean(route, &name).await;
    }
}

#[tokio::test]
async fn a_signal_while_the_publication_waits_for_a_lock_leaves_none() {
    let route = common();
    let name = route.fresh("locked").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t (id int PRIMARY KEY)").await;
    let (running, mut stdin) = route.command("init", &[&name], &[]).start_open();
    running.wait_for_error("[y/N]:");
    let holder = database(&url).await;
    let lock = "BEGIN; LOCK TABLE public.t IN SHARE ROW EXCLUSIVE MODE";
    holder.batch(&text(lock)).await.unwrap();
    std::io::Write::write_all(&mut stdin, b"y\n").unwrap();
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_for(&database(&url).await, waits).await;
    running.signal("INT");
    running.finish().expect(130);
    drop(holder);
    left_clean(route, &name).await;
}
