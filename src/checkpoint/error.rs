use std::path::PathBuf;

use crate::remedy::{Remedy, Setting};

/// Why what is done cannot be recorded, or what was recorded cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place of the state is unknown.
    #[error("neither XDG_STATE_HOME nor HOME is set")]
    NoFolder,
    /// The file system refuses.
    #[error("{doing} {}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file holds something else than a state.
    #[error("the state file {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is of a version that this program does not know.
    #[error(
        "the state file {} has version {version}, and this program knows {known}",
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
    #[error("the state file {} belongs to other clusters", path.display())]
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
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        let discard =
            || Remedy::pass_to(Setting::NoResume, "discard it and start from the beginning");
        match self {
            Self::NoFolder => vec![Remedy::Pass(Setting::StateDir)],
            Self::File { .. } => {
                vec![Remedy::with("choose another directory", Setting::StateDir)]
            }
            Self::Damaged { .. } | Self::OtherClusters { .. } => vec![discard()],
            Self::OtherVersion { .. } => vec!["use the program that wrote it".into(), discard()],
            Self::Held { .. } | Self::Meanwhile { .. } | Self::Flush(_) => Vec::new(),
        }
    }

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
