//! Statistics for the planner as steps of a section: each table is analysed as soon as everything that
//! locks it is made, beside the work on others.
//!
//! They can be made again at any time, so what is refused here is told and ends nothing.

use std::collections::HashMap;

use super::schedule::{Rows, Unit};
use super::section::{Section, Tables};
use crate::ddl::{Kind, Label, Stage, Statement};
use crate::pg::Oid;
use crate::snapshot::statistics::analyze::Analyzed;
use crate::sql;

/// Bytes that `ANALYZE` reads of a table at most: 300 pages for each unit of the default statistics
/// target (manual, "ANALYZE").
const SAMPLED: u64 = 300 * 100 * 8192;

impl Section {
    /// Adds the analysis of relations. `tables` is what the section was made with.
    pub(in crate::snapshot) fn analyze(&mut self, wanted: &[Analyzed], tables: &Tables) {
        let mut touching: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (number, unit) in self.units.iter().enumerate() {
            for oid in self.shaped(number, unit) {
                touching.entry(*oid).or_default().push(number);
            }
        }
        for relation in wanted {
            let whole = tables.with_below([relation.oid].into_iter());
            let needs = whole.iter().flat_map(|oid| touching.get(oid));
            let needs: Vec<usize> = needs.flatten().copied().collect();
            let unit = self.unit_of(relation, (whole, needs), tables);
            let number = self.statements.len();
            self.analyzed.push(relation.name.clone());
            self.units.push(unit);
            self.ranges.push(number..number + 1);
            self.statements.push(Statement {
                sql: sql!("ANALYZE {}", relation.name),
                object: Label::qualified("statistics of", &relation.name),
                kind: Kind::Statistics,
                step: number,
                // Apart, the server locks partitions one by one.
                needs_no_transaction: relation.with_partitions,
                secret: false,
            });
        }
    }

    /// The relations whose statistics a step has a part in, or that it locks until then.
    fn shaped<'u>(&self, number: usize, unit: &'u Unit) -> impl Iterator<Item = &'u Oid> {
        let is_before = matches!(unit.stage, Stage::Definitions | Stage::Refresh);
        let kind = self.statements[self.ranges[number].start].kind;
        // What builds an index only reads its table, so that others may be built beside it.
        let is_index = matches!(kind, Kind::Index | Kind::Constraint | Kind::Statistics);
        let locks = unit.locks.iter().filter(move |_| is_before);
        locks.chain(unit.reads.iter().filter(move |_| is_index))
    }

    fn unit_of(
        &self,
        relation: &Analyzed,
        (whole, needs): (Vec<Oid>, Vec<usize>),
        tables: &Tables,
    ) -> Unit {
        // An index whose functions may look at any table is one whose statistics may, too.
        let runs_code = needs
            .iter()
            .any(|number| self.units[*number].rows == Rows::All);
        Unit {
            stage: Stage::Definitions,
            locks: vec![relation.oid],
            is_single: relation.with_partitions,
            cost: 8 * whole.len(),
            weight: tables.bytes(&whole).min(SAMPLED),
            rows: match runs_code {
                true => Rows::All,
                false => Rows::Of(whole),
            },
            needs,
            ..Unit::default()
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
            step,
            needs_no_transaction: false,
            secret: false,
        };
        let statements = steps.iter().enumerate().map(statement).collect();
        let steps: Vec<Step> = steps.iter().map(|(_, step)| step.clone()).collect();
        let mut section = Section::new(statements, &steps, &Tables::default());
        let relation = Analyzed {
            oid: Oid(1),
            name: QualifiedName::from_catalog("s", "t"),
            with_partitions: false,
        };
        section.analyze(&[relation], &Tables::default());
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
        let last = section.units.last().unwrap();
        assert_eq!(last.needs, [0, 1]);
        assert_eq!(last.rows, Rows::Of(vec![Oid(1)]));
        let name = QualifiedName::from_catalog("s", "t");
        assert_eq!(section.analysis(4), Some(&name));
        assert_eq!(section.analysis(3), None);
        assert_eq!(section.statements[4].sql.as_str(), r#"ANALYZE "s"."t""#);
    }

    #[test]
    fn statistics_of_what_may_look_anywhere_wait_for_all_rows() {
        let index = Step {
            runs_code: true,
            ..reading(1)
        };
        let section = section(&[(Kind::Index, index)]);
        assert_eq!(section.units[1].rows, Rows::All);
    }
}
