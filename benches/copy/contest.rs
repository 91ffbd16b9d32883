//! Runs in turns: whoever is compared copies the same database under the same conditions.

use std::path::PathBuf;
use std::time::Duration;

use super::floor::{Floor, PARTS};
use super::support::program::{self, Spent};
use super::support::{ask, median, pipe, psql, url};

/// Who copies.
pub(crate) enum Runner {
    /// The lower bound; it goes straight to the servers, whatever the network.
    Floor(Floor),
    /// `pg_dump | psql`.
    Pipe,
    /// A binary of ours with arguments.
    Program {
        /// Which binary.
        binary: PathBuf,
        /// What stands behind `init`.
        arguments: Vec<String>,
    },
}

/// One runner's figures of all rounds.
pub(crate) struct Score {
    /// Its name.
    pub(crate) label: String,
    runner: Runner,
    /// Seconds of each round.
    pub(crate) seconds: Vec<f64>,
    /// Processor seconds of each round, of both servers and whoever copies.
    processor: Vec<f64>,
    parts: Vec<[f64; 4]>,
    spent: Vec<Spent>,
}

impl Score {
    /// A runner that has not run.
    pub(crate) fn new(label: &str, runner: Runner) -> Self {
        Self {
            label: label.to_owned(),
            runner,
            seconds: Vec::new(),
            processor: Vec::new(),
            parts: Vec::new(),
            spent: Vec::new(),
        }
    }

    /// Forgets what it has measured.
    pub(crate) fn clear(&mut self) {
        self.seconds.clear();
        self.processor.clear();
        self.parts.clear();
        self.spent.clear();
    }
}

/// How many sessions there are beside the one that asks.
const OTHERS: &str = "
SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
  AND backend_type IN ('client backend', 'walsender', 'parallel worker')";

/// The postmaster's process.
const POSTMASTER: &str = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";

/// The servers' own ports, and those through the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Without a network.
    pub(crate) near: [u16; 2],
    /// Through the network.
    pub(crate) far: [u16; 2],
}

/// Processors of this machine.
pub(crate) fn processors() -> f64 {
    let count = std::thread::available_parallelism().unwrap().get();
    f64::from(u32::try_from(count).unwrap())
}

/// Removes what the last run has left: the target's database, slots and publications of the source, and
/// what the servers have still to write.
fn clean(ports: Ports, name: &str) {
    let [source, target] = ports.near;
    psql(
        &url(target, "postgres"),
        &format!("DROP DATABASE IF EXISTS {name};\nCHECKPOINT"),
    );
    psql(
        &url(source, name),
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;
         SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication \\gexec
         CHECKPOINT",
    );
}

/// One run of one runner.
fn turn(score: &mut Score, ports: Ports, name: &str) {
    clean(ports, name);
    let before = spent_by_all(ports);
    run(score, ports, name);
    score.processor.push(spent_by_all(ports) - before);
}

/// Processor seconds of all sessions of both servers, and of all programs that this bench has run, so far.
fn spent_by_all(ports: Ports) -> f64 {
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let servers = ports.near.map(|port| {
        let url = url(port, "postgres");
        // A session counts once it has ended, and it ends a little after its client.
        while ask(&url, OTHERS) != "0" {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = ask(&url, POSTMASTER);
        std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap()
    });
    let all = servers.iter().chain([&own]);
    all.map(|stat| program::spent_by_children(stat)).sum()
}

/// One run that begins with a clean target.
fn run(score: &mut Score, ports: Ports, name: &str) {
    match &score.runner {
        Runner::Floor(floor) => {
            let parts = floor.measure();
            score.seconds.push(parts.iter().sum::<f64>() / processors());
            score.parts.push(parts);
        }
        Runner::Pipe => score.seconds.push(pipe(ports.far, name, &[]).as_secs_f64()),
        Runner::Program { binary, arguments } => {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let spent = program::run(binary, "init", ports.far, (name, &arguments));
            score.seconds.push(spent.elapsed.as_secs_f64());
            score.spent.push(spent);
        }
    }
}

/// All rounds; in each, everybody once.
pub(crate) fn rounds(scores: &mut [Score], ports: Ports, name: &str, rounds: u64) {
    for _ in 0..rounds {
        for score in scores.iter_mut() {
            turn(score, ports, name);
        }
    }
}

/// A first run of everybody that does not count: caches are warm and log files exist after it. What our
/// own binary copied must be equal.
pub(crate) fn warm_up(scores: &mut [Score], ports: Ports, name: &str) {
    for score in scores {
        turn(score, ports, name);
        if let Runner::Program { binary, .. } = &score.runner {
            program::run(binary, "verify", ports.near, (name, &[]));
        }
        score.clear();
    }
    clean(ports, name);
}

/// The median of the quotients of two runners, round by round.
pub(crate) fn ratio(of: &Score, to: &Score) -> f64 {
    let pairs = of.seconds.iter().zip(&to.seconds);
    median(pairs.map(|(of, to)| of / to))
}

/// One line per runner, and the floor's parts.
pub(crate) fn table(scores: &[Score]) -> String {
    let find = |wanted: fn(&Runner) -> bool| scores.iter().find(|score| wanted(&score.runner));
    let floor = find(|runner| matches!(runner, Runner::Floor(_)));
    let pipe = find(|runner| matches!(runner, Runner::Pipe));
    let mut text = format!(
        "  {:<16} {:>8} {:>15} {:>9} {:>8} {:>8} {:>8} {:>9}\n",
        "", "median s", "min - max", "of floor", "of pipe", "all CPU", "own CPU", "peak"
    );
    for score in scores {
        let low = score.seconds.iter().copied().fold(f64::MAX, f64::min);
        let high = score.seconds.iter().copied().fold(0.0, f64::max);
        let to = |other: Option<&Score>| {
            other.map_or(String::new(), |other| format!("{:.2}", ratio(score, other)))
        };
        text += &format!(
            "  {:<16} {:>8.2} {:>15} {:>9} {:>8} {:>8.2} {}\n",
            score.label,
            median(score.seconds.iter().copied()),
            format!("{low:.2} - {high:.2}"),
            to(floor),
            to(pipe),
            median(score.processor.iter().copied()),
            own(&score.spent)
        );
    }
    if let Some(floor) = floor {
        let part = |at: usize| median(floor.parts.iter().map(|parts| parts[at]));
        let parts: Vec<String> = (0..4)
            .map(|at| format!("{} {:.2}", PARTS[at], part(at)))
            .collect();
        text += &format!("  floor, one session: {}\n", parts.join(", "));
    }
    text
}

/// Our own share of the machine's processor time, and the most memory in any round.
fn own(spent: &[Spent]) -> String {
    let Some(peak) = spent.iter().map(|spent| spent.peak).max() else {
        return String::new();
    };
    let share = |spent: &Spent| spent.processor / spent.elapsed.as_secs_f64() / processors();
    let share = median(spent.iter().map(share)) * 100.0;
    format!(
        "{:>8} {:>9}",
        format!("{share:.1} %"),
        format!("{} MB", peak / 1024)
    )
}

/// Seconds of the floor's parts, where it has run: out and in.
pub(crate) fn out_and_in(scores: &[Score]) -> Option<(f64, f64)> {
    let floor = scores.iter().find(|score| !score.parts.is_empty())?;
    let part = |at: usize| median(floor.parts.iter().map(|parts| parts[at]));
    Some((part(0), part(1)))
}
