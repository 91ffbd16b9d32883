//! `ANALYZE` as steps of a section: each table is analyzed as soon as everything that locks it is created,
//! while other tables are still worked on.
//!
//! Statistics can be created again at any time, so a refusal is only reported.

use std::collections::HashMap;

use super::schedule::step::{RequiredRows, ScheduledStep};
use super::section::Section;
use crate::ddl::{Kind, Label, Necessity, Stage, Statement};
use crate::pg::Oid;
use crate::snapshot::statistics::plan::AnalyzedRelation;
use crate::snapshot::tables::Tables;
use crate::sql;

/// Bytes that `ANALYZE` reads of a table at most: 300 pages for each unit of the default statistics
/// target (manual, "ANALYZE").
const SAMPLED: u64 = 300 * 100 * 8192;

impl Section {
    /// Adds the analysis of relations. `tables` is what the section was built with.
    pub(crate) fn add_analyze(&mut self, relations: &[AnalyzedRelation], tables: &Tables) {
        let mut touching: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (number, step) in self.steps.iter().enumerate() {
            for oid in self.relations_before(number, step) {
                touching.entry(*oid).or_default().push(number);
            }
        }
        for relation in relations {
            let whole = tables.with_below([relation.oid].into_iter());
            let needs = whole.iter().flat_map(|oid| touching.get(oid));
            let needs: Vec<usize> = needs.flatten().copied().collect();
            let step = ScheduledStep {
                stage: Stage::Definitions,
                locks: vec![relation.oid],
                is_single: relation.with_partitions,
                cost: 8 * whole.len(),
                weight: tables.bytes(&whole).min(SAMPLED),
                rows: self.required_rows(&needs, whole),
                needs,
                ..ScheduledStep::default()
            };
            let number = self.statements.len();
            self.analyzed.push(relation.name.clone());
            self.steps.push(step);
            self.ranges.push(number..number + 1);
            self.statements.push(Statement {
                sql: sql!("ANALYZE {}", relation.name),
                object: Label::qualified("statistics of", &relation.name),
                kind: Kind::Statistics,
                necessity: Necessity::Optional,
                step: number,
                // Apart, the server locks partitions one by one.
                needs_no_transaction: relation.with_partitions,
                secret: false,
            });
        }
    }

    /// Returns the relations that are analyzed after this step: it changes their statistics, or locks them.
    fn relations_before<'s>(
        &self,
        number: usize,
        step: &'s ScheduledStep,
    ) -> impl Iterator<Item = &'s Oid> {
        let is_before = matches!(step.stage, Stage::Definitions | Stage::Refresh);
        let kind = self.statements[self.ranges[number].start].kind;
        // What builds an index only reads its table, so that others may be built beside it.
        let is_index = matches!(kind, Kind::Index | Kind::Constraint | Kind::Statistics);
        let locks = step.locks.iter().filter(move |_| is_before);
        locks.chain(step.reads.iter().filter(move |_| is_index))
    }

    /// Returns the rows that the analysis waits for. An index whose functions may read any table is one whose
    /// statistics may, too.
    fn required_rows(&self, needs: &[usize], relations: Vec<Oid>) -> RequiredRows {
        let mut needed = needs.iter().map(|number| &self.steps[*number]);
        match needed.any(|step| step.rows == RequiredRows::All) {
            true => RequiredRows::All,
            false => RequiredRows::Of(relations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ddl::Step;
    use crate::pg::QualifiedName;

    /// A section of steps of one statement each, and the analysis of the relation 1.
    fn section(steps: &[(Kind, Step)]) -> Section {
        let statement = |(step, (kind, _)): (usize, &(Kind, Step))| Statement {
            sql: sql!("SELECT {}", step),
            object: Label::qualified("object", &QualifiedName::from_catalog("s", "o")),
            kind: *kind,
            necessity: Necessity::Optional,
            step,
            needs_no_transaction: false,
            secret: false,
        };
        let statements = steps.iter().enumerate().map(statement).collect();
        let steps: Vec<Step> = steps.iter().map(|(_, step)| step.clone()).collect();
        let mut section = Section::new(statements, &steps, &Tables::default());
        let relation = AnalyzedRelation {
            oid: Oid(1),
            name: QualifiedName::from_catalog("s", "t"),
            with_partitions: false,
        };
        section.add_analyze(&[relation], &Tables::default());
        section
    }

    fn locking(oid: u32) -> Step {
        Step {
            locks: vec![Oid(oid)],
            ..Step::default()
        }
    }

    fn reading(oid: u32) -> Step {
        Step {
            reads: vec![Oid(oid)],
            ..Step::default()
        }
    }

    #[test]
    fn a_table_is_analysed_after_what_locks_it_and_its_indexes() {
        let section = section(&[
            (Kind::Index, reading(1)),
            (Kind::Trigger, locking(1)),
            (Kind::Validation, reading(1)),
            (Kind::Index, reading(2)),
        ]);
        let last = section.steps.last().unwrap();
        assert_eq!(last.needs, [0, 1]);
        assert_eq!(last.rows, RequiredRows::Of(vec![Oid(1)]));
        let name = QualifiedName::from_catalog("s", "t");
        assert_eq!(section.analyzed_table(4), Some(&name));
        assert_eq!(section.analyzed_table(3), None);
        assert_eq!(section.statements[4].sql.as_str(), r#"ANALYZE "s"."t""#);
    }

    #[test]
    fn statistics_of_what_may_look_anywhere_wait_for_all_rows() {
        let index = Step {
            runs_code: true,
            ..reading(1)
        };
        let section = section(&[(Kind::Index, index)]);
        assert_eq!(section.steps[1].rows, RequiredRows::All);
    }
}
