//! Opens the connections of a row copier, and finds out about a commit whose answer was lost.

use std::time::Duration;

use super::failure::CopyFailure;
use crate::connect::Purpose;
use crate::pg::Sides;
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::Evaluation;
use crate::snapshot::point::lease::Snapshot;
use crate::snapshot::request::CopyRequest;
use crate::sql;
use crate::task::Scope;
use crate::wire::{Connection, Idle};

/// How long the target may need to decide about a transaction whose connection was lost.
const UNDECIDED: Duration = Duration::from_secs(60);

/// How often it is asked.
const ASKED: Duration = Duration::from_millis(200);

/// A connection to the source, at the snapshot, and one to the target.
pub(crate) type Connections = Sides<Connection<Idle>>;

/// Opens connections, again after a loss.
pub(crate) struct Connector {
    pub(crate) request: CopyRequest,
    /// The settings under which the target evaluates checks and generated columns.
    pub(crate) evaluation: Evaluation,
    pub(crate) snapshot: Snapshot,
    pub(crate) scope: Scope,
}

impl Connector {
    /// Opens both connections, unless the run stops: the snapshot is given up then.
    pub(crate) async fn open(&self) -> Result<Connections, Error> {
        tokio::select! {
            biased;
            () = self.scope.stop.cancelled() => Err(Error::Stopped),
            opened = self.connect_both() => opened,
        }
    }

    async fn connect_both(&self) -> Result<Connections, Error> {
        let source = match self.snapshot.take_ready() {
            Some(source) => source,
            None => {
                let opened = self.request.source.wire(Purpose::CopyOut).await;
                let mut source = opened.map_err(Error::Connect)?;
                self.snapshot.import_into(&mut source).await?;
                source
            }
        };
        let opened = self.request.target.wire(Purpose::CopyIn).await;
        let mut target = opened.map_err(Error::Connect)?;
        if let Some(settings) = self.evaluation.for_rows() {
            target.execute(&settings).await.map_err(Error::Lane)?;
        }
        Ok(Sides { source, target })
    }

    /// Finds out whether a transaction whose commit has no answer is committed. A target that cannot be
    /// reached for a while is asked again.
    pub(crate) async fn is_committed(&self, transaction: &str) -> Result<bool, Error> {
        let number: i64 = transaction.parse().map_err(|_| Error::Undecided)?;
        tokio::select! {
            biased;
            decided = tokio::time::timeout(UNDECIDED, self.wait_for_decision(number)) => {
                decided.unwrap_or(Err(Error::Undecided))
            }
            () = self.scope.stop.cancelled() => Err(Error::Stopped),
        }
    }

    async fn wait_for_decision(&self, number: i64) -> Result<bool, Error> {
        loop {
            let status = self.load_status(number).await;
            match status.map_err(CopyFailure::around_copy) {
                Ok(Some(is_committed)) => return Ok(is_committed),
                Err(failure) if !failure.is_transient => return Err(failure.error),
                Ok(None) | Err(_) => tokio::time::sleep(ASKED).await,
            }
        }
    }

    /// Loads whether the target has committed a transaction; None while it runs.
    async fn load_status(&self, number: i64) -> Result<Option<bool>, Error> {
        let opened = self.request.target.wire(Purpose::CopyIn).await;
        let mut session = opened.map_err(Error::Connect)?;
        let ask = sql!("SELECT pg_catalog.txid_status({}) AS status", number);
        let answer = session.query(&ask).await.map_err(Error::Lane)?;
        let status = answer.first().and_then(|answer| answer.single("status"));
        Ok(match status {
            Some("committed") => Some(true),
            Some("aborted") => Some(false),
            _ => None,
        })
    }
}
