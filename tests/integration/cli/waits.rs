//! Every wait says what it is for.

use crate::support::command::program;
use crate::support::others::{commit, old_transaction};
use crate::support::route::Route;
use crate::support::run;
use crate::support::silent::{Silence, SilentHost};
use crate::support::terminal::CTRL_C;

#[test]
fn a_host_that_does_not_answer_is_named_with_the_attempt() {
    let host = SilentHost::start(Silence::FromTheStart);
    let url = host.url();
    let validate = || program(&["validate", "--source", &url, "--target", &url, "--yes"]);
    let running = validate().start();
    running.wait_for_error("connecting to 127.0.0.1:");
    running.wait_for_error(", attempt 1 of 4, ");
    running.signal("INT");
    running.finish().expect(130);

    // On a terminal, as a bar.
    let mut running = validate().on_terminal(40);
    running.wait_for_row("the wait", |row| row.contains("connecting to 127.0.0.1:"));
    running.press(CTRL_C);
    let stopped = running.finish().expect(130);
    assert!(!stopped.shows("connecting to"), "{:#?}", stopped.rows);
}

#[tokio::test]
async fn a_slot_that_waits_for_transactions_names_them() {
    let route = Route::of_majors([17, 17]);
    let name = route.fresh("slot").await;
    let table = "CREATE TABLE public.t (n int PRIMARY KEY)";
    run(&route.source.url(&name), table).await;
    let old = old_transaction(&route).await;
    let running = route.replicate(&name, &[]).start();
    running.wait_for_error("waiting for creation of slot seren_");
    running.wait_for_error("the slot waits for an older transaction: pid ");
    running.wait_for_error(", open for ");
    commit(old).await;
    running.finish().expect(0);

    let name = route.fresh("slot").await;
    run(&route.source.url(&name), table).await;
    let old = old_transaction(&route).await;
    let running = route.replicate(&name, &[]).on_terminal(80);
    running.wait_for_row("the wait", |row| {
        row.contains("waiting for creation of slot seren_")
    });
    commit(old).await;
    let copied = running.finish().expect(0);
    let waits = copied.rows.iter().any(|row| row.contains("waiting for"));
    assert!(!waits, "{:#?}", copied.rows);
}
