//! Copied tables and the running totals.

use std::sync::Arc;
use std::time::Duration;

use super::job::Format;
use crate::event::{Event, Events};
use crate::pg::QualifiedName;
use crate::wire::Progress;

/// One table's rows are on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub table: QualifiedName,
    /// Rows, as both servers counted them.
    pub rows: u64,
    /// Bytes of COPY data.
    pub bytes: u64,
    /// From the first statement to the commit.
    pub elapsed: Duration,
    /// The format in which the rows were sent.
    pub format: Format,
}

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(250);

/// Reports the running totals of a database, until dropped.
pub(crate) async fn report_progress(database: String, progress: Arc<Progress>, events: Events) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        events.tick(Event::CopyProgress {
            database: database.clone(),
            rows: progress.rows(),
            bytes: progress.bytes(),
        });
    }
}
