//! The statements of one section, as steps for the schedule.

use std::collections::HashMap;
use std::ops::Range;

use super::schedule::step::{RequiredRows, ScheduledStep};
use crate::ddl::{Kind, NO_RELATION, Stage, Statement, Step, StepPath};
use crate::pg::QualifiedName;
use crate::snapshot::tables::Tables;

/// The statements of one section, by step.
#[derive(Clone, Debug)]
pub struct Section {
    pub(super) statements: Vec<Statement>,
    /// The statements of each step.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) steps: Vec<ScheduledStep>,
    /// The search paths of steps that need one.
    pub(super) paths: HashMap<usize, StepPath>,
    /// The tables that the last steps analyze, one each.
    pub(super) analyzed: Vec<QualifiedName>,
}

impl Section {
    /// Builds a section from the statements of a script.
    pub fn new(statements: Vec<Statement>, steps: &[Step], tables: &Tables) -> Self {
        let mut places = HashMap::new();
        let mut section = Self {
            statements: Vec::new(),
            ranges: Vec::new(),
            steps: Vec::new(),
            paths: HashMap::new(),
            analyzed: Vec::new(),
        };
        let mut begin = 0;
        for of_step in statements.chunk_by(|one, next| one.step == next.step) {
            let number = of_step[0].step;
            let range = begin..begin + of_step.len();
            begin = range.end;
            let (place, step) = (section.steps.len(), &steps[number]);
            places.insert(number, place);
            if let Some(path) = &step.search_path {
                section.paths.insert(place, path.clone());
            }
            let planned = plan_step(of_step, step, &places, tables);
            section.steps.push(planned);
            section.ranges.push(range);
        }
        section.statements = statements;
        section
    }

    /// Returns the step of a statement.
    pub(super) fn step_of(&self, statement: usize) -> usize {
        self.ranges.partition_point(|range| range.end <= statement)
    }

    /// Returns the name of a step for messages.
    pub(super) fn label(&self, step: usize) -> String {
        self.statements[self.ranges[step].start].object.to_string()
    }

    /// Returns the table that a step analyzes, if it is such a step.
    pub(super) fn analyzed_table(&self, step: usize) -> Option<&QualifiedName> {
        let definitions = self.steps.len() - self.analyzed.len();
        self.analyzed.get(step.checked_sub(definitions)?)
    }
}

fn plan_step(
    statements: &[Statement],
    step: &Step,
    places: &HashMap<usize, usize>,
    tables: &Tables,
) -> ScheduledStep {
    let kind = statements[0].kind;
    let weight = if kind == Kind::Refresh && !tables.sizes.is_empty() {
        tables.bytes(&step.reads)
    } else {
        tables.bytes(&step.scans)
    };
    ScheduledStep {
        needs: step
            .needs
            .iter()
            .filter_map(|needed| places.get(needed).copied())
            .collect(),
        stage: step.stage,
        locks: step.locks.clone(),
        reads: step.reads.clone(),
        runs_alone: step.must_run_alone,
        is_single: statements
            .iter()
            .any(|statement| statement.needs_no_transaction),
        is_compared: step.search_path.is_some(),
        // A table brings its TOAST table, sequences, types; a key its index and both tables.
        cost: 4 + 3 * statements.len() + step.needs.len() + step.locks.len(),
        weight,
        spans_tables: kind == Kind::ForeignKey,
        rows: plan_required_rows(step, tables),
    }
}

/// Plans the rows that a step waits for. A step waits for all rows if it touches no table by name, if it must
/// run alone, or if it runs code that may read any table.
fn plan_required_rows(step: &Step, tables: &Tables) -> RequiredRows {
    let touches = || step.locks.iter().chain(&step.reads).chain(&step.scans);
    let is_vague = step.must_run_alone || step.runs_code || touches().any(|of| *of == NO_RELATION);
    if is_vague || step.stage > Stage::Definitions {
        return RequiredRows::All;
    }
    RequiredRows::Of(tables.with_below(touches().copied()))
}
