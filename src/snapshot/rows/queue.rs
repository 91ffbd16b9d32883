//! What the lanes copy next, and which tables have all their rows: pure.
//!
//! The unit of work is the [`Parcel`]: one part of a large table, or many small tables that share
//! one transaction and its round trips. Parcels go in the order of their chains: their own bytes
//! and the longest work that waits for their tables' rows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::plan::{CopyJob, Format};
use super::split::Range;
use crate::pg::{Literal, Oid, QualifiedName, Sql};
use crate::snapshot::evaluation::Evaluation;
use crate::sql;
use crate::wire::CopyFormat;

/// Bytes of a table up to which it shares a transaction with others.
const SMALL: u64 = 256 << 10;

/// Bytes of the tables of one transaction at most: what has to be repeated when a lane is lost.
const PARCEL: u64 = 8 << 20;

/// Tables of one transaction at most: each takes a few entries of the target's lock table.
const TABLES: usize = 50;

/// Copies that go together: one command on either side, one transaction on the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::snapshot) struct Parcel {
    /// Which table, and which of its ranges, if it has some; each by its place.
    pub(in crate::snapshot) pieces: Vec<(usize, Option<usize>)>,
}

/// All copies of a database, and how far each is.
#[derive(Debug)]
pub(in crate::snapshot) struct Copies {
    jobs: Arc<[CopyJob]>,
    parcels: Vec<Parcel>,
    /// Parcels that nobody has taken, the longest chains first.
    waiting: BTreeSet<(Reverse<u64>, usize)>,
    chains: Vec<u64>,
    /// Parcels that wait until all others have arrived.
    last: BTreeSet<(Reverse<u64>, usize)>,
    under_way: usize,
    /// Parts of a table that have not arrived.
    left: Vec<usize>,
    /// For tables that are written through another: parts of all of those.
    shared: HashMap<QualifiedName, (usize, Vec<Oid>)>,
}

impl Copies {
    /// The copies of these tables, of which `behind` tells the longest work that waits for each.
    pub(in crate::snapshot) fn new(jobs: Arc<[CopyJob]>, behind: &HashMap<Oid, u64>) -> Self {
        let chain = |job: &CopyJob| job.bytes + behind.get(&job.oid).copied().unwrap_or(0);
        let parcels = parcels(&jobs);
        let chains: Vec<u64> = parcels
            .iter()
            .map(|parcel| {
                let tables = parcel.pieces.iter().map(|(job, _)| chain(&jobs[*job]));
                tables.max().unwrap_or(0)
            })
            .collect();
        let mut shared: HashMap<QualifiedName, (usize, Vec<Oid>)> = HashMap::new();
        for job in jobs.iter().filter(|job| job.into != job.table) {
            let (parts, tables) = shared.entry(job.into.clone()).or_default();
            *parts += job.parts().count();
            tables.push(job.oid);
        }
        let comes_last = |at: usize| {
            let mut pieces = parcels[at].pieces.iter();
            pieces.any(|(job, _)| jobs[*job].comes_last)
        };
        let ordered = chains.iter().enumerate();
        let ordered = ordered.map(|(at, chain)| (Reverse(*chain), at));
        let (last, waiting) = ordered.partition(|(_, at)| comes_last(*at));
        let mut copies = Self {
            waiting,
            last,
            chains,
            left: jobs.iter().map(|job| job.parts().count()).collect(),
            parcels,
            jobs,
            under_way: 0,
            shared,
        };
        copies.free_last();
        copies
    }

    /// Lets the last parcels go once all others have arrived.
    fn free_last(&mut self) {
        if self.waiting.is_empty() && self.under_way == 0 {
            self.waiting = std::mem::take(&mut self.last);
        }
    }

    /// Whether parcels wait until all others have arrived.
    pub(in crate::snapshot) fn has_last(&self) -> bool {
        !self.last.is_empty()
    }

    /// The chain of the parcel that comes next, if one waits.
    pub(in crate::snapshot) fn next_chain(&self) -> Option<u64> {
        self.waiting.first().map(|(chain, _)| chain.0)
    }

    /// Takes the next parcel, by its number.
    pub(in crate::snapshot) fn take(&mut self) -> Option<usize> {
        let (_, number) = self.waiting.pop_first()?;
        self.under_way += 1;
        Some(number)
    }

