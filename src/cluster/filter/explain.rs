//! Plans of the source's planner.

use serde_json::Value;

use crate::connect::{self, Session};
use crate::pg::Sql;
use crate::sql;

/// A plan, as `EXPLAIN (FORMAT JSON)` prints it.
pub(super) struct Plan(Value);

impl Plan {
    /// Has the source plan a query, without running it.
    pub(super) async fn load(session: &Session, select: &Sql) -> Result<Self, connect::Error> {
        let explain = sql!("EXPLAIN (FORMAT JSON) {}", select);
        let rows = session.rows(&explain).await?;
        let text: String = rows.iter().filter_map(|row| row.get(0)).collect();
        Ok(Self::parse(&text))
    }

    /// A text that is no plan becomes one without nodes.
    pub(super) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The node at the top, if the text was a plan.
    pub(super) fn top(&self) -> Option<&Value> {
        self.0.get(0)?.get("Plan")
    }

    /// A number of that node.
    pub(super) fn top_number(&self, name: &str) -> Option<f64> {
        self.top()?.get(name)?.as_f64()
    }

    /// Whether a node at any depth is such a one.
    pub(super) fn has_node(&self, is_wanted: impl Fn(&Value) -> bool + Copy) -> bool {
        has_node(&self.0, is_wanted)
    }
}

fn has_node(value: &Value, is_wanted: impl Fn(&Value) -> bool + Copy) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_node(item, is_wanted)),
        Value::Object(entries) => {
            is_wanted(value) || entries.values().any(|entry| has_node(entry, is_wanted))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
