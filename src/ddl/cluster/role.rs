//! Merges the roles of the source into those of the target.
//!
//! The target's own roles belong to whoever runs it: a role that exists there keeps its
//! attributes, password and settings, and only gains memberships. Every difference that remains
//! is told. A missing role is created with all it has, but for what the target's connecting role
//! may not give (manual, `CREATE ROLE` and, since 16, the rules for `CREATEROLE`), and but for
//! the powers of the source's bootstrap superuser and of the role we connect as there: who runs
//! one cluster does not thereby run another.

mod difference;

use std::collections::BTreeSet;
use std::fmt;

pub use difference::{Difference, MembershipDifference, NoPassword};

use super::common_setting;
use super::{membership, parameter};
use crate::catalog::cluster::{Attribute, Membership, Role, Roles, Settable};
use crate::connect::Secret;
use crate::ddl::secret::{is_secret, masked};
use crate::ddl::setting;
use crate::pg::{Fragment, Ident, Literal, Sql};
use crate::sql;

/// What is wanted of the merge.
#[derive(Clone, Copy, Debug)]
pub struct RoleOptions<'a> {
    /// Whether passwords are carried over.
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
    /// Memberships that the statements make.
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

/// Plans the merge. Pure: both sides have been read.
pub fn merge(source: &Roles, target: &Roles, options: RoleOptions<'_>) -> RoleMerge {
    let mut merge = RoleMerge::default();
    for role in copied(source) {
        match target.roles.get(&role.name) {
            Some(existing) => merge.differences.extend(kept(role, existing)),
            None if !may_create(target) => merge.differences.push(Difference::NotCreated {
                role: role.name.clone(),
            }),
            None => create(&mut merge, role, source, target, options),
        }
    }
    membership::merge(&mut merge, source, target);
    let created = merge.created.clone();
    for role in copied(source).filter(|role| created.contains(&role.name)) {
        set(&mut merge, role, options);
    }
    common_setting::merge(&mut merge, source, target, options.settable);
    parameter::merge(&mut merge, source, target, options.settable);
    if source.orphan_memberships > 0 {
        merge.differences.push(Difference::OrphanMemberships {
            rows: source.orphan_memberships,
        });
    }
    merge
}

/// The source's roles but for those of the server and of the managed service.
fn copied(source: &Roles) -> impl Iterator<Item = &Role> {
    let provider = source.provider;
    source.roles.values().filter(move |role| {
        !role.is_predefined() && !provider.is_some_and(|provider| provider.owns_role(&role.name))
    })
}

fn create(
    merge: &mut RoleMerge,
    role: &Role,
    source: &Roles,
    target: &Roles,
    options: RoleOptions<'_>,
) {
    let runs_source =
        source.bootstrap.as_ref() == Some(&role.name) || role.name == source.connected_as;
    let mut words = Vec::new();
    for attribute in Attribute::ALL {
        let wanted = role.has(attribute);
        let lost = if wanted && runs_source && is_power(attribute) {
            Some(Difference::Administrative {
                role: role.name.clone(),
                attribute,
            })
        } else if wanted && !may_give(target, attribute) {
            Some(Difference::NotGrantable {
                role: role.name.clone(),
                attribute,
            })
        } else {
            None
        };
        let is_on = wanted && lost.is_none();
        words.push(word(attribute, is_on));
        if is_on && attribute == Attribute::Superuser {
            merge.superusers.insert(role.name.clone());
        }
        merge.differences.extend(lost);
    }
    let mut sql = sql!("CREATE ROLE {} WITH {}", role.name, Sql::join(words, " "));
    if role.connection_limit != -1 {
        sql.push(&sql!(" CONNECTION LIMIT {}", role.connection_limit));
    }
    if let Some(until) = &role.valid_until {
        sql.push(&sql!(" VALID UNTIL {}", Literal(until)));
    }
    merge.statements.push(RoleStatement {
        role: role.name.clone(),
        sql,
        is_secret: false,
        otherwise: None,
    });
    // A managed service may refuse a verifier, which is then the only thing left out.
    if let Some(password) = password(merge, role, source, options) {
        let (role, why) = (role.name.clone(), NoPassword::Refused);
        merge.statements.push(RoleStatement {
            sql: sql!("ALTER ROLE {} PASSWORD {}", role, Literal(password)),
            is_secret: true,
            otherwise: Some(Difference::NoPassword {
                role: role.clone(),
                why,
            }),
            role,
        });
    }
    merge.created.insert(role.name.clone());
    if let Some(comment) = &role.comment {
        let comment = sql!("COMMENT ON ROLE {} IS {}", role.name, Literal(comment));
        merge.push(&role.name, comment);
    }
}

