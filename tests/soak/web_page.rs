//! The web page of `status --watch --listen`, in a browser, of real servers.

use serde_json::json;
use seren_replicator::pg::Lsn;

use crate::browser::{Browser, Window};
use crate::support::application::Application;
use crate::support::route::Route;
use crate::support::{run, value, wait_until};
use crate::watched::Watched;

/// A name that is markup, of a database and of a table.
const MARKUP: &str = "<img src=x onerror=alert(1)>";

/// The address of the web server: any free port.
const ANY_PORT: &str = "127.0.0.1:0";

/// The time between two reports.
const INTERVAL: &str = "0.2";

const TABLE: &str =
    "CREATE TABLE public.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    INSERT INTO public.t (note) SELECT 'n' FROM generate_series(1, 10) g;";

/// The red of verdicts.
const RED: &str = "rgb(164, 14, 38)";
/// The same of dark pages.
const DARK_RED: &str = "rgb(255, 123, 114)";
/// The green of verdicts.
const GREEN: &str = "rgb(17, 99, 41)";

/// What is on the page, as JavaScript expressions.
mod on_page {
    /// The card of a database.
    pub(super) fn card(name: &str) -> String {
        let heading = serde_json::to_string(name).unwrap();
        format!(
            "[...document.querySelectorAll('article')]\
             .find((card) => card.querySelector('h2').textContent === {heading})"
        )
    }

    /// A fact of a card.
    pub(super) fn fact(name: &str, fact: &str) -> String {
        format!(
            "[...{}.querySelectorAll('dt')]\
             .find((term) => term.textContent === '{fact}').nextSibling.textContent",
            card(name)
        )
    }

    /// The verdict of a card.
    pub(super) fn verdict(name: &str) -> String {
        format!("{}.querySelector('.verdict')", card(name))
    }

    /// The colour of an element.
    pub(super) fn color(element: &str) -> String {
        format!("getComputedStyle({element}).color")
    }

    /// The state of the connection.
    pub(super) const CONNECTION: &str = "document.getElementById('connection')";
    /// The verdict of all databases.
    pub(super) const OVERALL: &str = "document.getElementById('overall')";
}

/// Opens the page and waits for the first report.
fn open(url: &str) -> Browser {
    let mut browser = Browser::open(url, Window::DESKTOP);
    browser.wait_for("document.querySelectorAll('article').length > 0");
    browser
}

/// Waits until an element has this text and this colour.
#[track_caller]
fn wait_for_look(browser: &mut Browser, element: &str, text: &str, color: &str) {
    browser.wait_for(&format!("{element}.textContent === {}", json!(text)));
    assert_eq!(browser.text(&on_page::color(element)), color, "{text}");
}

/// Fails unless the page has loaded everything from its own server, without a fault.
#[track_caller]
fn assert_clean(browser: &mut Browser, url: &str) {
    assert_eq!(browser.faults(), Vec::<String>::new());
    assert_own(browser, url);
}

