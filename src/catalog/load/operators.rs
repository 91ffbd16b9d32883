//! Reads operators, operator families and operator classes of users.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{
    Class, FamilyMembers, ObjectId, Operator, OperatorClass, OperatorFamily,
};
use crate::connect::Session;

const OPERATORS: &str = "operators";
const FAMILIES: &str = "operator families";
const CLASSES: &str = "operator classes";
const MEMBERS: &str = "members of operator families";

pub(super) async fn load_operators(session: &Session) -> Result<Vec<Operator>, Error> {
    let sql = include_str!("../sql/operators.sql");
    let rows = query(session, OPERATORS, sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(OPERATORS, row);
            Ok(Operator {
                id: row.id(Class::Operator)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                symbol: row.sql("symbol")?,
                left: row.optional_sql("left_type")?,
                right: row.optional_sql("right_type")?,
                definition: row.sql("definition")?,
                uses_old_arrays: row.value("uses_old_arrays")?,
            })
        })
        .collect()
}

/// The families and the classes; what they hold is read once for both.
pub(super) async fn load_families(
    session: &Session,
) -> Result<(Vec<OperatorFamily>, Vec<OperatorClass>), Error> {
    let mut members = load_members(session).await?;
    let sql = include_str!("../sql/operator_families.sql");
    let rows = query(session, FAMILIES, sql, &[]).await?;
    let families = rows.iter().map(|row| {
        let row = Columns::new(FAMILIES, row);
        let id = row.id(Class::OperatorFamily)?;
        Ok(OperatorFamily {
            id,
            name: row.qualified("schema", "name")?,
            owner: row.name("owner")?,
            method: row.name("method")?,
            members: members.remove(&id).unwrap_or_default(),
        })
    });
    let families = families.collect::<Result<_, Error>>()?;
    let sql = include_str!("../sql/operator_classes.sql");
    let rows = query(session, CLASSES, sql, &[]).await?;
    let classes = rows.iter().map(|row| {
        let row = Columns::new(CLASSES, row);
        let id = row.id(Class::OperatorClass)?;
        Ok(OperatorClass {
            id,
            name: row.qualified("schema", "name")?,
            owner: row.name("owner")?,
            method: row.name("method")?,
            family: row.qualified("family_schema", "family_name")?,
            type_name: row.sql("type_name")?,
            storage: row.optional_sql("storage")?,
            is_default: row.value("opcdefault")?,
            members: members.remove(&id).unwrap_or_default(),
        })
    });
    let classes = classes.collect::<Result<_, Error>>()?;
    Ok((families, classes))
}

async fn load_members(session: &Session) -> Result<HashMap<ObjectId, FamilyMembers>, Error> {
    let sql = include_str!("../sql/operator_members.sql");
    let rows = query(session, MEMBERS, sql, &[]).await?;
    let mut members: HashMap<ObjectId, FamilyMembers> = HashMap::new();
    for row in &rows {
        let row = Columns::new(MEMBERS, row);
        let owner = Class::from_oid(row.oid("owner_class")?);
        let class = Class::from_oid(row.oid("class")?);
        if let (Some(owner), Some(class)) = (owner, class) {
            let owner = ObjectId::new(owner, row.oid("owner")?);
            let held = members.entry(owner).or_default();
            held.rows.push(row.id(class)?);
            held.definitions.push(row.sql("definition")?);
        }
    }
    Ok(members)
}
