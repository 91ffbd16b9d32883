//! A stop ends every step of connecting, although the other host keeps the connection open and no time
//! limit is set.

use crate::support::command::Running;
use crate::support::cut::{Break, Fault, Line, Way};
use crate::support::route::{Route, common};
use crate::support::silent::{Silence, SilentHost};
use crate::support::wait_until;

/// Sends a signal to a command that waits for a host that does not answer.
fn stops(running: Running, last_word: &str) {
    running.signal("INT");
    let stopped = running.finish().expect(130);
    let said = &stopped.stderr;
    assert!(said.contains("press Ctrl-C again to end at once"), "{said}");
    // After half a minute the command would end, too, and say something else.
    assert!(said.contains(last_word), "{said}");
}

fn stops_at(silence: Silence, command: &str, is_source: bool) {
    let host = SilentHost::start(silence);
    let mut urls = [&common().source, &common().target].map(|cluster| cluster.url("postgres"));
    urls[usize::from(!is_source)] = host.url();
    let running = Route::command_through(&urls, command, (&[], &[])).start();
    host.reached();
    stops(running, "stopped by SIGINT");
}

#[test]
fn a_stop_ends_an_attempt_that_gets_no_answer() {
    stops_at(Silence::FromTheStart, "validate", true);
    stops_at(Silence::FromTheStart, "verify", false);
}

#[test]
fn a_stop_ends_a_tls_handshake_and_a_login() {
    stops_at(Silence::InTheHandshake, "init", false);
    stops_at(Silence::AtTheLogin, "verify", true);
}

#[test]
fn a_stop_ends_the_wait_between_two_tries() {
    stops_at(Silence::BetweenTries, "validate", false);
}

#[test]
fn a_stop_ends_the_first_statements_of_a_session() {
    let line = Line::to(common().target.port());
    line.plan(Break {
        fault: Fault::Stall,
        way: Way::ToClient,
        since: &["SET search_path"],
        after: 0,
        connection: None,
        times: 1,
    });
    let through = format!(
        "postgresql://postgres@127.0.0.1:{}/postgres?connect_timeout=0",
        line.port()
    );
    let urls = [common().source.url("postgres"), through];
    let running = Route::command_through(&urls, "init", (&[], &["--yes"])).start();
    wait_until("the settings have no answer", || {
        (line.struck() == 1).then_some(())
    });
    stops(running, "stopped by SIGINT");
}

#[test]
fn a_stop_ends_a_teardown_that_gets_no_answer() {
    let host = SilentHost::start(Silence::FromTheStart);
    let urls = [common().source.url("postgres"), host.url()];
    let running = Route::command_through(&urls, "teardown", (&[], &["--yes"])).start();
    host.reached();
    stops(running, "stopped before the end");
}
