//! From the model to the script.

mod kept;

use std::cell::RefCell;
use std::collections::HashMap;

use super::context::{Context, Lookup, Placements};
use super::not_created::omissions;
use super::object::comment::render_comment;
use super::object::grant::{LeftOutReason, Rendered, render_default_privileges, render_grants};
use super::object::refused_operators;
use super::plan::{Plan, Step as PlanStep};
use super::removed_features;
use super::repair::repair;
use super::statement::{
    Kind, Label, NO_RELATION, Omission, OmissionReason, Script, Statement, Step,
};
use super::step_path::step_path;
use super::temporary;
use super::{Error, Options};
use crate::catalog::acl::{AclName, ObjectAcl};
use crate::catalog::comment::{Comment, CommentTarget};
use crate::catalog::model::{LabelOwner, ObjectId, SecurityLabel};
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Literal, Oid, Sql};
use crate::sql;

/// Loops are repaired in rounds: what one repair moves may close another loop. No schema needs
/// more than a handful; the limit only guards against repairs that undo each other.
const MAX_ROUNDS: usize = 100;

/// The statements that make what a catalog holds, in an order that works. The same catalog gives
/// the same script.
///
/// # Errors
/// Objects need each other in a way that no order and no known repair satisfies, or the target's
/// version lacks a kind of object.
pub fn script(catalog: &Catalog, options: &Options) -> Result<Script, Error> {
    let lookup = Lookup::new(catalog);
    let mut placements = Placements::new();
    for _ in 0..MAX_ROUNDS {
        let owners = RefCell::default();
        let context = Context {
            catalog,
            options,
            lookup: &lookup,
            placements: &placements,
            owners: &owners,
        };
        let operators = refused_operators(&context);
        if !operators.is_empty() {
            return Err(Error::PostfixOperators { operators });
        }
        let objects = removed_features::refused(&context);
        if !objects.is_empty() {
            return Err(Error::TooOld { objects });
        }
        match attempt(&context)? {
            Attempt::Ordered(script) => {
                return Ok(Script {
                    owners: owners.into_inner(),
                    ..script
                });
            }
            Attempt::Loops(moved) => placements = moved,
        }
    }
    Err(Error::Loop {
        objects: Vec::new(),
    })
}

enum Attempt {
    /// There is an order.
    Ordered(Script),
    /// There are loops, which these placements break.
    Loops(Placements),
}

fn attempt(context: &Context<'_>) -> Result<Attempt, Error> {
    let plan = Plan::new(context);
    Ok(match plan.graph.order() {
        Some(order) => Attempt::Ordered(Writer::new(context, &plan).write(&order)),
        None => Attempt::Loops(repaired(&plan, context)?),
    })
}

/// The placements that break every loop of a plan.
fn repaired(plan: &Plan<'_>, context: &Context<'_>) -> Result<Placements, Error> {
    let mut placements = context.placements.clone();
    for group in plan.graph.loops() {
        if !repair(plan, context, &group, &mut placements) {
            let steps = group.iter().filter_map(|number| plan.step(*number));
            return Err(Error::Loop {
                objects: steps.map(|step| step.label.clone()).collect(),
            });
        }
    }
    Ok(placements)
}

/// Writes the statements of ordered steps, and what belongs to no step.
struct Writer<'w, 'a> {
    context: &'w Context<'a>,
    plan: &'w Plan<'a>,
    script: Script,
    /// Where the steps of the plan stand in the script.
    places: HashMap<usize, usize>,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(context: &'w Context<'a>, plan: &'w Plan<'a>) -> Self {
        Self {
            context,
            plan,
            script: Script::default(),
            places: HashMap::new(),
        }
    }

