//! How far a replicated target is behind, and what its commands cost, on clusters of their own. Prints milliseconds.
//!
//! - `caught-up`: how long the target takes after an application of pgbench has stopped.
//! - `lag`: the lag that `status` reports, and the time from a commit to the visible row, measured from outside.
//! - `tables`: one `status` of many published tables.
//! - `databases`: `sync` of many databases together, and of one.
//!
//! `REPLICATION_ONLY` (all four), `REPLICATION_ROUNDS` (3), `REPLICATION_SECONDS` of load (15), `REPLICATION_TABLES` (1000),
//! `REPLICATION_DATABASES` (20).

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[expect(
    dead_code,
    reason = "shared with the bench of copies, which uses all of it"
)]
#[path = "../support/mod.rs"]
mod support;

mod lag;
mod load;

use std::path::Path;
use std::time::{Duration, Instant};

use seren_replicator::sandbox::Cluster;

use lag::{measure_lag, time_to_arrive};
use load::{Load, fill};
use support::program::{self, OWN};
use support::{median, number, psql, setting, url};

/// Two clusters.
struct Servers {
    source: Cluster,
    target: Cluster,
}

impl Servers {
    fn start() -> Self {
        let start = || {
            let builder = Cluster::builder(17)
                .with_setting("max_connections", "200")
                .with_setting("max_logical_replication_workers", "60")
                .with_setting("max_worker_processes", "80");
            builder.start().unwrap()
        };
        Self {
            source: start(),
            target: start(),
        }
    }

    fn ports(&self) -> [u16; 2] {
        [self.source.port(), self.target.port()]
    }

    /// A database on the source, filled by a script.
    fn create(&self, name: &str, script: &str) {
        let source = self.source.port();
        psql(&url(source, "postgres"), &format!("CREATE DATABASE {name}"));
        psql(&url(source, name), script);
    }

    /// A command on databases, separated by commas; its time in milliseconds.
    fn run(&self, command: &str, names: &str, arguments: &[&str]) -> f64 {
        let spent = program::run(Path::new(OWN), command, self.ports(), (names, arguments));
        millis(spent.elapsed)
    }

    /// Ends a replication: its worker and sender would take part in what is measured next.
    fn unsubscribe(&self, name: &str) {
        let drop = "DROP SUBSCRIPTION seren_replication_sub";
        psql(&url(self.target.port(), name), drop);
    }

    /// Copies a database and starts its replication.
    fn replicate(&self, name: &str) {
        self.run("init", name, &["--yes"]);
        self.run("sync", name, &[]);
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The time from the end of a heavy load until the last of its rows is visible.
fn measure_catching_up(servers: &Servers, rounds: u64, seconds: u64) {
    let name = "burst";
    fill(servers, name);
    servers.replicate(name);
    let times: Vec<f64> = (0..rounds)
        .map(|_| {
            Load::Heavy.start(servers, name, seconds).finish();
            millis(time_to_arrive(servers, name))
        })
        .collect();
    println!(
        "caught up after {seconds} s of 4 clients of pgbench: {:.0} ms (median of {times:.0?})",
        median(times.clone())
    );
    servers.unsubscribe(name);
}

/// The time of `status` of many published tables, beside that of one table.
fn measure_tables(servers: &Servers, rounds: u64, tables: u64) {
    for count in [1, tables] {
        let name = format!("tables_{count}");
        let script: String = (1..=count)
            .map(|n| format!("CREATE TABLE public.t{n} (id int PRIMARY KEY, note text);\n"))
            .collect();
        servers.create(&name, &script);
        servers.replicate(&name);
        let times: Vec<f64> = (0..rounds * 3)
            .map(|_| servers.run("status", &name, &[]))
            .collect();
        println!(
            "status of {count} tables: {:.0} ms (median of {times:.0?})",
            median(times.clone())
        );
        servers.unsubscribe(&name);
    }
}

/// The time of `sync` of one database, and of many together.
fn measure_databases(servers: &Servers, rounds: u64, databases: u64) {
    let script = "CREATE TABLE public.t (id int PRIMARY KEY);
                  INSERT INTO public.t SELECT generate_series(1, 1000)";
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let names: Vec<String> = (0..=databases).map(|n| format!("d_{round}_{n}")).collect();
        for name in &names {
            servers.create(name, script);
        }
        servers.run("init", &names.join(","), &["--yes"]);
        let (one, others) = names.split_first().unwrap();
        let alone = servers.run("sync", one, &[]);
        let together = servers.run("sync", &others.join(","), &[]);
        println!("sync of 1 database: {alone:.0} ms, of {databases} together: {together:.0} ms");
        ratios.push(together / alone);
        for name in &names {
            servers.unsubscribe(name);
        }
    }
    println!("ratio: {:.2} (median)", median(ratios));
}

fn main() {
    let only = setting("REPLICATION_ONLY", "caught-up,lag,tables,databases");
    let rounds = number("REPLICATION_ROUNDS", "3");
    let seconds = number("REPLICATION_SECONDS", "15");
    let servers = Servers::start();
    let begun = Instant::now();
    for part in only.split(',') {
        match part {
            "caught-up" => measure_catching_up(&servers, rounds, seconds),
            "lag" => measure_lag(&servers, seconds),
            "tables" => measure_tables(&servers, rounds, number("REPLICATION_TABLES", "1000")),
            "databases" => {
                measure_databases(&servers, rounds, number("REPLICATION_DATABASES", "20"));
            }
            other => panic!("REPLICATION_ONLY: {other}"),
        }
    }
    println!("total: {:.0} s", begun.elapsed().as_secs_f64());
}
