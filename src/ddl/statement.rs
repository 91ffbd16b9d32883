//! What the executor gets: statements in order, each with what it must know to run it.

use super::kind::Kind;
use super::label::Label;
use super::necessity::Necessity;
use super::omission::Omission;
use super::secret::masked;
use super::stage::Stage;
use super::step_path::StepPath;
use crate::pg::{Ident, Oid, Sql};
use std::collections::{BTreeMap, BTreeSet};

/// The statements that create a database, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What must be there before rows are copied; run in order.
    pub pre_data: Vec<Statement>,
    /// What waits for the rows; run in order, or as the steps allow.
    pub post_data: Vec<Statement>,
    /// What the statements belong to, in the order of the script.
    pub steps: Vec<Step>,
    /// What the target does not get, and why.
    pub omissions: Vec<Omission>,
    /// The roles that get objects, and how many.
    pub owners: BTreeMap<Ident, usize>,
    /// The roles that privileges are granted for, beside owners.
    pub grantors: BTreeSet<Ident>,
}

impl Script {
    /// Adds a step after the rows that depends on no other: a change to what exists on the target already.
    pub fn attach(&mut self, kind: Kind, object: Label, sql: Sql) {
        self.post_data.push(Statement {
            sql,
            object,
            kind,
            necessity: kind.necessity(),
            step: self.steps.len(),
            needs_no_transaction: false,
            secret: false,
        });
        self.steps.push(Step {
            needs: Vec::new(),
            stage: kind.stage(),
            locks: vec![NO_RELATION],
            ..Step::default()
        });
    }

    /// The statements before the rows, in the order of a run: extensions come first, with everything that
    /// they depend on. The server's own language is no reason to go twice.
    pub fn split_extensions(&self) -> PreData {
        let plpgsql = Label::plain("extension", &Ident::from_catalog("plpgsql"));
        let of_extensions = self.pre_data.iter();
        let of_extensions = of_extensions.filter(|one| one.kind == Kind::Extension);
        let mut waiting: Vec<usize> = of_extensions
            .filter(|one| one.object != plpgsql)
            .map(|one| one.step)
            .collect();
        let mut first = BTreeSet::new();
        while let Some(step) = waiting.pop() {
            if first.insert(step) {
                waiting.extend(&self.steps[step].needs);
            }
        }
        let statements = self.pre_data.iter().cloned();
        let (extensions, rest) = statements.partition(|one| first.contains(&one.step));
        PreData { extensions, rest }
    }

    /// Splits the statements after the rows: event triggers run last, when everything else is done.
    pub fn split_last(&self) -> PostData {
        let is_last = |one: &Statement| self.steps[one.step].stage == Stage::Last;
        let statements = self.post_data.iter().cloned();
        let (last, rest) = statements.partition(is_last);
        PostData { rest, last }
    }
}

/// The statements before the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreData {
    /// Those that create extensions, with everything that these depend on.
    pub extensions: Vec<Statement>,
    /// The others.
    pub rest: Vec<Statement>,
}

/// The statements after the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostData {
    /// All but the last.
    pub rest: Vec<Statement>,
    /// Those that create event triggers, which would fire on the others.
    pub last: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: Sql,
    /// What it creates or changes.
    pub object: Label,
    /// Its kind, which is also its stage.
    pub kind: Kind,
    /// What a copy is without it.
    pub necessity: Necessity,
    /// Its step: the place in [`Script::steps`].
    pub step: usize,
    /// It is refused within a transaction block.
    pub needs_no_transaction: bool,
    /// It holds a password and may not be shown.
    pub secret: bool,
}

impl Statement {
    /// The text for people: on one line and without its constants where it holds a secret.
    pub fn shown(&self) -> Sql {
        if self.secret {
            masked(&self.sql)
        } else {
            self.sql.clone()
        }
    }
}

/// An object, or a part of one: created by statements that depend on each other in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Steps that come before it. Without any of them it cannot be created.
    pub needs: Vec<usize>,
    /// Steps of a higher stage wait for all of a lower one.
    pub stage: Stage,
    /// Relations that it locks against others, by their oids on the source. What belongs to no
    /// relation is listed under [`NO_RELATION`] and is created in order.
    pub locks: Vec<Oid>,
    /// Relations that it reads, or locks only against changes: others may do so beside it.
    pub reads: Vec<Oid>,
    /// Relations that it reads from end to end: its time grows with their size.
    pub scans: Vec<Oid>,
    /// Nothing else may run beside it: it locks more than these.
    pub must_run_alone: bool,
    /// It may run functions of users or extensions, which may read any table.
    pub runs_code: bool,
    /// The search path that its definitions need, and what to compare before the commit. Without it
    /// the path is empty.
    pub search_path: Option<StepPath>,
}

/// The lock of everything that is no relation.
pub const NO_RELATION: Oid = Oid(0);
