//! What every engine that writes to a target needs: a ledger of committed work, the wait until the target has
//! flushed it, and the detection of connections that no longer carry data.
//!
//! Work is finished in this order, so that a crash of the target never loses recorded work:
//!
//! ```text
//! commit ──▶ Ledger (committed) ──▶ Flush (on the target's disk) ──▶ state file (finished)
//! ```

mod flush;
mod ledger;
mod stall;

pub use flush::{Flush, FlushError};
pub use ledger::{Fact, Ledger};
pub use stall::{Stall, end_orphans, wait_for_stall};
