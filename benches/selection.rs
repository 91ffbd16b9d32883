//! How quickly a user of many tables is answered: the lists of the interactive selection, from one key to the next
//! screen, and the rules of tables. Prints milliseconds.
//!
//! `SELECTION_TABLES` (10000), `SELECTION_RULES` (100 of each kind).

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[expect(
    dead_code,
    reason = "shared with the bench of copies, which uses all of it"
)]
mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use seren_replicator::pg::{QualifiedName, RelKind};
use seren_replicator::sandbox::Cluster;
use seren_replicator::selection::{Entry, Offered, Rule, RuleEntry, Rules, TableChoice};

use support::program::OWN;
use support::{number, psql, url};

/// The database with the tables.
const NAME: &str = "many";

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

const ENTER: &str = "\r";
const DOWN: &str = "\u{1b}[B";

/// How long a screen may take at all.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program on a terminal.
struct Screen {
    keyboard: Box<dyn Write + Send>,
    shown: Arc<Mutex<vt100::Parser>>,
}

impl Screen {
    fn start(arguments: &[&str]) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(OWN);
        command.args(arguments);
        command.env_clear();
        command.env("TERM", "xterm");
        command.env("HOME", "/nonexistent");
        // Not in the home folder, which does not exist.
        command.cwd(std::env::temp_dir());
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let [rows, columns] = [ROWS, COLUMNS].map(|size| NonZero::new(size).unwrap());
        let shown = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let screen = Arc::clone(&shown);
        std::thread::spawn(move || {
            // The terminal stays open as long as the program writes to it.
            let _master = pair.master;
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                screen.lock().unwrap().process(&piece[..count]);
            }
            drop(child.wait());
        });
        Self { keyboard, shown }
    }

    fn contents(&self) -> String {
        self.shown.lock().unwrap().screen().contents()
    }

    /// Presses keys, and returns how long the screen takes to be as wanted, in milliseconds.
    fn press(&mut self, keys: &str, is_wanted: impl Fn(&str) -> bool) -> f64 {
        let begun = Instant::now();
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        while !is_wanted(&self.contents()) {
            assert!(begun.elapsed() < DEADLINE, "{}", self.contents());
            std::thread::sleep(Duration::from_micros(200));
        }
        begun.elapsed().as_secs_f64() * 1e3
    }

    /// Presses a key, and returns how long the screen takes to change.
    fn press_for_change(&mut self, key: &str) -> f64 {
        let before = self.contents();
        self.press(key, |now| now != before)
    }
}

fn measure_lists(tables: u64) {
    let cluster = Cluster::builder(17).listen_on_tcp(true).start().unwrap();
    psql(
        &url(cluster.port(), "postgres"),
        &format!("CREATE DATABASE {NAME}"),
    );
    let fill: String = (1..=tables)
        .map(|n| format!("CREATE TABLE public.t{n:05} (id int PRIMARY KEY, at timestamptz);\n"))
        .collect();
    psql(&url(cluster.port(), NAME), &fill);
    let source = url(cluster.port(), "postgres");
    let mut screen = Screen::start(&["validate", "--source", &source, "--target", &source]);
    screen.press("", |now| now.contains(NAME));
    screen.press_for_change(" ");
    let list = screen.press(ENTER, |now| {
        now.contains("to EXCLUDE") && now.contains("t00001")
    });
    println!("list of {tables} tables: {list:.0} ms");
    let mut slowest: f64 = 0.0;
    for (what, key) in [
        ("down", DOWN),
        ("tick", " "),
        ("letter 1", "t"),
        ("letter 2", "0"),
        ("letter 3", "9"),
        ("letter 4", "9"),
        ("backspace", "\u{7f}"),
        ("all", "\u{1b}[C"),
        ("none", "\u{1b}[D"),
    ] {
        let spent = screen.press_for_change(key);
        slowest = slowest.max(spent);
        println!("  {what}: {spent:.1} ms");
    }
    println!("slowest key: {slowest:.1} ms");
    screen.press("\u{1b}", |now| now.contains("cancelled"));
}

fn measure_rules(tables: u64, rules: u64) {
    let name = |n: u64| QualifiedName::from_catalog("public", format!("t{n:05}"));
    let relations = (1..=tables).map(|n| Offered {
        name: name(n),
        kind: RelKind::Table,
        root: None,
        hypertable: None,
        extension: None,
    });
    let offered = BTreeMap::from([(NAME.to_owned(), relations.collect::<Vec<_>>())]);
    let choices = BTreeMap::from([(NAME.to_owned(), TableChoice::All)]);
    let kinds = [Rule::SchemaOnly, Rule::SnapshotOnly, Rule::InsertOnly];
    let entries = (0..rules).flat_map(|n| {
        kinds.iter().zip(1..).map(move |(rule, k)| RuleEntry {
            entry: Entry::parse(&format!("public.t{:05}", n * 3 + k)).unwrap(),
            rule: rule.clone(),
        })
    });
    let rules = Rules::of_command_line(entries.collect());
    let begun = Instant::now();
    let resolved = rules.resolve(&offered, &choices).unwrap();
    let spent = begun.elapsed().as_secs_f64() * 1e3;
    let count = resolved.databases[NAME].iter().count();
    println!("{count} rules among {tables} tables: {spent:.1} ms");
}

fn main() {
    let tables = number("SELECTION_TABLES", "10000");
    measure_rules(tables, number("SELECTION_RULES", "100"));
    measure_rules(tables, tables / 3);
    measure_lists(tables);
}
