//! The unit of copied rows: one part of a large table, or many small tables that share one transaction and
//! its round trips.

use std::collections::{BTreeMap, HashMap};

use super::job::{CopyJob, Format};
use super::split::Range;
use crate::pg::{Literal, Oid, QualifiedName, Sql};
use crate::snapshot::evaluation::Evaluation;
use crate::sql;
use crate::wire::CopyFormat;

/// Bytes of a table up to which it shares a transaction with others.
const SMALL: u64 = 256 << 10;

/// Most bytes of the tables of one transaction: what is repeated if a connection is lost.
const BATCH: u64 = 8 << 20;

/// Most tables of one transaction: each takes a few entries of the target's lock table.
const TABLES: usize = 50;

/// One table of a batch, or one range of it; both by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CopyItem {
    pub(crate) job: usize,
    pub(crate) range: Option<usize>,
}

impl CopyItem {
    const fn whole(job: usize) -> Self {
        Self { job, range: None }
    }
}

/// Copies that share one command on each server, and one transaction on the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CopyBatch {
    pub(crate) items: Vec<CopyItem>,
}

impl CopyBatch {
    /// Returns the job and the range of each item.
    fn parts<'a>(
        &self,
        jobs: &'a [CopyJob],
    ) -> impl Iterator<Item = (&'a CopyJob, Option<&'a Range>)> {
        self.items.iter().map(|item| {
            let job = &jobs[item.job];
            (job, item.range.map(|range| &job.ranges[range]))
        })
    }

    /// Returns the tables that it reads.
    pub(crate) fn tables(&self, jobs: &[CopyJob]) -> Vec<Oid> {
        self.parts(jobs).map(|(job, _)| job.oid).collect()
    }

    /// Renders the command for the source, with the current names of renamed tables. The rollback to the
    /// savepoint releases the locks on the tables of the previous batch.
    ///
    /// # Protocol
    /// The server converts the whole command from the encoding that holds when it arrives, and the rows
    /// to the one that is set when they are sent. So names are UTF-8 in any case.
    pub(crate) fn render_copies_out(
        &self,
        jobs: &[CopyJob],
        renamed: &HashMap<Oid, QualifiedName>,
        encoding: Option<&str>,
    ) -> Sql {
        let copies = self.parts(jobs).map(|(job, range)| {
            let Some(name) = renamed.get(&job.oid) else {
                return job.render_copy_out(range);
            };
            let table = name.clone();
            CopyJob {
                table,
                ..job.clone()
            }
            .render_copy_out(range)
        });
        let (encoding, copies) = (render_set_encoding(encoding), Sql::join(copies, "; "));
        sql!("ROLLBACK TO SAVEPOINT rows; {}{}", encoding, copies)
    }

    /// Renders the command for the target, up to the commit. Binary rows contain no names that would be looked
    /// up by the search path. Text rows may, but generated columns need the path all the same.
    pub(crate) fn render_copies_in(
        &self,
        jobs: &[CopyJob],
        evaluation: &Evaluation,
        encoding: Option<&str>,
    ) -> Sql {
        let copies = self.parts(jobs).map(|(job, _)| job.render_copy_in());
        let copies = Sql::join(copies, "; ");
        let takes_path = |job: &CopyJob| {
            job.configuration.is_none() && (job.comes_last || job.format == Format::Binary)
        };
        let (encoding, path) = (
            render_set_encoding(encoding),
            evaluation.render_local_path(),
        );
        match path.filter(|_| self.parts(jobs).all(|(job, _)| takes_path(job))) {
            Some(path) => sql!("BEGIN; {}{}; {}", encoding, path, copies),
            None => sql!("BEGIN; {}{}", encoding, copies),
        }
    }

    /// Returns the format of all its copies.
    pub(crate) fn format(&self, jobs: &[CopyJob]) -> CopyFormat {
        match self.parts(jobs).next().map(|(job, _)| &job.format) {
            Some(Format::Text(_)) => CopyFormat::Text,
            Some(Format::Binary) | None => CopyFormat::Binary,
        }
    }

    /// Whether it can be repeated without asking for the result of its commit: each table is emptied first.
    pub(crate) fn is_repeatable(&self, jobs: &[CopyJob]) -> bool {
        self.parts(jobs).all(|(job, _)| job.is_repeatable())
    }

    /// Returns the table of an item.
    pub(crate) fn table_of(&self, jobs: &[CopyJob], at: usize) -> QualifiedName {
        self.job_of(jobs, at).table.clone()
    }

    /// Returns the job of an item.
    pub(crate) fn job_of<'j>(&self, jobs: &'j [CopyJob], at: usize) -> &'j CopyJob {
        let last = self.items.len().saturating_sub(1);
        &jobs[self.items[at.min(last)].job]
    }
}

/// Puts each part of a large table into a batch of its own, small tables into common ones, and all
/// configuration tables of extensions into one.
pub(crate) fn plan_batches(jobs: &[CopyJob]) -> Vec<CopyBatch> {
    let mut batches = Vec::new();
    let mut open: BTreeMap<(&'static str, bool), (CopyBatch, u64)> = BTreeMap::new();
    let is_configuration = |job: &CopyJob| job.configuration.is_some();
    for (at, job) in jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| !is_configuration(job))
    {
        if job.work() > SMALL || !job.ranges.is_empty() || !job.is_emptied() {
            let items = job.parts().enumerate();
            batches.extend(items.map(|(range, part)| CopyBatch {
                items: vec![CopyItem {
                    job: at,
                    range: part.map(|_| range),
                }],
            }));
            continue;
        }
        let (batch, bytes) = open.entry((job.format.name(), job.comes_last)).or_default();
        batch.items.push(CopyItem::whole(at));
        *bytes += job.work();
        if batch.items.len() >= TABLES || *bytes >= BATCH {
            batches.push(std::mem::take(batch));
            *bytes = 0;
        }
    }
    // Tables that refer to each other, in their order.
    let together = (0..jobs.len()).filter(|at| is_configuration(&jobs[*at]));
    let together = CopyBatch {
        items: together.map(CopyItem::whole).collect(),
    };
    let rest = open.into_values().map(|(batch, _)| batch);
    let rest = rest.chain([together]);
    batches.extend(rest.filter(|batch| !batch.items.is_empty()));
    batches
}

/// Renders the change to an encoding other than UTF-8, until the savepoint or the transaction ends.
fn render_set_encoding(encoding: Option<&str>) -> Sql {
    encoding.map_or_else(Sql::default, |encoding| {
        sql!("SET LOCAL client_encoding = {}; ", Literal(encoding))
    })
}
