//! Time limits. On a loaded machine they mean nothing: a limit is asserted only with `SEREN_TIMES=1`, which promises
//! that nothing else runs on the machine. Otherwise only a hang fails.

use std::time::{Duration, Instant};

/// Fails the test if more than `limit` has passed since `begun`, on a machine of its own.
#[track_caller]
pub(crate) fn within(limit: Duration, begun: Instant, told: &str) {
    let took = begun.elapsed();
    let is_quiet = std::env::var("SEREN_TIMES").is_ok_and(|value| value == "1");
    assert!(
        !is_quiet || took < limit,
        "took {took:?} of {limit:?}: {told}"
    );
}
