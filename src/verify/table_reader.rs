//! One connection that reads tables as its side's snapshot sees them.
//!
//! # Same text on both sides
//! What a value looks like as text depends on settings of the role, the database and the server.
//! [`SETTINGS`] pins all that do, in every session of both sides. The encoding is pinned with the
//! statement.
//!
//! # Rewritten tables
//! `TRUNCATE`, and `ALTER TABLE` where it writes a new file, do not keep the rows that older snapshots see.
//! Such a table looks empty, and two empty tables would be equal. So after its
//! rows are read, while they are still locked against that, the table must be the one that the
//! snapshot saw. Then the lock is released: nobody's DDL waits for the rest of the run.

use std::sync::Arc;

use super::digest::{Contents, Digester};
use super::error::Error;
use super::plan::Identity;
use super::progress::Progress;
use super::view::View;
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Purpose};
use crate::pg::{Literal, Oid, Side, Sql, SqlState};
use crate::sql;
use crate::task::Scope;
use crate::wire::{self, Connection, CopyOut, Idle};

/// Everything that values look like, and that a verification neither waits for ever nor takes
/// the servers' other cores.
const SETTINGS: &str = "SET search_path = ''; \
    SET TimeZone = 'UTC'; \
    SET DateStyle = 'ISO, YMD'; \
    SET IntervalStyle = 'postgres'; \
    SET extra_float_digits = 3; \
    SET bytea_output = 'hex'; \
    SET xmlbinary = 'base64'; \
    SET lc_monetary = 'C'; \
    SET quote_all_identifiers = off; \
    SET row_security = off; \
    SET statement_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0; \
    SET jit = off; \
    SET max_parallel_workers_per_gather = 0";

/// How long a reader of the target waits for a lock. On the source it stops sooner, and tries again.
const TARGET_LOCKS: &str = "SET lock_timeout = '30s'";

/// Before a table is read.
const SAVEPOINT: &str = "SAVEPOINT before_table";

/// After it was read, or could not be: its lock is released, and the transaction continues.
const RELEASE: &str = "ROLLBACK TO SAVEPOINT before_table";

/// For a table whose rows cannot be read under an empty path; undone with its savepoint.
const OWN_PATH: &str = "SET LOCAL search_path TO DEFAULT";

/// Bytes digested before other tasks of the thread get a turn: half a millisecond for the narrowest
/// rows, a tenth for usual ones (`benches/digest.rs`). So little is not worth a thread of its own,
/// and the hand-over that it costs.
const TURN: usize = 1 << 20;

/// A statement whose result is digested.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// `COPY … TO STDOUT` of its rows as text.
    pub(super) copy: Sql,
    /// `LOCK TABLE` for a server that lets go of a copied table's own lock: before 13, when `COPY` of
    /// the table itself ends. What `COPY` of a query locks stays locked.
    pub(super) lock: Option<Sql>,
    /// Settings of the statement's own, until its table is read.
    pub(super) settings: Option<Sql>,
    /// Which table the snapshot saw.
    pub(super) identity: Identity,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct TableReader {
    reader: SnapshotReader,
    /// In a transaction that sees the snapshot, behind a savepoint; gone after some errors.
    connection: Option<Connection<Idle>>,
}

/// What reads on a connection.
#[derive(Debug)]
struct SnapshotReader {
    view: Arc<View>,
    progress: Progress,
}

impl TableReader {
    /// A reader that connects when it is first used.
    pub(super) fn new(view: Arc<View>, progress: Progress) -> Self {
        let reader = SnapshotReader { view, progress };
        Self {
            reader,
            connection: None,
        }
    }

    /// Makes sure that there is a connection that sees the snapshot.
    ///
    /// # Errors
    /// The side cannot be reached, or the snapshot is gone.
    pub(super) async fn ensure_connection(&mut self) -> Result<(), Error> {
        if self.connection.is_none() {
            self.connection = Some(open_connection(&self.reader.view).await?);
        }
        Ok(())
    }

    /// Digests a table's rows. At a stop the server is asked to cancel, too.
    ///
    /// # Errors
    /// The rows cannot be read, or not as the snapshot saw them; or the scope was stopped.
    pub(super) async fn digest_table(
        &mut self,
        reading: &Reading,
        scope: &Scope,
    ) -> Result<Contents, Error> {
        let view = Arc::clone(&self.reader.view);
        let database = view.endpoint.database();
        let what = format!(
            "a lock to read a table of database {database} on the {}",
            view.side
        );
        let mut wait = LockWait::new(&view.endpoint, LockMode::AccessShare, what);
        loop {
            let side = view.side;
            match self.digest_once(reading, scope).await {
                // The table's lock, and with it the place in the queue, is given up between attempts.
                Err(Error::Rows {
                    source: wire::Error::Server(answer),
                    ..
                }) if side == Side::Source && answer.code == SqlState::LOCK_NOT_AVAILABLE => {
                    wait.pause_after(connect::Error::Server(answer))
                        .await
                        .map_err(|source| Error::Locked { side, source })?;
                }
                digested => return digested,
            }
        }
    }

    async fn digest_once(&mut self, reading: &Reading, scope: &Scope) -> Result<Contents, Error> {
        tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            connected = self.ensure_connection() => connected?,
        }
        let connection = self.connection.take().expect("the reader is connected");
        // The server may be waiting for a lock, where it would not notice that the connection is closed.
        let cancel = self
            .reader
            .view
            .endpoint
            .request_cancel(connection.cancel_key());
        let read = self.reader.read_by_any_path(connection, reading);
        let (result, connection) = scope
            .cancelling(cancel, read)
            .await
            .map_err(|_| Error::Stopped)?;
        self.connection = connection;
        result
    }
}

