//! The lag as `status` reports it, and as a reader of the target sees it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seren_replicator::connect::{Endpoint, Environment, Purpose, Session};
use seren_replicator::pg::Sql;

use super::load::{Load, fill};
use super::support::program::OWN;
use super::support::url;
use super::{Servers, millis};

/// The percentile that is shown beside the middle one.
const TAIL: usize = 90;

/// The pause between two looks at the target.
const LOOK: Duration = Duration::from_millis(1);

/// The pause between two rows that are waited for.
const BETWEEN: Duration = Duration::from_millis(200);

/// How long a row may take at all.
const DEADLINE: Duration = Duration::from_secs(300);

/// A writer on the source and a reader on the target.
struct Outside {
    source: Session,
    target: Session,
}

impl Outside {
    async fn open(servers: &Servers, name: &str) -> Self {
        let open = async |port| {
            let endpoint = Endpoint::parse(&url(port, name), &Environment::default()).unwrap();
            endpoint.session(Purpose::Control).await.unwrap()
        };
        Self {
            source: open(servers.source.port()).await,
            target: open(servers.target.port()).await,
        }
    }

    /// The time from the commit of a row until it is visible.
    async fn measure(&self) -> Duration {
        let insert = Sql::fixed("INSERT INTO public.mark DEFAULT VALUES RETURNING id");
        let id: i64 = self.source.query_one(&insert, &[]).await.unwrap().get(0);
        let committed = Instant::now();
        let look = Sql::fixed("SELECT count(*) FROM public.mark WHERE id = $1::int8");
        loop {
            let row = self.target.query_one(&look, &[&id]).await.unwrap();
            if row.get::<_, i64>(0) == 1 {
                return committed.elapsed();
            }
            assert!(committed.elapsed() < DEADLINE, "row {id} has not arrived");
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// How long a row that is committed now takes to arrive.
pub(super) fn time_to_arrive(servers: &Servers, name: &str) -> Duration {
    runtime().block_on(async { Outside::open(servers, name).await.measure().await })
}

/// The lags that `status` reports once a second until the time is over, in milliseconds.
fn watch(ports: [u16; 2], name: &str, until: Instant) -> Vec<f64> {
    let home = tempfile::tempdir().unwrap();
    let [source, target] = ports.map(|port| url(port, "postgres"));
    let mut status = Command::new(OWN)
        .args(["status", "--watch", "1", "--output", "json"])
        .args(["--source", &source, "--target", &target])
        .args(["--include-databases", name])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lags = Vec::new();
    for line in BufReader::new(status.stdout.take().unwrap()).lines() {
        let report: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let database = &report["databases"][0];
        let lag = database["lag_ms"]
            .as_f64()
            .or_else(|| database["lag_exceeds_ms"].as_f64());
        lags.extend(lag);
        if Instant::now() >= until {
            break;
        }
    }
    status.kill().unwrap();
    status.wait().unwrap();
    lags
}

/// Measures from outside until the time is over, in milliseconds.
fn observe(servers: &Servers, name: &str, until: Instant) -> Vec<f64> {
    runtime().block_on(async {
        let outside = Outside::open(servers, name).await;
        let mut times = Vec::new();
        while Instant::now() < until {
            times.push(millis(outside.measure().await));
            tokio::time::sleep(BETWEEN).await;
        }
        times
    })
}

/// The median and the 90th percentile of milliseconds.
struct Figures {
    count: usize,
    middle: f64,
    tail: f64,
}

impl Figures {
    fn new(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |percent: usize| figures[figures.len() * percent / 100];
        Self {
            count: figures.len(),
            middle: at(50),
            tail: at(TAIL),
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            count,
            middle,
            tail,
        } = self;
        write!(f, "{middle:.1} ms, p90 {tail:.1} ms of {count}")
    }
}

/// Compares both under each load.
pub(super) fn measure_lag(servers: &Servers, seconds: u64) {
    let name = "lag";
    fill(servers, name);
    servers.replicate(name);
    for load in [Load::Idle, Load::Light, Load::Heavy, Load::Bulk] {
        let running = load.start(servers, name, seconds);
        let until = Instant::now() + Duration::from_secs(seconds);
        let ports = servers.ports();
        let (reported, seen) = std::thread::scope(|threads| {
            let watching = threads.spawn(|| watch(ports, name, until));
            let seen = observe(servers, name, until);
            (watching.join().unwrap(), seen)
        });
        running.finish();
        // What has piled up is no part of the next load.
        time_to_arrive(servers, name);
        let [shown, seen] = [reported, seen].map(Figures::new);
        let allowed = f64::max(50.0, seen.middle * 0.2);
        println!(
            "{load:?}: status {shown}; from outside {seen}; difference {:.1} ms, allowed {allowed:.1} ms",
            (shown.middle - seen.middle).abs()
        );
    }
    servers.unsubscribe(name);
}
