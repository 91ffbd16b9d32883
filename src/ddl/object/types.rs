//! Types.
//!
//! A base type needs functions that take or return it, and so does a range type that brings its
//! values to one form. So such a type is announced first: a shell is enough for its functions.

use super::domain_check::is_inline;
use super::node::{NodeId, Nodes, Object, Part};
use super::{clause, domain_check};
use crate::catalog::Class;
use crate::catalog::model::{
    Attribute, Base, Constraint, ConstraintKind, Domain, ObjectId, Range, Type, TypeKind,
};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::placement::Placement;
use crate::pg::{Literal, QualifiedName, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for user_type in &context.catalog.types {
        nodes.push(Box::new(user_type));
        if user_type.needs_shell() {
            nodes.push(Box::new(Shell(user_type)));
        }
        if let TypeKind::Domain(domain) = &user_type.kind
            && is_default_apart(context, user_type)
            && let Some(default) = &domain.default
        {
            nodes.push(Box::new(DomainDefault { user_type, default }));
        }
        domain_check::collect_steps(context, user_type, nodes);
    }
}

/// Whether a domain gets its default later.
fn is_default_apart(context: &Context<'_>, user_type: &Type) -> bool {
    context.placement(user_type.id) == Some(Placement::Separate)
}

impl Type {
    fn word(&self) -> &'static str {
        match self.kind {
            TypeKind::Domain(_) => "DOMAIN",
            TypeKind::Enum(_)
            | TypeKind::Composite(..)
            | TypeKind::Range(_)
            | TypeKind::Base(_)
            | TypeKind::Shell => "TYPE",
        }
    }

    const fn needs_shell(&self) -> bool {
        match &self.kind {
            TypeKind::Base(_) => true,
            TypeKind::Range(range) => range.canonical.is_some(),
            TypeKind::Enum(_) | TypeKind::Composite(..) | TypeKind::Domain(_) | TypeKind::Shell => {
                false
            }
        }
    }

    fn create(&self, context: &Context<'_>) -> Sql {
        match &self.kind {
            TypeKind::Enum(labels) => {
                let labels = Sql::join(labels.iter().map(|label| Literal(label)), ", ");
                sql!("CREATE TYPE {} AS ENUM ({})", self.name, labels)
            }
            TypeKind::Composite(_, attributes) => {
                let attributes = Sql::join(attributes.iter().map(attribute), ", ");
                sql!("CREATE TYPE {} AS ({})", self.name, attributes)
            }
            TypeKind::Range(range) => create_range(context, &self.name, range),
            TypeKind::Domain(domain) => create_domain(context, self, domain),
            TypeKind::Base(base) => create_base(context, &self.name, base),
            TypeKind::Shell => sql!("CREATE TYPE {}", self.name),
        }
    }
}

fn attribute(attribute: &Attribute) -> Sql {
    sql!(
        "{} {}{}",
        attribute.name,
        attribute.type_name,
        clause::collate(attribute.collation.as_ref())
    )
}

fn create_range(context: &Context<'_>, name: &QualifiedName, range: &Range) -> Sql {
    let mut parts = vec![sql!("SUBTYPE = {}", range.subtype)];
    if let Some(multirange) = &range.multirange
        && context.target().has_multiranges()
    {
        parts.push(sql!("MULTIRANGE_TYPE_NAME = {}", multirange.name));
    }
    if let Some(class) = &range.operator_class {
        parts.push(sql!("SUBTYPE_OPCLASS = {}", class));
    }
    if let Some(collation) = &range.collation {
        parts.push(sql!("COLLATION = {}", collation));
    }
    if let Some(function) = &range.canonical {
        parts.push(sql!("CANONICAL = {}", function));
    }
    if let Some(function) = &range.difference {
        parts.push(sql!("SUBTYPE_DIFF = {}", function));
    }
    sql!("CREATE TYPE {} AS RANGE ({})", name, Sql::join(parts, ", "))
}

fn create_base(context: &Context<'_>, name: &QualifiedName, base: &Base) -> Sql {
    let mut create = sql!(
        "CREATE TYPE {} ({}, ALIGNMENT = {}, STORAGE = {}",
        name,
        base.definition,
        Sql::fixed(base.alignment.word()),
        Sql::fixed(base.storage.word())
    );
    if let Some(function) = &base.subscript
        && context.target().has_subscripting()
    {
        create.push(&sql!(", SUBSCRIPT = {}", function));
    }
    create.push(&Sql::fixed(")"));
    create
}

