//! Rows of extensions' configuration tables.
//!
//! `CREATE EXTENSION` fills these tables on the target with rows of its own, and their foreign keys
//! and triggers exist before any row is copied. So all of them are written in one transaction:
//!
//! ```text
//! SET LOCAL session_replication_role = replica      no trigger fires, no key is checked row by row
//! DELETE …                                          what belongs to the user by the table's condition
//! COPY … ; COPY …                                   referenced tables first
//! DO …                                              every key is checked at the end
//! ```
//!
//! `TRUNCATE` is impossible: it is refused for referenced tables, and removes rows that the extension
//! keeps for itself. The same transaction repeated gives the same rows.
//!
//! Without the right to set `session_replication_role` the tables are only ordered by their keys, and deferrable
//! keys are deferred.

use std::collections::BTreeSet;

use super::job::{Configuration, CopyJob, Format};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Literal, QualifiedName, Sql, SqlState};
use crate::snapshot::error::Error;
use crate::sql;

/// A configuration table as the target has it.
struct TargetTable {
    /// Its job, by its place among the configuration tables.
    job: usize,
    /// The clause by which the target's extension marks the user's rows; None: not registered.
    condition: Option<Sql>,
    /// The tables that its foreign keys refer to.
    refers_to: BTreeSet<usize>,
    /// Whether a trigger fires on its rows.
    fires: bool,
}

/// Orders the jobs of configuration tables after all others, and plans the statements around their rows.
/// Returns the tables whose triggers cannot be kept from firing.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn plan_configuration(
    target: &Endpoint,
    jobs: &mut Vec<CopyJob>,
) -> Result<Vec<QualifiedName>, Error> {
    let of_extension = jobs.extract_if(.., |job| job.configuration.is_some());
    let mut found: Vec<CopyJob> = of_extension.collect();
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let opened = target.session(Purpose::Build).await;
    let session = opened.map_err(Error::Connect)?;
    let asked = async {
        let known = load_tables(&session, &found).await?;
        let silences = can_silence_triggers(&session).await?;
        let checks = if silences {
            load_key_checks(&session, &found).await?
        } else {
            Vec::new()
        };
        Ok((known, silences, checks))
    };
    let (known, silences, checks) = asked.await.map_err(Error::Configuration)?;
    let firing = known.iter().filter(|table| table.fires && !silences);
    let firing = firing.map(|table| found[table.job].table.clone()).collect();
    let order = plan_order(&known, found.len());
    let checks = silences.then_some(checks.as_slice());
    add_statements(&mut found, &known, &order, checks);
    let mut found: Vec<Option<CopyJob>> = found.into_iter().map(Some).collect();
    jobs.extend(order.iter().filter_map(|job| found[*job].take()));
    Ok(firing)
}

/// Adds the statements around the rows to the jobs. `checks` are the checks of foreign keys; None if triggers cannot
/// be kept from firing. All rows are sent in one format, since they share a transaction.
fn add_statements(
    jobs: &mut [CopyJob],
    known: &[TargetTable],
    order: &[usize],
    checks: Option<&[Sql]>,
) {
    let is_text = |job: &CopyJob| matches!(job.format, Format::Text(_));
    if jobs.iter().any(is_text) {
        for job in jobs.iter_mut().filter(|job| !is_text(job)) {
            job.format = Format::Text(Vec::new());
        }
    }
    let mut before = vec![Sql::fixed(if checks.is_some() {
        "SET LOCAL session_replication_role = replica"
    } else {
        "SET CONSTRAINTS ALL DEFERRED"
    })];
    before.extend(order.iter().rev().filter_map(|job| {
        let table = known.iter().find(|table| table.job == *job)?;
        Some(render_delete(&jobs[*job], table.condition.as_ref()))
    }));
    for job in jobs.iter_mut() {
        job.configuration = Some(Configuration::default());
    }
    if let (Some(first), Some(last)) = (order.first(), order.last()) {
        let first = jobs[*first].configuration.get_or_insert_default();
        first.before = Some(Sql::join(before, "; "));
        let last = jobs[*last].configuration.get_or_insert_default();
        let checks = checks.filter(|checks| !checks.is_empty());
        last.after = checks.map(render_checks);
    }
}

