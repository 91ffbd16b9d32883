use std::path::PathBuf;

/// Why what is done cannot be recorded, or what was recorded cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place of the state is unknown.
    #[error("neither XDG_STATE_HOME nor HOME is set: pass --state-dir")]
    NoFolder,
    /// The file system refuses.
    #[error("{doing} {} (--state-dir chooses another directory)", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file holds something else than a state.
    #[error("the state file {} is damaged; --no-resume discards it and starts from the beginning", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is of a version that this program does not know.
    #[error(
        "the state file {} has version {version}, and this program knows {known}; use the program \
         that wrote it, or --no-resume to discard it and start from the beginning",
        path.display(),
        known = super::file::VERSION
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The file belongs to other clusters.
    #[error(
        "the state file {} belongs to other clusters; --no-resume discards it and starts from the beginning",
        path.display()
    )]
    OtherClusters {
        /// The file.
        path: PathBuf,
    },
    /// Another run of the same pair is at work.
    #[error("another run between these clusters is at work: {} (lock file {})", shown_holder(*pid), path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, if the file contains it.
        pid: Option<u32>,
    },
    /// A state has come to be where there was none.
    #[error("another run between these clusters has begun meanwhile ({}); repeat the command", path.display())]
    Meanwhile {
        /// The file.
        path: PathBuf,
    },
    /// The target does not confirm that its log is on disk.
    #[error(transparent)]
    Flush(#[from] crate::transfer::FlushError),
}

fn shown_holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "its process is not known".to_owned(),
        |pid| format!("process {pid}"),
    )
}

impl Error {
    /// Wraps what the file system says.
    pub(super) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
