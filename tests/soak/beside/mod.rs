//! Copies beside other people's work: an application writes and changes definitions, a second `init` and a `teardown` are
//! run, and runs are killed, all at random moments. `SEREN_BESIDE` sets the number of rounds, `SEREN_SEED` the first seed.

mod application;
mod truth;
mod waits;

use std::path::Path;
use std::time::Duration;

use self::application::{Application, BASE, Pace};
use self::truth::{assert_clean, assert_true, drop_database};
use self::waits::Watch;
use crate::support::command::{Finished, Program, Running};
use crate::support::random::Random;
use crate::support::route::Route;
use crate::support::{number, run, value, wait_until_true};

/// Rounds without a setting.
const ROUNDS: u64 = 4;

/// No session of the application may wait longer for one of ours.
const LIMIT: Duration = Duration::from_secs(5);

/// Runs of a round beside changes of definitions; the next one has to succeed without them.
const RUNS: usize = 4;

/// The time in which interference comes, about that of one run.
const RUN_MILLIS: usize = 3000;

/// What comes in between.
#[derive(Clone, Copy, Debug)]
enum Interference {
    Nothing,
    Kill,
    SecondInit,
    Teardown,
}

/// One round: a database, and the folders of two machines' states.
struct Round<'r> {
    route: &'r Route,
    name: String,
    own: tempfile::TempDir,
    other: tempfile::TempDir,
    random: Random,
    pace: Pace,
    told: String,
}

/// The pace of a round. Every fourth application never pauses between its changes.
fn pace(seed: u64) -> Pace {
    match seed % 4 {
        0 => Pace::Without,
        1 => Pace::UpTo(400),
        2 => Pace::UpTo(3_000),
        _ => Pace::UpTo(10_000),
    }
}

impl Round<'_> {
    fn command(&self, command: &str, state: &Path, more: &[&str]) -> Program {
        let more = [&["--yes"], more].concat();
        let program = self.route.command(command, &[&self.name], &more);
        program.env("XDG_STATE_HOME", state.to_str().unwrap())
    }

    fn interference(&mut self) -> Interference {
        match self.random.below(5) {
            0 => Interference::Nothing,
            1 | 2 => Interference::Kill,
            3 => Interference::SecondInit,
            _ => Interference::Teardown,
        }
    }

    /// Runs `init` once, with something in between; its end.
    async fn run(&mut self) -> Finished {
        let interference = self.interference();
        let first = self.command("init", self.own.path(), &["--max-lock-wait", "30"]);
        let first = first.start();
        let other = self.interfere(interference, &first).await;
        let finished = tokio::task::spawn_blocking(|| first.finish())
            .await
            .unwrap();
        self.told = format!(
            "{}\n{interference:?}: exit {}\n{}",
            self.told,
            finished.code,
            last_line(&finished)
        );
        if let Some(other) = other {
            let other = tokio::task::spawn_blocking(|| other.finish())
                .await
                .unwrap();
            self.told = format!(
                "{}\nthe other: exit {}\n{}",
                self.told,
                other.code,
                last_line(&other)
            );
            if matches!(interference, Interference::SecondInit) {
                self.assert_refused(&other).await;
            }
        }
        finished
    }

    async fn interfere(&mut self, interference: Interference, first: &Running) -> Option<Running> {
        // The moment itself is random: there is no condition to wait for.
        let pause = Duration::from_millis(self.random.below(RUN_MILLIS) as u64);
        let command = match interference {
            Interference::Nothing => return None,
            Interference::Kill => {
                tokio::time::sleep(pause).await;
                first.signal("KILL");
                return None;
            }
            Interference::SecondInit => "init",
            Interference::Teardown => "teardown",
        };
        self.wait_for_publication(first).await;
        tokio::time::sleep(pause).await;
        Some(self.command(command, self.other.path(), &[]).start())
    }

    /// Waits until the run has made its publication or is over: from then on another one must not begin.
    async fn wait_for_publication(&self, first: &Running) {
        let source = self.route.source.url(&self.name);
        let ask = "SELECT count(*) FROM pg_publication";
        wait_until_true("a publication or the end of the run", async || {
            value(&source, ask).await != "0" || !first.proc("stat").exists() || is_zombie(first)
        })
        .await;
    }

    /// A second run began only where nothing of the first one existed any more; then it is true and is removed.
    async fn assert_refused(&self, other: &Finished) {
        if other.code != 0 {
            return;
        }
        assert_true(self.route, &self.name, &self.told).await;
        self.command("teardown", self.other.path(), &[])
            .run()
            .expect(0);
        drop_database(self.route, &self.route.target.url(&self.name)).await;
    }
}

