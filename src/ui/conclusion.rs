//! How a command ends that has a report.

/// Whether a command with a report did what it was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It did; the exit code is 0.
    Done,
    /// It did not, for the reason that the report shows in detail.
    Failed {
        /// What the process exits with.
        exit_code: u8,
        /// The reason in one sentence, such as `3 errors were found`.
        message: String,
    },
}

impl Conclusion {
    /// Returns what the process exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed { exit_code, .. } => *exit_code,
        }
    }
}
