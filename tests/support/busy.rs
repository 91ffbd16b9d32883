//! An application with every kind of write that a replication has to carry: each writer has tables of its own, so that no
//! statement of it is ever refused, and what is refused fails the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use seren_replicator::connect::Session;
use seren_replicator::task::Background;

use super::random::Random;
use super::{database, text, wait_until_true};

/// The tables, and what they have in the beginning.
pub(crate) const BASE: &str = "
CREATE SCHEMA live;
CREATE TABLE live.item (id int PRIMARY KEY, n int NOT NULL, note text);
INSERT INTO live.item SELECT g, 0, 'first' FROM generate_series(1, 2000) g;
CREATE TABLE live.wide (id int PRIMARY KEY, counter int NOT NULL DEFAULT 0, body text NOT NULL);
ALTER TABLE live.wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO live.wide SELECT g, 0, repeat(md5(g::text), 3200) FROM generate_series(1, 20) g;
CREATE TABLE live.bag (word text, n int);
ALTER TABLE live.bag REPLICA IDENTITY FULL;
INSERT INTO live.bag SELECT 'w' || g % 5, g % 3 FROM generate_series(1, 200) g;
CREATE TABLE live.by_index (code text NOT NULL, v int, body text);
CREATE UNIQUE INDEX by_code ON live.by_index (code);
ALTER TABLE live.by_index REPLICA IDENTITY USING INDEX by_code;
INSERT INTO live.by_index SELECT 'c' || g, g, repeat('x', g) FROM generate_series(1, 200) g;
CREATE TABLE live.parted (id int, k int, note text, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
CREATE TABLE live.part_0 PARTITION OF live.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE live.part_1 PARTITION OF live.parted FOR VALUES FROM (10) TO (20);
CREATE TABLE live.part_2 PARTITION OF live.parted FOR VALUES FROM (20) TO (30) PARTITION BY LIST (id);
CREATE TABLE live.part_2_rest PARTITION OF live.part_2 DEFAULT;
INSERT INTO live.parted SELECT g, g % 30, 'first' FROM generate_series(1, 600) g;
CREATE TABLE live.parent (id int PRIMARY KEY, round int);
CREATE TABLE live.child (id int PRIMARY KEY, parent int REFERENCES live.parent);
CREATE TABLE live.account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
INSERT INTO live.account SELECT g FROM generate_series(1, 100) g;
CREATE TABLE live.entry (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL, amount int NOT NULL);
CREATE TABLE live.slow_1 (id int PRIMARY KEY, step int NOT NULL);
CREATE TABLE live.slow_2 (id int PRIMARY KEY, step int NOT NULL);
CREATE TABLE live.held (id int PRIMARY KEY, note text);
CREATE TABLE public.pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE public.pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
CREATE TABLE public.pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE public.pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
ALTER TABLE public.pgbench_history REPLICA IDENTITY FULL;
INSERT INTO public.pgbench_branches SELECT g, 0 FROM generate_series(1, 2) g;
INSERT INTO public.pgbench_tellers SELECT g, 1 + g % 2, 0 FROM generate_series(1, 20) g;
INSERT INTO public.pgbench_accounts SELECT g, 1 + g % 2, 0, '' FROM generate_series(1, 20000) g;
";

/// What one writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Inserts, updates, deletes and changes of keys, some of them taken back to a savepoint.
    Items,
    /// Updates beside a value of 100 KB that stays, and some of the value.
    Wide,
    /// A table without key, with equal rows.
    Bag,
    /// A table whose identity is an index.
    ByIndex,
    /// Rows that move between partitions.
    Parted,
    /// Tables that are emptied together.
    Truncates,
    /// Transactions over two tables, some rolled back.
    Ledger,
    /// Transactions of several statements that stay open for long.
    Slow(u8),
    /// The transactions of pgbench.
    Pgbench,
}

/// All writers: four clients of pgbench, and one of each other kind.
const WRITERS: [Kind; 13] = [
    Kind::Items,
    Kind::Wide,
    Kind::Bag,
    Kind::ByIndex,
    Kind::Parted,
    Kind::Truncates,
    Kind::Ledger,
    Kind::Slow(1),
    Kind::Slow(2),
    Kind::Pgbench,
    Kind::Pgbench,
    Kind::Pgbench,
    Kind::Pgbench,
];

/// The longest pause of a writer between two statements or transactions, in milliseconds.
const PAUSE: usize = 30;

/// The application; its writers stop when it is asked to.
pub(crate) struct Busy {
    stop: Arc<AtomicBool>,
    keep: Arc<AtomicBool>,
    rounds: Vec<Arc<AtomicUsize>>,
    tasks: Vec<Background<()>>,
}