fn is_zombie(running: &Running) -> bool {
    let stat = std::fs::read_to_string(running.proc("stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_none_or(|rest| rest.trim_start().starts_with('Z'))
}

fn last_line(finished: &Finished) -> String {
    let lines: Vec<&str> = finished.stderr.lines().collect();
    let from = lines.len().saturating_sub(4);
    lines[from..].join("\n")
}

/// Whether a run that failed names the cause, and not only that a lock was in its way.
fn says_why(finished: &Finished) -> bool {
    let error = finished.stderr.rsplit("error: ").next().unwrap_or_default();
    let is_bare = error.contains("55P03") && !error.contains("pid ");
    finished.code == 137 || finished.stderr.contains("error: ") && !is_bare
}

/// One round; what came of it.
async fn round(route: &Route, seed: u64) -> String {
    let name = route.fresh("beside").await;
    let source = route.source.url(&name);
    run(&source, BASE).await;
    let application = Application::start(&source, seed, pace(seed));
    let watch = Watch::start(&source);
    let mut round = Round {
        route,
        name: name.clone(),
        own: tempfile::tempdir().unwrap(),
        other: tempfile::tempdir().unwrap(),
        random: Random::new(seed),
        pace: pace(seed),
        told: format!("SEREN_SEED={seed}, database {name}, pace {:?}", pace(seed)),
    };
    let mut is_copied = false;
    for _ in 0..RUNS {
        let finished = round.run().await;
        assert!(
            matches!(finished.code, 0 | 1 | 137),
            "{}\n{}",
            round.told,
            finished.all()
        );
        if finished.code == 0 {
            is_copied = true;
            break;
        }
        assert!(says_why(&finished), "{}\n{}", round.told, finished.all());
    }
    // Whoever lets DDL wait for the copy has it wait: that is not measured.
    let longest = watch.stop().await;
    assert!(longest.wait < LIMIT, "{longest:?}\n{}", round.told);
    if !is_copied {
        let keeps = matches!(round.pace, Pace::Without);
        let more: &[&str] = if keeps { &["--keep-locks"] } else { &[] };
        if !keeps {
            application.stop_changes();
        }
        let last = round.command("init", round.own.path(), more).start();
        let last = tokio::task::spawn_blocking(|| last.finish()).await.unwrap();
        assert_eq!(last.code, 0, "{}\n{}", round.told, last.all());
        round.told += "\nthe last: exit 0";
    }
    assert_true(route, &name, &round.told).await;
    application.stop().await;
    let teardown = round.command("teardown", round.own.path(), &[]);
    tokio::task::spawn_blocking(|| teardown.run().expect(0))
        .await
        .unwrap();
    assert_clean(route, &name, &round.told).await;
    drop_database(route, &route.target.url(&name)).await;
    format!("{}\nlongest wait {longest:?}", round.told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_beside_an_application_and_other_runs_are_true_and_hold_nobody_up() {
    let majors = [number("SEREN_FROM", 17), number("SEREN_TO", 17)];
    let route = Route::of_majors(majors.map(|major| u32::try_from(major).unwrap()));
    let first = number("SEREN_SEED", 1);
    for seed in first..first + number("SEREN_BESIDE", ROUNDS) {
        println!("{}", round(&route, seed).await);
    }
}
