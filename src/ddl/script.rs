//! From the model to the script.

use std::collections::HashMap;

use super::context::{Context, Lookup, Placements, Relation};
use super::object::comment::render_comment;
use super::object::grant::{
    GrantTarget, LeftOutReason, Rendered, render_default_privileges, render_grants,
};
use super::object::index_is_left_out;
use super::plan::{Plan, Step as PlanStep};
use super::repair::repair;
use super::statement::{
    Kind, Label, NO_RELATION, Omission, OmissionReason, Script, Statement, Step,
};
use super::{Error, Options};
use crate::catalog::acl::{AclName, ObjectAcl};
use crate::catalog::comment::Comment;
use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class};
use crate::pg::{Oid, Sql};

/// Loops are repaired in rounds: what one repair moves may close another loop. No schema needs
/// more than a handful; the limit only guards against repairs that undo each other.
const MAX_ROUNDS: usize = 100;

/// The statements that make what a catalog holds, in an order that works. The same catalog gives
/// the same script.
///
/// # Errors
/// Objects need each other in a way that no order and no known repair satisfies.
pub fn script(catalog: &Catalog, options: &Options) -> Result<Script, Error> {
    let lookup = Lookup::new(catalog);
    let mut placements = Placements::new();
    for _ in 0..MAX_ROUNDS {
        let context = Context {
            catalog,
            options,
            lookup: &lookup,
            placements: &placements,
        };
        match attempt(&context)? {
            Attempt::Ordered(script) => return Ok(script),
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
        let mut attached_written = false;
        for number in order {
            let Some(step) = self.plan.step(*number) else {
                continue;
            };
            if step.object.kind() == Kind::Refresh && !attached_written {
                self.write_attached();
                attached_written = true;
            }
            self.write_step(*number, step);
        }
        if !attached_written {
            self.write_attached();
        }
        self.script.omissions.extend(omissions(self.context));
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
        self.script.steps.push(Step {
            needs,
            stage: kind.stage(),
            locks,
            reads,
            must_run_alone: step.object.must_run_alone(),
        });
        let statements = step.object.statements(self.context);
        let statements = statements.into_iter().map(|sql| Statement {
            sql,
            object: step.label.clone(),
            kind,
            step: place,
            needs_no_transaction: false,
            secret: false,
        });
        if number > self.plan.boundary() {
            self.script.post_data.extend(statements);
        } else {
            self.script.pre_data.extend(statements);
        }
    }

    /// The relations that a step locks against others, and those it only reads. To make a child
    /// or a foreign key locks the other table as well.
    fn relations(&self, number: usize, step: &PlanStep<'a>) -> (Vec<Oid>, Vec<Oid>) {
        let kind = step.object.kind();
        let mut locks = vec![step.object.relation(self.context).unwrap_or(NO_RELATION)];
        let mut others = Vec::new();
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
            locks.sort_unstable();
            locks.dedup();
        }
        others.retain(|other| !locks.contains(other));
        (locks, others)
    }

    /// Comments and privileges: after everything that they are about, and before materialized
    /// views are filled, which their owners may need privileges for.
    fn write_attached(&mut self) {
        let makers = self.plan.makers(self.context);
        let maker = |class: Oid, oid: Oid| {
            let class = Class::from_oid(class)?;
            makers.get(&ObjectId::new(class, oid)).copied()
        };
        if self.context.options.comments {
            self.write_comments(&makers);
        }
        if self.context.options.privileges {
            for acl in &self.context.catalog.acls {
                let maker = maker(acl.class, acl.oid);
                if acl.is_system || maker.is_some() {
                    self.write_grants(acl, maker);
                }
            }
            self.write_default_privileges(&makers);
        }
    }

    /// In the order of the steps that make what they are about.
    fn write_comments(&mut self, makers: &HashMap<ObjectId, usize>) {
        let maker = |comment: &Comment| {
            let class = Class::from_oid(comment.class)?;
            makers.get(&ObjectId::new(class, comment.oid)).copied()
        };
        let mut comments: Vec<(usize, i32, Sql)> = Vec::new();
        for comment in &self.context.catalog.comments {
            if let Some(number) = maker(comment)
                && let Some(sql) = render_comment(comment, self.context.target())
            {
                comments.push((number, comment.attnum, sql));
            }
        }
        comments.sort();
        for (number, _, sql) in comments {
            if let Some(step) = self.plan.step(number) {
                self.push_attached(Kind::Comment, &step.label, Some(number), [sql]);
            }
        }
    }

    fn write_grants(&mut self, acl: &ObjectAcl, maker: Option<usize>) {
        let target = grant_target(self.context);
        let rendered = render_grants(acl, &target);
        self.push_rendered(Kind::Acl, &acl_label(acl), maker, rendered);
    }

    fn write_default_privileges(&mut self, makers: &HashMap<ObjectId, usize>) {
        let target = grant_target(self.context);
        for default in &self.context.catalog.default_acls {
            let rendered = render_default_privileges(default, &target);
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
        self.script.steps.push(Step {
            needs: maker.into_iter().collect(),
            stage: kind.stage(),
            locks: vec![NO_RELATION],
            reads: Vec::new(),
            must_run_alone: false,
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

fn grant_target<'a>(context: &Context<'a>) -> GrantTarget<'a> {
    GrantTarget {
        version: context.options.target,
        roles: &context.options.roles,
    }
}

fn acl_label(acl: &ObjectAcl) -> Label {
    const WORD: &str = "privileges on";
    match &acl.name {
        AclName::Plain(name) => Label::plain(WORD, name),
        AclName::Qualified(name) => Label::qualified(WORD, name),
        AclName::Routine(name, arguments) => {
            Label::qualified(WORD, name).with_detail(format!("({})", arguments.as_str()))
        }
        AclName::Column(relation, column) => Label::part("privileges on column", column, relation),
    }
}

/// What the catalog holds and the script does not make.
fn omissions(context: &Context<'_>) -> Vec<Omission> {
    let catalog = context.catalog;
    let mut omissions = Vec::new();
    for index in &catalog.indexes {
        let Some(relation) = context.relation(index.relation) else {
            continue;
        };
        let label = Label::qualified("index", &index.name).on(relation.name());
        if index_is_left_out(index, relation) {
            omissions.push(Omission {
                object: label,
                reason: OmissionReason::InvalidIndex,
            });
        } else if let Some(tablespace) = &index.tablespace {
            omissions.push(Omission {
                object: label,
                reason: OmissionReason::Tablespace(tablespace.clone()),
            });
        }
    }
    let tables = catalog.tables.iter().map(Relation::Table);
    let views = catalog.materialized_views.iter();
    for relation in tables.chain(views.map(Relation::MaterializedView)) {
        if let Some(tablespace) = relation.tablespace() {
            omissions.push(Omission {
                object: Label::qualified(relation.word(), relation.name()),
                reason: OmissionReason::Tablespace(tablespace.clone()),
            });
        }
    }
    omissions.sort_by(|a, b| a.object.cmp(&b.object));
    omissions
}
