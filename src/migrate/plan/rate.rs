//! How fast the source gives its rows: a short COPY out of its largest tables, whose bytes are
//! dropped. The target's share is not in it, so the estimate derived from it is a lower bound of the time.

use std::time::{Duration, Instant};

use crate::connect::{Endpoint, Purpose};
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::planned::Prepared;
use crate::pg::QualifiedName;
use crate::pg::Side;
use crate::sql;
use crate::task::Scope;

/// How long is measured.
const TIME: Duration = Duration::from_secs(2);

/// How much is read at most.
const BYTES: u64 = 64 << 20;

/// The share of a database that is read: what is measured must not cost what it measures.
const SHARE: u64 = 20;

/// Below this, connection and planning would be measured, not rows.
const ENOUGH: u64 = 4 << 20;

/// Samples the largest database of a plan; bytes an hour, or nothing where too little can be read.
///
/// # Errors
/// The source cannot be reached.
pub async fn measure_rate(
    prepared: &Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Option<u64>, Error> {
    let Some(planned) = prepared
        .databases
        .iter()
        .max_by_key(|planned| planned.bytes)
    else {
        return Ok(None);
    };
    let source = options.source.with_database(planned.name());
    let mut sample = Sample {
        begun: Instant::now(),
        wanted: (planned.bytes / SHARE).clamp(ENOUGH, BYTES),
        read: 0,
    };
    for table in &planned.largest {
        if sample.is_complete() || scope.stop.is_cancelled() {
            break;
        }
        // A slow row or network must not hold up the plan. Dropping the connection ends the copy on
        // the server with its next row.
        match tokio::time::timeout(TIME, sample.take(&source, table)).await {
            Ok(done) => done?,
            Err(_) => break,
        }
    }
    Ok((sample.read >= ENOUGH).then(|| per_hour(sample.read, sample.begun.elapsed())))
}

/// What was read so far.
struct Sample {
    begun: Instant,
    wanted: u64,
    read: u64,
}

impl Sample {
    fn is_complete(&self) -> bool {
        self.read >= self.wanted || self.begun.elapsed() >= TIME
    }

    /// Reads a table, or as much of it as is wanted. One that cannot be read is left to the checks.
    async fn take(&mut self, source: &Endpoint, table: &QualifiedName) -> Result<(), Error> {
        let side = Side::Source;
        let connection = source.wire(Purpose::CopyOut).await;
        let connection = connection.map_err(Error::connect(side))?;
        let copy = sql!("COPY {} TO STDOUT (FORMAT binary)", table);
        let Ok(mut rows) = connection.copy_out(&copy).await else {
            return Ok(());
        };
        while !self.is_complete() {
            let Ok(Some(piece)) = rows.next_piece().await else {
                break;
            };
            self.read += piece.data.len() as u64;
        }
        Ok(())
    }
}

fn per_hour(bytes: u64, elapsed: Duration) -> u64 {
    let milliseconds = elapsed.as_millis().max(1);
    let rate = u128::from(bytes) * 3_600_000 / milliseconds;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_per_hour() {
        assert_eq!(per_hour(1000, Duration::from_secs(1)), 3_600_000);
        assert_eq!(per_hour(1000, Duration::ZERO), 3_600_000_000);
    }
}
