//! The sessions of one attempt at a consistent point. They are opened before its snapshot is taken: only two queries
//! run between the snapshot and the locks, and little can change meanwhile.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};

use super::lease::{render_begin, render_import};
use super::listed_tables::list_names;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::wire::{Connection, Idle};

/// The sessions of one attempt.
pub(crate) struct AttemptSessions {
    pub(crate) reader: Reader,
    /// Sees the latest state.
    pub(crate) latest: Session,
    pub(crate) lease: [Session; 2],
    pub(crate) copiers: CopierConnections,
}

/// Connections of row copiers that lock all tables for themselves.
pub(crate) struct CopierConnections {
    pub(crate) connections: Vec<Connection<Idle>>,
    /// Their transactions have begun, with locks.
    pub(crate) have_locks: bool,
}

/// The session that locks the tables and reads the definitions.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) session: Session,
    /// Its process on the server.
    pub(crate) pid: i32,
    /// Its transaction has begun, with locks.
    pub(crate) has_locks: bool,
}

impl AttemptSessions {
    /// Opens all sessions, and so many connections for row copiers.
    ///
    /// # Errors
    /// A connection cannot be opened.
    pub(crate) async fn open(source: &Endpoint, copiers: usize) -> Result<Self, Error> {
        // The first one decides which host of a list is used.
        let reader = open_session(source).await?;
        let (latest, first, second) = tokio::try_join!(
            open_session(source),
            open_session(source),
            open_session(source)
        )?;
        let connecting = (0..copiers).map(|_| open_copier(source));
        Ok(Self {
            reader: Reader::new(source, reader).await?,
            latest,
            lease: [first, second],
            copiers: CopierConnections {
                connections: try_join_all(connecting).await?,
                have_locks: false,
            },
        })
    }

    /// Runs statements with the reader and every row copier at the same time. Returns whether all of them were
    /// accepted.
    pub(crate) async fn run_on_every_reader(&mut self, text: &Sql) -> bool {
        let connections = self.copiers.connections.iter_mut();
        let copiers = join_all(connections.map(|copier| copier.execute(text)));
        let (reader, copiers) = tokio::join!(self.reader.session.batch(text), copiers);
        reader.is_ok() && copiers.iter().all(Result::is_ok)
    }

    /// Records that all readers have begun their transactions, with locks.
    pub(crate) fn note_locks(&mut self) {
        self.reader.has_locks = true;
        self.copiers.have_locks = true;
    }
}

async fn open_session(source: &Endpoint) -> Result<Session, Error> {
    let opened = source.session(Purpose::Introspect).await;
    opened.map_err(Error::Connect)
}

async fn open_copier(source: &Endpoint) -> Result<Connection<Idle>, Error> {
    let opened = source.wire(Purpose::CopyOut).await;
    opened.map_err(Error::Connect)
}

impl Reader {
    async fn new(source: &Endpoint, session: Session) -> Result<Self, Error> {
        let sql = Sql::fixed("SELECT pg_catalog.pg_backend_pid()");
        let row = session.query_one(&sql, &[]).await.map_err(Error::Lock)?;
        let pid = row.get(0);
        source.note_process(pid);
        Ok(Self {
            session,
            pid,
            has_locks: false,
        })
    }

    /// Imports a snapshot. Returns the tables in it, without the excluded ones.
    ///
    /// # Errors
    /// The snapshot is gone, or the connection is lost.
    pub(crate) async fn import_snapshot(
        &self,
        snapshot: &str,
        excluded: &BTreeSet<QualifiedName>,
    ) -> Result<Vec<QualifiedName>, connect::Error> {
        // `LOCK TABLE` takes no snapshot: after it one may still be imported.
        let import = match self.has_locks {
            true => render_import(snapshot),
            false => render_begin(Some(snapshot)),
        };
        self.session.batch(&import).await?;
        list_names(&self.session, excluded).await
    }
}