    fn write(mut self, order: &[usize]) -> Script {
        let makers = self.plan.makers(self.context);
        let mut attached_written = false;
        for number in order {
            let Some(step) = self.plan.step(*number) else {
                continue;
            };
            if comes_last(step.object.kind()) && !attached_written {
                self.write_attached(&makers);
                attached_written = true;
            }
            self.write_step(*number, step);
        }
        if !attached_written {
            self.write_attached(&makers);
        }
        self.write_last_attached(&makers);
        self.script.omissions.extend(omissions(self.context));
        temporary::lend(self.context, &mut self.script);
        self.script
    }

    fn write_step(&mut self, number: usize, step: &PlanStep<'a>) {
        let kind = step.object.kind();
        let place = self.script.steps.len();
        self.places.insert(number, place);
        let needs = self.plan.graph.needs(number).iter();
        let needs: Vec<usize> = needs
            .filter_map(|needed| self.places.get(needed).copied())
            .collect();
        let (locks, reads) = self.relations(number, step);
        let scans = if kind == Kind::Refresh {
            reads.clone()
        } else {
            step.object.scans(self.context)
        };
        self.script.steps.push(Step {
            needs,
            stage: kind.stage(),
            locks,
            reads,
            scans,
            must_run_alone: step.object.must_run_alone(),
            runs_code: self.runs_code(step),
            search_path: step_path(self.context, &*step.object, number > self.plan.boundary()),
        });
        let exists = self.exists_already(step);
        let statements = step.object.statements(self.context);
        // What an extension's script has created keeps the form that this version of it gives.
        let statements = statements.into_iter().skip(usize::from(exists));
        let statements = statements.map(|sql| Statement {
            sql,
            object: step.label.clone(),
            kind,
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

    fn runs_code(&self, step: &PlanStep<'a>) -> bool {
        let rows = step.object.rows(self.context);
        let calls = rows.iter().any(|row| self.context.calls_code(*row));
        calls || step.object.runs_code(self.context)
    }

    /// The relations that a step locks against others, and those it only reads. To make a child
    /// or a foreign key locks the other table as well.
    fn relations(&self, number: usize, step: &PlanStep<'a>) -> (Vec<Oid>, Vec<Oid>) {
        let kind = step.object.kind();
        let mut locks = vec![step.object.relation(self.context).unwrap_or(NO_RELATION)];
        locks.extend(step.object.further_relations(self.context));
        let mut others = Vec::new();
        if step.object.locks_shared(self.context) {
            others.append(&mut locks);
        }
        for needed in self.plan.graph.needs(number) {
            if let Some(needed) = self.plan.step(*needed) {
                others.extend(needed.object.relation(self.context));
            }
            if kind == Kind::Validation
                && let Some(place) = self.places.get(needed)
            {
                others.extend(&self.script.steps[*place].locks);
            }
        }
        others.sort_unstable();
        others.dedup();
        let locks_others = matches!(kind, Kind::Table | Kind::Attach | Kind::ForeignKey);
        if locks_others {
            locks.append(&mut others);
        }
        locks.sort_unstable();
        locks.dedup();
        others.retain(|other| !locks.contains(other));
        (locks, others)
    }

    /// Comments and privileges: after everything that they are about, and before materialized
    /// views are filled, which their owners may need privileges for.
    fn write_attached(&mut self, makers: &HashMap<ObjectId, usize>) {
        self.write_returned();
        let maker = |class: Oid, oid: Oid| {
            let class = Class::from_oid(class)?;
            makers.get(&ObjectId::new(class, oid)).copied()
        };
        if self.context.options.carried.comments {
            self.write_comments(makers, |kind| !comes_last(kind));
        }
        self.write_labels(makers, |kind| !comes_last(kind));
        if self.context.options.carried.privileges {
            for acl in &self.context.catalog.acls {
                let maker = maker(acl.class, acl.oid);
                if (acl.is_system || maker.is_some()) && !self.keeps_privileges(acl) {
                    self.write_grants(acl, maker);
                }
            }
            self.write_default_privileges(makers);
        }
    }

    /// Comments on and labels of what comes after the others'.
    fn write_last_attached(&mut self, makers: &HashMap<ObjectId, usize>) {
        if self.context.options.carried.comments {
            self.write_comments(makers, comes_last);
        }
        self.write_labels(makers, comes_last);
    }

    /// Security labels of what steps of the chosen kinds make; roles, the database and what
    /// belongs to extensions stand there already.
    fn write_labels(&mut self, makers: &HashMap<ObjectId, usize>, chosen: fn(Kind) -> bool) {
        if !self.context.options.carried.security_labels {
            return;
        }
        let context = *self.context;
        for label in &context.catalog.labels {
            let id = Class::from_oid(label.class).map(|class| ObjectId::new(class, label.oid));
            let maker = id.and_then(|id| makers.get(&id).copied());
            let kind = maker
                .and_then(|number| self.plan.step(number))
                .map_or(Kind::Schema, |step| step.object.kind());
            if chosen(kind) {
                self.write_label(label, maker);
            }
        }
    }

    fn write_label(&mut self, label: &SecurityLabel, maker: Option<usize>) {
        let name = Label::plain(
            "security label of",
            &Ident::from_catalog(label.object.as_str()),
        );
        if let Some(reason) = self.no_label(label, maker.is_some()) {
            let object = name;
            self.script.omissions.push(Omission { object, reason });
            return;
        }
        let object = match &label.role {
            Some(role) => sql!("ROLE {}", self.context.role(role)),
            None => label.object.clone(),
        };
        let sql = sql!(
            "SECURITY LABEL FOR {} ON {} IS {}",
            Ident::from_catalog(label.provider.as_str()),
            object,
            Literal(&label.label)
        );
        self.push_attached(Kind::SecurityLabel, &name, maker, [sql]);
    }

    /// Why a label is not set. Roles, the database, what belongs to extensions and, with the rows,
    /// large objects stand there without a step that makes them.
    fn no_label(&self, label: &SecurityLabel, is_made: bool) -> Option<OmissionReason> {
        let Options { target, carried } = self.context.options;
        let is_there = match label.owner() {
            LabelOwner::Role => {
                let mut role = label.role.iter();
                role.any(|role| self.context.has_role(role))
            }
            LabelOwner::Database => true,
            LabelOwner::Object(id) if id.class == Class::LargeObject => carried.rows,
            LabelOwner::Object(id) => is_made || self.context.catalog.members.contains_key(&id),
            LabelOwner::Other => false,
        };
        if !is_there {
            return Some(OmissionReason::NotMade);
        }
        target
            .missing_label_providers
            .contains(&label.provider)
            .then(|| OmissionReason::NoLabelProvider(label.provider.clone()))
    }

    /// In the order of the steps that make what they are about; `chosen` says whose.
    fn write_comments(&mut self, makers: &HashMap<ObjectId, usize>, chosen: fn(Kind) -> bool) {
        let tables = &self.context.catalog.tables;
        let maker = |comment: &Comment| {
            let class = Class::from_oid(comment.class)?;
            let maker = makers.get(&ObjectId::new(class, comment.oid));
            let CommentTarget::Trigger(_, name) = &comment.target else {
                return maker.copied();
            };
            // The trigger of a partition comes with that of the table above.
            let partition = || makers.get(&tables.iter().find(|table| table.name == *name)?.id);
            maker.or_else(partition).copied()
        };
        let mut comments: Vec<(usize, i32, Sql)> = Vec::new();
        for comment in &self.context.catalog.comments {
            if let Some(number) = maker(comment)
                && !self.keeps_comment(comment)
                && let Some(sql) = render_comment(comment, self.context.target())
            {
                comments.push((number, comment.attnum, sql));
            }
        }
        comments.sort();
        for (number, _, sql) in comments {
            if let Some(step) = self.plan.step(number)
                && chosen(step.object.kind())
            {
                self.push_attached(Kind::Comment, &step.label, Some(number), [sql]);
            }
        }
    }

    /// What was lent to owners so that they could get their objects is taken back.
    fn write_returned(&mut self) {
        if let Some(sql) = temporary::returned(self.context) {
            self.push_attached(Kind::Acl, &temporary::label(), None, [sql]);
        }
    }

    fn write_grants(&mut self, acl: &ObjectAcl, maker: Option<usize>) {
        let label = privileges_label(acl);
        let acl = self.context.on_target(acl);
        let target = &self.context.options.target;
        let rendered = render_grants(&acl, target);
        let grantors = acl.actors().into_iter().filter(|role| target.reaches(role));
        self.script.grantors.extend(grantors.cloned());
        self.push_rendered(Kind::Acl, &label, maker, rendered);
    }

    fn write_default_privileges(&mut self, makers: &HashMap<ObjectId, usize>) {
        let Options { target, carried } = self.context.options;
        for default in &self.context.catalog.default_acls {
            let default = carried.role_map.default_acl(default);
            if target.reaches(&default.role) {
                self.script.grantors.insert(default.role.clone());
            }
            let rendered = render_default_privileges(&default, target);
            let label = Label::plain("default privileges of role", &default.role);
            let mut schemas = self.context.catalog.schemas.iter();
            let schema = schemas.find(|schema| Some(&schema.name) == default.schema.as_ref());
            let maker = schema.and_then(|schema| makers.get(&schema.id).copied());
            self.push_rendered(Kind::DefaultAcl, &label, maker, rendered);
        }
    }

    fn push_rendered(
        &mut self,
        kind: Kind,
        label: &Label,
        maker: Option<usize>,
        rendered: Rendered,
    ) {
        for left_out in rendered.left_out {
            let reason = match left_out.reason {
                LeftOutReason::NoSuchRole(role) => OmissionReason::NoSuchRole(role),
                LeftOutReason::OutOfReach(role) => OmissionReason::OutOfReach(role),
                LeftOutReason::NoSuchPrivilege(privilege) => {
                    OmissionReason::NoSuchPrivilege(privilege)
                }
            };
            let object = label.clone();
            self.script.omissions.push(Omission { object, reason });
        }
        self.push_attached(kind, label, maker, rendered.statements);
    }

    /// Adds a step that needs the one of the plan that makes what it is about.
    fn push_attached(
        &mut self,
        kind: Kind,
        label: &Label,
        maker: Option<usize>,
        statements: impl IntoIterator<Item = Sql>,
    ) {
        let place = self.script.steps.len();
        let maker = maker.and_then(|number| self.places.get(&number).copied());
        let stage = maker.map(|maker| self.script.steps[maker].stage);
        self.script.steps.push(Step {
            needs: maker.into_iter().collect(),
            stage: stage.map_or(kind.stage(), |stage| stage.max(kind.stage())),
            locks: vec![NO_RELATION],
            ..Step::default()
        });
        self.script
            .post_data
            .extend(statements.into_iter().map(|sql| Statement {
                sql,
                object: label.clone(),
                kind,
                step: place,
                needs_no_transaction: false,
                secret: false,
            }));
    }
}

/// Whether steps of a kind come after comments and privileges: owners may need privileges to fill
/// materialized views, and event triggers would fire on the rest.
const fn comes_last(kind: Kind) -> bool {
    matches!(kind, Kind::Refresh | Kind::EventTrigger)
}

/// The name under which the privileges of an object stand in a script.
pub fn privileges_label(acl: &ObjectAcl) -> Label {
    const WORD: &str = "privileges on";
    match &acl.name {
        AclName::Plain(name) => Label::plain(WORD, name),
        AclName::Qualified(name) => Label::qualified(WORD, name),
        AclName::Routine(name, arguments) => {
            Label::qualified(WORD, name).with_detail(&format!("({})", arguments.as_str()))
        }
        AclName::Column(relation, column) => Label::part("privileges on column", column, relation),
    }
}