impl Busy {
    /// Starts all writers, each with random numbers of its own from this seed on.
    pub(crate) fn start(url: &str, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let keep = Arc::new(AtomicBool::new(false));
        let mut busy = Self {
            stop: Arc::clone(&stop),
            keep: Arc::clone(&keep),
            rounds: Vec::new(),
            tasks: Vec::new(),
        };
        for (number, kind) in (0..).zip(WRITERS) {
            let rounds = Arc::new(AtomicUsize::new(0));
            let writer = Writer {
                kind,
                random: Random::new(seed * 100 + number),
                stop: Arc::clone(&stop),
                keep: Arc::clone(&keep),
                rounds: Arc::clone(&rounds),
            };
            busy.tasks
                .push(Background::spawn(writer.write(url.to_owned())));
            busy.rounds.push(rounds);
        }
        busy
    }

    /// Whether TRUNCATE is omitted from the next transaction on. Decoding from a new slot may fail with "could not map
    /// filenumber" for a table that was truncated while the slot was created: docs/limits.md.
    pub(crate) fn keep_tables(&self, keep: bool) {
        self.keep.store(keep, Ordering::Relaxed);
    }

    /// Waits until every writer has committed or rolled back so many more transactions.
    pub(crate) async fn wait_for_rounds(&self, more: usize) {
        let load = |rounds: &Arc<AtomicUsize>| rounds.load(Ordering::Relaxed);
        let before: Vec<usize> = self.rounds.iter().map(load).collect();
        wait_until_true("every writer writes", async || {
            let now = self.rounds.iter().map(load);
            now.zip(&before).all(|(now, before)| now >= before + more)
        })
        .await;
    }

    /// Waits for the end of all writers; how many transactions there were.
    pub(crate) async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.join().await;
        }
        self.rounds
            .iter()
            .map(|rounds| rounds.load(Ordering::Relaxed))
            .sum()
    }
}

/// One session of the application.
struct Writer {
    kind: Kind,
    random: Random,
    stop: Arc<AtomicBool>,
    keep: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
}

