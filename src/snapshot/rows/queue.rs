//! The order in which batches of rows are copied, and which tables have all their rows: pure.
//!
//! Batches are copied in the order of their critical paths: their own bytes and the longest work that waits
//! for the rows of their tables.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::batch::{CopyBatch, CopyItem, plan_batches};
use super::job::CopyJob;
use crate::pg::{Oid, QualifiedName};

/// All batches of a database and their states.
#[derive(Debug)]
pub(crate) struct CopyQueue {
    jobs: Arc<[CopyJob]>,
    batches: Vec<CopyBatch>,
    /// Batches that no worker has taken, by critical path and number, the longest first.
    waiting: BTreeSet<(Reverse<u64>, usize)>,
    critical_paths: Vec<u64>,
    /// Batches that wait until all others have arrived, in the same order.
    last: BTreeSet<(Reverse<u64>, usize)>,
    under_way: usize,
    /// Parts of each table that have not arrived.
    left: Vec<usize>,
    /// The tables through which others are written.
    shared: HashMap<QualifiedName, SharedTarget>,
}

/// A partitioned table through which several partitions are written.
#[derive(Debug, Default)]
struct SharedTarget {
    /// Parts of all those partitions that have not arrived.
    parts: usize,
    /// Those partitions.
    tables: Vec<Oid>,
}

impl CopyQueue {
    /// Plans the batches of these tables. `behind` is the longest work that waits for each table.
    pub(crate) fn new(jobs: Arc<[CopyJob]>, behind: &HashMap<Oid, u64>) -> Self {
        let path = |job: &CopyJob| job.work() + behind.get(&job.oid).copied().unwrap_or(0);
        let batches = plan_batches(&jobs);
        let critical_paths: Vec<u64> = batches
            .iter()
            .map(|batch| {
                let tables = batch.items.iter().map(|item| path(&jobs[item.job]));
                tables.max().unwrap_or(0)
            })
            .collect();
        let mut shared: HashMap<QualifiedName, SharedTarget> = HashMap::new();
        for job in jobs.iter().filter(|job| job.into != job.table) {
            let target = shared.entry(job.into.clone()).or_default();
            target.parts += job.parts().count();
            target.tables.push(job.oid);
        }
        let comes_last = |at: usize| {
            let mut items = batches[at].items.iter();
            items.any(|item| jobs[item.job].comes_last)
        };
        let ordered = critical_paths.iter().enumerate();
        let ordered = ordered.map(|(at, path)| (Reverse(*path), at));
        let (last, waiting) = ordered.partition(|(_, at)| comes_last(*at));
        let mut copies = Self {
            waiting,
            last,
            critical_paths,
            left: jobs.iter().map(|job| job.parts().count()).collect(),
            batches,
            jobs,
            under_way: 0,
            shared,
        };
        copies.free_last();
        copies
    }

    /// Releases the last batches once all others have arrived.
    fn free_last(&mut self) {
        if self.waiting.is_empty() && self.under_way == 0 {
            self.waiting = std::mem::take(&mut self.last);
        }
    }

    /// Whether batches wait until all others have arrived.
    pub(crate) fn has_last(&self) -> bool {
        !self.last.is_empty()
    }

    /// Returns the critical path of the next batch, if one waits.
    pub(crate) fn next_critical_path(&self) -> Option<u64> {
        self.waiting.first().map(|(path, _)| path.0)
    }

    /// Takes the next batch and returns its number.
    pub(crate) fn take_batch(&mut self) -> Option<usize> {
        let (_, number) = self.waiting.pop_first()?;
        self.under_way += 1;
        Some(number)
    }

    /// Puts a taken batch back.
    pub(crate) fn put_back(&mut self, number: usize) {
        self.waiting
            .insert((Reverse(self.critical_paths[number]), number));
        self.under_way -= 1;
    }

    /// Returns a batch by its number.
    pub(crate) fn batch(&self, number: usize) -> &CopyBatch {
        &self.batches[number]
    }

    /// Records that a batch is committed. Returns the jobs whose tables now have all their rows.
    pub(crate) fn finish_batch(&mut self, number: usize) -> Vec<usize> {
        self.under_way -= 1;
        self.free_last();
        let mut whole = Vec::new();
        for CopyItem { job, .. } in &self.batches[number].items {
            self.left[*job] -= 1;
            if self.left[*job] == 0 {
                whole.push(*job);
            }
            if let Some(shared) = self.shared.get_mut(&self.jobs[*job].into) {
                shared.parts -= 1;
            }
        }
        whole
    }

