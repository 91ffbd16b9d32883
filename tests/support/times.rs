//! How long something took. A loaded machine says nothing about that: a limit is asserted only where `SEREN_TIMES=1`
//! promises that the tests are alone on the machine; otherwise only a hang fails.

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
