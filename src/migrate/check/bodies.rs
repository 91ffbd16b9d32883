//! Functions whose bodies rely on `search_path`, of those that indexes and materialized views call.
//!
//! From PostgreSQL 17 on the server runs `CREATE INDEX`, `REFRESH MATERIALIZED VIEW` and `ANALYZE` under a
//! path of its own. Whether a body fails there is what the language's validator finds out: under the
//! empty path it parses the body, looks up what the body names, and executes nothing. For `sql` it
//! looks up relations and functions, for `plpgsql` only the types of variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::{self, Session};
use crate::migrate::error::Error;
use crate::pg::Side;
use crate::pg::{Literal, Oid, ServerVersion, Sql, SqlState};
use crate::snapshot::Evaluation;
use crate::sql;

/// How many callers a finding names.
const NAMED: usize = 3;

/// A function, and what calls it.
struct Body {
    oid: u32,
    name: String,
    validator: String,
    callers: Vec<String>,
}

/// Examines the bodies that the target will run without the database's path. The session is in a
/// transaction.
///
/// # Errors
/// The source refused a question, or the connection broke.
pub(super) async fn examine_bodies(
    session: &Session,
    catalog: &Catalog,
    target: ServerVersion,
) -> Result<Vec<Finding>, Error> {
    if !target.has_path_of_maintenance() {
        return Ok(Vec::new());
    }
    let bodies = load_bodies(session, catalog).await?;
    if bodies.is_empty() {
        return Ok(Vec::new());
    }
    let evaluation = Evaluation::load(session).await;
    let evaluation = evaluation.map_err(Error::examine(Side::Source))?;
    let path = evaluation.render_local_path();
    let empty = Sql::fixed("SET LOCAL search_path TO ''");
    let mut findings = Vec::new();
    for body in bodies.values() {
        let Some(problem) = validate_body(session, body, &empty).await? else {
            continue;
        };
        let works = match &path {
            Some(path) => validate_body(session, body, path).await?.is_none(),
            None => false,
        };
        let path = path.as_ref().filter(|_| works);
        findings.push(judge_body(body, &problem, path));
    }
    Ok(findings)
}

/// The functions that are called on tables and views that are copied.
async fn load_bodies(session: &Session, catalog: &Catalog) -> Result<BTreeMap<u32, Body>, Error> {
    let tables = catalog.tables.iter().map(|table| table.id.oid);
    let views = catalog.materialized_views.iter().map(|view| view.id.oid);
    let copied: BTreeSet<Oid> = tables.chain(views).collect();
    let sql = Sql::fixed(include_str!("../sql/evaluated_bodies.sql"));
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(Side::Source))?;
    let mut bodies: BTreeMap<u32, Body> = BTreeMap::new();
    for row in rows.iter().filter(|row| copied.contains(&Oid(row.get(0)))) {
        let body = bodies.entry(row.get(1)).or_insert_with(|| Body {
            oid: row.get(1),
            name: row.get(2),
            validator: row.get(4),
            callers: Vec::new(),
        });
        body.callers.push(row.get(3));
    }
    Ok(bodies)
}

/// What the validator of a body does not find under a path.
async fn validate_body(
    session: &Session,
    body: &Body,
    path: &Sql,
) -> Result<Option<String>, Error> {
    let validator = match body.validator.as_str() {
        "fmgr_sql_validator" => Sql::fixed("pg_catalog.fmgr_sql_validator"),
        _ => Sql::fixed("pg_catalog.plpgsql_validator"),
    };
    let tried = sql!(
        "SAVEPOINT body; SET LOCAL check_function_bodies TO on; {}; SELECT {}({}::pg_catalog.oid)",
        path,
        validator,
        Literal(&body.oid.to_string())
    );
    let tried = session.batch(&tried).await;
    // It gives the locks and the settings back, too.
    let back = Sql::fixed("ROLLBACK TO SAVEPOINT body; RELEASE SAVEPOINT body");
    let back = session.batch(&back).await;
    back.map_err(Error::examine(Side::Source))?;
    match tried {
        Ok(()) => Ok(None),
        Err(error) => missing_name(error),
    }
}

/// The message of an error about a name; nothing for other refusals, as of a function that we may not
/// execute.
fn missing_name(error: connect::Error) -> Result<Option<String>, Error> {
    let is_missing = |code: SqlState| {
        matches!(
            code,
            SqlState::UNDEFINED_TABLE
                | SqlState::UNDEFINED_FUNCTION
                | SqlState::UNDEFINED_OBJECT
                | SqlState::UNDEFINED_COLUMN
                | SqlState::INVALID_SCHEMA_NAME
        )
    };
    match error.answer() {
        Some(answer) if is_missing(answer.code) => Ok(Some(answer.message.clone())),
        Some(answer) if !["40", "53", "55", "57"].contains(&answer.code.class()) => Ok(None),
        _ => Err(Error::examine(Side::Source)(error)),
    }
}

/// The finding; with the path under which the body works, if it is the database's.
fn judge_body(body: &Body, problem: &str, path: Option<&Sql>) -> Finding {
    let named = body.callers.iter().take(NAMED).map(String::as_str);
    let mut callers: Vec<&str> = named.collect();
    let more = body.callers.len().saturating_sub(NAMED).to_string();
    let more = format!("{more} more");
    if body.callers.len() > NAMED {
        callers.push(&more);
    }
    let message = format!(
        "the body of function {} relies on search_path ({problem}); from 17 on a server runs it for {} without \
         the database's path",
        body.name,
        callers.join(", ")
    );
    let set = match path {
        Some(path) => path.as_str().trim_start_matches("SET LOCAL ").to_owned(),
        None => "search_path = …".to_owned(),
    };
    let remedy = format!("run on the source: ALTER FUNCTION {} SET {set};", body.name);
    Finding::new(Code::SearchPath, Level::Warning, Side::Source, message)
        .about(&body.name)
        .remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_some_callers_and_the_way_out() {
        let body = Body {
            oid: 1,
            name: "public.f(integer)".to_owned(),
            validator: String::new(),
            callers: (1..6)
                .map(|number| format!("index public.i{number}"))
                .collect(),
        };
        let path = Sql::fixed("SET LOCAL \"search_path\" TO 'a'");
        let finding = judge_body(&body, "relation \"t\" does not exist", Some(&path));
        assert_eq!(
            finding.message,
            "the body of function public.f(integer) relies on search_path (relation \"t\" does not exist); from 17 on a \
             server runs it for index public.i1, index public.i2, index public.i3, 2 more without the database's path"
        );
        assert_eq!(
            finding.remedies,
            [
                "run on the source: ALTER FUNCTION public.f(integer) SET \"search_path\" TO 'a';"
                    .into()
            ]
        );
    }
}