fn create_domain(context: &Context<'_>, user_type: &Type, domain: &Domain) -> Sql {
    let mut create = sql!(
        "CREATE DOMAIN {} AS {}{}",
        user_type.name,
        domain.base,
        clause::collate(domain.collation.as_ref())
    );
    if let Some(default) = &domain.default
        && !is_default_apart(context, user_type)
    {
        create.push(&sql!(" DEFAULT {}", default));
    }
    let constraints: Vec<_> = context.checks(user_type.id.oid).collect();
    let is_not_null = |check: &&&Constraint| check.kind == ConstraintKind::NotNull;
    match constraints.iter().find(is_not_null) {
        Some(named) => create.push(&sql!(" CONSTRAINT {} NOT NULL", named.name)),
        None if domain.not_null => create.push(&Sql::fixed(" NOT NULL")),
        None => {}
    }
    for check in constraints {
        if check.kind == ConstraintKind::Check && is_inline(context, check) {
            create.push(&sql!(" CONSTRAINT {} {}", check.name, check.definition));
        }
    }
    create
}

impl Object for &Type {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Type
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified(
            match self.kind {
                TypeKind::Domain(_) => "domain",
                TypeKind::Enum(_)
                | TypeKind::Composite(..)
                | TypeKind::Range(_)
                | TypeKind::Base(_) => "type",
                TypeKind::Shell => "shell type",
            },
            &self.name,
        )
    }

    fn created_rows(&self, context: &Context<'_>) -> Vec<ObjectId> {
        let row = |oid| ObjectId::new(Class::Type, oid);
        let mut rows = vec![self.id];
        if self.array.is_valid() {
            rows.push(row(self.array));
        }
        match &self.kind {
            TypeKind::Enum(_) | TypeKind::Base(_) | TypeKind::Shell => {}
            TypeKind::Composite(relation, _) => {
                rows.push(ObjectId::new(Class::Relation, *relation));
            }
            TypeKind::Domain(_) => {
                let inline = |check: &&Constraint| is_inline(context, check);
                rows.extend(context.checks(self.id.oid).filter(inline).map(|c| c.id));
            }
            TypeKind::Range(range) => {
                if let Some(multirange) = &range.multirange {
                    rows.extend([row(multirange.oid), row(multirange.array)]);
                }
            }
        }
        rows
    }

    fn defined_rows(&self, context: &Context<'_>) -> Vec<ObjectId> {
        let mut rows = self.created_rows(context);
        if is_default_apart(context, self) {
            rows.retain(|row| *row != self.id);
        }
        rows
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Shell.of(self.id)]
    }

    fn separable_parts(&self, context: &Context<'_>) -> Vec<ObjectId> {
        let can_move =
            |check: &&Constraint| check.kind == ConstraintKind::Check && is_inline(context, check);
        let checks = context.checks(self.id.oid).filter(can_move);
        let has_default =
            matches!(&self.kind, TypeKind::Domain(domain) if domain.default.is_some());
        let default = (has_default && !is_default_apart(context, self)).then_some(self.id);
        checks.map(|check| check.id).chain(default).collect()
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        match &self.kind {
            TypeKind::Base(_) | TypeKind::Shell => Some("base types"),
            TypeKind::Range(range) if range.canonical.is_some() => {
                Some("ranges with a canonical function")
            }
            TypeKind::Enum(_)
            | TypeKind::Composite(..)
            | TypeKind::Domain(_)
            | TypeKind::Range(_) => None,
        }
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("{} {}", Sql::fixed(self.word()), self.name);
        let owner = clause::owner(context, &object, &self.owner);
        [self.create(context)].into_iter().chain(owner).collect()
    }
}

/// The name of a type that is defined later.
struct Shell<'a>(&'a Type);

impl Object for Shell<'_> {
    fn node_id(&self) -> NodeId {
        Part::Shell.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::Type
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("shell type", &self.0.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!("CREATE TYPE {}", self.0.name)]
    }
}

/// A default that a domain gets after the rows, which bring their own values.
struct DomainDefault<'a> {
    user_type: &'a Type,
    default: &'a Sql,
}

impl Object for DomainDefault<'_> {
    fn node_id(&self) -> NodeId {
        Part::Default.of(self.user_type.id)
    }

    fn kind(&self) -> Kind {
        Kind::Default
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("default of domain", &self.user_type.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn defined_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.user_type.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.user_type.id)]
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER DOMAIN {} SET DEFAULT {}",
            self.user_type.name,
            self.default
        )]
    }
}
