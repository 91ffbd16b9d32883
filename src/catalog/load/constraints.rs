//! Reads constraints, and hands those that are a property of a column to their column.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Constraint, ConstraintKind, NotNull, Table};
use crate::connect::Session;
use crate::pg::{Oid, Sql};

const WHAT: &str = "constraints";

/// Not-null constraints of tables, by table and `attnum`.
pub(super) type NotNulls = HashMap<(Oid, i16), NotNull>;

/// Reads the constraints of tables and domains.
pub(super) async fn load_constraints(
    session: &Session,
) -> Result<(Vec<Constraint>, NotNulls), Error> {
    let rows = query(session, WHAT, include_str!("../sql/constraints.sql"), &[]).await?;
    let mut constraints = Vec::with_capacity(rows.len());
    let mut not_nulls = NotNulls::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let constraint = read_constraint(&row)?;
        if constraint.kind == ConstraintKind::NotNull && constraint.relation.is_valid() {
            let key = (constraint.relation, row.value("column_number")?);
            not_nulls.insert(key, not_null(&row, constraint)?);
        } else {
            constraints.push(constraint);
        }
    }
    Ok((constraints, not_nulls))
}

/// Replaces the flags of columns by the constraints behind them.
pub(super) fn name_not_nulls(tables: &mut [Table], mut not_nulls: NotNulls) {
    for table in tables {
        for column in &mut table.columns {
            if let Some(named) = not_nulls.remove(&(table.id.oid, column.number)) {
                column.not_null = Some(named);
            }
        }
    }
}

fn not_null(row: &Columns<'_>, constraint: Constraint) -> Result<NotNull, Error> {
    Ok(NotNull::Named {
        id: constraint.id,
        name: constraint.name,
        is_local: constraint.is_local,
        no_inherit: row.value("connoinherit")?,
        is_valid: constraint.is_valid,
        definition: constraint.definition,
    })
}

fn read_constraint(row: &Columns<'_>) -> Result<Constraint, Error> {
    Ok(Constraint {
        id: row.id(Class::Constraint)?,
        name: row.name("name")?,
        kind: row.value::<&str>("kind")?.parse()?,
        relation: row.oid("relation")?,
        domain: row.oid("domain")?,
        definition: Sql::deparsed(row.value::<&str>("definition")?),
        is_local: row.value("conislocal")?,
        is_valid: row.value("convalidated")?,
        is_enforced: row.value("enforced")?,
        is_deferrable: row.value("condeferrable")?,
        is_deferred: row.value("condeferred")?,
        is_temporal: row.value("temporal")?,
        index: row.oid("index")?,
        referenced: row.oid("referenced")?,
    })
}
