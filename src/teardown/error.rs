//! The errors of this area.

use crate::pg::{Side, SlotName, SqlState};
use crate::remedy::{Remedy, Setting};
use crate::teardown::unrecorded::UnrecordedObject;
use crate::{checkpoint, cluster, connect, selection};

/// To name something that was found, unless nothing was.
fn correct(setting: Setting, found: &[UnrecordedObject]) -> Vec<Remedy> {
    if found.is_empty() {
        return vec![Remedy::Omit(setting)];
    }
    vec![Remedy::Correct(setting)]
}

/// Why `teardown` did not find or remove everything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server could not be used.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The local state cannot be read or removed.
    #[error(transparent)]
    State(Box<checkpoint::Error>),
    /// The cluster, and so the runs whose objects are on it, cannot be identified.
    #[error(
        "the system identifier of the {side} cannot be read; \
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO the connecting role"
    )]
    NoIdentity {
        /// The server.
        side: Side,
    },
    /// An object could not be removed.
    #[error("remove {object}")]
    Teardown {
        /// The object and its place.
        object: String,
        /// The cause.
        source: connect::Error,
    },
    /// An object now belongs to another run, or its run has ended since.
    #[error(
        "{object}: a run has changed it since it was found; it and the objects after it were not removed. \
         Repeat the command to list what exists now"
    )]
    LeftoverChanged {
        /// The object and its place.
        object: String,
    },
    /// Only objects of runs that no local state records were found.
    #[error(
        "nothing was removed: the state directory does not record what was found: {}",
        list_others(found)
    )]
    UnknownRuns {
        /// The runs and objects, each with what removes it.
        found: Vec<UnrecordedObject>,
    },
    /// The run to remove has left nothing.
    #[error("run {run} has left nothing on the source; {}", list_found(found))]
    NoSuchRun {
        /// The number that was given.
        run: String,
        /// What other runs have left.
        found: Vec<UnrecordedObject>,
    },
    /// The slot to remove does not exist, and no publication names it.
    #[error(
        "replication slot {slot} does not exist on the source; {}",
        list_found(found)
    )]
    NoSuchSlot {
        /// The name that was given.
        slot: SlotName,
        /// The slots that this program has created.
        found: Vec<UnrecordedObject>,
    },
    /// The slot to remove is in use.
    #[error("replication slot {slot} is in use by pid {pid} of the source; end that session first")]
    SlotActive {
        /// The slot.
        slot: SlotName,
        /// The process that uses it.
        pid: i32,
    },
    /// This program has not created the slot to remove.
    #[error("replication slot {slot} was not created by this program, and is not dropped")]
    SlotNotOurs {
        /// The slot.
        slot: SlotName,
    },
    /// A slot is to be removed, but no source is given.
    #[error("no source is given")]
    NoSource,
    /// The command was asked to stop.
    #[error("stopped before the end. Repeat the command to resume")]
    Stopped,
}

fn list_found(found: &[UnrecordedObject]) -> String {
    match found {
        [] => "nothing else was found".to_owned(),
        _ => format!("found: {}", list_others(found)),
    }
}

fn list_others(found: &[UnrecordedObject]) -> String {
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
    /// Returns the server where it happened, if the message does not name it.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.place(),
            Self::NoSuchRun { .. }
            | Self::NoSuchSlot { .. }
            | Self::SlotActive { .. }
            | Self::SlotNotOurs { .. } => Some(Side::Source.to_string()),
            Self::State(_)
            | Self::Stopped
            | Self::NoIdentity { .. }
            | Self::NoSource
            | Self::LeftoverChanged { .. }
            | Self::UnknownRuns { .. }
            | Self::Teardown { .. } => None,
        }
    }

    /// Returns what the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::UnknownRuns { found } => {
                let known = found.iter().filter_map(UnrecordedObject::remedy_of_object);
                vec![Remedy::Each(known.collect())]
            }
            Self::NoSuchRun { found, .. } => correct(Setting::Run, found),
            Self::NoSuchSlot { found, .. } => correct(Setting::Slot, found),
            Self::NoSource => vec![Remedy::Pass(Setting::Source)],
            Self::Cluster(error) => error.remedies(),
            Self::State(error) => error.remedies(),
            Self::Teardown { source, .. } if source.sqlstate() == Some(SqlState::OBJECT_IN_USE) => {
                vec!["end what reads from it, such as a subscription of somebody else, and repeat the command".into()]
            }
            Self::Teardown { source, .. } => source.remedies(),
            Self::NoIdentity { .. }
            | Self::LeftoverChanged { .. }
            | Self::SlotActive { .. }
            | Self::SlotNotOurs { .. }
            | Self::Stopped => Vec::new(),
        }
    }

    /// Returns whether another connection would fail as well.
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
