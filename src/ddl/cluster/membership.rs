//! Memberships of roles in roles, for [`role::merge`](super::role::merge).
//!
//! From 16 on a membership has options and a grantor who must himself hold `ADMIN OPTION` on the
//! role, so grants are written in passes. Before 16 the grantor was not kept reliably and is not
//! copied, as in `pg_dumpall`.

use std::collections::BTreeSet;

use super::role::{Difference, MembershipDifference, RoleMerge};
use crate::catalog::cluster::{Attribute, Membership, Roles, is_predefined};
use crate::pg::{Ident, Sql};
use crate::sql;

/// Adds what the target lacks of the source's memberships.
pub(super) fn merge(merge: &mut RoleMerge, source: &Roles, target: &Roles) {
    let mut waiting = Vec::new();
    for membership in combined(source, target) {
        let Some(membership) = beside_creation(merge, membership, target) else {
            continue;
        };
        match judge(merge, &membership, source, target) {
            Verdict::Grant => waiting.push(membership),
            Verdict::GrantOtherwise(why) => {
                told(merge, &membership, why);
                waiting.push(membership);
            }
            Verdict::LeaveOut(why) => told(merge, &membership, why),
            Verdict::Nothing => {}
        }
    }
    let (mut ordered, stuck) = in_grantor_order(waiting, source, target);
    for mut membership in stuck {
        told(merge, &membership, MembershipDifference::OtherGrantor);
        membership.grantor = None;
        ordered.push(membership);
    }
    let holds_grantors = keeps_grantors(target);
    for membership in ordered {
        let grantor = grantor(&membership, source).filter(|_| holds_grantors);
        let options = options(&membership, target, grantor);
        let sql = super::role::grant(&membership.role, &membership.member, &options);
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

fn told(merge: &mut RoleMerge, membership: &Membership, why: MembershipDifference) {
    merge.differences.push(Difference::Membership {
        role: membership.role.clone(),
        member: membership.member.clone(),
        why,
    });
}

/// Whether grants are made on behalf of their grantors: the target keeps them, and a superuser
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

/// What is left to grant of a membership in a role that we make ourselves, if anything. Since 16
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
fn may_grant(merge: &RoleMerge, role: &Ident, target: &Roles) -> bool {
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

/// The role that stands for whoever owns the database one is in; it has no other members.
const DATABASE_OWNER: &str = "pg_database_owner";

/// How our session comes to act for other roles, which it must to give them what they own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumption {
    /// To be run before the first object is given away.
    pub grants: Vec<Sql>,
    /// To be run when all is done.
    pub revokes: Vec<Sql>,
    /// What our own role is lent in between.
    pub loans: Vec<Loan>,
    /// Roles that we may not make ourselves a member of.
    pub impossible: Vec<Ident>,
}

/// Plans temporary memberships of our own in `owners`; none for a superuser. `created` are the
/// roles of the [`merge`](super::role::merge).
///
/// `ALTER … OWNER TO` needs the right to `SET ROLE` to the new owner, and whatever is done to the
/// object afterwards needs the owner's privileges. Since 16 the creator of a role has
/// `ADMIN OPTION` on it and nothing else.
pub fn assume(target: &Roles, owners: &BTreeSet<Ident>, created: &RoleMerge) -> Assumption {
    let mut assumption = Assumption::default();
    if target.we_have(Attribute::Superuser) {
        return assumption;
    }
    let us = &target.connected_as;
    for owner in owners
        .iter()
        .filter(|owner| !may_act(target, created, owner))
    {
        if may_assume(target, created, owner) {
            let options = target.version.has_membership_options();
            let options = options.then(|| Sql::fixed(" WITH INHERIT TRUE, SET TRUE"));
            assumption
                .grants
                .push(super::role::grant(owner, us, &options));
            let loan = lend(target, created, owner);
            assumption.revokes.push(loan.render_end(us));
            assumption.loans.push(loan);
        } else {
            assumption.impossible.push(owner.clone());
        }
    }
    assumption
}

/// A temporary membership of our own role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loan {
    /// The role that we are a member of for a time.
    pub role: Ident,
    /// `INHERIT` and `SET` of the membership that we had granted ourselves before, if we had.
    pub before: Option<(bool, bool)>,
}

impl Loan {
    /// What ends it: one that we have granted ourselves before gets its options back.
    pub fn render_end(&self, member: &Ident) -> Sql {
        let word = |on: bool| Sql::fixed(if on { "TRUE" } else { "FALSE" });
        match self.before {
            Some((inherit, set)) => {
                let options = sql!(" WITH INHERIT {}, SET {}", word(inherit), word(set));
                super::role::grant(&self.role, member, &options)
            }
            None => sql!("REVOKE {} FROM {}", self.role, member),
        }
    }
}

/// A temporary membership in a role, and how it was before.
fn lend(target: &Roles, created: &RoleMerge, owner: &Ident) -> Loan {
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
    Loan {
        role: owner.clone(),
        before,
    }
}

/// The roles that will exist on the target and that we can neither act for nor make ourselves a
/// member of.
pub fn out_of_reach(target: &Roles, created: &RoleMerge) -> BTreeSet<Ident> {
    if target.we_have(Attribute::Superuser) {
        return BTreeSet::new();
    }
    let roles = target.roles.keys().chain(&created.created);
    roles
        .filter(|role| !may_act(target, created, role) && !may_assume(target, created, role))
        .cloned()
        .collect()
}

/// Whether we may become a member of the role: nobody is a member of his own member.
fn may_assume(target: &Roles, created: &RoleMerge, role: &Ident) -> bool {
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

/// Whether `member` belongs to `role` through memberships of a kind, with those that are made.
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
