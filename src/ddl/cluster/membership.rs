//! Memberships of roles in roles, for the merge of roles.
//!
//! From 16 on a membership has options and a grantor who must himself hold `ADMIN OPTION` on the
//! role, so grants are written in passes. Before 16 the grantor was not kept reliably and is not
//! copied, as in `pg_dumpall`.

use std::collections::BTreeSet;

use super::difference::{Difference, MembershipDifference};
use super::role_merge::{RoleMerge, render_grant};
use crate::catalog::cluster::{Attribute, Membership, Roles, is_predefined};
use crate::pg::{Ident, Sql};
use crate::sql;

/// Adds what the target lacks of the source's memberships.
pub(super) fn plan_memberships(merge: &mut RoleMerge, source: &Roles, target: &Roles) {
    let mut waiting = Vec::new();
    for membership in combined(source, target) {
        let Some(membership) = beside_creation(merge, membership, target) else {
            continue;
        };
        match judge(merge, &membership, source, target) {
            Verdict::Grant => waiting.push(membership),
            Verdict::GrantOtherwise(why) => {
                report(merge, &membership, why);
                waiting.push(membership);
            }
            Verdict::LeaveOut(why) => report(merge, &membership, why),
            Verdict::Nothing => {}
        }
    }
    let (mut ordered, stuck) = in_grantor_order(waiting, source, target);
    for mut membership in stuck {
        report(merge, &membership, MembershipDifference::OtherGrantor);
        membership.grantor = None;
        ordered.push(membership);
    }
    let holds_grantors = keeps_grantors(target);
    for membership in ordered {
        let grantor = grantor(&membership, source).filter(|_| holds_grantors);
        let options = options(&membership, target, grantor);
        let sql = render_grant(&membership.role, &membership.member, &options);
        merge.push(&membership.role, sql);
        merge.memberships.push(membership);
    }
}

enum Verdict {
    Grant,
    GrantOtherwise(MembershipDifference),
    LeaveOut(MembershipDifference),
    Nothing,
}

fn report(merge: &mut RoleMerge, membership: &Membership, why: MembershipDifference) {
    merge.differences.push(Difference::Membership {
        role: membership.role.clone(),
        member: membership.member.clone(),
        why,
    });
}

/// Whether grants are issued on behalf of their grantors: the target keeps them, and a superuser
/// may act for anyone.
fn keeps_grantors(target: &Roles) -> bool {
    target.version.has_membership_options() && target.we_have(Attribute::Superuser)
}

/// The source's memberships in the target's terms: where grantors are not kept, the grants of
/// several become one with the options of all.
fn combined(source: &Roles, target: &Roles) -> Vec<Membership> {
    if keeps_grantors(target) {
        return source.memberships.clone();
    }
    let either = |a: Option<bool>, b: Option<bool>| a.zip(b).map(|(a, b)| a || b);
    let mut combined: Vec<Membership> = Vec::new();
    for membership in &source.memberships {
        let same = combined
            .iter_mut()
            .find(|other| other.role == membership.role && other.member == membership.member);
        match same {
            Some(other) => {
                other.admin |= membership.admin;
                other.inherit = either(other.inherit, membership.inherit);
                other.set = either(other.set, membership.set);
            }
            None => combined.push(membership.clone()),
        }
    }
    combined
}

/// What is left to grant of a membership in a role that we create ourselves, if anything. Since 16
/// the creator of a role has `ADMIN OPTION` on it, and nobody may give that back to whom he has it
/// from.
fn beside_creation(
    merge: &RoleMerge,
    membership: Membership,
    target: &Roles,
) -> Option<Membership> {
    let is_creators = membership.member == target.connected_as
        && merge.created.contains(&membership.role)
        && target.version.has_membership_options()
        && !target.we_have(Attribute::Superuser);
    if !is_creators {
        return Some(membership);
    }
    let gives_nothing = membership.inherit == Some(false) && membership.set == Some(false);
    (!gives_nothing).then_some(Membership {
        admin: false,
        ..membership
    })
}

fn judge(merge: &RoleMerge, membership: &Membership, source: &Roles, target: &Roles) -> Verdict {
    let Membership { role, member, .. } = membership;
    let provider = source.provider;
    let provided = |name: &Ident| provider.is_some_and(|provider| provider.owns_role(name));
    if is_predefined(member) || (provided(role) && provided(member)) {
        return Verdict::Nothing;
    }
    if let Some(verdict) = existing(membership, source, target) {
        return verdict;
    }
    if !merge.will_have(target, role) || !merge.will_have(target, member) {
        return Verdict::LeaveOut(MembershipDifference::NoSuchRole);
    }
    if target.is_member(role, member) {
        return Verdict::LeaveOut(MembershipDifference::Circular);
    }
    if !may_grant(merge, role, target) {
        return Verdict::LeaveOut(MembershipDifference::NotGrantable);
    }
    if !target.version.has_membership_options() {
        return without_options(membership, source);
    }
    let is_by_us = |grantor: &Ident| *grantor == target.connected_as;
    if keeps_grantors(target) || grantor(membership, source).is_none_or(is_by_us) {
        Verdict::Grant
    } else {
        Verdict::GrantOtherwise(MembershipDifference::OtherGrantor)
    }
}

