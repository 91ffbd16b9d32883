use crate::logical::Blocked;
use crate::pg::{Ident, SlotName};
use crate::{catalog, checkpoint, connect, ddl, selection, snapshot};

use crate::cluster::finding::Side;

/// Why `init` or its checks did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cluster cannot be reached.
    #[error("connect to the {side}")]
    Connect {
        /// Which one.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// A question of the checks was refused.
    #[error("examine the {side}")]
    Examine {
        /// Which cluster.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The names given select nothing.
    #[error(transparent)]
    Selection(Box<selection::Error>),
    /// The catalog could not be read.
    #[error("read the definitions of the {side}'s {place}")]
    Catalog {
        /// Which cluster.
        side: Side,
        /// Which database, or `roles`.
        place: String,
        /// The cause.
        source: catalog::Error,
    },
    /// Definitions were gone whenever they were to be read.
    #[error(
        "definitions of database {database} changed in each of {attempts} attempts to read them; pause the DDL \
         and repeat"
    )]
    Changing {
        /// The database.
        database: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        source: Box<Error>,
    },
    /// No order of the definitions works, or one cannot be written for the target.
    #[error("database {database}")]
    Ddl {
        /// The database.
        database: String,
        /// The cause.
        source: ddl::Error,
    },
    /// Roles could not be made.
    #[error("make the roles on the target{}", role_note(role.as_ref()))]
    Roles {
        /// The role at hand.
        role: Option<Ident>,
        /// The cause.
        source: connect::Error,
    },
    /// The target's version cannot hold the database.
    #[error(transparent)]
    Unmakeable(#[from] ddl::cluster::database::Error),
    /// The target database could not be made, dropped or configured.
    #[error("{what} database {database} on the target")]
    Database {
        /// `create`, `drop` or `configure`.
        what: &'static str,
        /// The database.
        database: String,
        /// The cause.
        source: connect::Error,
    },
    /// Somebody replicates from or into the database that was to be dropped.
    #[error("database {database} on the target is in use by {by}; remove it first")]
    InUse {
        /// The database.
        database: String,
        /// A slot or subscription, by name.
        by: String,
    },
    /// Another run copies the database.
    #[error("database {database} on the {side} is being {} by {by}; wait for its end", busy(*side))]
    Busy {
        /// On which side.
        side: Side,
        /// The database.
        database: String,
        /// Who it is.
        by: String,
    },
    /// A session that held the run's locks has ended: another run may have begun.
    #[error(
        "the session that held this run's locks on the {side} was lost; what this run had not finished was \
         taken back where that was possible, and the same command continues"
    )]
    LockLost {
        /// On which side.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// A slot of the run was lost, or retained too much WAL. It was removed with its publication.
    #[error(
        "the run cannot end with all its replication slots; what had not been finished was removed again, and a \
         finished database whose slot was lost must be copied again (--drop-existing), or copied once \
         (--no-sync)"
    )]
    SlotLost {
        /// The slot, and what is wrong with it.
        source: Box<snapshot::Error>,
    },
    /// All rows are copied, and changes from there on cannot be followed.
    #[error(
        "database {database} was copied, but its changes since then cannot be followed: {reasons}; copy it \
         again, or copy it once with --no-sync"
    )]
    PromiseBroken {
        /// The database.
        database: String,
        /// What is wrong.
        reasons: String,
    },
    /// A slot of our name is another run's.
    #[error(
        "database {database}: replication slot {slot} is of a run of which the state folder knows nothing; \
         remove it with: postgres-seren-replicator teardown --slot {slot}"
    )]
    ForeignSlot {
        /// The database.
        database: String,
        /// The slot.
        slot: SlotName,
    },
    /// The database is not the one that the plan was made for.
    #[error("database {database} on the target has been replaced meanwhile; repeat the command")]
    Replaced {
        /// The database.
        database: String,
    },
    /// A database that was to be dropped or emptied holds what no run of ours created.
    #[error(
        "database {database} on the target is not empty: it holds objects that this run did not create: {objects}; \
         nothing was removed. Move or drop them, or pass --drop-existing to drop and recreate the database"
    )]
    NotOurs {
        /// The database.
        database: String,
        /// Some of them.
        objects: String,
    },
    /// Somebody has filled a database since it was found empty.
    #[error(
        "database {database} on the target is not empty any more: {objects}; repeat the command"
    )]
    NotEmpty {
        /// The database.
        database: String,
        /// Its newest objects.
        objects: String,
    },
    /// A database that was to be dropped is not what the user was shown.
    #[error(
        "database {database} on the target was changed since it was examined (its newest objects: {objects}); \
         nothing was removed. Repeat the command"
    )]
    Changed {
        /// The database.
        database: String,
        /// Its newest objects.
        objects: String,
    },
    /// What an interrupted run has left in a database cannot be removed.
    #[error(
        "database {database} on the target: {objects} objects of the interrupted run cannot be removed, among them \
         {example}; remove them, or drop the database"
    )]
    NotCleared {
        /// The database.
        database: String,
        /// How many objects stay.
        objects: i64,
        /// One of them.
        example: String,
    },
    /// What is done cannot be recorded, or what was recorded cannot be used.
    #[error(transparent)]
    State(Box<checkpoint::Error>),
    /// The publication could not be made, changed or dropped.
    #[error("publication {publication} in database {database} on the source")]
    Publication {
        /// The publication.
        publication: Box<Ident>,
        /// The database.
        database: String,
        /// The cause.
        source: connect::Error,
    },
    /// A table cannot be published that could be when the checks ran.
    #[error(
        "database {database}: table {} {}, other than when the checks ran",
        blocked.table,
        blocked.blocker
    )]
    Unpublishable {
        /// The database.
        database: String,
        /// The table, and why.
        blocked: Box<Blocked>,
    },
    /// Somebody else's publication has our name.
    #[error(
        "database {database}: publication {publication} is not this run's, and differs: it {differences}"
    )]
    ForeignPublication {
        /// The publication.
        publication: Ident,
        /// The database.
        database: String,
        /// What differs.
        differences: String,
    },
    /// Nothing tells which cluster this is, and so which run's objects are on it.
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
        "nothing was removed: the state folder does not record what was found; if nobody needs it, remove it by \
         name. {}",
        found.join("; ")
    )]
    UnknownRuns {
        /// The runs and objects, each with what removes it.
        found: Vec<String>,
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
    #[error("--slot takes --source")]
    NoSource,
    /// A phase of the copy ended with an error.
    #[error("database {database}: {phase}{}", kept_note(*removed))]
    Copy {
        /// The database.
        database: String,
        /// What was being done.
        phase: &'static str,
        /// Whether the target database, made by this run, was removed again.
        removed: bool,
        /// The cause.
        #[source]
        source: Box<snapshot::Error>,
    },
    /// The run was asked to stop.
    #[error("stopped before the end; the same command goes on")]
    Stopped,
}

