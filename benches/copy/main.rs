//! How long whole copies take: a lower bound, `pg_dump | psql` and `init` in turns, on clusters of their
//! own, with and without a distant network. The README beside it has the settings and how to compare.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(
    clippy::format_push_string,
    reason = "a bench may take its time to print"
)]

mod baseline;
mod contest;
mod floor;
#[path = "../support/mod.rs"]
mod support;
mod workload;

use std::path::PathBuf;
use std::time::Duration;

use seren_replicator::sandbox::Cluster;

use baseline::Figures;
use contest::{Ports, Runner, Score};
use floor::Floor;
use support::network::distant;
use support::{number, numbers, program, psql, setting, url};
use workload::Workload;

/// Settings as a server of this size would have them, so that checkpoints and caches do not decide.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "512MB"),
    ("max_wal_size", "16GB"),
    ("checkpoint_timeout", "30min"),
    ("max_worker_processes", "40"),
];

fn cluster(major: u64) -> Cluster {
    let mut builder = Cluster::builder(u32::try_from(major).unwrap()).listen_on_tcp(true);
    for (name, value) in SETTINGS {
        builder = builder.with_setting(name, value);
    }
    for assignment in setting("COPY_GUCS", "").split_whitespace() {
        let (name, value) = assignment.split_once('=').unwrap();
        builder = builder.with_setting(name, value);
    }
    builder.start().unwrap()
}

/// `init` of a binary with arguments, those of the environment behind them.
fn init(label: &str, binary: PathBuf, arguments: &[&str]) -> Score {
    let more = setting("COPY_ARGUMENTS", "");
    let jobs = setting("COPY_JOBS", "");
    let mut all = vec!["--yes"];
    all.extend(arguments);
    if !jobs.is_empty() && !arguments.contains(&"--jobs") {
        all.extend(["--jobs", jobs.as_str()]);
    }
    all.extend(more.split_whitespace());
    let arguments = all.into_iter().map(str::to_owned).collect();
    Score::new(label, Runner::Program { binary, arguments })
}

/// Whoever is asked for, in the order of the turns.
fn runners(near: [u16; 2], name: &'static str) -> Vec<Score> {
    let own = || PathBuf::from(program::OWN);
    let runners = setting("COPY_RUNNERS", "floor,pipe,no-sync,init");
    let mut scores = Vec::new();
    for runner in runners.split(',') {
        scores.push(match runner.trim() {
            "floor" => Score::new("floor", Runner::Floor(Floor::prepare(near, name))),
            "pipe" => Score::new("pg_dump | psql", Runner::Pipe),
            "no-sync" => init("init --no-sync", own(), &["--no-sync"]),
            "init" => init("init", own(), &[]),
            other => panic!("COPY_RUNNERS: nobody is named {other}"),
        });
    }
    let rival = setting("COPY_RIVAL", "");
    if !rival.is_empty() {
        scores.push(init(
            "rival --no-sync",
            PathBuf::from(rival),
            &["--no-sync"],
        ));
    }
    scores
}

/// The lower bound, and one run for each number of lanes.
fn lanes(near: [u16; 2], name: &'static str) -> Vec<Score> {
    let mut scores = vec![Score::new(
        "floor",
        Runner::Floor(Floor::prepare(near, name)),
    )];
    for lanes in numbers("COPY_LANES", "1,2,4") {
        let jobs = lanes.to_string();
        let arguments = ["--no-sync", "--no-analyze", "--jobs", &jobs];
        let binary = PathBuf::from(program::OWN);
        scores.push(init(&format!("{lanes} lanes"), binary, &arguments));
    }
    scores
}

/// How much faster lanes are than one, against what two processors could give at most.
fn scaling(scores: &[Score]) -> String {
    let Some((out, load)) = contest::out_and_in(scores) else {
        return String::new();
    };
    let one = scores.iter().find(|score| score.label == "1 lanes");
    let mut text = format!(
        "  one lane waits for the slower server: at most x {:.2} on {} processors\n",
        out.max(load) * contest::processors() / (out + load),
        contest::processors()
    );
    for score in scores.iter().filter(|score| score.label != "floor") {
        if let Some(one) = one {
            text += &format!("  {}: x {:.2}\n", score.label, contest::ratio(one, score));
        }
    }
    text
}

/// One workload over one network; its title and figures.
fn compete(workload: &Workload, size: u64, near: [u16; 2], delay: u64) -> (String, Vec<Score>) {
    let name = workload.name;
    let far = near.map(|port| distant(port, Duration::from_millis(delay)));
    let ports = Ports { near, far };
    let is_lanes = name == "lanes";
    let mut scores = if is_lanes {
        lanes(near, name)
    } else {
        runners(near, name)
    };
    contest::warm_up(&mut scores, Ports { near, far: near }, name);
    contest::rounds(&mut scores, ports, name, number("COPY_ROUNDS", "5"));
    let title = format!("{name} of scale {}, {delay} ms each way", workload.scale);
    println!("{title}, {size} MB\n{}", contest::table(&scores));
    if is_lanes {
        println!("{}", scaling(&scores));
    }
    (title, scores)
}

fn main() {
    let majors = numbers("COPY_MAJORS", "17,17");
    let [source, target] = [majors[0], *majors.last().unwrap()].map(cluster);
    let near = [source.port(), target.port()];
    println!(
        "{} to {}, {} processors, durability off, loopback, warmed up; rounds in turns: medians, and medians of \
         the quotients of each round",
        source.major(),
        target.major(),
        contest::processors()
    );
    let compared = setting("COPY_COMPARE", "");
    let before = (!compared.is_empty()).then(|| baseline::load(&compared));
    let mut figures = Figures::new();
    for name in setting("COPY_ONLY", "w1,w2,w3").split(',') {
        let workload = Workload::of(name.trim());
        let size = workload.make(near[0]);
        for delay in numbers("COPY_DELAYS", "0") {
            let (title, scores) = compete(&workload, size, near, delay);
            let now = baseline::figures(&scores);
            if let Some(kept) = before.as_ref().and_then(|before| before.get(&title)) {
                println!("since {compared}:\n{}", baseline::compare(kept, &now));
            }
            figures.insert(title, now);
        }
        let drop_source = format!("DROP DATABASE {}", workload.name);
        psql(&url(near[0], "postgres"), &drop_source);
    }
    let save = setting("COPY_SAVE", "");
    if !save.is_empty() {
        println!("kept in {}", baseline::save(&save, &figures).display());
    }
}
