//! What the target's roles lack, or have otherwise than the source's.

use std::fmt;

use super::attribute::render_attribute;
use crate::catalog::cluster::Attribute;
use crate::pg::{Ident, Printable, Sql};

/// What the target's roles will lack, or have otherwise than the source's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The role exists and keeps another value.
    Kept {
        /// The role.
        role: Ident,
        /// What differs, e.g. `SUPERUSER` or `connection limit`.
        what: String,
    },
    /// It does not exist, and we may not create roles.
    NotCreated {
        /// The role.
        role: Ident,
    },
    /// A power is not given to a new role, because we may not give it.
    NotGrantable {
        /// The role.
        role: Ident,
        /// The power.
        attribute: Attribute,
    },
    /// An attribute is not given to a new role: it is the source's bootstrap superuser or connecting role.
    Administrative {
        /// The role.
        role: Ident,
        /// The power.
        attribute: Attribute,
    },
    /// A new role that may log in gets no password.
    NoPassword {
        /// The role.
        role: Ident,
        /// Why.
        why: NoPassword,
    },
    /// The target does not take the parameter's value.
    SettingRefused {
        /// The role.
        role: Ident,
        /// The parameter.
        parameter: String,
    },
    /// The target does not know the parameter, or we may not set it there.
    NotSettable {
        /// The role.
        role: Ident,
        /// The parameter.
        parameter: String,
    },
    /// A membership is skipped, or has other options.
    Membership {
        /// The role that would be granted.
        role: Ident,
        /// The member.
        member: Ident,
        /// Why, or what differs.
        why: MembershipDifference,
    },
    /// A right to set a parameter is skipped.
    Parameter {
        /// The parameter.
        parameter: Ident,
        /// The statement that would grant it.
        statement: Sql,
    },
    /// A setting of every role in every database is skipped, or another.
    CommonSetting {
        /// The parameter.
        parameter: String,
        /// Why.
        why: CommonSettingDifference,
    },
    /// Rows of the source's `pg_auth_members` name roles that are gone.
    OrphanMemberships {
        /// How many.
        rows: usize,
    },
}

/// Why a role has no password on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPassword {
    /// The source did not let us read it.
    Unreadable,
    /// The target refused it.
    Refused,
    /// It was not wanted.
    NotWanted,
}

/// What is different about a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipDifference {
    /// We may not grant the role.
    NotGrantable,
    /// The role or the member is the managed service's own, or a role of a newer server.
    NoSuchRole,
    /// The target already has the opposite membership.
    Circular,
    /// The membership exists with other options.
    OtherOptions,
    /// Granted `SET FALSE`, which the target cannot express; a plain grant would give more.
    WithoutSet,
    /// Granted with an `INHERIT` option that the target cannot express.
    OtherInherit,
    /// Granted on behalf of another role than on the source.
    OtherGrantor,
}

/// Why a setting is not what it is on the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonSettingDifference {
    /// The target has another value.
    Kept,
    /// The target does not know the parameter, or only a superuser may set it for every role.
    NotSettable,
    /// The target does not take the value.
    Refused,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept { role, what } => {
                write!(
                    f,
                    "role {role} exists on the target and keeps its own {what}"
                )
            }
            Self::NotCreated { role } => write!(
                f,
                "role {role} is not created: the target's connecting role may not create roles"
            ),
            Self::NotGrantable { role, attribute } => write!(
                f,
                "role {role} is created without {}, which the target's connecting role may not give",
                render_attribute(*attribute, true).as_str()
            ),
            Self::Administrative { role, attribute } => write!(
                f,
                "role {role} is created without {}: it is the first superuser or the connecting role of the source",
                render_attribute(*attribute, true).as_str()
            ),
            Self::NoPassword { role, why } => {
                write!(f, "role {role} is created without a password: ")?;
                f.write_str(match why {
                    NoPassword::Unreadable => "the source does not let us read it",
                    NoPassword::Refused => "the target does not take it",
                    NoPassword::NotWanted => "passwords are not copied in this run",
                })
            }
            Self::NotSettable { role, parameter } => write!(
                f,
                "role {role} is created without its setting of {}, which the target does not know or does not let us set",
                Printable(parameter)
            ),
            Self::SettingRefused { role, parameter } => write!(
                f,
                "role {role} is created without its setting of {}, whose value the target does not take",
                Printable(parameter)
            ),
            Self::Membership { role, member, why } => {
                write!(f, "membership of {member} in {role}: {}", why.text())
            }
            Self::Parameter {
                parameter,
                statement,
            } => write!(
                f,
                "the right to set {parameter} is skipped, the target cannot hold it or we may not \
                 grant it: {}",
                Printable(statement.as_str())
            ),
            Self::CommonSetting { parameter, why } => write!(
                f,
                "setting {} of every role: {}",
                Printable(parameter),
                why.text()
            ),
            Self::OrphanMemberships { rows } => {
                write!(
                    f,
                    "{rows} memberships of roles that no longer exist are skipped"
                )
            }
        }
    }
}

impl MembershipDifference {
    const fn text(self) -> &'static str {
        match self {
            Self::NotGrantable => "skipped, the target's connecting role may not grant it",
            Self::NoSuchRole => "skipped, no such role on the target",
            Self::Circular => "skipped, the target has the opposite membership",
            Self::OtherOptions => "exists on the target with other options, which it keeps",
            Self::WithoutSet => "skipped, the target does not support membership without SET",
            Self::OtherInherit => {
                "granted with the INHERIT of the member, the target does not support other"
            }
            Self::OtherGrantor => "granted by the connecting role instead of its grantor",
        }
    }
}

impl CommonSettingDifference {
    const fn text(self) -> &'static str {
        match self {
            Self::Kept => "the target keeps its own value",
            Self::NotSettable => {
                "skipped, the target does not know it or does not let us set it for every role"
            }
            Self::Refused => "skipped, the target does not accept its value",
        }
    }
}
