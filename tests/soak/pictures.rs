//! Makes the pictures of the documentation from a real run. With the environment variable SEREN_BLESS they replace those of
//! docs/pictures: `SEREN_BLESS=1 cargo test --test soak -- pictures::make`.

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

/// Where the pictures are written.
struct Pictures(PathBuf);

impl Pictures {
    /// Those of the documentation if they are to be replaced, or else those of a folder that is removed afterwards.
    fn choose(temporary: &Path) -> Self {
        let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
        match std::env::var_os("SEREN_BLESS") {
            Some(_) => Self(documented),
            None => Self(temporary.to_owned()),
        }
    }

    fn photograph(&self, browser: &mut Browser, window: Window, name: &str) {
        browser.set_window(window);
        browser.photograph(&self.0.join(name));
    }

    fn draw(&self, terminal: &Terminal, name: &str) {
        let drawn = svg::draw(&terminal.screen(), "status --watch on a terminal");
        std::fs::write(self.0.join(name), drawn).unwrap();
    }
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
async fn make() {
    let temporary = tempfile::tempdir().unwrap();
    let pictures = Pictures::choose(temporary.path());
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
    pictures.photograph(&mut browser, Window::DESKTOP, "status-page.png");
    pictures.photograph(&mut browser, Window::PHONE, "status-page-phone.png");
    pictures.draw(&usual, "monitor.svg");
    break_two(&watched).await;
    browser.wait_for("document.getElementById('overall').textContent === '✗ BROKEN'");
    browser.wait_for("document.body.textContent.includes('✗ NOT ACTIVE')");
    browser.evaluate("document.querySelector('summary').click()");
    pictures.photograph(&mut browser, Window::DESKTOP, "status-page-broken.png");
    for terminal in [&mut usual, &mut narrow] {
        // Sorts by lag, then by verdict; selects the first.
        terminal.press("ssg");
        terminal.wait_for_text("sort: verdict");
        terminal.wait_for_text("analytics: BROKEN");
        terminal.wait_for_text("inventory: NOT ACTIVE");
        terminal.wait_for_text("analytics -> analytics");
    }
    pictures.draw(&usual, "monitor-broken.svg");
    pictures.draw(&narrow, "monitor-40.svg");
    for mut terminal in [usual, narrow] {
        terminal.press("q");
        terminal.finish().expect(0);
    }
    for writer in writers {
        writer.end().await;
    }
    running.signal("INT");
    running.finish().expect(0);
    for file in std::fs::read_dir(&pictures.0).unwrap() {
        let file = file.unwrap();
        assert!(file.metadata().unwrap().len() < LARGEST, "{file:?}");
    }
}
