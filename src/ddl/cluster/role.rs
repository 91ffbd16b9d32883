//! Single roles: what creates one that is missing, and in what an existing one differs.

use super::attribute::render_attribute;
use super::difference::{Difference, NoPassword};
use super::role_merge::{RoleMerge, RoleOptions, RoleStatement};
use crate::catalog::cluster::{Attribute, Role, Roles};
use crate::connect::Secret;
use crate::ddl::secret::is_secret;
use crate::ddl::setting;
use crate::pg::{Literal, Sql};
use crate::sql;

/// Adds a role that the target lacks.
pub(super) fn plan_creation(
    merge: &mut RoleMerge,
    role: &Role,
    source: &Roles,
    target: &Roles,
    options: RoleOptions<'_>,
) {
    let attributes = plan_attributes(merge, role, source, target);
    merge.push(&role.name, render_create(role, &attributes));
    // A managed service may refuse a verifier, which is then the only thing skipped.
    if let Some(password) = find_password(merge, role, source, options) {
        merge.statements.push(RoleStatement {
            role: role.name.clone(),
            sql: sql!("ALTER ROLE {} PASSWORD {}", role.name, Literal(password)),
            is_secret: true,
            otherwise: Some(Difference::NoPassword {
                role: role.name.clone(),
                why: NoPassword::Refused,
            }),
        });
    }
    merge.created.insert(role.name.clone());
    if let Some(comment) = &role.comment {
        let comment = sql!("COMMENT ON ROLE {} IS {}", role.name, Literal(comment));
        merge.push(&role.name, comment);
    }
}

/// The attributes of a new role, with those that it may not have turned off.
fn plan_attributes(merge: &mut RoleMerge, role: &Role, source: &Roles, target: &Roles) -> Vec<Sql> {
    let runs_source =
        source.bootstrap.as_ref() == Some(&role.name) || role.name == source.connected_as;
    let mut words = Vec::new();
    for attribute in Attribute::ALL {
        let name = || role.name.clone();
        let lost = if !role.has(attribute) {
            None
        } else if runs_source && is_power(attribute) {
            let role = name();
            Some(Difference::Administrative { role, attribute })
        } else if !may_give(target, attribute) {
            let role = name();
            Some(Difference::NotGrantable { role, attribute })
        } else {
            None
        };
        let is_on = role.has(attribute) && lost.is_none();
        words.push(render_attribute(attribute, is_on));
        if is_on && attribute == Attribute::Superuser {
            merge.superusers.insert(role.name.clone());
        }
        merge.differences.extend(lost);
    }
    words
}

fn render_create(role: &Role, attributes: &[Sql]) -> Sql {
    let words = Sql::join(attributes, " ");
    let mut sql = sql!("CREATE ROLE {} WITH {}", role.name, words);
    if role.connection_limit != -1 {
        sql.push(&sql!(" CONNECTION LIMIT {}", role.connection_limit));
    }
    if let Some(until) = &role.valid_until {
        sql.push(&sql!(" VALID UNTIL {}", Literal(until)));
    }
    sql
}

/// The verifier to send. Its absence is a difference where the role could log in with one.
fn find_password<'a>(
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
pub(super) fn plan_settings(merge: &mut RoleMerge, role: &Role, options: RoleOptions<'_>) {
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
pub(super) fn may_create(target: &Roles) -> bool {
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

/// In what an existing role differs from the source's role of the same name.
pub(super) fn compare(source: &Role, target: &Role) -> Vec<Difference> {
    let mut what = Vec::new();
    for attribute in Attribute::ALL {
        if source.has(attribute) != target.has(attribute) {
            what.push(
                render_attribute(attribute, target.has(attribute))
                    .as_str()
                    .to_owned(),
            );
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
