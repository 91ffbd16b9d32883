//! What of a column is written in `CREATE TABLE`, and what in later statements.
//!
//! A child created with `INHERITS` gets its parents' columns, defaults and not-null constraints by
//! itself, so only what differs is written. A partition is created as a table of its own and then
//! attached, which keeps the order of its columns: there everything is written. So is a child that
//! was given to its parents later and has its columns in an order of its own.

use std::collections::BTreeSet;

use super::not_null_name::choose_not_null_name;
use super::{clause, foreign_data};
use crate::catalog::model::{Column, Default, NotNull, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::placement::Placement;
use crate::pg::{Ident, Sql};
use crate::sql;

/// Whether the column is written in its table's `CREATE TABLE`.
pub(super) fn is_written(table: &Table, column: &Column) -> bool {
    column.is_local || table.is_partition()
}

/// Whether a table is created without its parents, which it gets afterwards.
pub(super) fn stands_alone(context: &Context<'_>, table: &Table) -> bool {
    table.is_partition() || joins_later(context, table)
}

/// Whether `CREATE TABLE … INHERITS` would bring the columns of a child into another order. A child has
/// such an order only if `ALTER TABLE … INHERIT` made it a child. Then it has all of its parents' columns,
/// checks and not-null constraints as its own.
pub(super) fn joins_later(context: &Context<'_>, table: &Table) -> bool {
    !table.is_partition()
        && !table.parents.is_empty()
        && has_all_as_its_own(context, table)
        && !has_usual_order(context, table)
}

fn has_all_as_its_own(context: &Context<'_>, table: &Table) -> bool {
    let is_own = |column: &Column| {
        let is_inherited = matches!(
            column.not_null,
            Some(NotNull::Named {
                is_local: false,
                ..
            })
        );
        column.is_local && !is_inherited
    };
    table.columns.iter().all(is_own) && context.checks(table.id.oid).all(|check| check.is_local)
}

/// The parents' columns first, then the table's.
fn has_usual_order(context: &Context<'_>, table: &Table) -> bool {
    let parents = table.parents.iter();
    let parents = parents.filter_map(|parent| context.parent(*parent));
    let mut seen = BTreeSet::new();
    let inherited = parents.flat_map(|parent| &parent.columns);
    let inherited: Vec<&Ident> = inherited
        .map(|column| &column.name)
        .filter(|name| seen.insert(*name))
        .collect();
    let own = table.columns.iter().map(|column| &column.name);
    own.zip(inherited).all(|(own, inherited)| own == inherited)
}

/// The column in `CREATE TABLE`; nothing for one of a typed table that adds nothing to its type.
pub(super) fn definition(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    let default = inline_default(context, table, column);
    let not_null = inline_not_null(context, table, column);
    if table.of_type.is_some() {
        let says_nothing = default.is_none() && not_null.is_none();
        return (!says_nothing)
            .then(|| sql!("{} WITH OPTIONS{}{}", column.name, default, not_null));
    }
    Some(sql!(
        "{} {}{}{}{}{}{}",
        column.name,
        column.type_name,
        foreign_compression(context, table, column),
        foreign_data::with_open_options(&column.foreign_options),
        clause::collate(column.collation.as_ref()),
        default,
        not_null
    ))
}

/// The statement that adds a generated column to a table that has been created without it.
pub(crate) fn add_column(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    let definition = definition(context, table, column)?;
    Some(sql!("ALTER TABLE {} ADD COLUMN {}", table.name, definition))
}

/// ` COMPRESSION …` of a foreign table's column, which is refused when it is set later.
fn foreign_compression(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    let method = column.compression?;
    (table.foreign.is_some() && context.target().has_column_compression())
        .then(|| sql!(" COMPRESSION {}", Sql::fixed(method.word())))
}

/// The options of a foreign table's column that is not written.
pub(super) fn late_options(table: &Table, column: &Column) -> Option<Sql> {
    (!is_written(table, column) && !column.foreign_options.is_empty()).then(|| {
        sql!(
            "ALTER FOREIGN TABLE ONLY {} ALTER COLUMN {}{}",
            table.name,
            column.name,
            foreign_data::with_open_options(&column.foreign_options)
        )
    })
}

/// The same column of each parent.
fn inherited<'a>(
    context: &Context<'a>,
    table: &Table,
    column: &Column,
) -> impl Iterator<Item = &'a Column> {
    let context = *context;
    table
        .parents
        .iter()
        .filter_map(move |parent| context.parent(*parent)?.column(&column.name))
}