    /// Returns the relations of these jobs to which nothing more is written. Rows that are written through a
    /// partitioned table may go to any of its partitions.
    pub(crate) fn loaded_relations(&self, whole: &[usize]) -> Vec<Oid> {
        let mut loaded = Vec::new();
        for job in whole.iter().map(|job| &self.jobs[*job]) {
            match self.shared.get(&job.into) {
                Some(SharedTarget { parts: 0, tables }) => loaded.extend(tables),
                // A row of another partition may still be routed to this one.
                Some(_) => {}
                None => loaded.push(job.oid),
            }
        }
        loaded
    }

    /// Whether a worker copies a batch.
    pub(crate) fn is_reading(&self) -> bool {
        self.under_way > 0
    }

    /// Whether all rows have arrived.
    pub(crate) fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.last.is_empty() && self.under_way == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Ident;
    use crate::pg::Sql;
    use crate::snapshot::evaluation::Evaluation;
    use crate::snapshot::rows::job::Configuration;
    use crate::snapshot::rows::job::Format;
    use crate::snapshot::rows::split::page_ranges;
    use crate::wire::CopyFormat;

    fn job(oid: u32, bytes: u64) -> CopyJob {
        let table = QualifiedName::from_catalog("s", format!("t{oid}"));
        CopyJob {
            oid: Oid(oid),
            into: table.clone(),
            table,
            columns: vec![Ident::from_catalog("a")],
            format: Format::Binary,
            condition: None,
            configuration: None,
            filter: None,
            comes_last: false,
            in_chunks: false,
            bytes,
            heap_bytes: bytes,
            searched: 0,
            ranges: Vec::new(),
        }
    }

    fn tables(copies: &CopyQueue, number: usize) -> Vec<usize> {
        let items = &copies.batch(number).items;
        items.iter().map(|item| item.job).collect()
    }

