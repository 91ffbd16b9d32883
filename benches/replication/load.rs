//! The load of an application, by pgbench.

use std::io::Write as _;
use std::process::{Child, Stdio};

use tempfile::NamedTempFile;

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
    /// Two transactions of 20,000 rows a second.
    Bulk,
}

/// An application at work.
pub(super) struct Running {
    pgbench: Option<Child>,
    _script: NamedTempFile,
}

/// What [`Load::Bulk`] runs.
const BULK: &str =
    "UPDATE public.pgbench_accounts SET abalance = abalance + 1 WHERE aid <= 20000;\n";

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
        let mut script = NamedTempFile::new().unwrap();
        script.write_all(BULK.as_bytes()).unwrap();
        let file = script.path().to_str().unwrap();
        let four = ["-c", "4"];
        let arguments = match self {
            Self::Idle => None,
            Self::Light => Some([&four[..], &["-R", "50"]].concat()),
            Self::Heavy => Some(four.to_vec()),
            Self::Bulk => Some(vec!["-f", file, "-R", "2"]),
        };
        let pgbench = arguments.map(|arguments| {
            let pgbench = client("pgbench")
                .args(["-n", "-T", &seconds])
                .args(arguments)
                .arg(url(servers.source.port(), name))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            pgbench.unwrap()
        });
        Running {
            pgbench,
            _script: script,
        }
    }
}

impl Running {
    /// Waits for its end.
    pub(super) fn finish(self) {
        if let Some(mut pgbench) = self.pgbench {
            assert!(pgbench.wait().unwrap().success());
        }
    }
}