/// Whether the parents give the very same generation expression.
fn inherits_generation(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    let own = column.default.as_ref().map(|default| &default.expression);
    let mut parents = inherited(context, table, column)
        .filter(|parent| parent.generated.is_some())
        .map(|parent| parent.default.as_ref().map(|default| &default.expression))
        .peekable();
    parents.peek().is_some() && parents.all(|parent| parent == own)
}

/// Whether a parent gives a default that this table does not have.
fn refuses_default(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    column.default.is_none()
        && !stands_alone(context, table)
        && inherited(context, table, column)
            .any(|parent| parent.default.is_some() && parent.generated.is_none())
}

/// The default that is written in `CREATE TABLE`.
pub(super) fn written_default<'a>(
    context: &Context<'_>,
    table: &Table,
    column: &'a Column,
) -> Option<&'a Default> {
    let default = column.default.as_ref()?;
    if column.generated.is_some() {
        if context.placement(default.id).is_some() {
            return None;
        }
        let comes_by_itself =
            !stands_alone(context, table) && inherits_generation(context, table, column);
        return (!comes_by_itself).then_some(default);
    }
    (!is_default_apart(context, table, column)).then_some(default)
}

fn inline_default(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    if refuses_default(context, table, column) {
        return Some(Sql::fixed(" DEFAULT NULL"));
    }
    let default = written_default(context, table, column);
    let Some(generated) = column.generated else {
        return default.map(|default| sql!(" DEFAULT {}", default.expression));
    };
    let follows = || is_default_apart(context, table, column).then(|| Sql::fixed("NULL"));
    let expression = default.map(|default| default.expression.clone());
    expression.or_else(follows).map(|expression| {
        sql!(
            " GENERATED ALWAYS AS ({}) {}",
            expression,
            Sql::fixed(generated.word())
        )
    })
}

/// Whether a generated column can be created before what it is generated from.
pub(super) fn can_generate_later(context: &Context<'_>, table: &Table) -> bool {
    context.target().has_set_expression()
        && table.parents.is_empty()
        && context.children(table.id.oid).is_empty()
}

/// `SET DEFAULT NULL` for a column that is not written, whose parent has a default.
pub(super) fn without_default(
    context: &Context<'_>,
    table: &Table,
    column: &Column,
) -> Option<Sql> {
    (!is_written(table, column) && refuses_default(context, table, column)).then(|| {
        sql!(
            "ALTER TABLE ONLY {} ALTER COLUMN {} SET DEFAULT NULL",
            table.name,
            column.name
        )
    })
}

/// Whether a parent refuses NULL, so that the child does, too.
fn inherits_not_null(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    let mut parents = table
        .parents
        .iter()
        .filter_map(|parent| context.table(*parent));
    parents.any(|parent| {
        let same = parent.column(&column.name);
        same.is_some_and(|same| same.not_null.is_some() && !spares_children(context, parent, same))
    })
}

/// Whether a table refuses NULL where a child takes it. A source before 18 allows that; only since 18 the
/// parent's constraint can say so (`NO INHERIT`).
fn spares_children(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    let takes_null = |child: &&Table| {
        let same = child.column(&column.name);
        !stands_alone(context, child) && same.is_some_and(|same| same.not_null.is_none())
    };
    context.target().has_not_null_constraints()
        && column.not_null == Some(NotNull::Flag)
        && context.children(table.id.oid).iter().any(takes_null)
}

/// `DROP NOT NULL` for a child that takes NULL where its parent does not; up to 17.
pub(super) fn takes_null(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    let is_told = !context.target().has_not_null_constraints()
        && column.not_null.is_none()
        && !stands_alone(context, table)
        && inherits_not_null(context, table, column);
    is_told.then(|| {
        sql!(
            "ALTER TABLE ONLY {} ALTER COLUMN {} DROP NOT NULL",
            table.name,
            column.name
        )
    })
}

/// The parents' not-null constraints, if none of them was checked.
pub(super) fn unchecked_parents(
    context: &Context<'_>,
    table: &Table,
    column: &Column,
) -> Vec<ObjectId> {
    let unchecked = |parent: &Column| match parent.not_null.as_ref()? {
        NotNull::Named {
            id,
            is_valid: false,
            ..
        } => Some(*id),
        NotNull::Named { .. } | NotNull::Flag => None,
    };
    let parents = inherited(context, table, column).filter(|parent| parent.not_null.is_some());
    let parents: Option<Vec<ObjectId>> = parents.map(unchecked).collect();
    parents.unwrap_or_default()
}

