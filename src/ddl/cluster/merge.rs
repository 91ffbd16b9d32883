//! Merges the roles of the source into those of the target.
//!
//! The target's own roles belong to whoever runs it: a role that exists there keeps its
//! attributes, password and settings, and only gains memberships. Every difference that remains
//! is reported. A missing role is created with all it has, with two
//! exceptions:
//!
//! - what the target's connecting role may not grant (manual, `CREATE ROLE`; since 16 the rules for
//!   `CREATEROLE`);
//! - the powers of the source's bootstrap superuser and of the role that we connect as there. Whoever runs
//!   one cluster does not thereby run another.

use super::difference::Difference;
use super::role_merge::{RoleMerge, RoleOptions};
use super::{common_setting, membership, parameter, role};
use crate::catalog::cluster::{Role, Roles};

/// Plans the merge. Pure: both sides have been read.
pub fn plan_role_merge(source: &Roles, target: &Roles, options: RoleOptions<'_>) -> RoleMerge {
    let mut merge = RoleMerge::default();
    for role in copied(source) {
        match target.roles.get(&role.name) {
            Some(existing) => merge.differences.extend(role::compare(role, existing)),
            None if !role::may_create(target) => merge.differences.push(Difference::NotCreated {
                role: role.name.clone(),
            }),
            None => role::plan_creation(&mut merge, role, source, target, options),
        }
    }
    membership::plan_memberships(&mut merge, source, target);
    let created = merge.created.clone();
    for role in copied(source).filter(|role| created.contains(&role.name)) {
        role::plan_settings(&mut merge, role, options);
    }
    common_setting::plan_common_settings(&mut merge, source, target, options.settable);
    parameter::plan_parameter_grants(&mut merge, source, target, options.settable);
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