    /// Returns a parcel that was taken.
    pub(in crate::snapshot) fn put_back(&mut self, number: usize) {
        self.waiting.insert((Reverse(self.chains[number]), number));
        self.under_way -= 1;
    }

    /// A parcel by its number.
    pub(in crate::snapshot) fn parcel(&self, number: usize) -> &Parcel {
        &self.parcels[number]
    }

    /// A parcel is committed; the tables that now have all their rows, by place.
    pub(in crate::snapshot) fn done(&mut self, number: usize) -> Vec<usize> {
        self.under_way -= 1;
        self.free_last();
        let mut whole = Vec::new();
        for (job, _) in &self.parcels[number].pieces {
            self.left[*job] -= 1;
            if self.left[*job] == 0 {
                whole.push(*job);
            }
            if let Some((parts, _)) = self.shared.get_mut(&self.jobs[*job].into) {
                *parts -= 1;
            }
        }
        whole
    }

    /// The relations that nothing more is written to, of tables that have all their rows. Rows that
    /// are written through a partitioned table may go to any of its partitions.
    pub(in crate::snapshot) fn landed(&self, whole: &[usize]) -> Vec<Oid> {
        let mut landed = Vec::new();
        for job in whole.iter().map(|job| &self.jobs[*job]) {
            match self.shared.get(&job.into) {
                Some((0, tables)) => landed.extend(tables),
                Some(_) => {}
                None => landed.push(job.oid),
            }
        }
        landed
    }

    /// Whether somebody copies a parcel.
    pub(in crate::snapshot) fn is_reading(&self) -> bool {
        self.under_way > 0
    }

    /// Whether all rows have arrived.
    pub(in crate::snapshot) fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.last.is_empty() && self.under_way == 0
    }
}

/// Parts of large tables each for itself, small tables together, and all configuration tables of
/// extensions together.
fn parcels(jobs: &[CopyJob]) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    let mut open: BTreeMap<(&'static str, bool), (Parcel, u64)> = BTreeMap::new();
    let is_configuration = |job: &CopyJob| job.configuration.is_some();
    for (at, job) in jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| !is_configuration(job))
    {
        if job.bytes > SMALL || !job.ranges.is_empty() || !job.empties() {
            let pieces = job.parts().enumerate();
            parcels.extend(pieces.map(|(range, part)| Parcel {
                pieces: vec![(at, part.map(|_| range))],
            }));
            continue;
        }
        let (parcel, bytes) = open.entry((job.format.name(), job.comes_last)).or_default();
        parcel.pieces.push((at, None));
        *bytes += job.bytes;
        if parcel.pieces.len() >= TABLES || *bytes >= PARCEL {
            parcels.push(std::mem::take(parcel));
            *bytes = 0;
        }
    }
    // Tables that refer to each other, in their order.
    let together = (0..jobs.len()).filter(|at| is_configuration(&jobs[*at]));
    let together = Parcel {
        pieces: together.map(|at| (at, None)).collect(),
    };
    let rest = open.into_values().map(|(parcel, _)| parcel);
    let rest = rest.chain([together]);
    parcels.extend(rest.filter(|parcel| !parcel.pieces.is_empty()));
    parcels
}

