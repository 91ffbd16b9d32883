//! Memberships that our own role has while a run lasts.
//!
//! `ALTER … OWNER TO` needs the right to `SET ROLE` to the new owner, and everything done to the object
//! afterwards needs the owner's privileges. Since 16 the creator of a role has `ADMIN OPTION` on it and
//! nothing else.

use std::collections::BTreeSet;

use super::membership::may_grant;
use super::role_merge::{RoleMerge, render_grant};
use crate::catalog::cluster::{Attribute, Membership, Roles};
use crate::pg::{Ident, Sql};
use crate::sql;

/// The role that the owner of the current database is a member of; it has no other members.
const DATABASE_OWNER: &str = "pg_database_owner";

/// How our session comes to act for other roles, which it must to give them what they own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemporaryMemberships {
    /// To be run before the first object is given away.
    pub grants: Vec<Sql>,
    /// To be run when all is done.
    pub revokes: Vec<Sql>,
    /// The memberships of our own role in between.
    pub memberships: Vec<TemporaryMembership>,
    /// Roles in which we may not grant ourselves membership.
    pub impossible: Vec<Ident>,
}

/// Plans temporary memberships of our own role in `owners`; none for a superuser. `created` are the roles
/// of the merge.
pub fn plan_temporary_memberships(
    target: &Roles,
    owners: &BTreeSet<Ident>,
    created: &RoleMerge,
) -> TemporaryMemberships {
    let mut temporary = TemporaryMemberships::default();
    if target.we_have(Attribute::Superuser) {
        return temporary;
    }
    let us = &target.connected_as;
    for owner in owners
        .iter()
        .filter(|owner| !may_act(target, created, owner))
    {
        if may_join(target, created, owner) {
            let options = target.version.has_membership_options();
            let options = options.then(|| Sql::fixed(" WITH INHERIT TRUE, SET TRUE"));
            temporary.grants.push(render_grant(owner, us, &options));
            let membership = plan_one(target, created, owner);
            temporary.revokes.push(membership.render_revoke(us));
            temporary.memberships.push(membership);
        } else {
            temporary.impossible.push(owner.clone());
        }
    }
    temporary
}

/// A temporary membership of our own role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryMembership {
    /// The role that we are a member of for a time.
    pub role: Ident,
    /// `INHERIT` and `SET` of the membership that we had granted ourselves before, if we had.
    pub before: Option<(bool, bool)>,
}

impl TemporaryMembership {
    /// What ends it: one that we have granted ourselves before gets its options back.
    pub fn render_revoke(&self, member: &Ident) -> Sql {
        let word = |on: bool| Sql::fixed(if on { "TRUE" } else { "FALSE" });
        match self.before {
            Some((inherit, set)) => {
                let options = sql!(" WITH INHERIT {}, SET {}", word(inherit), word(set));
                render_grant(&self.role, member, &options)
            }
            None => sql!("REVOKE {} FROM {}", self.role, member),
        }
    }
}

/// A temporary membership in a role, and how it was before.
fn plan_one(target: &Roles, created: &RoleMerge, owner: &Ident) -> TemporaryMembership {
    let us = &target.connected_as;
    let by_us = target.memberships.iter();
    let by_us = by_us.filter(|m| m.grantor.as_ref() == Some(us));
    let mut ours = by_us.chain(&created.memberships);
    let before = ours.find(|m| m.role == *owner && m.member == *us);
    let before = before.filter(|_| target.version.has_membership_options());
    let before = before.map(|before| {
        let inherit = before.inherit.unwrap_or_else(|| {
            let role = target.roles.get(us);
            role.is_some_and(|role| role.has(Attribute::Inherit))
        });
        (inherit, before.set != Some(false))
    });
    TemporaryMembership {
        role: owner.clone(),
        before,
    }
}

/// The roles that will exist on the target and that we can neither act for nor grant ourselves
/// membership in.
pub fn find_unreachable_roles(target: &Roles, created: &RoleMerge) -> BTreeSet<Ident> {
    if target.we_have(Attribute::Superuser) {
        return BTreeSet::new();
    }
    let roles = target.roles.keys().chain(&created.created);
    roles
        .filter(|role| !may_act(target, created, role) && !may_join(target, created, role))
        .cloned()
        .collect()
}

/// Whether we may become a member of the role: nobody is a member of his own member.
fn may_join(target: &Roles, created: &RoleMerge, role: &Ident) -> bool {
    let us = &target.connected_as;
    may_grant(created, role, target) && !is_reached(target, created, role, us, |_| true)
}

/// Whether our session may `SET ROLE` to the role and has its privileges, without our doing.
fn may_act(target: &Roles, created: &RoleMerge, role: &Ident) -> bool {
    let us = &target.connected_as;
    if role.as_str() == DATABASE_OWNER {
        return true;
    }
    is_reached(target, created, us, role, |m| m.set != Some(false))
        && is_reached(target, created, us, role, |m| m.inherit != Some(false))
}

/// Whether `member` belongs to `role` through memberships of a kind, with those that are created.
fn is_reached(
    target: &Roles,
    created: &RoleMerge,
    member: &Ident,
    role: &Ident,
    counts: impl Fn(&Membership) -> bool,
) -> bool {
    let mut seen = BTreeSet::from([member]);
    let mut waiting = vec![member];
    while let Some(current) = waiting.pop() {
        if current == role {
            return true;
        }
        let grants = target.memberships.iter().chain(&created.memberships);
        for membership in grants.filter(|m| m.member == *current && counts(m)) {
            if seen.insert(&membership.role) {
                waiting.push(&membership.role);
            }
        }
    }
    false
}
