//! An independent comparison of all rows of two databases: the sorted text of every table, duplicates included.

use std::collections::{BTreeMap, BTreeSet};

use super::{database, text};

/// The longest part of a row that a difference shows.
const SHOWN: usize = 120;

/// How many rows of a table a difference shows, from each server.
const ROWS_SHOWN: usize = 5;

/// Tables that store rows, with their partitions.
const TABLES: &str = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1";

/// Rows as text, and how often each exists.
type Rows = BTreeMap<String, i64>;

/// The differences between two databases, one text each; empty if every table has the same rows in both.
pub(crate) async fn row_diff(source: &str, target: &str) -> Vec<String> {
    let (one, other) = (contents(source).await, contents(target).await);
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) => found.extend(table_diff(name, one, other)),
            (one, _) => {
                let side = one.map_or("target", |_| "source");
                found.push(format!("{name} exists only on the {side}"));
            }
        }
    }
    found
}

async fn contents(url: &str) -> BTreeMap<String, Rows> {
    let session = database(url).await;
    let mut found = BTreeMap::new();
    for table in session.rows(&text(TABLES)).await.unwrap() {
        let name = table.get(0).unwrap().to_owned();
        let query = format!("SELECT t::text, count(*) FROM ONLY {name} t GROUP BY 1");
        let rows = session.rows(&text(&query)).await.unwrap();
        let entry = |row: &tokio_postgres::SimpleQueryRow| {
            let count = row.get(1).unwrap().parse().unwrap();
            (row.get(0).unwrap_or("NULL").to_owned(), count)
        };
        found.insert(name, rows.iter().map(entry).collect());
    }
    found
}

/// The rows that one side has more often than the other.
fn table_diff(name: &str, one: &Rows, other: &Rows) -> Option<String> {
    let surplus = |one: &Rows, other: &Rows| -> Vec<String> {
        let more = one.iter().filter_map(|(row, count)| {
            let surplus = count - other.get(row).copied().unwrap_or(0);
            (surplus > 0).then(|| format!("{surplus} x {}", shorten(row)))
        });
        more.collect()
    };
    let [only_source, only_target] = [surplus(one, other), surplus(other, one)];
    if only_source.is_empty() && only_target.is_empty() {
        return None;
    }
    let show = |rows: &[String]| rows[..rows.len().min(ROWS_SHOWN)].join(", ");
    Some(format!(
        "{name}: {} rows only on the source ({}), {} only on the target ({})",
        only_source.len(),
        show(&only_source),
        only_target.len(),
        show(&only_target)
    ))
}

fn shorten(row: &str) -> String {
    row.chars().take(SHOWN).collect()
}
