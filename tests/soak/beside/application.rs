//! An application at work on the source. It writes rows all the time, and it changes definitions. Each change is
//! recorded in a table in the same transaction: a snapshot shows exactly which changes it includes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seren_replicator::connect::Session;
use seren_replicator::task::Background;

use crate::support::random::Random;
use crate::support::{database, text};

/// What the application begins with.
pub(super) const BASE: &str = "
CREATE SCHEMA app; CREATE SCHEMA one; CREATE SCHEMA two;
CREATE TYPE app.mood AS ENUM ('calm', 'angry');
CREATE TABLE app.changes (n int PRIMARY KEY, statement text NOT NULL);
CREATE TABLE app.journal (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL, amount int NOT NULL);
CREATE TABLE app.account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
INSERT INTO app.account SELECT n FROM generate_series(1, 500) n;
CREATE TABLE app.wide (id int PRIMARY KEY, c int NOT NULL, filler text);
INSERT INTO app.wide SELECT n, n, repeat(md5(n::text), 8) FROM generate_series(1, 40000) n;
ALTER TABLE app.wide CLUSTER ON wide_pkey;
CREATE TABLE app.scratch (n int, g int, PRIMARY KEY (n, g));
CREATE TABLE app.moods (id int PRIMARY KEY, mood app.mood NOT NULL);
INSERT INTO app.moods SELECT n, CASE n % 3 WHEN 0 THEN 'calm' ELSE 'angry' END::app.mood FROM generate_series(1, 3000) n;
CREATE TABLE app.parted (k int PRIMARY KEY, t text) PARTITION BY RANGE (k);
CREATE TABLE app.part_0 PARTITION OF app.parted FOR VALUES FROM (0) TO (10);
INSERT INTO app.parted SELECT n, 'first' FROM generate_series(0, 9) n;
CREATE TABLE one.t (id int PRIMARY KEY, t text); INSERT INTO one.t SELECT n, 'one' FROM generate_series(1, 4000) n;
CREATE TABLE two.t (id int PRIMARY KEY, t text); INSERT INTO two.t SELECT n, 'two' FROM generate_series(1, 4000) n;
CREATE VIEW app.seen AS SELECT g FROM app.scratch WHERE n > 0;
";

/// Tables that writers change; everything else changes by recorded changes only.
pub(super) const WRITTEN: &[&str] = &["app.journal", "app.account"];

/// Rows that no transaction of the application leaves: a balance that is not the sum of its entries.
pub(super) const BROKEN: &str = "
SELECT count(*) FROM (SELECT account, sum(amount) AS total FROM app.journal GROUP BY account) j
  FULL JOIN app.account a ON a.id = j.account WHERE coalesce(j.total, 0) <> coalesce(a.balance, -1)";

/// Sessions of the application carry this name.
pub(super) const NAME: &str = "beside-application";

/// How long the application pauses between two changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At most so many milliseconds.
    UpTo(usize),
    /// Not at all: staging tables come and go, and a table is emptied all the time.
    Without,
}

/// The application; it ends when it is asked to stop.
pub(super) struct Application {
    stop: Arc<AtomicBool>,
    changes: Arc<AtomicBool>,
    tasks: Vec<Background<()>>,
}

impl Application {
    /// Starts two writers and one session that changes definitions.
    pub(super) fn start(url: &str, seed: u64, pace: Pace) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let changes = Arc::new(AtomicBool::new(true));
        let url = format!("{url}?application_name={NAME}");
        let mut tasks = Vec::new();
        for number in 1..=2 {
            let writing = write(url.clone(), Random::new(seed + number), Arc::clone(&stop));
            tasks.push(Background::spawn(writing));
        }
        let goes_on = Arc::clone(&changes);
        let changing = change(url, Random::new(seed), pace, goes_on);
        tasks.push(Background::spawn(changing));
        Self {
            stop,
            changes,
            tasks,
        }
    }

    /// Definitions stay as they are from the end of the change that is at work.
    pub(super) fn stop_changes(&self) {
        self.changes.store(false, Ordering::Relaxed);
    }

    /// Waits for the end of all sessions.
    pub(super) async fn stop(self) {
        self.stop_changes();
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.join().await;
        }
    }
}

/// Moves amounts until it is asked to stop. A table that is renamed or dropped at the moment is no fault.
async fn write(url: String, mut random: Random, stop: Arc<AtomicBool>) {
    let session = database(&url).await;
    while !stop.load(Ordering::Relaxed) {
        let (account, amount) = (1 + random.below(500), random.below(1000));
        let move_one = format!(
            "BEGIN; INSERT INTO app.journal (account, amount) VALUES ({account}, {amount}); \
             UPDATE app.account SET balance = balance + {amount} WHERE id = {account}; COMMIT"
        );
        attempt(&session, &move_one).await;
        tokio::time::sleep(Duration::from_millis(random.below(5) as u64)).await;
    }
}

