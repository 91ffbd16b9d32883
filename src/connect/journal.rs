//! The journal of a database that we fill: the transaction ids of everything that we commit there.
//!
//! Each of our transactions inserts its own id right before its commit. So an entry exists exactly if
//! the transaction was committed, also after a crash or `kill -9`. A catalog row remembers the transaction that
//! wrote it (`xmin`), so the journal decides which objects of the database are ours. `migrate` creates,
//! reads and drops it.

use crate::pg::Sql;

/// The schema that holds nothing but the journal.
pub const JOURNAL_SCHEMA: &str = "seren_replicator_run";

/// Enters the transaction at work.
pub(super) fn render_entry() -> Sql {
    Sql::fixed(
        "INSERT INTO seren_replicator_run.transactions \
         VALUES ((pg_catalog.txid_current() OPERATOR(pg_catalog.%) 4294967296)::pg_catalog.text::pg_catalog.xid)",
    )
}
