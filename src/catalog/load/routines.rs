//! Reads functions and procedures.

use std::collections::HashMap;

use super::lock_batches::query_deparsed;
use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::cluster::Setting;
use crate::catalog::model::{Body, Class, Routine};
use crate::connect::Session;
use crate::pg::{Oid, Sql, UnknownLetter};

const WHAT: &str = "routines";

/// Reads the functions, procedures and window functions of users.
pub(super) async fn load_routines(session: &Session) -> Result<Vec<Routine>, Error> {
    let mut bodies = load_bodies(session).await?;
    let rows = query(session, WHAT, include_str!("../sql/routines.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let body = match bodies.remove(&row.oid("oid")?) {
                Some(body) => body,
                None => read_body(&row)?,
            };
            read_routine(&row, body)
        })
        .collect()
}

/// SQL-standard bodies: a function of the server that older ones lack.
async fn load_bodies(session: &Session) -> Result<HashMap<Oid, Body>, Error> {
    if !session.version().has_sql_bodies() {
        return Ok(HashMap::new());
    }
    let text = include_str!("../sql/routine_bodies.sql");
    let rows = query_deparsed(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let text = row.sql("body")?;
            let names_itself = row.value("names_itself")?;
            Ok((row.oid("oid")?, Body::Sql { text, names_itself }))
        })
        .collect()
}

fn read_body(row: &Columns<'_>) -> Result<Body, Error> {
    let source: String = row.value("source")?;
    let library: Option<String> = row.value("library")?;
    Ok(match library {
        Some(file) => Body::Library {
            file,
            symbol: source,
        },
        None => Body::Source(source),
    })
}

fn read_routine(row: &Columns<'_>, body: Body) -> Result<Routine, Error> {
    let settings: Vec<&str> = row.value("settings")?;
    let transforms: Vec<&str> = row.value("transforms")?;
    Ok(Routine {
        id: row.id(Class::Routine)?,
        name: row.qualified("schema", "name")?,
        owner: row.name("owner")?,
        kind: require_value(row, "kind")?,
        arguments: row.sql("arguments")?,
        identity: row.sql("identity")?,
        result: row.optional_sql("result")?,
        language: row.name("language")?,
        is_trusted: row.value("is_trusted")?,
        body,
        transforms: transforms.into_iter().map(Sql::deparsed).collect(),
        volatility: require_value(row, "volatility")?,
        parallel: require_value(row, "parallel")?,
        is_strict: row.value("proisstrict")?,
        is_security_definer: row.value("prosecdef")?,
        is_leakproof: row.value("proleakproof")?,
        has_out: row.value("has_out")?,
        returns_set: row.value("proretset")?,
        cost: row.value("procost")?,
        rows: row.value("prorows")?,
        support: row.optional_sql("support")?,
        settings: settings.into_iter().map(Setting::parse).collect(),
    })
}

fn require_value<T: std::str::FromStr<Err = UnknownLetter>>(
    row: &Columns<'_>,
    column: &'static str,
) -> Result<T, Error> {
    Ok(row.value::<&str>(column)?.parse()?)
}
