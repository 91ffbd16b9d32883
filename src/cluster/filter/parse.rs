//! Whether the source accepts a predicate.

use serde_json::Value;

use crate::cluster::filter::explain::Plan;
use crate::cluster::filter::fault::FilterFaultReason;
use crate::cluster::filter::place::{DATE, FilteredTable, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ};
use crate::cluster::filter::{Failure, RunInstant};
use crate::connect::{self, Description, Session};
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
            let is_time = match try_describe(session, &select).await? {
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
        let select = sql!(
            "SELECT FROM (SELECT {} AS wanted {}) AS {} WHERE wanted",
            predicate,
            self.render_from(),
            Sql::fixed(KEPT)
        );
        let plan = Plan::load(session, &select).await;
        let plan = plan.map_err(|error| refused(error, &Sql::default(), predicate))?;
        // Without a plan nothing is known of the predicate.
        if plan.top().is_none() || plan.has_node(is_kept_subquery) {
            let text = predicate.text().to_owned();
            return Err(FilterFaultReason::Volatile { text }.into());
        }
        Ok(())
    }
}

/// Has the server parse a statement that it may refuse: the transaction continues as before.
pub(super) async fn try_describe(
    session: &Session,
    select: &Sql,
) -> Result<Result<Description, connect::Error>, connect::Error> {
    session.batch(&Sql::fixed("SAVEPOINT asked")).await?;
    let described = session.describe(select).await;
    let end = Sql::fixed("ROLLBACK TO SAVEPOINT asked");
    session.batch(&end).await?;
    Ok(described)
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

fn is_kept_subquery(node: &Value) -> bool {
    node["Node Type"] == "Subquery Scan" && node["Alias"] == KEPT
}
