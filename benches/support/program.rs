//! Runs of our own program, with their time, processor time and memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{setting, url};

/// The binary that this bench was built with.
pub(crate) const OWN: &str = env!("CARGO_BIN_EXE_postgres-seren-replicator");

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Ticks per second of the times in `/proc`: fixed, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// From its start to its end.
    pub(crate) elapsed: Duration,
    /// Seconds of a processor in its own threads.
    pub(crate) processor: f64,
    /// The most memory that it held, in kB.
    pub(crate) peak: u64,
}

/// A command of a binary between two servers' ports, on one database, to a successful end. What it
/// says is shown if `BENCH_TALK` is set.
pub(crate) fn run(
    binary: &Path,
    command: &str,
    ports: [u16; 2],
    (name, arguments): (&str, &[&str]),
) -> Spent {
    let home = tempfile::tempdir().unwrap();
    let talk = !setting("BENCH_TALK", "").is_empty();
    let output = || {
        if talk {
            Stdio::inherit()
        } else {
            Stdio::null()
        }
    };
    let begun = Instant::now();
    let mut run = Command::new(binary)
        .args([command, "--include-databases", name])
        .args(["--source", &url(ports[0], "postgres")])
        .args(["--target", &url(ports[1], "postgres")])
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .spawn()
        .unwrap();
    let folder = format!("/proc/{}", run.id());
    let (mut peak, mut processor) = (0, 0.0);
    loop {
        let text = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
        peak = peak.max(peak_of(&text("status")));
        let (ended, spent) = state(&text("stat"));
        processor = f64::max(processor, spent);
        if ended {
            break;
        }
        std::thread::sleep(LOOK);
    }
    let elapsed = begun.elapsed();
    assert!(run.wait().unwrap().success(), "{command} of {name} failed");
    Spent {
        elapsed,
        processor,
        peak,
    }
}

/// The most memory so far, in kB; none is told of a process that has ended.
fn peak_of(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| {
        line.trim().trim_end_matches(" kB").parse().unwrap()
    })
}

/// Processor seconds of a process's children that have ended, and of theirs.
pub(crate) fn spent_by_children(stat: &str) -> f64 {
    let (_, fields) = fields(stat);
    fields[2] + fields[3]
}

/// A process's state and its times in seconds: user, system, and the same of its ended children.
fn fields(stat: &str) -> (&str, [f64; 4]) {
    // The name before may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
    let times = [12, 13, 14, 15].map(|at| fields[at].parse::<f64>().unwrap() / TICKS);
    (fields[1], times)
}

/// Whether a process has ended (its parent has not asked yet), and its processor seconds so far.
fn state(stat: &str) -> (bool, f64) {
    let (state, [user, system, ..]) = fields(stat);
    (state == "Z", user + system)
}
