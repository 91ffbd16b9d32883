//! Holds a copy still at a chosen point: a function that the copied definitions call waits, on the
//! target, for as long as a test holds a lock there.

use std::sync::atomic::{AtomicU32, Ordering};

use seren_replicator::connect::Session;

use super::{database, text, wait_for};

/// A gate of one test.
pub(crate) struct Gate {
    key: u32,
    target: String,
    keeper: Option<Session>,
}

impl Gate {
    /// A gate that is shut on the cluster of this URL.
    pub(crate) async fn shut(target: &str) -> Self {
        static KEY: AtomicU32 = AtomicU32::new(1);
        let key = std::process::id() * 1000 + KEY.fetch_add(1, Ordering::Relaxed);
        let keeper = database(target).await;
        let lock = format!("SELECT pg_advisory_lock({key})");
        keeper.batch(&text(&lock)).await.unwrap();
        Self {
            key,
            target: target.to_owned(),
            keeper: Some(keeper),
        }
    }

    /// The function `public.gate(int)` for the source; locks of other databases show in `pg_locks` too.
    pub(crate) fn function(&self) -> String {
        format!(
            "CREATE FUNCTION public.gate(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
             BEGIN
               WHILE EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objid = {}) LOOP
                 PERFORM pg_catalog.pg_sleep(0.01);
               END LOOP;
               RETURN $1;
             END $$;",
            self.key
        )
    }

    /// Waits until a session of this database waits at the gate.
    pub(crate) async fn reached(&self, database_name: &str) {
        let session = database(&self.target).await;
        let waits = format!(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{database_name}'"
        );
        wait_for(&session, &waits).await;
    }

    /// Lets everybody through from now on.
    pub(crate) async fn open(mut self) {
        let keeper = self.keeper.take().unwrap();
        let unlock = format!("SELECT pg_advisory_unlock({})", self.key);
        keeper.batch(&text(&unlock)).await.unwrap();
    }
}
