//! How much of a table its filter selects, as the source's planner estimates it.

use serde_json::Value;

use crate::cluster::filter::explain::Plan;
use crate::connect::{self, Session};
use crate::pg::{QualifiedName, Sql};
use crate::selection::{DateSettings, RowFilter};
use crate::sql;

/// What a filter selects of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FilterShare {
    /// The part of the table's rows, from 0 to 1.
    pub(crate) part: f64,
    /// Whether the rows are found by an index.
    pub(crate) uses_index: bool,
    /// The planner's cost of reading them.
    pub(crate) cost: f64,
}

impl FilterShare {
    /// That part of a number of bytes.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, between 0 and the number"
    )]
    pub(crate) fn of(self, bytes: u64) -> u64 {
        (bytes as f64 * self.part) as u64
    }
}

/// Asks the planner. The session is in a transaction, which continues as before.
///
/// # Errors
/// The source refused the question.
pub(crate) async fn load_share(
    session: &Session,
    table: &QualifiedName,
    filter: &RowFilter,
) -> Result<FilterShare, connect::Error> {
    let all = plan_rows(session, table, filter, &Sql::fixed("true")).await?;
    let predicate = sql!("{}", filter.predicate);
    let wanted = plan_rows(session, table, filter, &predicate).await?;
    let rows = |plan: &Plan| plan.top_number("Plan Rows").unwrap_or(1.0);
    Ok(FilterShare {
        part: (rows(&wanted) / rows(&all).max(1.0)).clamp(0.0, 1.0),
        uses_index: wanted.has_node(|node| has_kind(node, "Index")),
        cost: wanted.top_number("Total Cost").unwrap_or_default(),
    })
}

/// The planner's cost of reading the wanted rows of a range of ctids; `None` if it would read more than the range.
///
/// # Errors
/// The source refused the question.
pub(crate) async fn load_range_cost(
    session: &Session,
    table: &QualifiedName,
    filter: &RowFilter,
    range: &Sql,
) -> Result<Option<f64>, connect::Error> {
    let both = sql!("{} AND {}", range, filter.predicate);
    let plan = plan_rows(session, table, filter, &both).await?;
    let reads_range = plan.has_node(|node| has_kind(node, "Tid Range Scan"));
    let cost = plan.top_number("Total Cost");
    Ok(cost.filter(|_| reads_range))
}

/// Plans the reading of the rows that meet a condition, under the settings of a filter.
async fn plan_rows(
    session: &Session,
    table: &QualifiedName,
    filter: &RowFilter,
    condition: &Sql,
) -> Result<Plan, connect::Error> {
    // The columns that are copied are not in an index.
    let begin = sql!(
        "SAVEPOINT share; SET LOCAL enable_indexonlyscan = off; {}",
        filter.render_settings()
    );
    session.batch(&begin).await?;
    let select = sql!(
        "SELECT FROM ONLY {} AS {} WHERE {}",
        table,
        filter.alias(),
        condition
    );
    let plan = Plan::load(session, &select).await;
    let mut end = Sql::fixed("ROLLBACK TO SAVEPOINT share; ");
    end.push(&DateSettings::render_end());
    session.batch(&end).await?;
    plan
}

/// Whether a node is of a kind, by a part of its name.
fn has_kind(node: &Value, part: &str) -> bool {
    let kind = node["Node Type"].as_str();
    kind.is_some_and(|kind| kind.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_scan_is_found_at_any_depth() {
        let plan = |kind: &str| {
            let text = format!(
                "[{{\"Plan\": {{\"Node Type\": \"Bitmap Heap Scan\", \"Plans\": [{{\"Node Type\": \"{kind}\"}}]}}}}]"
            );
            Plan::parse(&text)
        };
        let is_index_scan = |kind: &str| plan(kind).has_node(|node| has_kind(node, "Index"));
        assert!(is_index_scan("Bitmap Index Scan"));
        assert!(!is_index_scan("Seq Scan"));
    }

    #[test]
    fn a_share_is_a_part_of_bytes() {
        let share = FilterShare {
            part: 0.25,
            uses_index: false,
            cost: 1.0,
        };
        assert_eq!(share.of(1000), 250);
    }
}