/// What is to be done about a membership that the target has already, if it has.
fn existing(membership: &Membership, source: &Roles, target: &Roles) -> Option<Verdict> {
    let pair: Vec<&Membership> = target
        .memberships
        .iter()
        .filter(|other| other.role == membership.role && other.member == membership.member)
        .collect();
    let by_same = |other: &&&Membership| {
        !keeps_grantors(target) || grantor(other, target) == grantor(membership, source)
    };
    let found = pair.iter().find(by_same)?;
    let equal = |a: Option<bool>, b: Option<bool>| a.zip(b).is_none_or(|(a, b)| a == b);
    let same = found.admin == membership.admin
        && equal(found.inherit, membership.inherit)
        && equal(found.set, membership.set);
    Some(if same {
        Verdict::Nothing
    } else {
        Verdict::LeaveOut(MembershipDifference::OtherOptions)
    })
}

/// A target below 16 can only give everything that a membership may hold.
fn without_options(membership: &Membership, source: &Roles) -> Verdict {
    if membership.set == Some(false) {
        return Verdict::LeaveOut(MembershipDifference::WithoutSet);
    }
    let inherits = source
        .roles
        .get(&membership.member)
        .is_some_and(|member| member.has(Attribute::Inherit));
    match membership.inherit {
        Some(inherit) if inherit != inherits => {
            Verdict::GrantOtherwise(MembershipDifference::OtherInherit)
        }
        _ => Verdict::Grant,
    }
}

/// Whether our session on the target may grant the role. Since 16 that takes `ADMIN OPTION`, which
/// the creator of a role has; before, `CREATEROLE` for all but superusers.
pub(super) fn may_grant(merge: &RoleMerge, role: &Ident, target: &Roles) -> bool {
    if target.we_have(Attribute::Superuser) {
        return true;
    }
    let is_superuser = target
        .roles
        .get(role)
        .is_some_and(|role| role.has(Attribute::Superuser));
    let administers = || {
        target
            .memberships
            .iter()
            .filter(|m| m.role == *role && m.admin)
            .any(|m| target.is_member(&target.connected_as, &m.member))
    };
    !is_superuser
        && (merge.created.contains(role)
            || (!target.version.has_membership_options() && target.we_have(Attribute::CreateRole))
            || administers())
}

/// The grantor, unless it is the bootstrap superuser, for whom a superuser grants by default and
/// whose name differs between clusters.
fn grantor<'a>(membership: &'a Membership, roles: &Roles) -> Option<&'a Ident> {
    membership
        .grantor
        .as_ref()
        .filter(|grantor| roles.bootstrap.as_ref() != Some(grantor))
}

fn options(membership: &Membership, target: &Roles, grantor: Option<&Ident>) -> Sql {
    let mut words = Vec::new();
    if membership.admin {
        words.push(Sql::fixed("ADMIN OPTION"));
    }
    if target.version.has_membership_options() {
        match membership.inherit {
            Some(true) => words.push(Sql::fixed("INHERIT TRUE")),
            Some(false) => words.push(Sql::fixed("INHERIT FALSE")),
            None => {}
        }
        if membership.set == Some(false) {
            words.push(Sql::fixed("SET FALSE"));
        }
    }
    let mut sql = Sql::default();
    if !words.is_empty() {
        sql.push(&sql!(" WITH {}", Sql::join(words, ", ")));
    }
    if let Some(grantor) = grantor {
        sql.push(&sql!(" GRANTED BY {}", grantor));
    }
    sql
}

/// Puts each grant behind the one that gives its grantor `ADMIN OPTION` on the role. Apart come
/// those whose grantor will not have it on the target.
fn in_grantor_order(
    mut waiting: Vec<Membership>,
    source: &Roles,
    target: &Roles,
) -> (Vec<Membership>, Vec<Membership>) {
    if !keeps_grantors(target) {
        return (waiting, Vec::new());
    }
    let key = |membership: &Membership| (membership.role.clone(), membership.member.clone());
    let admins = target.memberships.iter().filter(|m| m.admin);
    let mut administered: BTreeSet<_> = admins.map(key).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    loop {
        let (ready, blocked): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|membership| {
            grantor(membership, source)
                .is_none_or(|by| administered.contains(&(membership.role.clone(), by.clone())))
        });
        if ready.is_empty() {
            return (ordered, blocked);
        }
        administered.extend(ready.iter().filter(|m| m.admin).map(key));
        ordered.extend(ready);
        waiting = blocked;
    }
}