impl Parcel {
    /// Its pieces with what they are pieces of.
    fn parts<'a>(
        &self,
        jobs: &'a [CopyJob],
    ) -> impl Iterator<Item = (&'a CopyJob, Option<&'a Range>)> {
        self.pieces.iter().map(|(job, range)| {
            let job = &jobs[*job];
            (job, range.map(|range| &job.ranges[range]))
        })
    }

    /// The tables that it reads.
    pub(in crate::snapshot) fn tables(&self, jobs: &[CopyJob]) -> Vec<Oid> {
        self.parts(jobs).map(|(job, _)| job.oid).collect()
    }

    /// The command for the source, with the names of now for tables that have another one. The savepoint
    /// gives back the locks of what was read before.
    ///
    /// # Protocol
    /// The server converts the whole command from the encoding that holds when it arrives, and the rows
    /// to the one that holds when they are sent. So names are UTF-8, whatever the rows are.
    pub(in crate::snapshot) fn copies_out(
        &self,
        jobs: &[CopyJob],
        renamed: &HashMap<Oid, QualifiedName>,
        encoding: Option<&str>,
    ) -> Sql {
        let copies = self.parts(jobs).map(|(job, range)| {
            let Some(name) = renamed.get(&job.oid) else {
                return job.copy_out(range);
            };
            let table = name.clone();
            CopyJob {
                table,
                ..job.clone()
            }
            .copy_out(range)
        });
        let (encoding, copies) = (set_encoding(encoding), Sql::join(copies, "; "));
        sql!("ROLLBACK TO SAVEPOINT rows; {}{}", encoding, copies)
    }

    /// The command for the target, up to the commit. Rows in binary name no objects that would be
    /// looked up by the path; rows as text may, but for generated columns it must be set all the same.
    pub(in crate::snapshot) fn copies_in(
        &self,
        jobs: &[CopyJob],
        evaluation: &Evaluation,
        encoding: Option<&str>,
    ) -> Sql {
        let copies = self.parts(jobs).map(|(job, _)| job.copy_in());
        let copies = Sql::join(copies, "; ");
        let takes_path = |job: &CopyJob| {
            job.configuration.is_none() && (job.comes_last || job.format == Format::Binary)
        };
        let (encoding, path) = (set_encoding(encoding), evaluation.local_path());
        match path.filter(|_| self.parts(jobs).all(|(job, _)| takes_path(job))) {
            Some(path) => sql!("BEGIN; {}{}; {}", encoding, path, copies),
            None => sql!("BEGIN; {}{}", encoding, copies),
        }
    }

    /// The format of all its copies.
    pub(in crate::snapshot) fn format(&self, jobs: &[CopyJob]) -> CopyFormat {
        match self.parts(jobs).next().map(|(job, _)| &job.format) {
            Some(Format::Text(_)) => CopyFormat::Text,
            Some(Format::Binary) | None => CopyFormat::Binary,
        }
    }

    /// Whether it can be repeated without a look at what became of it: each table is emptied first.
    pub(in crate::snapshot) fn is_repeatable(&self, jobs: &[CopyJob]) -> bool {
        self.parts(jobs).all(|(job, _)| job.is_repeatable())
    }
}

/// Lets rows pass in an encoding other than UTF-8, until the savepoint or the transaction ends.
fn set_encoding(encoding: Option<&str>) -> Sql {
    encoding.map_or_else(Sql::default, |encoding| {
        sql!("SET LOCAL client_encoding = {}; ", Literal(encoding))
    })
}

