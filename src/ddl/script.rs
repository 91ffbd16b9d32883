//! From the model to the script.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::context::{Context, Lookup, Placements};
use super::object::comment::render_comment;
use super::object::grant::{LeftOutReason, Rendered, render_default_privileges, render_grants};
use super::object::refused_operators;
use super::omission::omissions;
use super::plan::{Plan, Step};
use super::repair::repair;
use super::statement::{Kind, Label, Omission, OmissionReason, Script, Statement};
use super::temporary;
use super::{Error, Options};
use crate::catalog::acl::{AclName, ObjectAcl};
use crate::catalog::comment::{Comment, CommentTarget};
use crate::catalog::model::ObjectId;
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Oid, Sql};

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
        let before = placements.clone();
        if !repair(plan, context, &group, &mut placements) || placements == before {
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
    /// The steps of the current wave.
    current: HashSet<usize>,
    wave: Option<(u32, Kind)>,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(context: &'w Context<'a>, plan: &'w Plan<'a>) -> Self {
        Self {
            context,
            plan,
            script: Script::default(),
            current: HashSet::new(),
            wave: None,
        }
    }

    fn write(mut self, order: &[usize]) -> Script {
        let mut attached_written = false;
        for number in order {
            let Some(step) = self.plan.step(*number) else {
                self.wave = None;
                continue;
            };
            if comes_last(step.object.kind()) && !attached_written {
                self.write_attached();
                attached_written = true;
            }
            self.write_step(*number, step);
        }
        if !attached_written {
            self.write_attached();
        }
        self.write_last_comments();
        self.script.omissions.extend(omissions(self.context));
        temporary::lend(self.context, &mut self.script);
        self.script
    }

    fn write_step(&mut self, number: usize, step: &Step<'a>) {
        let object = &step.object;
        let is_behind = number > self.plan.boundary();
        let wave = self.wave_for(number, object.kind(), object.must_run_alone());
        let relation = object.relation(self.context);
        for sql in object.statements(self.context) {
            let statement = Statement {
                sql,
                object: step.label.clone(),
                kind: object.kind(),
                relation,
                wave,
                must_run_alone: object.must_run_alone(),
                needs_no_transaction: false,
                secret: object.is_secret(),
            };
            if is_behind {
                self.script.post_data.push(statement);
            } else {
                self.script.pre_data.push(statement);
            }
        }
    }

    /// A new wave begins with a new kind, with a step that needs one of the current wave, and
    /// around one that runs alone.
    fn wave_for(&mut self, number: usize, kind: Kind, alone: bool) -> u32 {
        let needs = self.plan.graph.needs(number);
        let wave = match self.wave {
            None => 0,
            Some((wave, current)) => {
                let waits = needs.iter().any(|needed| self.current.contains(needed));
                if alone || waits || current != kind {
                    self.current.clear();
                    wave + 1
                } else {
                    wave
                }
            }
        };
        self.current.insert(number);
        // What runs alone leaves a kind behind that no step has, so that the next wave begins.
        let left = if alone { Kind::Boundary } else { kind };
        self.wave = Some((wave, left));
        wave
    }

    /// Comments and privileges: after everything that they are about, and before materialized
    /// views are filled, which their owners may need privileges for.
    fn write_attached(&mut self) {
        let returned = self.returned();
        self.script.post_data.extend(returned);
        let makers = self.plan.makers(self.context);
        let is_made = |class: Oid, oid: Oid| {
            let class = Class::from_oid(class);
            class.is_some_and(|class| makers.contains_key(&ObjectId::new(class, oid)))
        };
        if self.context.options.carried.comments {
            self.write_comments(&makers, |kind| !comes_last(kind));
        }
        if self.context.options.carried.privileges {
            for acl in &self.context.catalog.acls {
                if (acl.is_system || is_made(acl.class, acl.oid)) && !self.keeps_privileges(acl) {
                    self.write_grants(acl);
                }
            }
            self.write_default_privileges();
        }
    }

    /// Comments on what comes after the others' comments.
    fn write_last_comments(&mut self) {
        if self.context.options.carried.comments {
            let makers = self.plan.makers(self.context);
            self.write_comments(&makers, comes_last);
        }
    }

    /// In the order of the steps that make what they are about; `chosen` says whose.
    fn write_comments(&mut self, makers: &HashMap<ObjectId, usize>, chosen: fn(Kind) -> bool) {
        let maker = |comment: &Comment| {
            let class = Class::from_oid(comment.class)?;
            makers.get(&ObjectId::new(class, comment.oid)).copied()
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
                self.push_attached(Kind::Comment, &step.label, [sql]);
            }
        }
    }

    /// Whether a comment stays as it is, because the object is not ours.
    fn keeps_comment(&mut self, comment: &Comment) -> bool {
        let target = &self.context.options.target;
        let public =
            matches!(&comment.target, CommentTarget::Schema(name) if name.as_str() == "public");
        let is_kept = !target.is_superuser && public && !target.version.has_closed_public_schema();
        if is_kept && comment.text.is_some() {
            let name = Ident::from_catalog("public");
            self.script.omissions.push(Omission {
                object: Label::plain("comment on schema", &name),
                reason: OmissionReason::Superuser("it".to_owned()),
            });
        }
        is_kept
    }

    /// What was lent to owners so that they could get their objects is taken back.
    fn returned(&mut self) -> Option<Statement> {
        let sql = temporary::returned(self.context)?;
        let wave = self.wave.map_or(0, |(wave, _)| wave + 1);
        self.wave = Some((wave, Kind::Boundary));
        self.current.clear();
        Some(temporary::statement(sql, wave))
    }

    /// Whether the privileges of an object stay as they are, since we may not change them; told, if
    /// there is something to tell.
    fn keeps_privileges(&mut self, acl: &ObjectAcl) -> bool {
        let Options { target, carried } = self.context.options;
        let schemas = &self.context.catalog.schemas;
        let public = || schemas.iter().find(|schema| schema.is_public());
        let is_kept = !target.is_superuser
            && (acl.is_system
                || (acl.is_public_schema()
                    && !target.version.has_closed_public_schema()
                    && public().is_some()));
        if is_kept {
            let acl = carried.role_map.object_acl(acl);
            if !render_grants(&acl, target).statements.is_empty() {
                let what = "grants on what the server or an extension made".to_owned();
                let reason = OmissionReason::Superuser(what);
                let object = privileges_label(&acl);
                self.script.omissions.push(Omission { object, reason });
            }
        }
        is_kept
    }

    fn write_grants(&mut self, acl: &ObjectAcl) {
        let label = privileges_label(acl);
        let acl = self.context.on_target(acl);
        let target = &self.context.options.target;
        let rendered = render_grants(&acl, target);
        let grantors = acl.actors().into_iter().filter(|role| target.reaches(role));
        self.script.grantors.extend(grantors.cloned());
        self.push_rendered(Kind::Acl, &label, rendered);
    }

    fn write_default_privileges(&mut self) {
        let Options { target, carried } = self.context.options;
        for default in &self.context.catalog.default_acls {
            let default = carried.role_map.default_acl(default);
            if target.reaches(&default.role) {
                self.script.grantors.insert(default.role.clone());
            }
            let rendered = render_default_privileges(&default, target);
            let label = Label::plain("default privileges of role", &default.role);
            self.push_rendered(Kind::DefaultAcl, &label, rendered);
        }
    }

    fn push_rendered(&mut self, kind: Kind, label: &Label, rendered: Rendered) {
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
        self.push_attached(kind, label, rendered.statements);
    }

    fn push_attached(
        &mut self,
        kind: Kind,
        label: &Label,
        statements: impl IntoIterator<Item = Sql>,
    ) {
        let wave = match self.wave {
            None => 0,
            Some((wave, current)) if current == kind => wave,
            Some((wave, _)) => wave + 1,
        };
        for sql in statements {
            self.wave = Some((wave, kind));
            self.current.clear();
            self.script.post_data.push(Statement {
                sql,
                object: label.clone(),
                kind,
                relation: None,
                wave,
                must_run_alone: false,
                needs_no_transaction: false,
                secret: false,
            });
        }
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
            Label::qualified(WORD, name).with_detail(format!("({})", arguments.as_str()))
        }
        AclName::Column(relation, column) => Label::part("privileges on column", column, relation),
    }
}
