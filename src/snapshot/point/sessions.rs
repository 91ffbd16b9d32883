//! The sessions of one attempt at a consistent point. They are opened before its snapshot is taken: between the snapshot
//! and the locks lies no time but that of two questions, and little can change in it.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};

use super::{lease, lock};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::wire::{Connection, Idle};

/// What one attempt works with.
pub(in crate::snapshot) struct Opened {
    pub(in crate::snapshot) reader: Reader,
    /// Sees the latest state.
    pub(in crate::snapshot) latest: Session,
    pub(in crate::snapshot) lease: [Session; 2],
    /// Connections of lanes that lock all tables for themselves.
    pub(in crate::snapshot) lanes: Vec<Connection<Idle>>,
    /// Whether the transactions of the reader and of these lanes have begun, with locks.
    pub(in crate::snapshot) is_ahead: bool,
}

/// The session that locks the tables and reads the definitions.
#[derive(Debug)]
pub(in crate::snapshot) struct Reader {
    pub(in crate::snapshot) session: Session,
    /// Its process on the server.
    pub(in crate::snapshot) pid: i32,
}

impl Opened {
    /// Opens all sessions, of which so many for lanes.
    ///
    /// # Errors
    /// A connection cannot be made.
    pub(in crate::snapshot) async fn open(source: &Endpoint, lanes: usize) -> Result<Self, Error> {
        let session = || async {
            let session = source.session(Purpose::Introspect).await;
            session.map_err(Error::Connect)
        };
        let lane = |_| async {
            let lane = source.wire(Purpose::CopyOut).await;
            lane.map_err(Error::Connect)
        };
        // The first one decides which host of a list is used.
        let reader = session().await?;
        let (latest, first, second) = tokio::try_join!(session(), session(), session())?;
        Ok(Self {
            reader: Reader::new(source, reader).await?,
            latest,
            lease: [first, second],
            lanes: try_join_all((0..lanes).map(lane)).await?,
            is_ahead: false,
        })
    }

    /// Runs statements with the reader and every lane at the same time. Whether all of them were accepted.
    pub(in crate::snapshot) async fn every_reader(&mut self, text: &Sql) -> bool {
        let lanes = join_all(self.lanes.iter_mut().map(|lane| lane.execute(text)));
        let (reader, lanes) = tokio::join!(self.reader.session.batch(text), lanes);
        reader.is_ok() && lanes.iter().all(Result::is_ok)
    }
}

impl Reader {
    async fn new(source: &Endpoint, session: Session) -> Result<Self, Error> {
        let sql = Sql::fixed("SELECT pg_catalog.pg_backend_pid()");
        let row = session.query_one(&sql, &[]).await.map_err(Error::Lock)?;
        let pid = row.get(0);
        source.note_process(pid);
        Ok(Self { session, pid })
    }

    /// Makes it see a snapshot; the tables in it, but those left out.
    ///
    /// # Errors
    /// The snapshot is gone, or the connection broke.
    pub(in crate::snapshot) async fn see(
        &self,
        (snapshot, is_ahead): (&str, bool),
        left_out: &BTreeSet<QualifiedName>,
    ) -> Result<Vec<QualifiedName>, connect::Error> {
        // `LOCK TABLE` takes no snapshot: behind it one may still be imported.
        let see = match is_ahead {
            true => lease::import(snapshot),
            false => lease::begin(Some(snapshot)),
        };
        self.session.batch(&see).await?;
        lock::list_names(&self.session, left_out).await
    }
}
