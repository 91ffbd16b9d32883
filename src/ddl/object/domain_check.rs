//! Checks of domains that are added to a domain that exists.
//!
//! A check that calls functions of users or extensions may read other tables, so it is added after
//! all rows and validated then. The server validates a domain's checks only where columns are of the
//! domain itself. It refuses to where a column has an array, range or composite type that contains it.

use std::collections::HashSet;

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{Constraint, ConstraintKind, ObjectId, Table, Type, TypeKind};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::omission::{Omission, OmissionReason};
use crate::ddl::placement::Placement;
use crate::ddl::relation::Relation;
use crate::pg::{Oid, QualifiedName, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, domain: &'a Type, nodes: &mut Nodes<'a>) {
    for check in context.checks(domain.id.oid) {
        if timing(context, check) != Timing::Inline {
            let domain = &domain.name;
            nodes.push(Box::new(DomainCheck { check, domain }));
        }
    }
}

/// Whether a check is part of its domain's `CREATE DOMAIN`.
pub(super) fn is_inline(context: &Context<'_>, check: &Constraint) -> bool {
    timing(context, check) == Timing::Inline
}

/// The checks that are valid on the source and cannot be validated on the target.
pub(crate) fn find_unvalidated(context: &Context<'_>) -> Vec<Omission> {
    let mut omissions = Vec::new();
    for domain in &context.catalog.types {
        for check in context.checks(domain.id.oid) {
            if timing(context, check) == Timing::Unvalidated {
                omissions.push(Omission {
                    object: Label::part("constraint", &check.name, &domain.name),
                    reason: OmissionReason::Unvalidated,
                });
            }
        }
    }
    omissions
}

/// When a check of a domain is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timing {
    /// With the domain.
    Inline,
    /// After the rows, as it is.
    Apart,
    /// After all rows, which it validates in the same statement: a check whose function takes the domain itself
    /// calls itself without end once it exists.
    Late,
    /// After all rows; the server cannot validate it.
    Unvalidated,
}

fn timing(context: &Context<'_>, check: &Constraint) -> Timing {
    if !check.is_valid {
        return Timing::Apart;
    }
    let is_check = check.kind == ConstraintKind::Check;
    if is_check && context.calls_code(check.id) {
        if !is_contained(context, check.domain) {
            return Timing::Late;
        }
        // An extension's functions are trusted not to read tables where the price would be a
        // constraint that is not valid.
        if context.calls_users_code(check.id) {
            return Timing::Unvalidated;
        }
    }
    if context.placement(check.id) == Some(Placement::Separate) {
        Timing::Apart
    } else {
        Timing::Inline
    }
}

/// Whether a column holds values of a domain within an array, a range or a composite type.
fn is_contained(context: &Context<'_>, domain: Oid) -> bool {
    let users = context.users_of_types();
    let mut seen = HashSet::new();
    // Types that are the domain or contain it, and whether they contain it.
    let mut left = vec![(domain, false)];
    while let Some((of_type, contains)) = left.pop() {
        for user in users.get(&of_type).into_iter().flatten() {
            let (row_type, contains) = match user_of(context, *user, of_type) {
                User::Column(_) if contains => return true,
                User::Column(row_type) | User::Composite(row_type) => (row_type, true),
                User::Domain => (user.oid, contains),
                User::Container => (user.oid, true),
                User::Other => continue,
            };
            if seen.insert((row_type, contains)) {
                left.push((row_type, contains));
            }
        }
    }
    false
}

/// What is defined with a type.
enum User {
    /// A relation with rows, which has this type of row.
    Column(Oid),
    /// A composite type, or a view.
    Composite(Oid),
    /// A domain over the type.
    Domain,
    /// An array or range type.
    Container,
    /// Nothing with values of it.
    Other,
}

fn user_of(context: &Context<'_>, user: ObjectId, of_type: Oid) -> User {
    if user.class == Class::Type {
        let mut types = context.catalog.types.iter();
        let is_domain = |other: &Type| matches!(other.kind, TypeKind::Domain(_));
        return match types.find(|other| other.id == user) {
            Some(other) if is_domain(other) => User::Domain,
            Some(_) | None => User::Container,
        };
    }
    let is_of_type = |table: &Table| {
        let of = table.of_type.as_ref();
        of.is_some_and(|of| of.oid == of_type)
    };
    match context.relation(user.oid) {
        // The columns of a table of a composite type are of its attributes' types.
        Some(Relation::Table(table)) if is_of_type(table) => User::Other,
        Some(Relation::Table(table)) => User::Column(table.row_type),
        Some(Relation::MaterializedView(view)) => User::Column(view.row_type),
        Some(Relation::View(view)) => User::Composite(view.row_type),
        None => {
            let mut types = context.catalog.types.iter();
            let is_of = |other: &&Type| matches!(other.kind, TypeKind::Composite(relation, _) if relation == user.oid);
            types
                .find(is_of)
                .map_or(User::Other, |other| User::Composite(other.id.oid))
        }
    }
}

/// A check that is added to a domain after the rows.
struct DomainCheck<'a> {
    check: &'a Constraint,
    domain: &'a QualifiedName,
}

impl Object for DomainCheck<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.check.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.check.name, self.domain)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.check.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(ObjectId::new(Class::Type, self.check.domain))]
    }

    /// Every table with a column of the domain is read.
    fn must_run_alone(&self) -> bool {
        true
    }

    fn runs_code(&self, context: &Context<'_>) -> bool {
        matches!(timing(context, self.check), Timing::Late)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let not_valid = match timing(context, self.check) {
            Timing::Unvalidated => " NOT VALID",
            Timing::Inline | Timing::Apart | Timing::Late => "",
        };
        vec![sql!(
            "ALTER DOMAIN {} ADD CONSTRAINT {} {}{}",
            self.domain,
            self.check.name,
            self.check.definition,
            Sql::fixed(not_valid)
        )]
    }
}