impl Writer {
    async fn write(mut self, url: String) {
        let session = database(&url).await;
        while !self.stop.load(Ordering::Relaxed) {
            let round = self.rounds.load(Ordering::Relaxed);
            for statements in self.next(round) {
                self.execute(&session, &statements).await;
                // The pace of the application: nothing is waited for.
                let pause = self.random.below(PAUSE) as u64;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            self.rounds.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn execute(&self, session: &Session, statements: &str) {
        if let Err(error) = session.batch(&text(statements)).await {
            panic!("{:?}: {error:?}\n{statements}", self.kind);
        }
    }

    /// The next transaction, in the parts between which it pauses.
    fn next(&mut self, round: usize) -> Vec<String> {
        let whole = match self.kind {
            Kind::Items => self.items(),
            Kind::Wide => self.wide(),
            Kind::Bag => self.bag(),
            Kind::ByIndex => self.by_index(),
            Kind::Parted => self.parted(),
            Kind::Truncates => self.truncates(round),
            Kind::Ledger => self.ledger(),
            Kind::Slow(number) => return self.slow(number, round),
            Kind::Pgbench => self.pgbench(),
        };
        vec![format!("BEGIN; {whole}; COMMIT")]
    }

    fn items(&mut self) -> String {
        let (id, other) = (1 + self.random.below(3000), 1 + self.random.below(3000));
        let one = match self.random.below(5) {
            0 => format!(
                "INSERT INTO live.item VALUES ({id}, 1, 'new') ON CONFLICT (id) DO UPDATE SET n = item.n + 1"
            ),
            1 => format!(
                "UPDATE live.item SET n = n + 1, note = 'u' || n WHERE id BETWEEN {id} AND {id} + 9"
            ),
            2 => format!("DELETE FROM live.item WHERE id BETWEEN {id} AND {id} + 2"),
            3 => format!(
                "UPDATE live.item SET id = -id, note = NULL WHERE id = {id} AND NOT EXISTS (SELECT FROM live.item WHERE id = -{id})"
            ),
            _ => format!(
                "DELETE FROM live.item WHERE id = -{id}; UPDATE live.item SET id = -{id}, n = 7 WHERE id = {id}"
            ),
        };
        match self.random.chance(30) {
            true => format!(
                "{one}; SAVEPOINT s; DELETE FROM live.item WHERE id > {other}; ROLLBACK TO s; \
                 UPDATE live.item SET n = n - 1 WHERE id = {other}; SAVEPOINT t; INSERT INTO live.item VALUES ({id} + 10000, 0) \
                 ON CONFLICT DO NOTHING; RELEASE t"
            ),
            false => one,
        }
    }

    fn wide(&mut self) -> String {
        let id = 1 + self.random.below(20);
        match self.random.below(10) {
            0 => format!(
                "UPDATE live.wide SET body = repeat(md5(counter::text), 3200) WHERE id = {id}"
            ),
            1 => format!(
                "DELETE FROM live.wide w USING live.wide o WHERE o.id = {id} AND w.id = o.id + 1000 * (1 + o.counter); \
                 UPDATE live.wide SET id = id + 1000 * (1 + counter) WHERE id = {id}"
            ),
            2 => format!("DELETE FROM live.wide WHERE id % 1000 = {id}"),
            3 => format!(
                "INSERT INTO live.wide VALUES ({id}, 1, repeat(md5('{id}'), 3200)) ON CONFLICT DO NOTHING"
            ),
            _ => format!(
                "UPDATE live.wide SET counter = counter + 1 WHERE id % 1000 IN ({id}, 1 + {id})"
            ),
        }
    }

    fn bag(&mut self) -> String {
        let (word, n) = (self.random.below(5), self.random.below(3));
        match self.random.below(4) {
            0 => format!("INSERT INTO live.bag SELECT 'w{word}', {n} FROM generate_series(1, 4)"),
            1 => format!(
                "DELETE FROM live.bag WHERE ctid IN (SELECT ctid FROM live.bag WHERE word = 'w{word}' LIMIT 3)"
            ),
            2 => format!(
                "UPDATE live.bag SET n = {n} WHERE ctid IN (SELECT ctid FROM live.bag WHERE word = 'w{word}' LIMIT 2)"
            ),
            _ => format!(
                "UPDATE live.bag SET word = NULL WHERE ctid IN (SELECT ctid FROM live.bag WHERE n = {n} LIMIT 1); \
                 DELETE FROM live.bag WHERE word IS NULL AND n = {n}"
            ),
        }
    }

    fn by_index(&mut self) -> String {
        let number = 1 + self.random.below(200);
        match self.random.below(3) {
            0 => format!(
                "UPDATE live.by_index SET v = v + 1, body = body || 'y' WHERE code = 'c{number}'"
            ),
            1 => format!("DELETE FROM live.by_index WHERE code = 'c{number}'"),
            _ => format!(
                "INSERT INTO live.by_index VALUES ('c{number}', 0) ON CONFLICT (code) DO UPDATE SET v = 0"
            ),
        }
    }

    fn parted(&mut self) -> String {
        let (id, k) = (1 + self.random.below(900), self.random.below(30));
        match self.random.below(4) {
            0 => {
                format!("INSERT INTO live.parted VALUES ({id}, {k}, 'new') ON CONFLICT DO NOTHING")
            }
            1 => format!("DELETE FROM live.parted WHERE id = {id}"),
            2 => format!("UPDATE live.parted SET note = note || '.' WHERE id = {id}"),
            // A move to another partition, for most values.
            _ => format!(
                "UPDATE live.parted SET k = {k} WHERE id = {id} AND (SELECT count(*) FROM live.parted WHERE id = {id}) = 1"
            ),
        }
    }

    fn truncates(&mut self, round: usize) -> String {
        let rows = 1 + self.random.below(50);
        let fill = format!(
            "INSERT INTO live.parent SELECT {round} * 100 + g, {round} FROM generate_series(1, {rows}) g; \
             INSERT INTO live.child SELECT id, id FROM live.parent WHERE round = {round}"
        );
        let choice = self.random.below(5);
        if self.keep.load(Ordering::Relaxed) {
            return fill;
        }
        match choice {
            0 => format!("TRUNCATE live.parent, live.child; {fill}"),
            1 => "TRUNCATE live.child".to_owned(),
            2 => format!("SAVEPOINT s; TRUNCATE live.parent CASCADE; ROLLBACK TO s; {fill}"),
            _ => fill,
        }
    }

    fn ledger(&mut self) -> String {
        let (account, amount) = (1 + self.random.below(100), self.random.below(1000));
        let end = match self.random.chance(20) {
            true => "; ROLLBACK; BEGIN",
            false => "",
        };
        format!(
            "INSERT INTO live.entry (account, amount) VALUES ({account}, {amount}); \
             UPDATE live.account SET balance = balance + {amount} WHERE id = {account}{end}"
        )
    }

    fn slow(&mut self, number: u8, round: usize) -> Vec<String> {
        let table = format!("live.slow_{number}");
        let mut parts = vec![format!("BEGIN; INSERT INTO {table} VALUES ({round}, 0)")];
        for step in 1..=10 {
            parts.push(format!(
                "UPDATE {table} SET step = {step} WHERE id = {round}"
            ));
        }
        let end = if self.random.chance(20) {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        parts.push(format!(
            "DELETE FROM {table} WHERE id = {round} - 20; {end}"
        ));
        parts
    }

    fn pgbench(&mut self) -> String {
        let (aid, delta) = (1 + self.random.below(20_000), self.random.below(10_000));
        let (tid, bid) = (1 + self.random.below(20), 1 + self.random.below(2));
        format!(
            "UPDATE public.pgbench_accounts SET abalance = abalance + {delta} WHERE aid = {aid}; \
             SELECT abalance FROM public.pgbench_accounts WHERE aid = {aid}; \
             UPDATE public.pgbench_tellers SET tbalance = tbalance + {delta} WHERE tid = {tid}; \
             UPDATE public.pgbench_branches SET bbalance = bbalance + {delta} WHERE bid = {bid}; \
             INSERT INTO public.pgbench_history VALUES ({tid}, {bid}, {aid}, {delta}, CURRENT_TIMESTAMP)"
        )
    }
}
