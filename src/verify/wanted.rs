//! Tables that are given up on the source since DDL waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::connect::Endpoint;
use crate::connect::waiters::{Waiter, watch_readers};
use crate::pg::QualifiedName;
use crate::task::Scope;

/// How long a statement may wait before the table is given up. It waits less than 5 s in all: the wait is noticed
/// a quarter of a second later, and a cancel request that does not arrive costs three seconds more.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The tables that are being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(Arc<Mutex<HashMap<QualifiedName, Reading>>>);

#[derive(Debug)]
struct Reading {
    stop: CancellationToken,
    waiter: Option<Waiter>,
}

impl Wanted {
    fn lock_readings(&self) -> MutexGuard<'_, HashMap<QualifiedName, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A table is read until `stop`.
    pub(super) fn begin_reading(&self, table: &QualifiedName, stop: &CancellationToken) {
        let (stop, waiter) = (stop.clone(), None);
        self.lock_readings()
            .insert(table.clone(), Reading { stop, waiter });
    }

    /// It is read no more; who it was given up for.
    pub(super) fn end_reading(&self, table: &QualifiedName) -> Option<Waiter> {
        self.lock_readings().remove(table)?.waiter
    }

    /// Gives up the table that a session waits for; all, where it waits for something else of ours.
    fn give_up(&self, waiter: &Waiter) {
        let mut readings = self.lock_readings();
        let is_wanted = |table: &QualifiedName| {
            waiter.relation == format!("{}.{}", table.schema.as_str(), table.name.as_str())
        };
        let is_one = readings.keys().any(is_wanted);
        for (table, reading) in readings.iter_mut() {
            if !is_one || is_wanted(table) {
                reading.stop.cancel();
                reading.waiter = Some(waiter.clone());
            }
        }
    }

    /// Gives up tables that DDL waits for, until dropped.
    pub(super) async fn watch_waiters(self, source: Endpoint, scope: Scope) {
        loop {
            let waiter = watch_readers(&source, PATIENCE, &scope).await;
            self.give_up(&waiter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(relation: &str) -> Waiter {
        Waiter {
            pid: 7,
            user: "app".to_owned(),
            relation: relation.to_owned(),
            statement: "TRUNCATE s.a".to_owned(),
            by_nature: false,
            behind: 0,
            since: String::new(),
        }
    }

    fn given_up(relation: &str) -> [bool; 2] {
        let wanted = Wanted::default();
        let tables = ["a", "b"].map(|name| QualifiedName::from_catalog("s", name));
        let stops = tables.each_ref().map(|_| CancellationToken::new());
        for (table, stop) in tables.iter().zip(&stops) {
            wanted.begin_reading(table, stop);
        }
        wanted.give_up(&waiter(relation));
        let ended = tables
            .each_ref()
            .map(|table| wanted.end_reading(table).is_some());
        assert_eq!(ended, stops.map(|stop| stop.is_cancelled()));
        ended
    }

    #[test]
    fn only_the_table_that_is_waited_for_is_given_up() {
        assert_eq!(given_up("s.a"), [true, false]);
        assert_eq!(given_up("s.b"), [false, true]);
    }

    #[test]
    fn all_are_given_up_for_what_is_no_table_of_them() {
        assert_eq!(given_up("s.a_pkey"), [true, true]);
        assert_eq!(given_up(""), [true, true]);
    }
}