    #[test]
    fn small_tables_share_a_command_and_a_transaction() {
        let copies = CopyQueue::new(
            (0..120).map(|oid| job(oid, 1000)).collect(),
            &HashMap::new(),
        );
        let counts: Vec<_> = (0..copies.batches.len())
            .map(|number| tables(&copies, number).len())
            .collect();
        assert_eq!(counts, [50, 50, 20]);
        let two = CopyQueue::new([job(1, 0), job(2, 0)].into(), &HashMap::new());
        let batch = two.batch(0);
        assert_eq!(
            batch
                .render_copies_out(&two.jobs, &HashMap::new(), None)
                .as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary); COPY "s"."t2" ("a") TO STDOUT (FORMAT binary)"#
        );
        let renamed = [(Oid(2), QualifiedName::from_catalog("now", "t2"))].into();
        assert_eq!(
            batch.render_copies_out(&two.jobs, &renamed, None).as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary); COPY "now"."t2" ("a") TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(
            batch
                .render_copies_in(&two.jobs, &Evaluation::default(), None)
                .as_str(),
            r#"BEGIN; TRUNCATE ONLY "s"."t1"; COPY "s"."t1" ("a") FROM STDIN (FORMAT binary, FREEZE); TRUNCATE ONLY "s"."t2"; COPY "s"."t2" ("a") FROM STDIN (FORMAT binary, FREEZE)"#
        );
    }

    #[test]
    fn configuration_tables_share_a_transaction_in_their_order() {
        let of_extension = |oid, before: Option<&'static str>| CopyJob {
            configuration: Some(Configuration {
                before: before.map(Sql::fixed),
                after: None,
            }),
            ..job(oid, 1 << 30)
        };
        let first = of_extension(3, Some("DELETE FROM ONLY t"));
        let jobs = [job(1, 0), first, of_extension(2, None)];
        let copies = CopyQueue::new(jobs.into(), &HashMap::new());
        assert_eq!(copies.batches.len(), 2);
        let batch = copies.batch(1);
        assert!(batch.is_repeatable(&copies.jobs));
        assert_eq!(
            batch
                .render_copies_in(&copies.jobs, &Evaluation::default(), None)
                .as_str(),
            r#"BEGIN; DELETE FROM ONLY t; COPY "s"."t3" ("a") FROM STDIN (FORMAT binary); COPY "s"."t2" ("a") FROM STDIN (FORMAT binary)"#
        );
    }

    #[test]
    fn rows_of_another_encoding_pass_unchanged() {
        let one = CopyQueue::new([job(1, 0)].into(), &HashMap::new());
        let batch = one.batch(0);
        assert_eq!(
            batch
                .render_copies_out(&one.jobs, &HashMap::new(), Some("WIN1252"))
                .as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; SET LOCAL client_encoding = 'WIN1252'; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary)"#
        );
        let into = batch.render_copies_in(&one.jobs, &Evaluation::default(), Some("WIN1252"));
        assert!(
            into.as_str()
                .starts_with("BEGIN; SET LOCAL client_encoding = 'WIN1252'; TRUNCATE")
        );
    }

    #[test]
    fn a_batch_that_is_put_back_is_taken_again() {
        let mut copies = CopyQueue::new([job(1, 0)].into(), &HashMap::new());
        let number = copies.take_batch().unwrap();
        assert!(copies.is_reading() && copies.take_batch().is_none());
        copies.put_back(number);
        assert!(!copies.is_reading() && !copies.is_finished());
        assert_eq!(copies.take_batch(), Some(number));
    }

    #[test]
    fn formats_do_not_mix() {
        let text = CopyJob {
            format: Format::Text(Vec::new()),
            ..job(2, 10)
        };
        let copies = CopyQueue::new([job(1, 10), text, job(3, 10)].into(), &HashMap::new());
        assert_eq!(copies.batches.len(), 2);
        assert_eq!(tables(&copies, 0), [0, 2]);
        assert_eq!(copies.batch(1).format(&copies.jobs), CopyFormat::Text);
    }

    #[test]
    fn generated_columns_may_read_other_tables_which_come_first() {
        let last = |oid| CopyJob {
            comes_last: true,
            ..job(oid, 1 << 30)
        };
        let jobs = [last(1), job(2, 10), last(3), job(4, 1 << 20)];
        let mut copies = CopyQueue::new(jobs.into(), &HashMap::new());
        let first = [copies.take_batch().unwrap(), copies.take_batch().unwrap()];
        assert_eq!(copies.next_critical_path(), None);
        assert_eq!(copies.finish_batch(first[0]), [3]);
        assert!(copies.has_last() && !copies.is_finished());
        assert_eq!(copies.finish_batch(first[1]), [1]);
        assert!(!copies.has_last());
        let second = [copies.take_batch().unwrap(), copies.take_batch().unwrap()];
        assert_eq!(second.map(|number| tables(&copies, number)[0]), [0, 2]);
        for number in second {
            copies.finish_batch(number);
        }
        assert!(copies.is_finished());
    }

    #[test]
    fn the_longest_critical_path_goes_first_and_a_table_is_loaded_with_its_last_part() {
        let large = CopyJob {
            ranges: page_ranges(1 << 30, 2),
            ..job(1, 1 << 30)
        };
        let behind = HashMap::from([(Oid(2), 1 << 31)]);
        let mut copies = CopyQueue::new([large, job(2, 1 << 29)].into(), &behind);
        let order = [(); 3].map(|()| copies.take_batch().unwrap());
        assert_eq!(order.map(|number| tables(&copies, number)[0]), [1, 0, 0]);
        assert_eq!(copies.take_batch(), None);
        assert_eq!(copies.finish_batch(order[0]), [1]);
        assert_eq!(copies.finish_batch(order[2]), [0; 0]);
        assert!(!copies.is_finished());
        let whole = copies.finish_batch(order[1]);
        assert_eq!(copies.loaded_relations(&whole), [Oid(1)]);
        assert!(copies.is_finished());
    }

    #[test]
    fn partitions_behind_one_root_are_loaded_together() {
        let through = |oid| CopyJob {
            into: QualifiedName::from_catalog("s", "root"),
            ..job(oid, 10)
        };
        let mut copies = CopyQueue::new([through(1), through(2)].into(), &HashMap::new());
        let (one, other) = (copies.take_batch().unwrap(), copies.take_batch().unwrap());
        let whole = copies.finish_batch(one);
        assert_eq!(copies.loaded_relations(&whole), [Oid(0); 0]);
        let whole = copies.finish_batch(other);
        assert_eq!(copies.loaded_relations(&whole), [Oid(1), Oid(2)]);
    }
}