#[cfg(test)]
mod tests {
    use super::super::configuration::Configuration;
    use super::super::split::page_ranges;
    use super::*;
    use crate::pg::Ident;

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
            predicate: None,
            comes_last: false,
            in_chunks: false,
            bytes,
            heap_bytes: bytes,
            ranges: Vec::new(),
        }
    }

    fn tables(copies: &Copies, number: usize) -> Vec<usize> {
        let pieces = &copies.parcel(number).pieces;
        pieces.iter().map(|(job, _)| *job).collect()
    }

    #[test]
    fn small_tables_share_a_command_and_a_transaction() {
        let copies = Copies::new(
            (0..120).map(|oid| job(oid, 1000)).collect(),
            &HashMap::new(),
        );
        let counts: Vec<_> = (0..copies.parcels.len())
            .map(|number| tables(&copies, number).len())
            .collect();
        assert_eq!(counts, [50, 50, 20]);
        let two = Copies::new([job(1, 0), job(2, 0)].into(), &HashMap::new());
        let parcel = two.parcel(0);
        assert_eq!(
            parcel.copies_out(&two.jobs, &HashMap::new(), None).as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary); COPY "s"."t2" ("a") TO STDOUT (FORMAT binary)"#
        );
        let renamed = [(Oid(2), QualifiedName::from_catalog("now", "t2"))].into();
        assert_eq!(
            parcel.copies_out(&two.jobs, &renamed, None).as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary); COPY "now"."t2" ("a") TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(
            parcel
                .copies_in(&two.jobs, &Evaluation::default(), None)
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
        let copies = Copies::new(jobs.into(), &HashMap::new());
        assert_eq!(copies.parcels.len(), 2);
        let parcel = copies.parcel(1);
        assert!(parcel.is_repeatable(&copies.jobs));
        assert_eq!(
            parcel
                .copies_in(&copies.jobs, &Evaluation::default(), None)
                .as_str(),
            r#"BEGIN; DELETE FROM ONLY t; COPY "s"."t3" ("a") FROM STDIN (FORMAT binary); COPY "s"."t2" ("a") FROM STDIN (FORMAT binary)"#
        );
    }

    #[test]
    fn rows_of_another_encoding_pass_unchanged() {
        let one = Copies::new([job(1, 0)].into(), &HashMap::new());
        let parcel = one.parcel(0);
        assert_eq!(
            parcel
                .copies_out(&one.jobs, &HashMap::new(), Some("WIN1252"))
                .as_str(),
            r#"ROLLBACK TO SAVEPOINT rows; SET LOCAL client_encoding = 'WIN1252'; COPY "s"."t1" ("a") TO STDOUT (FORMAT binary)"#
        );
        let into = parcel.copies_in(&one.jobs, &Evaluation::default(), Some("WIN1252"));
        assert!(
            into.as_str()
                .starts_with("BEGIN; SET LOCAL client_encoding = 'WIN1252'; TRUNCATE")
        );
    }

    #[test]
    fn what_is_put_back_is_taken_again() {
        let mut copies = Copies::new([job(1, 0)].into(), &HashMap::new());
        let number = copies.take().unwrap();
        assert!(copies.is_reading() && copies.take().is_none());
        copies.put_back(number);
        assert!(!copies.is_reading() && !copies.is_finished());
        assert_eq!(copies.take(), Some(number));
    }

    #[test]
    fn formats_do_not_mix() {
        let text = CopyJob {
            format: Format::Text(Vec::new()),
            ..job(2, 10)
        };
        let copies = Copies::new([job(1, 10), text, job(3, 10)].into(), &HashMap::new());
        assert_eq!(copies.parcels.len(), 2);
        assert_eq!(tables(&copies, 0), [0, 2]);
        assert_eq!(copies.parcel(1).format(&copies.jobs), CopyFormat::Text);
    }

    #[test]
    fn generated_columns_may_read_other_tables_which_come_first() {
        let last = |oid| CopyJob {
            comes_last: true,
            ..job(oid, 1 << 30)
        };
        let jobs = [last(1), job(2, 10), last(3), job(4, 1 << 20)];
        let mut copies = Copies::new(jobs.into(), &HashMap::new());
        let first = [copies.take().unwrap(), copies.take().unwrap()];
        assert_eq!(copies.next_chain(), None);
        assert_eq!(copies.done(first[0]), [3]);
        assert!(copies.has_last() && !copies.is_finished());
        assert_eq!(copies.done(first[1]), [1]);
        assert!(!copies.has_last());
        let second = [copies.take().unwrap(), copies.take().unwrap()];
        assert_eq!(second.map(|number| tables(&copies, number)[0]), [0, 2]);
        for number in second {
            copies.done(number);
        }
        assert!(copies.is_finished());
    }

    #[test]
    fn the_longest_chain_goes_first_and_a_table_lands_with_its_last_part() {
        let large = CopyJob {
            ranges: page_ranges(1 << 30, 2),
            ..job(1, 1 << 30)
        };
        let behind = HashMap::from([(Oid(2), 1 << 31)]);
        let mut copies = Copies::new([large, job(2, 1 << 29)].into(), &behind);
        let order = [(); 3].map(|()| copies.take().unwrap());
        assert_eq!(order.map(|number| tables(&copies, number)[0]), [1, 0, 0]);
        assert_eq!(copies.take(), None);
        assert_eq!(copies.done(order[0]), [1]);
        assert_eq!(copies.done(order[2]), [0; 0]);
        assert!(!copies.is_finished());
        let whole = copies.done(order[1]);
        assert_eq!(copies.landed(&whole), [Oid(1)]);
        assert!(copies.is_finished());
    }

    #[test]
    fn partitions_behind_one_root_land_together() {
        let through = |oid| CopyJob {
            into: QualifiedName::from_catalog("s", "root"),
            ..job(oid, 10)
        };
        let mut copies = Copies::new([through(1), through(2)].into(), &HashMap::new());
        let (one, other) = (copies.take().unwrap(), copies.take().unwrap());
        let whole = copies.done(one);
        assert_eq!(copies.landed(&whole), [Oid(0); 0]);
        let whole = copies.done(other);
        assert_eq!(copies.landed(&whole), [Oid(1), Oid(2)]);
    }
}
