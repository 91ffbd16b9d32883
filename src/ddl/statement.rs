//! What the executor gets: statements in order, each with what it must know to run it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::one_line::on_one_line;
use super::secret::masked;
use super::step_path::StepPath;
use crate::catalog::acl::Privilege;
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

/// Something that the target does not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omission {
    /// What.
    pub object: Label,
    /// Why.
    pub reason: OmissionReason,
}

/// Why the target does not get something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OmissionReason {
    /// The index is not usable on the source: its build failed or was interrupted.
    InvalidIndex,
    /// Tablespaces are places of one cluster; the target's default one is used.
    Tablespace(Ident),
    /// The target's version knows no such thing.
    TooNew(&'static str),
    /// The target's version knows it in another form only.
    Degraded(&'static str),
    /// No server makes a rule of its name.
    RuleName,
    /// It would take the source's place at its publisher. The statement that makes it, with its
    /// password masked, if it may be read.
    Subscription(Option<Sql>),
    /// Its options, among them perhaps a password, may not be read.
    HiddenOptions,
    /// It cannot be given to this role.
    Owner(Ident),
    /// Only a superuser may make it, or give it this property.
    Superuser(String),
    /// Somebody else owns it on the target.
    NotOurs,
    /// The server cannot check the existing values of a domain that columns hold within other types.
    Unvalidated,
    /// It asks for the name of its user, and roles get other names.
    NamesOfRoles,
    /// The target does not know this parameter, or does not let us set it.
    Setting(String),
    /// It belongs to the managed service that the source is.
    Provider,
    /// The script of an extension of the target's has created it.
    ByExtension,
    /// It belongs to an extension that is skipped.
    Skipped(Ident),
    /// The hypertable's rows go into a plain table.
    PlainTable,
    /// It is made by hand, with this statement, once the rows are there.
    ByHand(Sql),
    /// It depends on something that is left out.
    DependsOn(Label),
    /// It depends on this table, which is not selected. Its definition, where it has one apart.
    Unselected(Label, Option<Sql>),
    /// It is a selected table that cannot be made without this one, which is not selected.
    CutOff(Label),
    /// It is about something that is not made.
    NotMade,
    /// The module that reads this security label is not loaded on the target.
    NoLabelProvider(String),
    /// The role does not exist on the target.
    NoSuchRole(Ident),
    /// The role has one from another role that `--role-map` makes the same.
    HasOne(Ident),
    /// We cannot act for the role that granted it.
    OutOfReach(Ident),
    /// The target's version has no such privilege.
    NoSuchPrivilege(Privilege),
}

impl fmt::Display for OmissionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidIndex => f.write_str("it is invalid on the source"),
            Self::Tablespace(name) => write!(f, "its tablespace {name} is replaced by the default"),
            Self::TooNew(what) => write!(f, "left out, the target knows no {what}"),
            Self::Degraded(how) => write!(f, "made otherwise for an older target: {how}"),
            Self::RuleName => f.write_str("no server makes a rule of this name: rename it first"),
            Self::Subscription(Some(sql)) => write!(
                f,
                "not made, it would take the source's place; after the cutover run {}",
                Ident::from_catalog(on_one_line(sql).as_str())
            ),
            Self::Subscription(None) => {
                f.write_str("not made, it would take the source's place; make it after the cutover")
            }
            Self::HiddenOptions => {
                f.write_str("made without its options, which the source's role may not read")
            }
            Self::Owner(name) => write!(f, "it stays with its owner, role {name} cannot get it"),
            Self::Superuser(what) => write!(f, "only a superuser may make {what}"),
            Self::ByExtension => {
                f.write_str("kept as the script of an extension creates it on the target")
            }
            Self::NotOurs => f.write_str("left out, somebody else owns it on the target"),
            Self::Unvalidated => f.write_str(
                "NOT VALID on the target: it calls a function of the database, so it is created after the \
                 rows, and no server validates a domain within an array, a range or a composite type",
            ),
            Self::NamesOfRoles => f.write_str(
                "it asks for the name of its user, and --role-map gives roles other names: look at it",
            ),
            Self::Setting(name) => write!(
                f,
                "the parameter {} is unknown to the target, or we may not set it",
                Ident::from_catalog(name.as_str())
            ),
            Self::Provider => f.write_str("it belongs to the source's managed service"),
            Self::PlainTable => f.write_str(
                "made as a plain table with all its rows, since TimescaleDB is left out",
            ),
            Self::ByHand(sql) => write!(
                f,
                "not made; once the rows are there run {}",
                Ident::from_catalog(on_one_line(sql).as_str())
            ),
            Self::Skipped(name) => write!(f, "extension {name} is skipped"),
            Self::DependsOn(object) => write!(f, "it depends on {object}, which is left out"),
            Self::Unselected(table, None) => {
                write!(f, "left out, it needs {table}, which is not selected")
            }
            Self::Unselected(table, Some(definition)) => write!(
                f,
                "left out, it needs {table}, which is not selected; it is {}",
                Ident::from_catalog(on_one_line(definition).as_str())
            ),
            Self::CutOff(table) => {
                write!(f, "selected, but it needs {table}, which is not selected")
            }
            Self::NotMade => f.write_str("what it is about is not made"),
            Self::NoLabelProvider(name) => write!(
                f,
                "the target has not loaded the module {} that reads the label",
                Ident::from_catalog(name.as_str())
            ),
            Self::NoSuchRole(name) => write!(f, "role {name} does not exist on the target"),
            Self::HasOne(name) => write!(
                f,
                "role {name} has one from another role that it stands for"
            ),
            Self::OutOfReach(name) => write!(f, "we cannot act for role {name}"),
            Self::NoSuchPrivilege(privilege) => {
                write!(f, "the target has no privilege {privilege}")
            }
        }
    }
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.reason)
    }
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
