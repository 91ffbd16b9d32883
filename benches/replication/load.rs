//! The load of an application, by pgbench.

use std::process::{Child, Stdio};

use super::Servers;
use super::support::{client, psql, url};

/// How much an application writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Nothing.
    Idle,
    /// 50 transactions a second.
    Light,
    /// As much as four clients can.
    Heavy,
}

/// An application at work.
pub(super) struct Running(Option<Child>);

/// A database with the tables of pgbench, and one for rows that are waited for.
pub(super) fn fill(servers: &Servers, name: &str) {
    servers.create(
        name,
        "CREATE TABLE public.mark (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now())",
    );
    let source = url(servers.source.port(), name);
    let filled = client("pgbench")
        .args(["-i", "-q", "-s", "5", &source])
        .stderr(Stdio::null())
        .status();
    assert!(filled.unwrap().success());
    psql(
        &source,
        "ALTER TABLE public.pgbench_history REPLICA IDENTITY FULL",
    );
}

impl Load {
    /// Starts it for so many seconds.
    pub(super) fn start(self, servers: &Servers, name: &str, seconds: u64) -> Running {
        let seconds = seconds.to_string();
        let rate: &[&str] = match self {
            Self::Idle => return Running(None),
            Self::Light => &["-R", "50"],
            Self::Heavy => &[],
        };
        let pgbench = client("pgbench")
            .args(["-n", "-c", "4", "-j", "1", "-T", &seconds])
            .args(rate)
            .arg(url(servers.source.port(), name))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Running(Some(pgbench.unwrap()))
    }
}

impl Running {
    /// Waits for its end.
    pub(super) fn finish(self) {
        if let Some(mut pgbench) = self.0 {
            assert!(pgbench.wait().unwrap().success());
        }
    }
}
