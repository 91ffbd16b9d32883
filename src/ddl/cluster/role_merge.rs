//! The statements that bring roles to the target, and what they cannot bring.

use std::collections::BTreeSet;
use std::fmt;

use super::difference::Difference;
use crate::catalog::cluster::{Membership, Roles, Settable};
use crate::ddl::secret::masked;
use crate::pg::{Fragment, Ident, Sql};
use crate::sql;

/// What is wanted of the merge.
#[derive(Clone, Copy, Debug)]
pub struct RoleOptions<'a> {
    /// Whether passwords are copied.
    pub passwords: bool,
    /// The parameters that we may set on the target.
    pub settable: &'a Settable,
}

/// A statement about one role.
#[derive(Clone, PartialEq, Eq)]
pub struct RoleStatement {
    /// The role, for errors; of a right to set a parameter the parameter.
    pub role: Ident,
    /// The statement; never to be shown where `is_secret`.
    pub sql: Sql,
    /// Whether the statement holds a password's verifier, or a setting that looks like a secret.
    pub is_secret: bool,
    /// What differs should the target refuse it; None for what must succeed.
    pub otherwise: Option<Difference>,
}

impl RoleStatement {
    /// The text for people: without its constants where it holds a secret.
    pub fn shown(&self) -> Sql {
        if self.is_secret {
            masked(&self.sql)
        } else {
            self.sql.clone()
        }
    }
}

impl fmt::Debug for RoleStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleStatement({}: {})", self.role, self.shown().as_str())
    }
}

/// The statements that bring the source's roles to the target, and what they cannot bring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMerge {
    /// In order: roles with comments, memberships, settings, rights to set parameters.
    pub statements: Vec<RoleStatement>,
    /// By role.
    pub differences: Vec<Difference>,
    /// Roles that the statements create.
    pub created: BTreeSet<Ident>,
    /// Those among them that are superusers.
    pub superusers: BTreeSet<Ident>,
    /// Memberships that the statements create.
    pub memberships: Vec<Membership>,
}

impl RoleMerge {
    pub(super) fn push(&mut self, role: &Ident, sql: Sql) {
        self.statements.push(RoleStatement {
            role: role.clone(),
            sql,
            is_secret: false,
            otherwise: None,
        });
    }

    /// Whether a role will exist on the target once the statements have run.
    pub fn will_have(&self, target: &Roles, role: &Ident) -> bool {
        target.roles.contains_key(role) || self.created.contains(role)
    }
}

/// `GRANT role TO member`.
pub(super) fn render_grant(role: &Ident, member: &Ident, options: &impl Fragment) -> Sql {
    sql!("GRANT {} TO {}{}", role, member, options)
}
