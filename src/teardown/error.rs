use crate::cluster::other::Other;
use crate::pg::{Side, SlotName};
use crate::remedy::{Remedy, Setting};
use crate::{checkpoint, cluster, connect, selection};

/// Why `teardown` did not find or remove everything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server could not be reached, read or kept.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// What is done cannot be recorded, or what was recorded cannot be used.
    #[error(transparent)]
    State(Box<checkpoint::Error>),
    /// Nothing shows which cluster this is, and so which run's objects are on it.
    #[error(
        "the system identifier of the {side} cannot be read; \
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO the connecting role"
    )]
    NoIdentity {
        /// Which cluster.
        side: Side,
    },
    /// Something that a run has left could not be removed.
    #[error("remove {object}")]
    Teardown {
        /// The object and where it is.
        object: String,
        /// The cause.
        source: connect::Error,
    },
    /// What was to be removed is another run's by now, or that run has ended since.
    #[error(
        "{object}: a run has changed it since it was found; it stays, with all that was to be removed after it; \
         repeat the command to see what is there now"
    )]
    LeftoverChanged {
        /// The object and where it is.
        object: String,
    },
    /// What was found on the servers is of runs that no local state records.
    #[error(
        "nothing was removed: the state directory does not record what was found: {}",
        list_others(found)
    )]
    UnknownRuns {
        /// The runs and objects, each with what removes it.
        found: Vec<Other>,
    },
    /// A slot that was to be removed is in use.
    #[error("replication slot {slot} is in use by pid {pid} of the source; end that session first")]
    SlotActive {
        /// The slot.
        slot: SlotName,
        /// Who uses it.
        pid: i32,
    },
    /// A slot that was to be removed is not one of ours.
    #[error("replication slot {slot} was not created by this program, and is left alone")]
    SlotNotOurs {
        /// The slot.
        slot: SlotName,
    },
    /// A slot is to be removed, and no source is given.
    #[error("no source is given")]
    NoSource,
    /// The command was asked to stop.
    #[error("stopped before the end; the same command continues")]
    Stopped,
}

fn list_others(found: &[Other]) -> String {
    let names: Vec<&str> = found.iter().map(|one| one.what.as_str()).collect();
    names.join("; ")
}

impl From<selection::Error> for Error {
    fn from(error: selection::Error) -> Self {
        cluster::Error::from(error).into()
    }
}

impl From<checkpoint::Error> for Error {
    fn from(error: checkpoint::Error) -> Self {
        Self::State(Box::new(error))
    }
}

impl Error {
    /// Returns where it happened, as far as the message does not say.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.place(),
            Self::SlotActive { .. } | Self::SlotNotOurs { .. } => Some(Side::Source.to_string()),
            Self::State(_)
            | Self::Stopped
            | Self::NoIdentity { .. }
            | Self::NoSource
            | Self::LeftoverChanged { .. }
            | Self::UnknownRuns { .. }
            | Self::Teardown { .. } => None,
        }
    }

    /// What the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::UnknownRuns { found } => {
                found.iter().filter_map(|one| one.remedy.clone()).collect()
            }
            Self::NoSource => vec![Remedy::Pass(Setting::Source)],
            Self::Cluster(error) => error.remedies(),
            Self::State(error) => error.remedies(),
            Self::NoIdentity { .. }
            | Self::Teardown { .. }
            | Self::LeftoverChanged { .. }
            | Self::SlotActive { .. }
            | Self::SlotNotOurs { .. }
            | Self::Stopped => Vec::new(),
        }
    }

    /// Whether another server or another connection would not help.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_final())
    }

    /// Wraps a failed connection.
    pub(crate) fn connect(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| cluster::Error::connect(side)(source).into()
    }

    /// Wraps a failed query.
    pub(crate) fn examine(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| cluster::Error::examine(side)(source).into()
    }
}
