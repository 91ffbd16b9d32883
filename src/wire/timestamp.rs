use std::time::{Duration, SystemTime};

/// A point in time as the replication protocol counts it: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// Seconds from 1970-01-01 to 2000-01-01.
const EPOCH_SECONDS: u64 = 946_684_800;

impl Timestamp {
    /// A point in time from the protocol's number.
    pub const fn new(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// The protocol's number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The current time of this machine.
    pub fn now() -> Self {
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS);
        let since = SystemTime::now().duration_since(epoch).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}