/// Runs statements, and takes back what was begun if one is refused. Whether all were accepted.
async fn attempt(session: &Session, sql: &str) -> bool {
    if session.batch(&text(sql)).await.is_ok() {
        return true;
    }
    session.batch(&text("ROLLBACK")).await.unwrap();
    false
}

/// Which of the changes that have a way back are made.
#[derive(Default)]
struct Made {
    bigint: bool,
    renamed: bool,
    extra: bool,
    staging: bool,
    indexed: bool,
    parts: Vec<u32>,
}

/// A change of definitions, or of rows by a statement that rewrites a table.
enum Change {
    /// In one transaction with its record.
    Recorded(String),
    /// Changes no definition; some of these refuse to run in a transaction.
    Plain(&'static str),
}

fn toggle(flag: &mut bool, there: &str, back: &str) -> Change {
    *flag = !*flag;
    Change::Recorded(if *flag { there } else { back }.to_owned())
}

fn next(number: u32, made: &mut Made, random: &mut Random, pace: Pace) -> Change {
    let kinds = match pace {
        Pace::Without => &[0, 0, 5][..],
        Pace::UpTo(_) => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    };
    match kinds[random.below(kinds.len())] {
        0 => Change::Recorded(format!(
            "TRUNCATE app.scratch; INSERT INTO app.scratch SELECT {number}, g FROM generate_series(1, 300) g"
        )),
        1 => toggle(
            &mut made.bigint,
            "ALTER TABLE app.wide ALTER c TYPE bigint",
            "ALTER TABLE app.wide ALTER c TYPE int",
        ),
        2 => toggle(
            &mut made.renamed,
            "ALTER TABLE app.moods RENAME TO moods_away",
            "ALTER TABLE app.moods_away RENAME TO moods",
        ),
        3 => toggle(
            &mut made.extra,
            "ALTER TABLE app.wide ADD extra int DEFAULT 7",
            "ALTER TABLE app.wide DROP extra",
        ),
        4 => Change::Recorded(
            "ALTER SCHEMA one RENAME TO other; ALTER SCHEMA two RENAME TO one; ALTER SCHEMA other RENAME TO two"
                .to_owned(),
        ),
        5 | 6 => toggle(
            &mut made.staging,
            "CREATE TABLE app.staging (g int PRIMARY KEY); INSERT INTO app.staging SELECT generate_series(1, 200)",
            "DROP TABLE app.staging",
        ),
        7 => match made.parts.pop() {
            Some(part) => Change::Recorded(format!(
                "ALTER TABLE app.parted DETACH PARTITION app.part_{part}; DROP TABLE app.part_{part}"
            )),
            None => new_part(number, made),
        },
        8 => new_part(number, made),
        9 => Change::Recorded(
            "ALTER TYPE app.mood RENAME VALUE 'calm' TO 'neither'; ALTER TYPE app.mood RENAME VALUE 'angry' TO 'calm'; \
             ALTER TYPE app.mood RENAME VALUE 'neither' TO 'angry'"
                .to_owned(),
        ),
        10 => toggle(
            &mut made.indexed,
            "CREATE INDEX by_c ON app.wide (c)",
            "DROP INDEX app.by_c",
        ),
        11 => Change::Plain("VACUUM FULL app.wide"),
        _ => Change::Plain("CLUSTER app.wide USING wide_pkey"),
    }
}

fn new_part(number: u32, made: &mut Made) -> Change {
    made.parts.push(number);
    let (from, to) = (number * 10, number * 10 + 10);
    Change::Recorded(format!(
        "CREATE TABLE app.part_{number} PARTITION OF app.parted FOR VALUES FROM ({from}) TO ({to}); \
         INSERT INTO app.parted SELECT n, 'more' FROM generate_series({from}, {to} - 1) n"
    ))
}

/// Changes definitions until it is asked to stop.
async fn change(url: String, mut random: Random, pace: Pace, goes_on: Arc<AtomicBool>) {
    let session = database(&url).await;
    let mut made = Made::default();
    let mut number = 0;
    while goes_on.load(Ordering::Relaxed) {
        number += 1;
        match next(number, &mut made, &mut random, pace) {
            Change::Recorded(statement) => {
                let record = record(number, &statement);
                // Whatever is chosen is possible; a deadlock of ours with the program would show here.
                session.batch(&text(&record)).await.unwrap();
            }
            Change::Plain(statement) => session.batch(&text(statement)).await.unwrap(),
        }
        if let Pace::UpTo(millis) = pace {
            tokio::time::sleep(Duration::from_millis(random.below(millis) as u64)).await;
        }
    }
}

/// A change and its record in one transaction.
pub(super) fn record(number: u32, statement: &str) -> String {
    format!(
        "BEGIN; INSERT INTO app.changes VALUES ({number}, $change${statement}$change$); {statement}; COMMIT"
    )
}
