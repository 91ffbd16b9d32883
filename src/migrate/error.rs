use std::path::{Path, PathBuf};

use crate::event::Phase;
use crate::logical::{Blocked, PublishError};
use crate::pg::{Counted, Ident, Side, SlotName};
use crate::remedy::{Remedy, Setting};
use crate::{catalog, checkpoint, cluster, connect, ddl, selection, snapshot, wire};

/// Why `init` or its checks did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server could not be reached, read or kept.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// Definitions changed in every attempt to read them.
    #[error(
        "definitions of database {database} changed in each of {attempts} attempts to read them"
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
    /// Roles could not be created.
    #[error("create the roles on the target{}", role_note(role.as_ref()))]
    Roles {
        /// The current role.
        role: Option<Ident>,
        /// The cause.
        source: connect::Error,
    },
    /// The target's version cannot hold the database.
    #[error(transparent)]
    Unmakeable(#[from] ddl::cluster::database::Error),
    /// The target database could not be created, dropped or configured.
    #[error("{what} database {database} on the target")]
    Database {
        /// What was to be done: `create`, `drop`, `configure`, `empty`, `begin the journal in`.
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
    /// A slot of the run was lost, or retained too much WAL. It was removed with its publication.
    #[error(
        "the run cannot end with all its replication slots; what had not been finished was removed again, and a \
         finished database whose slot was lost must be copied again"
    )]
    SlotLost {
        /// The slot, and what is wrong with it.
        source: Box<snapshot::Error>,
    },
    /// A slot of our name is another run's.
    #[error(
        "database {database}: replication slot {slot} belongs to a run that the state directory does not record"
    )]
    ForeignSlot {
        /// The database.
        database: String,
        /// The slot.
        slot: SlotName,
    },
    /// The database is not the one that the plan was created for.
    #[error("database {database} on the target has been replaced meanwhile; repeat the command")]
    Replaced {
        /// The database.
        database: String,
    },
    /// A database that was to be dropped or emptied holds what no run of ours created.
    #[error(
        "database {database} on the target is not empty: it holds objects that this run did not create: {objects}; \
         nothing was removed"
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
        "database {database} on the target: {} of the interrupted run cannot be removed, among them {example}; remove \
         them, or drop the database",
        Counted(*objects, "object")
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
    /// The slot of a finished database could not be turned into a failover slot.
    #[error("turn replication slot {slot} of database {database} into a failover slot")]
    Failover {
        /// The slot.
        slot: SlotName,
        /// The database.
        database: String,
        /// The cause.
        source: wire::Error,
    },
    /// The publication could not be created, changed or dropped.
    #[error("publication {publication} in database {database} on the source")]
    Publication {
        /// The publication.
        publication: Box<Ident>,
        /// The database.
        database: String,
        /// The cause.
        source: connect::Error,
    },
    /// The publication could not be created as it must be.
    #[error("publication {publication} in database {database} on the source")]
    NotPublished {
        /// The publication.
        publication: Box<Ident>,
        /// The database.
        database: String,
        /// The cause.
        source: Box<PublishError>,
    },
    /// A table cannot be published that could be when the checks ran.
    #[error(
        "database {database}: table {} {}; the checks found nothing in its way",
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
        /// What the user can do about it.
        remedies: Vec<Remedy>,
    },
    /// A phase of the copy ended with an error.
    #[error("could not copy database {database}{}", kept_note(*removed))]
    Copy {
        /// The database.
        database: String,
        /// In which phase.
        phase: Phase,
        /// Whether the target database, created by this run, was removed again.
        removed: bool,
        /// The cause.
        #[source]
        source: Box<snapshot::Error>,
    },
    /// A database is kept without objects that the target has refused.
    #[error("database {database} was copied and is kept without some objects{}", file_note(file.as_deref()))]
    Incomplete {
        /// The database.
        database: String,
        /// The file with the refused statements.
        file: Option<PathBuf>,
        /// What was refused.
        #[source]
        source: Box<snapshot::Error>,
    },
    /// The dry run could not plan how rows are copied.
    #[error("could not plan the copy of database {database}")]
    PlanCopy {
        /// The database.
        database: String,
        /// The cause.
        #[source]
        source: Box<snapshot::Error>,
    },
    /// The run was asked to stop.
    #[error("stopped before the end; run the same command again to resume")]
    Stopped,
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
        cluster::Error::from(error).into()
    }
}