#[track_caller]
fn assert_own(browser: &Browser, url: &str) {
    let requests = browser.requests();
    assert!(requests.iter().any(|one| one == url), "{requests:?}");
    let is_own = |one: &String| one.starts_with(url);
    assert!(requests.iter().all(is_own), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_follow_a_writer_on_the_source() {
    let watched = Watched::new(Route::of_majors([17, 17]), &[("shop", TABLE)]).await;
    let (running, url) = watched.serve(ANY_PORT, INTERVAL);
    let mut browser = open(&url);
    wait_for_look(&mut browser, on_page::CONNECTION, "connected", GREEN);
    let verdict = on_page::verdict("shop");
    wait_for_look(&mut browser, &verdict, "✓ CAUGHT UP", GREEN);
    let writer = Application::start(
        &watched.source("shop"),
        &[
            "INSERT INTO public.t (note) SELECT repeat('x', {n} % 7) FROM generate_series(1, 100)",
            // Other processes of this machine have work to do, too.
            "SELECT pg_sleep(0.02)",
        ],
    );
    for fact in ["Throughput", "Sender", "Lag"] {
        let fact = on_page::fact("shop", fact);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(browser.wait_for_other(&fact, &seen));
        }
    }
    browser.wait_for(&format!(
        "{}.querySelectorAll('polyline').length >= 2",
        on_page::card("shop")
    ));
    writer.end().await;
    let source = watched.source("shop");
    let flushed = value(&source, "SELECT pg_current_wal_flush_lsn()").await;
    let flushed: Lsn = flushed.parse().unwrap();
    let sender = on_page::fact("shop", "Sender");
    wait_until("the page shows the end of the WAL", || {
        let shown = browser.text(&sender);
        let (state, sent) = shown.split_once(", sent ").unwrap();
        assert_eq!(state, "streaming");
        (sent.parse::<Lsn>().unwrap() >= flushed).then_some(())
    });
    wait_for_look(&mut browser, &verdict, "✓ CAUGHT UP", GREEN);
    assert_clean(&mut browser, &url);
    running.signal("INT");
    running.finish().expect(0);
}

#[tokio::test]
async fn a_broken_database_is_red_and_its_names_stay_text() {
    let table = format!("CREATE TABLE public.\"{MARKUP}\" (id int PRIMARY KEY)");
    let databases = [(MARKUP, table.as_str()), ("shop", TABLE)];
    let watched = Watched::new(Route::of_majors([17, 17]), &databases).await;
    let (running, url) = watched.serve(ANY_PORT, INTERVAL);
    let mut browser = open(&url);
    let verdict = on_page::verdict(MARKUP);
    wait_for_look(&mut browser, &verdict, "✓ CAUGHT UP", GREEN);
    assert_shows_objects(&mut browser, &watched).await;
    drop_table_in_use(&watched).await;
    wait_for_look(&mut browser, &verdict, "✗ BROKEN", RED);
    wait_for_look(&mut browser, on_page::OVERALL, "✗ BROKEN", RED);
    browser.wait_for("document.title.includes('BROKEN')");
    wait_for_look(
        &mut browser,
        &on_page::verdict("shop"),
        "✓ CAUGHT UP",
        GREEN,
    );
    browser.set_window(Window {
        is_dark: true,
        ..Window::DESKTOP
    });
    wait_for_look(&mut browser, &verdict, "✗ BROKEN", DARK_RED);
    let listed = format!(
        "{}.querySelector('details').textContent",
        on_page::card(MARKUP)
    );
    let listed = browser.text(&listed);
    assert!(listed.contains(&format!("public.{MARKUP}")), "{listed}");
    assert_eq!(browser.evaluate("document.images.length"), 0);
    assert_clean(&mut browser, &url);
    assert_markup_is_refused(&mut browser);
    running.signal("INT");
    running.finish().expect(0);
}

/// Drops the table on the target, and writes a row to it on the source.
async fn drop_table_in_use(watched: &Watched) {
    run(
        &watched.target(MARKUP),
        &format!("DROP TABLE public.\"{MARKUP}\""),
    )
    .await;
    run(
        &watched.source(MARKUP),
        &format!("INSERT INTO public.\"{MARKUP}\" VALUES (1)"),
    )
    .await;
}

/// Fails unless each database's card names its slot and its subscription.
async fn assert_shows_objects(browser: &mut Browser, watched: &Watched) {
    for name in [MARKUP, "shop"] {
        let question = "SELECT slot_name FROM pg_replication_slots \
                         WHERE database = current_database() AND NOT temporary";
        let slot = value(&watched.source(name), question).await;
        let shown = browser.text(&on_page::fact(name, "Slot"));
        assert_eq!(shown, format!("{slot}, active"));
        let shown = browser.text(&on_page::fact(name, "Subscription"));
        assert_eq!(shown, "seren_replication_sub");
    }
}

/// Fails unless the policy refuses what markup in a name would do, and this driver sees each refusal.
fn assert_markup_is_refused(browser: &mut Browser) {
    browser.evaluate(&format!("document.body.innerHTML += '{MARKUP}'"));
    browser.evaluate("fetch('http://127.0.0.1:1/').catch(() => console.error('refused'))");
    browser.evaluate("void setTimeout(() => { throw new Error('thrown') })");
    for fault in ["img-src", "script-src", "connect-src", "refused", "thrown"] {
        wait_until(fault, || {
            let is_seen = browser.faults().iter().any(|one| one.contains(fault));
            is_seen.then_some(())
        });
    }
}

#[tokio::test]
async fn the_end_of_the_server_is_seen_and_its_return() {
    let watched = Watched::new(Route::of_majors([17, 17]), &[("shop", TABLE)]).await;
    let (mut running, url) = watched.serve(ANY_PORT, INTERVAL);
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut browser = open(&url);
    assert_clean(&mut browser, &url);
    for (signal, code) in [("INT", 0), ("KILL", 137)] {
        wait_for_look(&mut browser, on_page::CONNECTION, "connected", GREEN);
        running.signal(signal);
        running.finish().expect(code);
        let lost = "connection lost: what is shown is old";
        wait_for_look(&mut browser, on_page::CONNECTION, lost, RED);
        let (next, again) = watched.serve(address, INTERVAL);
        assert_eq!(again, url);
        running = next;
    }
    wait_for_look(&mut browser, on_page::CONNECTION, "connected", GREEN);
    assert_own(&browser, &url);
    running.signal("INT");
    running.finish().expect(0);
}
