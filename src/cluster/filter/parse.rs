//! Whether the source accepts a predicate.

use serde_json::Value;

use crate::cluster::filter::fault::FilterFaultReason;
use crate::cluster::filter::place::{DATE, FilteredTable, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ};
use crate::cluster::filter::{Failure, RunInstant};
use crate::connect::{self, Session};
use crate::pg::{Sql, SqlState};
use crate::predicate::Predicate;
use crate::sql;

/// The name of a subquery that the planner keeps only where its result is volatile.
const KEPT: &str = "seren_filter";

impl FilteredTable<'_> {
    /// Checks that the server reads the predicate as one boolean expression on the table's columns.
    pub(super) async fn check_parses(
        &self,
        session: &Session,
        predicate: &Predicate,
    ) -> Result<(), Failure> {
        let before = sql!("SELECT 1 {} WHERE (", self.render_from());
        let select = sql!("SELECT 1 {} WHERE {}", self.render_from(), predicate);
        match session.describe(&select).await {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(error, &before, predicate)),
        }
    }

    /// Checks that no string constant means the current time: such a constant means another instant in each
    /// statement.
    pub(super) async fn check_literals(
        &self,
        session: &Session,
        predicate: &Predicate,
        instant: &RunInstant,
    ) -> Result<(), Failure> {
        for place in predicate.special_literals() {
            let select = sql!(
                "SELECT 1 {} WHERE {}",
                self.render_from(),
                predicate.with_parameter(&place)
            );
            session.batch(&Sql::fixed("SAVEPOINT asked")).await?;
            let described = session.describe(&select).await;
            let end = Sql::fixed("ROLLBACK TO SAVEPOINT asked");
            session.batch(&end).await?;
            let is_time = match described {
                Ok(description) => description
                    .parameters
                    .iter()
                    .any(|of_type| [DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ].contains(of_type)),
                Err(error) => match error.sqlstate() {
                    // Nothing gives the constant a type: it is a text.
                    Some(SqlState::INDETERMINATE_DATATYPE) => false,
                    // The name of a type precedes it.
                    Some(SqlState::SYNTAX_ERROR) => true,
                    _ => return Err(error.into()),
                },
            };
            if is_time {
                return Err(FilterFaultReason::SpecialLiteral {
                    literal: predicate.text()[place].to_owned(),
                    constant: instant.render().as_str().to_owned(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Checks that the predicate has the same value whenever it is evaluated, and so that it does not write.
    ///
    /// The planner merges a subquery with the query around it unless its result is volatile
    /// (`is_simple_subquery` in the server's `prepjointree.c`).
    pub(super) async fn check_volatility(
        &self,
        session: &Session,
        predicate: &Predicate,
    ) -> Result<(), Failure> {
        let explain = sql!(
            "EXPLAIN (FORMAT JSON) SELECT FROM (SELECT {} AS wanted {}) AS {} WHERE wanted",
            predicate,
            self.render_from(),
            Sql::fixed(KEPT)
        );
        let rows = match session.rows(&explain).await {
            Ok(rows) => rows,
            Err(error) => return Err(refused(error, &Sql::default(), predicate)),
        };
        let text: String = rows.iter().filter_map(|row| row.get(0)).collect();
        let plan: Value = serde_json::from_str(&text).unwrap_or_default();
        if keeps_subquery(&plan) {
            let text = predicate.text().to_owned();
            return Err(FilterFaultReason::Volatile { text }.into());
        }
        Ok(())
    }
}

/// What a server's answer to a statement with the predicate means; `before` precedes it there.
pub(super) fn refused(error: connect::Error, before: &Sql, predicate: &Predicate) -> Failure {
    let Some(answer) = error.answer() else {
        return Failure::Server(error);
    };
    if error.is_lock_conflict() || answer.ends_session() {
        return Failure::Server(error);
    }
    let offset = before.as_str().chars().count();
    let position = answer
        .position
        .and_then(|position| usize::try_from(position).ok()?.checked_sub(offset))
        .filter(|position| !before.is_empty() && *position > 0);
    let position = position.filter(|at| *at <= predicate.text().chars().count());
    let text = predicate.text().to_owned();
    Failure::Fault(FilterFaultReason::Refused {
        text,
        position,
        error: Box::new(error),
    })
}

fn keeps_subquery(plan: &Value) -> bool {
    match plan {
        Value::Array(items) => items.iter().any(keeps_subquery),
        Value::Object(entries) => {
            let is_kept = plan["Node Type"] == "Subquery Scan" && plan["Alias"] == KEPT;
            is_kept || entries.values().any(keeps_subquery)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