fn busy(side: Side) -> &'static str {
    match side {
        Side::Target => "filled",
        Side::Source | Side::Both => "copied",
    }
}

fn role_note(role: Option<&Ident>) -> String {
    role.map_or_else(String::new, |role| format!(": role {role}"))
}

impl From<checkpoint::Error> for Error {
    fn from(error: checkpoint::Error) -> Self {
        Self::State(Box::new(error))
    }
}

impl From<selection::Error> for Error {
    fn from(error: selection::Error) -> Self {
        Self::Selection(Box::new(error))
    }
}

impl Error {
    /// Where it happened, as far as the message does not say: which side, which database, which
    /// phase.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Connect { side, .. }
            | Self::Examine { side, .. }
            | Self::LockLost { side, .. }
            | Self::Catalog { side, .. } => Some(side.to_string()),
            Self::Copy {
                database, phase, ..
            } => Some(format!("database {database}, {phase}")),
            Self::Ddl { database, .. }
            | Self::Database { database, .. }
            | Self::InUse { database, .. }
            | Self::Replaced { database }
            | Self::NotOurs { database, .. }
            | Self::NotEmpty { database, .. }
            | Self::Changed { database, .. }
            | Self::NotCleared { database, .. } => Some(format!("target, database {database}")),
            Self::Publication { database, .. }
            | Self::Changing { database, .. }
            | Self::Unpublishable { database, .. }
            | Self::PromiseBroken { database, .. }
            | Self::ForeignSlot { database, .. }
            | Self::ForeignPublication { database, .. } => {
                Some(format!("source, database {database}"))
            }
            Self::Roles { .. } | Self::Unmakeable(_) => Some(Side::Target.to_string()),
            Self::Busy { database, side, .. } => Some(format!("{side}, database {database}")),
            Self::SlotLost { .. } | Self::SlotActive { .. } | Self::SlotNotOurs { .. } => {
                Some(Side::Source.to_string())
            }
            Self::Selection(_)
            | Self::State(_)
            | Self::Stopped
            | Self::NoIdentity { .. }
            | Self::NoSource
            | Self::LeftoverChanged { .. }
            | Self::UnknownRuns { .. }
            | Self::Teardown { .. } => None,
        }
    }

    /// Whether locks or changes of other sessions kept something from being read for too long: a finding of
    /// the checks.
    pub(crate) fn is_of_others(&self) -> bool {
        if let Self::Catalog {
            source: catalog::Error::Query { source, .. },
            ..
        }
        | Self::Examine { source, .. } = self
        {
            return matches!(source, connect::Error::LockWait { .. });
        }
        matches!(self, Self::Changing { .. })
    }

    /// Whether another side or another way in would not help: the command was stopped while it connected,
    /// or a transaction pooler answers.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Connect {
                source: connect::Error::Pooler { .. } | connect::Error::Stopped,
                ..
            }
        )
    }

    /// Wraps the refusal of a question of the checks.
    pub(crate) fn examine(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Examine { side, source }
    }
}

fn kept_note(removed: bool) -> &'static str {
    if removed {
        " (the incomplete target database was removed; the same command begins it again)"
    } else {
        " (the target database stays incomplete; the same command begins it again)"
    }
}
