//! Statistics for the planner as steps of a section: each table is analysed as soon as everything that
//! locks it is made, beside the work on others.
//!
//! They can be made again at any time, so what is refused here is told and ends nothing.

use std::collections::HashMap;

use super::schedule::{Rows, Unit};
use super::{Section, Tables};
use crate::ddl::{Kind, Label, Stage, Statement};
use crate::pg::Oid;
use crate::snapshot::analysis::Analyzed;
use crate::sql;

/// Bytes that `ANALYZE` reads of a table at most: 300 pages for each unit of the default statistics
/// target (manual, "ANALYZE").
const SAMPLED: u64 = 300 * 100 * 8192;

impl Section {
    /// Adds the analysis of relations. `tables` is what the section was made with.
    pub(in crate::snapshot) fn analyze(&mut self, wanted: &[Analyzed], tables: &Tables) {
        let mut touching: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (number, unit) in self.units.iter().enumerate() {
            let is_before = matches!(unit.stage, Stage::Definitions | Stage::Refresh);
            for oid in unit.locks.iter().filter(|_| is_before) {
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