impl Error {
    /// Returns where it happened, as far as the message does not say: which server, which database, which
    /// phase.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.place(),
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
            | Self::NotCleared { database, .. }
            | Self::Incomplete { database, .. } => Some(format!("target, database {database}")),
            Self::Publication { database, .. }
            | Self::NotPublished { database, .. }
            | Self::Changing { database, .. }
            | Self::Unpublishable { database, .. }
            | Self::ForeignSlot { database, .. }
            | Self::Failover { database, .. }
            | Self::PlanCopy { database, .. }
            | Self::ForeignPublication { database, .. } => {
                Some(format!("source, database {database}"))
            }
            Self::Roles { .. } | Self::Unmakeable(_) => Some(Side::Target.to_string()),
            Self::SlotLost { .. } => Some(Side::Source.to_string()),
            Self::State(_) | Self::Stopped => None,
        }
    }

    /// What the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::SlotLost { source } => {
                let again = "copy again a finished database whose slot was lost";
                let mut remedies = source.remedies();
                remedies.push(Remedy::pass_to(Setting::DropExisting, again));
                remedies.push(Remedy::copy_once());
                remedies
            }
            Self::Failover { .. } => vec![Remedy::Omit(Setting::FailoverSlot)],
            Self::ForeignSlot { slot, .. } => vec![Remedy::remove_slot("remove it", slot.as_str())],
            Self::NotOurs { .. } => vec![
                "move or drop them".into(),
                Remedy::pass_to(Setting::DropExisting, "drop and recreate the database"),
            ],
            Self::Incomplete { .. } => vec![
                "remove the causes on the target".into(),
                Remedy::pass_to(
                    Setting::DefinitionsOnly,
                    "create the missing objects, with the other options of this run",
                ),
            ],
            Self::ForeignPublication { remedies, .. } => remedies.clone(),
            Self::Unpublishable { blocked, .. } => blocked.all_remedies(),
            Self::Cluster(error) => error.remedies(),
            Self::State(error) => error.remedies(),
            Self::Changing { .. } => vec!["pause the DDL and repeat".into()],
            Self::Ddl { .. }
            | Self::Roles { .. }
            | Self::Unmakeable(_)
            | Self::Database { .. }
            | Self::InUse { .. }
            | Self::Replaced { .. }
            | Self::NotEmpty { .. }
            | Self::Changed { .. }
            | Self::NotCleared { .. }
            | Self::Publication { .. }
            | Self::NotPublished { .. }
            | Self::Copy { .. }
            | Self::PlanCopy { .. }
            | Self::Stopped => Vec::new(),
        }
    }

    /// Whether locks or changes of other sessions kept something from being read for too long: a finding of
    /// the checks.
    pub(crate) fn is_of_others(&self) -> bool {
        if let Self::Cluster(error) = self {
            return error.is_lock_wait();
        }
        matches!(self, Self::Changing { .. })
    }

    /// Wraps a refused change of a target database; `what` is a verb, such as `drop`.
    pub(crate) fn change(
        what: &'static str,
        database: &str,
    ) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Database {
            what,
            database: database.to_owned(),
            source,
        }
    }

    /// Wraps a failed connection.
    pub(crate) fn connect(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| cluster::Error::connect(side)(source).into()
    }

    /// Wraps a failed query.
    pub(crate) fn examine(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| cluster::Error::examine(side)(source).into()
    }

    /// Wraps definitions that could not be read.
    pub(crate) fn read(
        side: Side,
        place: impl Into<String>,
    ) -> impl FnOnce(catalog::Error) -> Self {
        let wrap = cluster::Error::read(side, place);
        move |source| wrap(source).into()
    }
}

fn file_note(file: Option<&Path>) -> String {
    file.map_or_else(String::new, |file| {
        format!("; their statements are in {}", file.display())
    })
}

fn kept_note(removed: bool) -> &'static str {
    if removed {
        " (the incomplete target database was removed; run the same command again)"
    } else {
        " (the target database stays incomplete; run the same command again)"
    }
}
