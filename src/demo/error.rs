use crate::{connect, migrate, replicate, sandbox, status, teardown, verify};

/// Why the demo could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cluster could not be created.
    #[error("create the demo's clusters")]
    Sandbox(#[from] sandbox::Error),
    /// A cluster could not be reached.
    #[error("connect to the demo's clusters")]
    Connect(#[source] connect::Error),
    /// The shop could not be created, written or read.
    #[error("the demo's shop")]
    Shop(#[source] connect::Error),
    /// The demo was asked to stop between two phases.
    #[error("stopped before the end")]
    Stopped,
    /// The checks refused the copy.
    #[error("the checks refuse the copy: {finding}")]
    Refused {
        /// The first error they found.
        finding: String,
    },
    /// The copy reported no database.
    #[error("the copy reports no database")]
    NothingCopied,
    /// The replication reported no database, or no lag.
    #[error("the replication reports no database")]
    NothingReplicated,
    /// The copy failed.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// The replication failed.
    #[error(transparent)]
    Replicate(#[from] Box<replicate::Error>),
    /// The replication could not be observed.
    #[error(transparent)]
    Status(#[from] Box<status::Error>),
    /// What the run has created could not be removed.
    #[error(transparent)]
    Teardown(#[from] Box<teardown::Error>),
    /// The comparison failed.
    #[error(transparent)]
    Verify(#[from] verify::Error),
}

impl From<replicate::Error> for Error {
    fn from(error: replicate::Error) -> Self {
        Self::Replicate(Box::new(error))
    }
}

impl From<status::Error> for Error {
    fn from(error: status::Error) -> Self {
        Self::Status(Box::new(error))
    }
}

impl From<teardown::Error> for Error {
    fn from(error: teardown::Error) -> Self {
        Self::Teardown(Box::new(error))
    }
}
