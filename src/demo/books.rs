use super::Error;
use crate::connect::{Endpoint, Purpose};
use crate::pg::Sql;

/// Rows that the writer inserts for each order: the order, two lines, a journal and two ledger entries, and the audit row
/// of the trigger.
pub(super) const ROWS_PER_ORDER: u64 = 7;

/// What the writer's books in one database say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Books {
    /// Orders that the writer has entered.
    pub(super) entries: i64,
    highest: i64,
    unbalanced: i64,
    orders_without_entry: i64,
    order_rows: i64,
    audit_rows: i64,
    /// Orders of which a row is missing or exists more often.
    inexact: i64,
}

impl Books {
    /// Reads all of it in one statement, that is at one moment.
    ///
    /// # Errors
    /// The database cannot be reached or read.
    pub(super) async fn read(database: &Endpoint) -> Result<Self, Error> {
        let session = database
            .session(Purpose::Introspect)
            .await
            .map_err(Error::Connect)?;
        let sql = Sql::fixed(include_str!("sql/books.sql"));
        let row = session.query_one(&sql, &[]).await.map_err(Error::Shop)?;
        Ok(Self {
            entries: row.get(0),
            highest: row.get(1),
            unbalanced: row.get(2),
            orders_without_entry: row.get(3),
            order_rows: row.get(4),
            audit_rows: row.get(5),
            inexact: row.get(6),
        })
    }

    /// Orders that the writer has entered, as a count.
    pub(super) fn orders(&self) -> u64 {
        u64::try_from(self.entries).unwrap_or_default()
    }

    /// What is wrong with them, if anything is.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.entries != self.highest {
            return Some(format!(
                "{} entries, numbered up to {}",
                self.entries, self.highest
            ));
        }
        if self.unbalanced != 0 {
            return Some(format!("{} entries do not add up to zero", self.unbalanced));
        }
        if self.orders_without_entry != 0 {
            return Some(format!(
                "{} orders and entries without each other",
                self.orders_without_entry
            ));
        }
        if self.inexact != 0 {
            return Some(format!(
                "{} orders do not have each of their rows exactly once",
                self.inexact
            ));
        }
        let differ = self.audit_rows != self.order_rows;
        differ.then(|| {
            format!(
                "{} audit rows for {} orders",
                self.audit_rows, self.order_rows
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        Books {
            entries: 3,
            highest: 3,
            unbalanced: 0,
            orders_without_entry: 0,
            order_rows: 5,
            audit_rows: 5,
            inexact: 0,
        }
    }

    #[test]
    fn a_gap_an_imbalance_a_double_or_a_fired_trigger_is_wrong() {
        assert_eq!(books().wrong(), None);
        let changes: [fn(&mut Books); 5] = [
            |books| books.highest = 4,
            |books| books.unbalanced = 1,
            |books| books.orders_without_entry = 1,
            |books| books.inexact = 1,
            |books| books.audit_rows = 6,
        ];
        for change in changes {
            let mut changed = books();
            change(&mut changed);
            assert!(changed.wrong().is_some(), "{changed:?}");
        }
    }
}
