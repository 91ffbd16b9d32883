//! What the target does not get, and why.

use std::fmt;

use super::label::Label;
use super::one_line::on_one_line;
use crate::catalog::acl::Privilege;
use crate::pg::{Ident, Printable, Sql};

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
    UnsupportedOnTarget(&'static str),
    /// The target's version knows it in another form only.
    Downgraded(&'static str),
    /// No server creates a rule of its name.
    RuleName,
    /// It would use the source's replication slot at its publisher. The statement that creates it, with its
    /// password masked, if it may be read.
    Subscription(Option<Sql>),
    /// Its options, among them perhaps a password, may not be read.
    HiddenOptions,
    /// It cannot be given to this role.
    Owner(Ident),
    /// It requires superuser: what it is, or the property.
    Superuser(String),
    /// Somebody else owns it on the target.
    NotOurs,
    /// The server cannot check the existing values of a domain that columns hold within other types.
    Unvalidated,
    /// It uses `current_user` or `session_user`, and roles get other names.
    NamesOfRoles,
    /// The target does not know this parameter, or does not let us set it.
    Setting(String),
    /// It belongs to the managed service that the source is.
    Provider,
    /// The script of an extension of the target's has created it.
    ByExtension,
    /// It belongs to an extension that is skipped.
    Skipped(Ident),
    /// It is excluded by name.
    Excluded,
    /// It is a table, type, policy or column that depends on this object, which is excluded by name.
    DependsOnExcluded(Label),
    /// The hypertable's rows go into a plain table.
    PlainTable,
    /// It is created by hand, with this statement, once the rows are there.
    ByHand(Sql),
    /// It depends on something that is skipped.
    DependsOn(Label),
    /// It depends on this table, which is not selected. Its definition, where it has one apart.
    Unselected(Label, Option<Sql>),
    /// It is a selected table that cannot be created without this one, which is not selected.
    CutOff(Label),
    /// It is about something that is not created.
    NotCreated,
    /// A foreign key refers to rows that are not copied.
    Orphans,
    /// The module that reads this security label is not loaded on the target.
    NoLabelProvider(String),
    /// The role does not exist on the target.
    NoSuchRole(Ident),
    /// The role has one from another role that has the same name on the target.
    HasOne(Ident),
    /// Our role cannot `SET ROLE` to the role that granted it.
    OutOfReach(Ident),
    /// The target's version has no such privilege.
    NoSuchPrivilege(Privilege),
}

impl fmt::Display for OmissionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidIndex => f.write_str("it is invalid on the source"),
            Self::Tablespace(name) => write!(f, "its tablespace {name} is replaced by the default"),
            Self::UnsupportedOnTarget(what) => write!(f, "skipped, the target does not support {what}"),
            Self::Downgraded(how) => write!(f, "changed for an older target: {how}"),
            Self::RuleName => f.write_str("no server accepts a rule of this name: rename it first"),
            Self::Subscription(Some(sql)) => write!(
                f,
                "not created, it would use the replication slot of the source's subscription; after the cutover run {}",
                Printable(on_one_line(sql).as_str())
            ),
            Self::Subscription(None) => {
                f.write_str("not created, it would use the replication slot of the source's subscription; create it after the cutover")
            }
            Self::HiddenOptions => {
                f.write_str("created without its options, which the source's role may not read")
            }
            Self::Owner(name) => write!(f, "it stays with its owner, role {name} cannot get it"),
            Self::Superuser(what) => write!(f, "requires superuser ({what})"),
            Self::ByExtension => {
                f.write_str("kept as the script of an extension creates it on the target")
            }
            Self::NotOurs => f.write_str("skipped, another role owns it on the target"),
            Self::Unvalidated => f.write_str(
                "NOT VALID on the target: it calls a function of the database, so it is created after the \
                 rows; no server validates a domain within an array, range or composite type",
            ),
            Self::NamesOfRoles => f.write_str(
                "it uses current_user or session_user, and roles are renamed on the target: review it",
            ),
            Self::Setting(name) => write!(
                f,
                "the parameter {} is unknown to the target, or we may not set it",
                Printable(name)
            ),
            Self::Provider => f.write_str("it belongs to the source's managed service"),
            Self::PlainTable => f.write_str(
                "created as a plain table with all its rows, since TimescaleDB is skipped",
            ),
            Self::ByHand(sql) => write!(
                f,
                "not created; after the rows are copied run {}",
                Printable(on_one_line(sql).as_str())
            ),
            Self::Skipped(name) => write!(f, "extension {name} is skipped"),
            Self::Excluded => f.write_str("excluded"),
            Self::DependsOnExcluded(object) => {
                write!(f, "it depends on {object}, which therefore cannot be excluded")
            }
            Self::DependsOn(object) => write!(f, "it depends on {object}, which is skipped"),
            Self::Unselected(table, None) => {
                write!(f, "skipped, it depends on {table}, which is not selected")
            }
            Self::Unselected(table, Some(definition)) => write!(
                f,
                "skipped, it depends on {table}, which is not selected; it is defined by {}",
                Printable(on_one_line(definition).as_str())
            ),
            Self::CutOff(table) => {
                write!(f, "selected, but it depends on {table}, which is not selected")
            }
            Self::Orphans => f.write_str("NOT VALID: it refers to rows that are not copied"),
            Self::NotCreated => f.write_str("the object it is about is not created"),
            Self::NoLabelProvider(name) => write!(
                f,
                "the target has not loaded the module {} that reads the label",
                Printable(name)
            ),
            Self::NoSuchRole(name) => write!(f, "role {name} does not exist on the target"),
            Self::HasOne(name) => write!(
                f,
                "role {name} has one from another role that is mapped to it"
            ),
            Self::OutOfReach(name) => write!(f, "the connecting role cannot SET ROLE {name}"),
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