impl SnapshotReader {
    fn side(&self) -> Side {
        self.view.side
    }

    /// As [`read_once`](Self::read_once), once more under the database's own `search_path` where the server does
    /// not find an object. It looks into functions of the table's indexes, whose bodies may rely on the path.
    async fn read_by_any_path(
        &self,
        connection: Connection<Idle>,
        reading: &Reading,
    ) -> (Result<Contents, Error>, Option<Connection<Idle>>) {
        let (error, mut connection) = match self.read_once(connection, reading).await {
            (Err(error), Some(connection)) if names_what_is_missing(&error) => (error, connection),
            done => return done,
        };
        match connection.execute(&Sql::fixed(OWN_PATH)).await {
            Ok(()) => self.read_once(connection, reading).await,
            Err(_) => (Err(error), None),
        }
    }

    /// The rows' digest, and the connection if it is still of use.
    async fn read_once(
        &self,
        connection: Connection<Idle>,
        reading: &Reading,
    ) -> (Result<Contents, Error>, Option<Connection<Idle>>) {
        let mut connection = connection;
        if let Some(lock) = reading.lock.as_ref().filter(|_| self.view.copy_unlocks)
            && let Err(error) = connection.execute(lock).await
        {
            let released = connection.execute(&Sql::fixed(RELEASE)).await;
            let result = Err(self.rows_error(error));
            return (result, released.ok().map(|()| connection));
        }
        if let Some(settings) = &reading.settings
            && let Err(error) = connection.execute(settings).await
        {
            return (Err(self.rows_error(error)), None);
        }
        let (result, connection) = match connection.copy_out(&reading.copy).await {
            Err(failure) => (Err(self.rows_error(failure.error)), failure.connection),
            Ok(mut copy) => (self.read_rows(&mut copy).await, copy.into_idle()),
        };
        let Some(mut connection) = connection else {
            let result = result.and_then(|_| Err(self.rows_error(wire::Error::OutOfStep)));
            return (result, None);
        };
        let result = match result {
            Ok(contents) => self
                .check_identity(&mut connection, reading)
                .await
                .map(|()| contents),
            Err(error) => Err(error),
        };
        // Where even this fails, the next table begins on a new connection.
        let released = connection.execute(&Sql::fixed(RELEASE)).await;
        (result, released.ok().map(|()| connection))
    }

    async fn read_rows(&self, copy: &mut Connection<CopyOut>) -> Result<Contents, Error> {
        let side = self.side();
        let mut digester = Digester::new();
        let (mut sent, mut reported, mut since) = (0, 0, 0);
        while let Some(piece) = copy
            .next_piece()
            .await
            .map_err(|source| self.rows_error(source))?
        {
            digester.update(piece.data);
            sent += u64::from(piece.last);
            since += piece.data.len();
            if since >= TURN {
                self.progress
                    .add_read(side, digester.rows() - reported, since);
                (reported, since) = (digester.rows(), 0);
                tokio::task::yield_now().await;
            }
        }
        self.progress
            .add_read(side, digester.rows() - reported, since);
        let contents = digester
            .finish()
            .map_err(|source| Error::CutOff { side, source })?;
        if contents.rows == sent {
            Ok(contents)
        } else {
            Err(Error::Miscounted {
                side,
                sent,
                arrived: contents.rows,
            })
        }
    }

    /// Whether what was read is the table that the snapshot saw. Its lock says so: a name, which may
    /// be given to another table and back, says nothing.
    async fn check_identity(
        &self,
        connection: &mut Connection<Idle>,
        reading: &Reading,
    ) -> Result<(), Error> {
        let table = reading.identity.oid;
        let identity = sql!(
            "SELECT (SELECT l.relation FROM pg_catalog.pg_locks l \
                      WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' \
                        AND l.relation = {} AND l.granted) AS oid, \
                    pg_catalog.pg_relation_filenode({}) AS filenode",
            table,
            table
        );
        let results = connection
            .query(&identity)
            .await
            .map_err(|source| self.rows_error(source))?;
        let is = |column, wanted: Oid| {
            let found = results.first().and_then(|result| result.single(column));
            found == Some(wanted.to_string().as_str())
        };
        if is("oid", reading.identity.oid) && is("filenode", reading.identity.filenode) {
            Ok(())
        } else {
            Err(Error::Rewritten { side: self.side() })
        }
    }

    fn rows_error(&self, source: wire::Error) -> Error {
        Error::Rows {
            side: self.side(),
            source,
        }
    }
}

fn names_what_is_missing(error: &Error) -> bool {
    let Error::Rows { source, .. } = error else {
        return false;
    };
    let code = source.sqlstate();
    code.is_some_and(|code| {
        matches!(
            code,
            SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE
        )
    })
}

async fn open_connection(view: &View) -> Result<Connection<Idle>, Error> {
    let side = view.side;
    let mut connection = view
        .endpoint
        .wire(Purpose::CopyOut)
        .await
        .map_err(|source| Error::Connect { side, source })?;
    let see = sql!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT {}; {}",
        Literal(&view.snapshot_name),
        Sql::fixed(SAVEPOINT)
    );
    let mut statements = vec![Sql::fixed(SETTINGS), see];
    if side == Side::Target {
        statements.insert(1, Sql::fixed(TARGET_LOCKS));
    }
    for statement in statements {
        connection
            .execute(&statement)
            .await
            .map_err(|source| Error::Rows { side, source })?;
    }
    Ok(connection)
}