/// Deletes what belongs to the user: by the target's condition, or by the source's where the target's
/// extension does not register the table.
fn render_delete(job: &CopyJob, condition: Option<&Sql>) -> Sql {
    let clause = match condition {
        Some(clause) => Some(clause).filter(|clause| !clause.as_str().trim().is_empty()),
        None => job.condition.as_ref(),
    };
    match clause {
        None => sql!("DELETE FROM ONLY {}", job.into),
        // A clause may hold more than a condition: ORDER BY, LIMIT.
        Some(clause) => sql!(
            "DELETE FROM ONLY {} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY {} {}))",
            job.into,
            job.into,
            clause
        ),
    }
}

/// One statement that raises the first violation.
fn render_checks(checks: &[Sql]) -> Sql {
    let body = sql!("BEGIN {} END", Sql::join(checks, " "));
    sql!("DO {}", Literal(body.as_str()))
}

/// Plans an order in which referenced tables come first. In a circular dependency the first of the list comes first.
fn plan_order(known: &[TargetTable], count: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..count).collect();
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while !left.is_empty() {
        let waits = |job: &usize| {
            let table = known.iter().find(|table| table.job == *job);
            table.is_some_and(|table| table.refers_to.iter().any(|other| left.contains(other)))
        };
        let next = left.iter().position(|job| !waits(job)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// The names of jobs as two columns.
fn split_names(jobs: &[CopyJob]) -> (Vec<&str>, Vec<&str>) {
    let names = jobs.iter().map(|job| &job.into);
    names
        .map(|name| (name.schema.as_str(), name.name.as_str()))
        .unzip()
}

async fn load_tables(
    session: &Session,
    jobs: &[CopyJob],
) -> Result<Vec<TargetTable>, connect::Error> {
    let (schemas, names) = split_names(jobs);
    let text = Sql::fixed(include_str!("sql/configuration.sql"));
    let rows = session.query(&text, &[&schemas, &names]).await?;
    let job = |place: i64| usize::try_from(place - 1).unwrap_or(usize::MAX);
    let table = |row: &tokio_postgres::Row| {
        let refers_to: Vec<i64> = row.get("refers_to");
        let condition: Option<String> = row.get("condition");
        TargetTable {
            job: job(row.get("place")),
            condition: condition.map(Sql::deparsed),
            refers_to: refers_to.into_iter().map(job).collect(),
            fires: row.get("fires"),
        }
    };
    Ok(rows.iter().map(table).collect())
}

/// The checks of all foreign keys from and to the tables, as statements of PL/pgSQL.
async fn load_key_checks(session: &Session, jobs: &[CopyJob]) -> Result<Vec<Sql>, connect::Error> {
    let (schemas, names) = split_names(jobs);
    let text = Sql::fixed(include_str!("sql/configuration_keys.sql"));
    let rows = session.query(&text, &[&schemas, &names]).await?;
    let check = |row: &tokio_postgres::Row| {
        let message: String = row.get("message");
        sql!(
            "IF EXISTS ({}) THEN RAISE foreign_key_violation USING MESSAGE = {}; END IF;",
            Sql::deparsed(row.get::<_, String>("orphans")),
            Literal(&message)
        )
    };
    Ok(rows.iter().map(check).collect())
}

/// Whether our role may keep triggers from firing.
async fn can_silence_triggers(session: &Session) -> Result<bool, connect::Error> {
    let set = Sql::fixed("SET session_replication_role = replica");
    match session.batch(&set).await {
        Ok(()) => Ok(true),
        Err(error) if error.sqlstate() == Some(SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(job: usize, refers_to: &[usize]) -> TargetTable {
        TargetTable {
            job,
            condition: Some(Sql::default()),
            refers_to: refers_to.iter().copied().collect(),
            fires: false,
        }
    }

    #[test]
    fn referenced_tables_come_first_and_a_circle_is_no_obstacle() {
        let chain = [table(0, &[1]), table(1, &[2]), table(2, &[])];
        assert_eq!(plan_order(&chain, 3), [2, 1, 0]);
        let circle = [table(0, &[1]), table(1, &[0]), table(2, &[0])];
        assert_eq!(plan_order(&circle, 3), [0, 1, 2]);
        // The target lacks the second table: copying it will say so.
        assert_eq!(plan_order(&[table(0, &[])], 2), [0, 1]);
    }
}
