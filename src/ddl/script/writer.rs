//! Writes ordered steps as statements.

use std::collections::HashMap;

use crate::catalog::Class;
use crate::catalog::model::ObjectId;
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::not_created::find_not_created;
use crate::ddl::omission::{Omission, OmissionReason};
use crate::ddl::plan::{Plan, Step as PlanStep};
use crate::ddl::statement::{NO_RELATION, Script, Statement, Step};
use crate::ddl::step_path::find_step_path;
use crate::ddl::temporary;
use crate::pg::{Oid, Sql};

/// The script of a plan in this order.
pub(super) fn write_script(context: &Context<'_>, plan: &Plan<'_>, order: &[usize]) -> Script {
    let writer = Writer {
        context,
        plan,
        script: Script::default(),
        places: HashMap::new(),
        creators: plan.find_creators(context),
    };
    writer.write_steps(order)
}

/// Writes the statements of ordered steps, and what belongs to no step.
pub(super) struct Writer<'w, 'a> {
    pub(super) context: &'w Context<'a>,
    pub(super) plan: &'w Plan<'a>,
    pub(super) script: Script,
    /// The places in the script of the steps of the plan.
    places: HashMap<usize, usize>,
    /// The step of the plan that creates each row of a catalog.
    creators: HashMap<ObjectId, usize>,
}

/// The relations that a step touches.
struct StepRelations {
    /// Those that it locks against others.
    locks: Vec<Oid>,
    /// Those that it only reads.
    reads: Vec<Oid>,
}

impl<'a> Writer<'_, 'a> {
    fn write_steps(mut self, order: &[usize]) -> Script {
        let mut attached_written = false;
        for number in order {
            let Some(step) = self.plan.step(*number) else {
                continue;
            };
            if step.object.kind().comes_last() && !attached_written {
                self.write_attached();
                attached_written = true;
            }
            self.write_step(*number, step);
        }
        if !attached_written {
            self.write_attached();
        }
        self.write_last_attached();
        self.script.omissions.extend(find_not_created(self.context));
        temporary::add_grants(self.context, &mut self.script);
        self.script
    }

    fn write_step(&mut self, number: usize, step: &PlanStep<'a>) {
        let place = self.script.steps.len();
        self.places.insert(number, place);
        let scheduled = self.describe_step(number, step);
        self.script.steps.push(scheduled);
        let exists = self.exists_already(step);
        let statements = step.object.render_statements(self.context);
        // What an extension's script has created keeps the form that this version of it gives.
        let statements = statements.into_iter().skip(usize::from(exists));
        let statements = statements.map(|sql| Statement {
            sql,
            object: step.label.clone(),
            kind: step.object.kind(),
            necessity: step.object.necessity(),
            step: place,
            needs_no_transaction: false,
            secret: step.object.is_secret(),
        });
        if number > self.plan.boundary() {
            self.script.post_data.extend(statements);
        } else {
            self.script.pre_data.extend(statements);
        }
    }

    /// What the executor must know of a step.
    fn describe_step(&self, number: usize, step: &PlanStep<'a>) -> Step {
        let kind = step.object.kind();
        let needs = self.plan.graph.needs(number).iter();
        let needs = needs.filter_map(|needed| self.places.get(needed).copied());
        let StepRelations { locks, reads } = self.find_relations(number, step);
        let scans = if kind == Kind::Refresh {
            reads.clone()
        } else {
            step.object.scanned_relations(self.context)
        };
        Step {
            needs: needs.collect(),
            stage: kind.stage(),
            locks,
            reads,
            scans,
            must_run_alone: step.object.must_run_alone(),
            runs_code: self.runs_code(step),
            search_path: find_step_path(self.context, &*step.object, number > self.plan.boundary()),
        }
    }

    fn runs_code(&self, step: &PlanStep<'a>) -> bool {
        let rows = step.object.created_rows(self.context);
        let calls = rows.iter().any(|row| self.context.calls_code(*row));
        calls || step.object.runs_code(self.context)
    }

    /// The relations of a step. To create a child or a foreign key locks the other table as well.
    fn find_relations(&self, number: usize, step: &PlanStep<'a>) -> StepRelations {
        let kind = step.object.kind();
        let mut locks = vec![
            step.object
                .locked_relation(self.context)
                .unwrap_or(NO_RELATION),
        ];
        locks.extend(step.object.further_relations(self.context));
        let mut reads = Vec::new();
        if step.object.locks_shared(self.context) {
            reads.append(&mut locks);
        }
        for needed in self.plan.graph.needs(number) {
            if let Some(needed) = self.plan.step(*needed) {
                reads.extend(needed.object.locked_relation(self.context));
            }
            if kind == Kind::Validation
                && let Some(place) = self.places.get(needed)
            {
                reads.extend(&self.script.steps[*place].locks);
            }
        }
        reads.sort_unstable();
        reads.dedup();
        if kind.locks_others() {
            locks.append(&mut reads);
        }
        locks.sort_unstable();
        locks.dedup();
        reads.retain(|read| !locks.contains(read));
        StepRelations { locks, reads }
    }

    /// The step of the plan that creates a row of a catalog.
    pub(super) fn creator(&self, class: Oid, oid: Oid) -> Option<usize> {
        self.creator_of(ObjectId::new(Class::from_oid(class)?, oid))
    }

    /// The same by the row's key.
    pub(super) fn creator_of(&self, id: ObjectId) -> Option<usize> {
        self.creators.get(&id).copied()
    }

    /// Reports something that the target does not get.
    pub(super) fn omit(&mut self, object: Label, reason: OmissionReason) {
        self.script.omissions.push(Omission { object, reason });
    }

    /// The place in the script of a step of the plan.
    pub(super) fn place(&self, number: usize) -> Option<usize> {
        self.places.get(&number).copied()
    }

    /// Adds a step that depends on the one of the plan that creates what it is about; returns its place.
    pub(super) fn push_attached(
        &mut self,
        kind: Kind,
        label: &Label,
        creator: Option<usize>,
        statements: impl IntoIterator<Item = Sql>,
    ) -> usize {
        let place = self.script.steps.len();
        let creator = creator.and_then(|number| self.places.get(&number).copied());
        let stage = creator.map(|creator| self.script.steps[creator].stage);
        self.script.steps.push(Step {
            needs: creator.into_iter().collect(),
            stage: stage.map_or(kind.stage(), |stage| stage.max(kind.stage())),
            locks: vec![NO_RELATION],
            ..Step::default()
        });
        let statements = statements.into_iter().map(|sql| Statement {
            sql,
            object: label.clone(),
            kind,
            necessity: kind.necessity(),
            step: place,
            needs_no_transaction: false,
            secret: false,
        });
        self.script.post_data.extend(statements);
        place
    }
}
