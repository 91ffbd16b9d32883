//! What is skipped of a database's properties.

use std::fmt;

use crate::ddl::object::grant::SkippedGrant;
use crate::pg::{Ident, Printable};

/// What is skipped of a database's properties on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    /// The target does not know the parameter, or we may not set it there.
    NotSettable {
        /// The role, for a setting of one role.
        role: Option<Ident>,
        /// The parameter.
        parameter: String,
    },
    /// The role of a setting does not exist on the target.
    NoSuchRole {
        /// The role.
        role: Ident,
        /// The parameter.
        parameter: String,
    },
    /// The target does not take the value of a setting, or does not let us set it.
    SettingRefused {
        /// The role, for a setting of one role.
        role: Option<Ident>,
        /// The parameter.
        parameter: String,
    },
    /// The database exists on the target and stays another role's, whom we cannot act for.
    NotOurs(Ident),
    /// The database exists on the target and could not be given to its owner.
    Owner(Ident),
    /// A grant that the target cannot hold.
    Grant(SkippedGrant),
    /// The database lay in a tablespace of its own; it is created in the default one.
    Tablespace(Ident),
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSettable {
                role: None,
                parameter: name,
            } => write!(
                f,
                "the parameter {} is unknown to the target, or we may not set it",
                Printable(name)
            ),
            Self::NotSettable {
                role: Some(role),
                parameter: name,
            } => write!(
                f,
                "the parameter {} of role {role} is unknown to the target, or we may not set it",
                Printable(name)
            ),
            Self::NoSuchRole {
                role,
                parameter: name,
            } => write!(
                f,
                "role {role}, for which {} is set, does not exist",
                Printable(name)
            ),
            Self::SettingRefused {
                role: None,
                parameter: name,
            } => write!(f, "the target refused the setting of {}", Printable(name)),
            Self::SettingRefused {
                role: Some(role),
                parameter: name,
            } => write!(
                f,
                "the target refused the setting of {} for role {role}",
                Printable(name)
            ),
            Self::NotOurs(owner) => write!(
                f,
                "it belongs to role {owner} on the target: its owner, privileges, comment and \
                 settings stay as they are"
            ),
            Self::Owner(owner) => write!(f, "it could not be given to role {owner}"),
            Self::Grant(skipped) => skipped.fmt(f),
            Self::Tablespace(name) => {
                write!(f, "tablespace {name} is not used, the default one is")
            }
        }
    }
}
