//! What the executor gets: statements in order, each with what it must know to run it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use super::omission::{Omission, OmissionReason};
use super::secret::masked;
use super::step_path::StepPath;
use crate::pg::{Ident, Oid, QualifiedName, Sql, readable};

/// The statements that make a database, in order.
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

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: Sql,
    /// What it makes or changes.
    pub object: Label,
    /// Its kind, which is also its stage.
    pub kind: Kind,
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

/// An object, or a part of one: made by statements that need each other in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Steps that come before it. Without any of them it cannot be made.
    pub needs: Vec<usize>,
    /// Steps of a higher stage wait for all of a lower one.
    pub stage: Stage,
    /// Relations that it locks against others, by their oids on the source. What belongs to no
    /// relation stands under [`NO_RELATION`] and is made in order.
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

/// Adds a step that needs no other: a change to what stands on the target already.
pub fn attach(
    steps: &mut Vec<Step>,
    statements: &mut Vec<Statement>,
    kind: Kind,
    object: Label,
    sql: Sql,
) {
    statements.push(Statement {
        sql,
        object,
        kind,
        step: steps.len(),
        needs_no_transaction: false,
        secret: false,
    });
    steps.push(Step {
        needs: Vec::new(),
        stage: kind.stage(),
        locks: vec![NO_RELATION],
        ..Step::default()
    });
}

/// Stands for everything that is no relation.
pub const NO_RELATION: Oid = Oid(0);

/// What no dependency orders and still has an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Definitions.
    #[default]
    Definitions,
    /// What bars even their makers: policies; and what tells others: publications.
    Access,
    /// Comments, labels, privileges. Owners may lose privileges that definitions needed.
    Attached,
    /// Materialized views are filled, for which owners may need privileges.
    Refresh,
    /// Event triggers, which must not fire on the rest.
    Last,
}

/// What stands where in the script: the order of these is the order of kinds that nothing else
/// decides (manual of `pg_dump`: sections).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A schema.
    Schema,
    /// A procedural language.
    Language,
    /// A collation.
    Collation,
    /// A transform between a type and a language.
    Transform,
    /// An extension.
    Extension,
    /// A type or domain.
    Type,
    /// A cast; early, since views record its function only.
    Cast,
    /// A function or procedure.
    Routine,
    /// An aggregate.
    Aggregate,
    /// An access method of tables or indexes.
    AccessMethod,
    /// An operator.
    Operator,
    /// An operator family or class.
    OperatorFamily,
    /// A conversion between encodings.
    Conversion,
    /// A parser, template, dictionary or configuration of text search.
    Search,
    /// A foreign data wrapper.
    ForeignDataWrapper,
    /// A foreign server.
    ForeignServer,
    /// A role's login at a foreign server.
    UserMapping,
    /// A sequence, also an identity column's.
    Sequence,
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view, still empty.
    MaterializedView,
    /// How the columns of a table are stored and sampled.
    ColumnSettings,
    /// A partition is attached to its parent.
    Attach,
    /// The default of a column, where it does not come with its table.
    Default,
    /// A table is made a hypertable.
    Hypertable,
    /// Between what rows need and what needs rows.
    Boundary,
    /// A primary or unique key, an exclusion constraint, or a check apart from its table.
    Constraint,
    /// An index.
    Index,
    /// A partition's index is attached to its parent.
    IndexAttach,
    /// An index becomes the replica identity.
    ReplicaIdentity,
    /// Extended statistics.
    Statistics,
    /// The query of a view that had to be made without it.
    ViewQuery,
    /// A rule.
    Rule,
    /// A trigger.
    Trigger,
    /// A foreign key.
    ForeignKey,
    /// Rows are checked against a foreign key.
    Validation,
    /// A trigger behind a key fires otherwise than usual.
    KeyTrigger,
    /// A policy, or policies take effect.
    Policy,
    /// A publication, or what it publishes.
    Publication,
    /// A comment.
    Comment,
    /// A security label.
    SecurityLabel,
    /// Privileges.
    Acl,
    /// Privileges of objects made later.
    DefaultAcl,
    /// A materialized view is filled.
    Refresh,
    /// An event trigger: last, so that it does not fire on the rest.
    EventTrigger,
}

impl Kind {
    /// Whether it comes after the rows.
    pub const fn is_post_data(self) -> bool {
        self as u8 > Self::Boundary as u8
    }

    /// Its stage.
    pub fn stage(self) -> Stage {
        if self < Self::Policy {
            Stage::Definitions
        } else if self < Self::Comment {
            Stage::Access
        } else if self < Self::Refresh {
            Stage::Attached
        } else if self == Self::Refresh {
            Stage::Refresh
        } else {
            Stage::Last
        }
    }
}

/// A name for people: `index public.i on public.t`. Control characters are replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    schema: Option<Ident>,
    name: Ident,
    detail: String,
    on: Option<QualifiedName>,
    word: &'static str,
}

impl Label {
    /// Something outside schemas.
    pub fn plain(word: &'static str, name: &Ident) -> Self {
        Self {
            schema: None,
            name: name.clone(),
            detail: String::new(),
            on: None,
            word,
        }
    }

    /// Something within a schema.
    pub fn qualified(word: &'static str, name: &QualifiedName) -> Self {
        Self {
            schema: Some(name.schema.clone()),
            ..Self::plain(word, &name.name)
        }
    }

    /// Something that belongs to a relation and has no schema of its own.
    pub fn part(word: &'static str, name: &Ident, on: &QualifiedName) -> Self {
        Self {
            on: Some(on.clone()),
            schema: None,
            ..Self::plain(word, name)
        }
    }

    /// The same with the relation that it belongs to.
    #[must_use]
    pub fn on(self, relation: &QualifiedName) -> Self {
        Self {
            on: Some(relation.clone()),
            ..self
        }
    }

    /// The same with what tells it apart from others of its name, e.g. `(integer)`.
    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        Self {
            detail: readable(detail),
            ..self
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.word)?;
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        write!(f, "{}", self.name)?;
        let clean = |part: char| {
            if part.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                part
            }
        };
        f.write_str(&self.detail.chars().map(clean).collect::<String>())?;
        match &self.on {
            Some(relation) => write!(f, " on {relation}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_the_object_and_where_it_belongs() {
        let table = QualifiedName::from_catalog("public", "t");
        let index = QualifiedName::from_catalog("public", "i\n");
        let label = Label::qualified("index", &index).on(&table);
        assert_eq!(label.to_string(), "index public.i\u{fffd} on public.t");
    }

    #[test]
    fn a_label_keeps_only_the_quotes_that_matter() {
        let name = QualifiedName::from_catalog("s", "f");
        let label = |detail: &str| {
            let label = Label::qualified("function", &name).with_detail(detail);
            label.to_string()
        };
        assert_eq!(
            label(r#"("a" "text", "My T"[])"#),
            r#"function s.f(a text, "My T"[])"#
        );
        assert_eq!(label(r#"("a""b")"#), r#"function s.f("a""b")"#);
    }

    #[test]
    fn kinds_know_their_section() {
        assert!(!Kind::Default.is_post_data());
        assert!(Kind::Constraint.is_post_data());
    }
}
