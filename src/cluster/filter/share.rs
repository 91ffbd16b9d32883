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
    let from = sql!("FROM ONLY {} AS {}", table, filter.alias());
    let begin = sql!("SAVEPOINT share; {}", filter.render_settings());
    session.batch(&begin).await?;
    let all = Plan::load(session, &sql!("SELECT {}", from)).await;
    let wanted = sql!("SELECT {} WHERE {}", from, filter.predicate);
    let wanted = Plan::load(session, &wanted).await;
    let mut end = Sql::fixed("ROLLBACK TO SAVEPOINT share; ");
    end.push(&DateSettings::render_end());
    session.batch(&end).await?;
    let (all, wanted) = (all?, wanted?);
    let rows = |plan: &Plan| {
        plan.top()
            .and_then(|top| top["Plan Rows"].as_f64())
            .unwrap_or(1.0)
    };
    Ok(FilterShare {
        part: (rows(&wanted) / rows(&all).max(1.0)).clamp(0.0, 1.0),
        uses_index: wanted.has_node(is_index_scan),
    })
}

fn is_index_scan(node: &Value) -> bool {
    let kind = node["Node Type"].as_str();
    kind.is_some_and(|kind| kind.contains("Index"))
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
        assert!(plan("Bitmap Index Scan").has_node(is_index_scan));
        assert!(!plan("Seq Scan").has_node(is_index_scan));
    }

    #[test]
    fn a_share_is_a_part_of_bytes() {
        let share = FilterShare {
            part: 0.25,
            uses_index: false,
        };
        assert_eq!(share.of(1000), 250);
    }
}
