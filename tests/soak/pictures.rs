//! Makes the pictures of docs/pictures from a real run:
//! `cargo test --test soak -- --ignored pictures::make`.

use std::path::{Path, PathBuf};

use seren_replicator::sandbox::{Builder, Cluster};

use crate::browser::{Browser, Window};
use crate::support::application::Application;
use crate::support::route::Route;
use crate::support::run;
use crate::support::terminal::Terminal;
use crate::svg;
use crate::watched::Watched;

/// The time between two reports.
const INTERVAL: &str = "0.5";

/// Reports that charts show.
const REPORTS: usize = 60;

/// The largest picture, in bytes.
const LARGEST: u64 = 150 << 10;

const DATABASES: &[(&str, &str)] = &[
    (
        "analytics",
        "CREATE TABLE public.events (id bigint PRIMARY KEY, kind text);
         CREATE TABLE public.sessions (id bigint PRIMARY KEY);",
    ),
    (
        "billing",
        "CREATE TABLE public.invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cents bigint);",
    ),
    (
        "inventory",
        "CREATE TABLE public.items (id bigint PRIMARY KEY, count int);",
    ),
    (
        "shop",
        "CREATE TABLE public.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
         CREATE TABLE public.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);",
    ),
];

/// Orders that come in waves.
const ORDERS: &[&str] = &[
    "INSERT INTO public.orders (note) SELECT repeat('x', 100)
       FROM generate_series(1, (120 * (1.2 + sin({n} / 12.0)) * (0.7 + 0.6 * random()))::int)",
    "SELECT pg_sleep(0.1)",
];

const INVOICES: &[&str] = &[
    "INSERT INTO public.invoices (cents) VALUES ({n})",
    "SELECT pg_sleep(0.3)",
];

/// The path of a picture.
fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/pictures")
        .join(name)
}

fn photograph(browser: &mut Browser, window: Window, name: &str) {
    browser.set_window(window);
    browser.photograph(&picture(name));
}

fn draw(terminal: &Terminal, name: &str) {
    let title = "status --watch on a terminal";
    std::fs::write(picture(name), svg::draw(&terminal.screen(), title)).unwrap();
}

async fn start() -> Watched {
    let limited = |builder: Builder| builder.with_setting("max_slot_wal_keep_size", "1GB");
    let route = Route::start([17, 17].map(Cluster::builder).map(limited));
    Watched::new(route, DATABASES).await
}

/// Breaks one database, and stops another.
async fn break_two(watched: &Watched) {
    run(&watched.target("analytics"), "DROP TABLE public.events").await;
    let insert = "INSERT INTO public.events VALUES (1, 'click')";
    run(&watched.source("analytics"), insert).await;
    let disable = "ALTER SUBSCRIPTION seren_replication_sub DISABLE";
    run(&watched.target("inventory"), disable).await;
}

/// Waits until the charts show many reports.
fn wait_for_history(browser: &mut Browser) {
    browser.wait_for("document.querySelectorAll('article').length === 4");
    browser.wait_for(&format!("tracks.get('shop').lags.length >= {REPORTS}"));
    browser.wait_for("document.getElementById('overall').textContent === '✓ CAUGHT UP'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes docs/pictures"]
async fn make() {
    let watched = start().await;
    let writers = [("shop", ORDERS), ("billing", INVOICES)]
        .map(|(name, statements)| Application::start(&watched.source(name), statements));
    let (running, url) = watched.serve("127.0.0.1:0", INTERVAL);
    let [mut usual, mut narrow] =
        [80, 40].map(|columns| watched.status(INTERVAL).on_terminal(columns));
    let mut browser = Browser::open(&url, Window::DESKTOP);
    // The last database.
    usual.press("G");
    usual.wait_for_text("shop -> shop");
    wait_for_history(&mut browser);
    photograph(&mut browser, Window::DESKTOP, "status-page.png");
    photograph(&mut browser, Window::PHONE, "status-page-phone.png");
    draw(&usual, "monitor.svg");
    break_two(&watched).await;
    browser.wait_for("document.getElementById('overall').textContent === '✗ BROKEN'");
    browser.wait_for("document.body.textContent.includes('✗ NOT ACTIVE')");
    browser.evaluate("document.querySelector('summary').click()");
    photograph(&mut browser, Window::DESKTOP, "status-page-broken.png");
    for terminal in [&mut usual, &mut narrow] {
        // Sorts by lag, then by verdict; selects the first.
        terminal.press("ssg");
        terminal.wait_for_text("sort: verdict");
        terminal.wait_for_text("analytics: BROKEN");
        terminal.wait_for_text("inventory: NOT ACTIVE");
        terminal.wait_for_text("analytics -> analytics");
    }
    draw(&usual, "monitor-broken.svg");
    draw(&narrow, "monitor-40.svg");
    for mut terminal in [usual, narrow] {
        terminal.press("q");
        terminal.finish().expect(0);
    }
    for writer in writers {
        writer.end().await;
    }
    running.signal("INT");
    running.finish().expect(0);
    for file in std::fs::read_dir(picture("")).unwrap() {
        let file = file.unwrap();
        assert!(file.metadata().unwrap().len() < LARGEST, "{file:?}");
    }
}