fn inline_not_null(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    match column.not_null.as_ref()? {
        NotNull::Flag => {
            let is_own = stands_alone(context, table) || !inherits_not_null(context, table, column);
            let spares = spares_children(context, table, column);
            is_own.then(|| {
                let no_inherit = Sql::fixed(if spares { " NO INHERIT" } else { "" });
                match choose_not_null_name(context, table, column) {
                    Some(name) => sql!(" CONSTRAINT {} NOT NULL{}", name, no_inherit),
                    None => sql!(" NOT NULL{}", no_inherit),
                }
            })
        }
        NotNull::Named {
            is_valid: false, ..
        } => None,
        NotNull::Named { is_local, .. } if !is_local && !table.is_partition() => None,
        NotNull::Named {
            name, no_inherit, ..
        } => {
            let knows_names = context.target().has_not_null_constraints();
            let no_inherit = if *no_inherit && knows_names {
                " NO INHERIT"
            } else {
                ""
            };
            Some(sql!(
                " CONSTRAINT {} NOT NULL{}",
                name,
                Sql::fixed(no_inherit)
            ))
        }
    }
}

/// A named not-null constraint of a column that is not written, as an element of the table.
pub(super) fn element_not_null(
    context: &Context<'_>,
    table: &Table,
    column: &Column,
) -> Option<Sql> {
    match column.not_null.as_ref()? {
        NotNull::Named {
            name,
            is_local: true,
            is_valid: true,
            no_inherit,
            ..
        } if !is_written(table, column) && context.target().has_not_null_constraints() => {
            let no_inherit = if *no_inherit { " NO INHERIT" } else { "" };
            Some(sql!(
                "CONSTRAINT {} NOT NULL {}{}",
                name,
                column.name,
                Sql::fixed(no_inherit)
            ))
        }
        NotNull::Named { .. } | NotNull::Flag => None,
    }
}

/// `SET NOT NULL` for a column that is not written, where no parent says so.
pub(super) fn late_not_null(context: &Context<'_>, table: &Table, column: &Column) -> Option<Sql> {
    if is_written(table, column) {
        return None;
    }
    let is_own = match column.not_null.as_ref()? {
        NotNull::Flag => !inherits_not_null(context, table, column),
        NotNull::Named {
            is_local, is_valid, ..
        } => *is_local && *is_valid && !context.target().has_not_null_constraints(),
    };
    is_own.then(|| {
        let spares = spares_children(context, table, column);
        let name = choose_not_null_name(context, table, column);
        if spares || name.is_some() {
            let no_inherit = if spares { " NO INHERIT" } else { "" };
            return sql!(
                "ALTER TABLE {} ADD {}NOT NULL {}{}",
                table.name,
                name.map_or_else(Sql::default, |name| sql!("CONSTRAINT {} ", name)),
                column.name,
                Sql::fixed(no_inherit)
            );
        }
        sql!(
            "ALTER TABLE ONLY {} ALTER COLUMN {} SET NOT NULL",
            table.name,
            column.name
        )
    })
}

/// Whether the default must be set separately from its table.
pub(super) fn is_default_apart(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    column.default.as_ref().is_some_and(|default| {
        let is_placed = context.placement(default.id).is_some_and(|placement| {
            matches!(placement, Placement::Separate | Placement::Postponed)
        });
        let is_plain = column.generated.is_none();
        is_placed
            || is_plain && (!is_written(table, column) || clashes_in_child(context, table, column))
    })
}

/// Whether a child would inherit this default beside another one. That is refused even where the child
/// then gets its own, so the parents get theirs after it.
pub(super) fn clashes_in_child(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    let clashes = |child: &&Table| {
        let Some(same) = child.column(&column.name) else {
            return false;
        };
        let mut defaults = inherited(context, child, same)
            .filter_map(|parent| parent.default.as_ref())
            .map(|default| &default.expression);
        let first = defaults.next();
        !is_written(child, same)
            && !stands_alone(context, child)
            && defaults.any(|other| Some(other) != first)
    };
    context.children(table.id.oid).iter().any(clashes)
}
