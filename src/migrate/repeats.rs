//! What reads definitions on a source in use meets changes of them: an object is gone when the server is to
//! print it, or is locked. That is repeated: a few times where something was gone, and for as long as the
//! limit for waits allows where a lock was in the way.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::catalog::load::reading::{Reading, Sessions};
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint};
use crate::migrate::error::Error;
use crate::pg::{ServerVersion, Side};
use crate::{catalog, cluster};

/// Attempts in a row that may fail because something is gone. What is broken for good fails as often.
const VANISHED: u32 = 10;

/// The pause between them.
const PAUSE: Duration = Duration::from_millis(200);

/// Decides whether something is tried again.
#[derive(Debug)]
pub(super) struct Repeats<'r> {
    source: &'r Endpoint,
    wait: LockWait<'r>,
    vanished: u32,
}

impl<'r> Repeats<'r> {
    /// Before the first attempt; `what` is waited for where a lock is in the way.
    pub(super) fn new(source: &'r Endpoint, mode: LockMode, what: String) -> Self {
        Self {
            source,
            wait: LockWait::new(source, mode, what),
            vanished: 0,
        }
    }

    /// Pauses before another attempt, if there is to be one.
    ///
    /// # Errors
    /// There is none: the error itself, or one that says what it was tried for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "locks are in the way of three kinds only"
    )]
    pub(super) async fn after(&mut self, error: Error) -> Result<(), Error> {
        let (error, wrap) = match error {
            Error::Cluster(cluster::Error::Catalog {
                side,
                place,
                source: catalog::Error::Query { what, source },
            }) if source.is_lock_conflict() => {
                let wrap =
                    move |source| Error::read(side, place)(catalog::Error::Query { what, source });
                (
                    source,
                    Box::new(wrap) as Box<dyn FnOnce(connect::Error) -> Error + Send>,
                )
            }
            Error::Cluster(cluster::Error::Examine { side, source })
                if source.is_lock_conflict() =>
            {
                let wrap = move |source| Error::examine(side)(source);
                (source, Box::new(wrap) as _)
            }
            Error::Publication {
                publication,
                database,
                source,
            } if source.is_lock_conflict() => {
                let wrap = move |source| Error::Publication {
                    publication,
                    database,
                    source,
                };
                (source, Box::new(wrap) as _)
            }
            error => return self.after_change(error).await,
        };
        self.wait.pause_after(error).await.map_err(wrap)
    }

    async fn after_change(&mut self, error: Error) -> Result<(), Error> {
        let is_of_change = if let Error::Cluster(cluster::Error::Catalog { source, .. }) = &error {
            source.is_of_change()
        } else if let Error::Cluster(cluster::Error::Examine { source, .. })
        | Error::Publication { source, .. } = &error
        {
            source.sqlstate().is_some_and(catalog::is_missing)
        } else {
            false
        };
        if !is_of_change {
            return Err(error);
        }
        self.vanished += 1;
        if self.vanished == VANISHED {
            return Err(Error::Changing {
                database: self.source.database().to_owned(),
                attempts: VANISHED,
                source: Box::new(error),
            });
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// What was reported of a wait, if it took long.
    pub(super) fn said(&self) -> Option<&str> {
        self.wait.last_report()
    }
}

/// Reads the definitions of a database under a snapshot of its own; again, where others change or lock what is read.
///
/// # Errors
/// The source cannot be read.
pub(crate) async fn read_definitions(
    source: &Endpoint,
    target: ServerVersion,
) -> Result<(Reading, Catalog), Error> {
    let side = Side::Source;
    let place = format!("database {}", source.database());
    let what = format!("locks to read the definitions of {place}");
    let mut repeats = Repeats::new(source, LockMode::AccessShare, what);
    loop {
        let begun = Reading::begin_on(source, target, Sessions::One).await;
        let reading = begun.map_err(Error::connect(side))?;
        let error = match reading.load().await {
            Ok(catalog) => return Ok((reading, catalog)),
            Err(error) => error,
        };
        drop(reading);
        let error = Error::read(side, place.clone())(error);
        repeats.after(error).await?;
    }
}
