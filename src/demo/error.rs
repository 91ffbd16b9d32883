use crate::{connect, migrate, sandbox, verify};

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
    /// The demo was asked to stop while it created the shop.
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
    /// The copy failed.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// The comparison failed.
    #[error(transparent)]
    Verify(#[from] verify::Error),
}