/// The verifier to send. Its absence is a difference where the role could log in with one.
fn password<'a>(
    merge: &mut RoleMerge,
    role: &'a Role,
    source: &Roles,
    options: RoleOptions<'_>,
) -> Option<&'a str> {
    let why = if source.passwords_readable && role.password.is_none() {
        return None;
    } else if !options.passwords {
        NoPassword::NotWanted
    } else if !source.passwords_readable {
        NoPassword::Unreadable
    } else {
        return role.password.as_ref().map(Secret::expose);
    };
    if role.has(Attribute::Login) {
        merge.differences.push(Difference::NoPassword {
            role: role.name.clone(),
            why,
        });
    }
    None
}

/// Settings follow when all roles exist: a setting may name another role.
fn set(merge: &mut RoleMerge, role: &Role, options: RoleOptions<'_>) {
    for entry in &role.settings {
        if options.settable.contains(&entry.name) {
            merge.statements.push(RoleStatement {
                role: role.name.clone(),
                sql: setting::alter(&sql!("ROLE {}", role.name), entry),
                is_secret: is_secret(&entry.name, &entry.value),
                otherwise: Some(Difference::SettingRefused {
                    role: role.name.clone(),
                    parameter: entry.name.clone(),
                }),
            });
        } else {
            merge.differences.push(Difference::NotSettable {
                role: role.name.clone(),
                parameter: entry.name.clone(),
            });
        }
    }
}

/// Whether our session on the target may create roles.
fn may_create(target: &Roles) -> bool {
    target.we_have(Attribute::Superuser) || target.we_have(Attribute::CreateRole)
}

/// Whether the attribute gives power over the cluster, rather than describing a user.
const fn is_power(attribute: Attribute) -> bool {
    match attribute {
        Attribute::Superuser
        | Attribute::CreateRole
        | Attribute::CreateDatabase
        | Attribute::Replication
        | Attribute::BypassRowSecurity => true,
        Attribute::Inherit | Attribute::Login => false,
    }
}

/// Whether our session on the target may create a role with the attribute.
fn may_give(target: &Roles, attribute: Attribute) -> bool {
    if target.we_have(Attribute::Superuser) {
        return true;
    }
    match attribute {
        Attribute::Superuser => false,
        Attribute::Replication | Attribute::BypassRowSecurity => {
            target.version.has_membership_options() && target.we_have(attribute)
        }
        Attribute::CreateDatabase => {
            !target.version.has_membership_options() || target.we_have(attribute)
        }
        Attribute::Inherit | Attribute::CreateRole | Attribute::Login => true,
    }
}

fn word(attribute: Attribute, on: bool) -> Sql {
    Sql::fixed(match (attribute, on) {
        (Attribute::Superuser, true) => "SUPERUSER",
        (Attribute::Superuser, false) => "NOSUPERUSER",
        (Attribute::Inherit, true) => "INHERIT",
        (Attribute::Inherit, false) => "NOINHERIT",
        (Attribute::CreateRole, true) => "CREATEROLE",
        (Attribute::CreateRole, false) => "NOCREATEROLE",
        (Attribute::CreateDatabase, true) => "CREATEDB",
        (Attribute::CreateDatabase, false) => "NOCREATEDB",
        (Attribute::Login, true) => "LOGIN",
        (Attribute::Login, false) => "NOLOGIN",
        (Attribute::Replication, true) => "REPLICATION",
        (Attribute::Replication, false) => "NOREPLICATION",
        (Attribute::BypassRowSecurity, true) => "BYPASSRLS",
        (Attribute::BypassRowSecurity, false) => "NOBYPASSRLS",
    })
}

/// In what an existing role differs from the source's role of the same name.
fn kept(source: &Role, target: &Role) -> Vec<Difference> {
    let mut what = Vec::new();
    for attribute in Attribute::ALL {
        if source.has(attribute) != target.has(attribute) {
            what.push(word(attribute, target.has(attribute)).as_str().to_owned());
        }
    }
    let others = [
        (
            "connection limit",
            source.connection_limit != target.connection_limit,
        ),
        (
            "password validity",
            source.valid_until != target.valid_until,
        ),
        ("comment", source.comment != target.comment),
        (
            "password",
            source.password.is_some() && source.password != target.password,
        ),
    ];
    let differ = others.into_iter().filter(|(_, differs)| *differs);
    what.extend(differ.map(|(name, _)| name.to_owned()));
    let settings = source
        .settings
        .iter()
        .filter(|s| !target.settings.contains(s));
    what.extend(settings.map(|setting| format!("setting {}", setting.name)));
    what.into_iter()
        .map(|what| Difference::Kept {
            role: source.name.clone(),
            what,
        })
        .collect()
}

/// Role names in `GRANT`; kept beside the words above.
pub(super) fn grant(role: &Ident, member: &Ident, options: &impl Fragment) -> Sql {
    sql!("GRANT {} TO {}{}", role, member, options)
}

#[cfg(test)]
mod tests;
