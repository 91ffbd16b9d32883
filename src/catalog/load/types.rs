//! Reads types.

use super::columns::ColumnsOf;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{
    Attribute, Base, Class, Column, Domain, Multirange, Range, Type, TypeKind,
};
use crate::connect::Session;
use crate::pg::{Oid, UnknownLetter};

const WHAT: &str = "types";

/// Reads the types of users; composites take their attributes out of `columns`.
pub(super) async fn load_types(
    session: &Session,
    columns: &mut ColumnsOf,
) -> Result<Vec<Type>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/types.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Type {
                id: row.id(Class::Type)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                kind: read_kind(&row, columns)?,
                array: row.oid("array_oid")?,
            })
        })
        .collect()
}

fn read_kind(row: &Columns<'_>, columns: &mut ColumnsOf) -> Result<TypeKind, Error> {
    Ok(match row.value("kind")? {
        "e" => TypeKind::Enum(row.value("labels")?),
        "d" => TypeKind::Domain(read_domain(row)?),
        "r" => TypeKind::Range(read_range(row)?),
        "c" => {
            let relation = row.oid("relation")?;
            let columns = columns.remove(&relation).unwrap_or_default();
            TypeKind::Composite(relation, columns.into_iter().map(read_attribute).collect())
        }
        "b" => TypeKind::Base(read_base(row)?),
        "p" => TypeKind::Shell,
        letter => {
            return Err(Error::Letter(UnknownLetter {
                what: "typtype",
                letter: letter.to_owned(),
            }));
        }
    })
}

fn read_attribute(column: Column) -> Attribute {
    Attribute {
        name: column.name,
        type_name: column.type_name,
        collation: column.collation,
    }
}

fn read_domain(row: &Columns<'_>) -> Result<Domain, Error> {
    Ok(Domain {
        base: row.sql("base")?,
        collation: row.optional_qualified("collation_schema", "collation")?,
        default: row.optional_sql("default_expression")?,
        not_null: row.value("typnotnull")?,
    })
}

fn read_base(row: &Columns<'_>) -> Result<Base, Error> {
    Ok(Base {
        definition: row.sql("definition")?,
        alignment: row.value::<&str>("alignment")?.parse()?,
        storage: row.value::<&str>("storage")?.parse()?,
        subscript: row.optional_sql("subscript")?,
    })
}

fn read_range(row: &Columns<'_>) -> Result<Range, Error> {
    let multirange: Option<u32> = row.value("multirange")?;
    Ok(Range {
        subtype: row.sql("subtype")?,
        operator_class: row.optional_qualified("operator_class_schema", "operator_class")?,
        collation: row.optional_qualified("range_collation_schema", "range_collation")?,
        canonical: row.optional_sql("canonical")?,
        difference: row.optional_sql("difference")?,
        multirange: match multirange {
            Some(oid) => Some(Multirange {
                oid: Oid(oid),
                array: row.oid("multirange_array")?,
                name: row.qualified("multirange_schema", "multirange_name")?,
            }),
            None => None,
        },
    })
}
