//! The errors of this area.

use crate::cluster::filter::FilterFault;
use crate::cluster::finding::Finding;
use crate::event::{WithCauses as _, find_cause};
use crate::pg::{Side, Sides};
use crate::remedy::{ObjectRemedy, Remedy, Setting};
use crate::{catalog, connect, selection};

/// Why a server could not be used: it was not reached, refused a query, or is in use by another run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server cannot be reached.
    #[error("connect to the {side}")]
    Connect {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// Neither server can be used.
    #[error("neither server can be used")]
    Neither(#[source] Box<BothErrors>),
    /// Source and target are the same, or nothing distinguishes them.
    #[error("{}", .0.message)]
    Place(Box<Finding>),
    /// A query of the checks was refused.
    #[error("examine the {side}")]
    Examine {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The given names select nothing.
    #[error(transparent)]
    Selection(Box<selection::Error>),
    /// The catalog could not be read.
    #[error("read the definitions of the {side}'s {place}")]
    Catalog {
        /// The server.
        side: Side,
        /// The database, or `roles`.
        place: String,
        /// The cause.
        source: catalog::Error,
    },
    /// Another run copies the database.
    #[error("database {database} on the {side} is being {} by {by}; wait for its end", busy_verb(*side))]
    Busy {
        /// The server.
        side: Side,
        /// The database.
        database: String,
        /// The other run, in words.
        by: String,
    },
    /// A session that held the run's locks has ended: another run may have started.
    #[error(
        "the session that held this run's locks on the {side} was lost; unfinished work of this run was undone \
         where possible. Repeat the command to resume"
    )]
    LockLost {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The time that filters are to use as the current time is none.
    #[error("{text:?} is no time: {reason}")]
    AsOf {
        /// The text as given.
        text: String,
        /// Why.
        reason: String,
    },
    /// Filters depend on the current time, and the time of the copy is not known.
    #[error(
        "the filters depend on the current time, and the time of the copy is not recorded here"
    )]
    AsOfUnknown,
    /// A filter cannot be used.
    #[error(transparent)]
    Filter(Box<FilterFault>),
    /// All rows are copied, but later changes cannot be followed.
    #[error(
        "database {database} was copied, but its changes since then cannot be followed: {reasons}"
    )]
    PromiseBroken {
        /// The database.
        database: String,
        /// The parts of the promise that are not kept.
        reasons: String,
    },
}

const fn busy_verb(side: Side) -> &'static str {
    match side {
        Side::Source => "copied",
        Side::Target => "filled",
    }
}

/// Why each of two servers cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}; {}", .0.source.chain(), .0.target.chain())]
pub struct BothErrors(Sides<Error>);

impl BothErrors {
    /// What the causes of both know: once, if it is the same.
    fn remedies(&self) -> Vec<Remedy> {
        let of = |error: &Error| {
            let cause = find_cause::<connect::Error>(error);
            cause.map_or_else(Vec::new, connect::Error::remedies)
        };
        let remedies = self.0.as_ref().map(of);
        if remedies.source == remedies.target {
            return remedies.source;
        }
        let first = remedies.iter().filter_map(|(side, remedies)| {
            Some(ObjectRemedy {
                object: side.to_string(),
                remedy: remedies.first()?.clone(),
            })
        });
        let first: Vec<_> = first.collect();
        if first.is_empty() {
            return Vec::new();
        }
        vec![Remedy::Each(first)]
    }
}

impl From<selection::Error> for Error {
    fn from(error: selection::Error) -> Self {
        Self::Selection(Box::new(error))
    }
}

impl Error {
    /// Returns the server and the database where it happened, as far as the message does not name them.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Connect { side, .. }
            | Self::Examine { side, .. }
            | Self::LockLost { side, .. }
            | Self::Catalog { side, .. } => Some(side.to_string()),
            Self::PromiseBroken { database, .. } => Some(format!("source, database {database}")),
            Self::Busy { database, side, .. } => Some(format!("{side}, database {database}")),
            Self::Filter(fault) => Some(format!("source, database {}", fault.database)),
            Self::Place(_) | Self::Neither(_) => Some("source and target".to_owned()),
            Self::Selection(_) | Self::AsOf { .. } | Self::AsOfUnknown => None,
        }
    }

    /// Returns what the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::PromiseBroken { .. } => vec!["copy it again".into(), Remedy::copy_once()],
            Self::Place(finding) => finding.remedies.clone(),
            Self::Selection(error) => error.remedies(),
            Self::AsOf { .. } => vec![Remedy::Correct(Setting::AsOf)],
            Self::AsOfUnknown => vec![
                Remedy::pass_to(Setting::AsOf, "compare with the time that init has printed"),
                Remedy::pass_to(Setting::StateDir, "read it from the state of init"),
            ],
            Self::Filter(fault) => fault.remedies(),
            Self::Neither(errors) => errors.remedies(),
            Self::Connect { .. }
            | Self::Examine { .. }
            | Self::Catalog { .. }
            | Self::Busy { .. }
            | Self::LockLost { .. } => Vec::new(),
        }
    }

    /// Returns whether a query waited too long for locks of other sessions.
    pub(crate) const fn is_lock_wait(&self) -> bool {
        if let Self::Catalog {
            source: catalog::Error::Query { source, .. },
            ..
        }
        | Self::Examine { source, .. } = self
        {
            return matches!(source, connect::Error::LockWait { .. });
        }
        false
    }

    /// Returns whether another connection would fail as well: the command was stopped while it connected, or
    /// a transaction pooler answered.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Connect {
                source: connect::Error::Pooler { .. } | connect::Error::Stopped,
                ..
            }
        )
    }

    /// Returns the error of two servers neither of which can be used. A stop is reported as such.
    pub(crate) fn neither(errors: Sides<Self>) -> Self {
        let is_stop = |error: &Self| matches!(find_cause(error), Some(connect::Error::Stopped));
        if is_stop(&errors.source) {
            return errors.source;
        }
        if is_stop(&errors.target) {
            return errors.target;
        }
        Self::Neither(Box::new(BothErrors(errors)))
    }

    /// Wraps a failed connection.
    pub(crate) fn connect(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Connect { side, source }
    }

    /// Wraps a failed query of the checks.
    pub(crate) fn examine(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Examine { side, source }
    }

    /// Wraps definitions that could not be read.
    pub(crate) fn read(
        side: Side,
        place: impl Into<String>,
    ) -> impl FnOnce(catalog::Error) -> Self {
        let place = place.into();
        move |source| Self::Catalog {
            side,
            place,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(side: Side, kind: std::io::ErrorKind) -> Error {
        Error::connect(side)(connect::Error::Dial {
            place: "h:1".to_owned(),
            source: kind.into(),
        })
    }

    fn neither(kinds: Sides<std::io::ErrorKind>) -> Error {
        Error::neither(Sides {
            source: refused(Side::Source, kinds.source),
            target: refused(Side::Target, kinds.target),
        })
    }

    #[test]
    fn both_servers_are_named_with_what_helps() {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        let same = neither(Sides {
            source: ConnectionRefused,
            target: ConnectionRefused,
        });
        let text = same.chain();
        for part in [": connect to the source: ", "; connect to the target: "] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(same.remedies().len(), 1);
        let different = neither(Sides {
            source: ConnectionRefused,
            target: NotFound,
        });
        let remedies = different.remedies();
        let [Remedy::Each(each)] = remedies.as_slice() else {
            panic!("{remedies:?}");
        };
        assert_eq!(each.len(), 2);
    }

    #[test]
    fn a_stop_is_reported_as_a_stop() {
        let stopped = Error::neither(Sides {
            source: refused(Side::Source, std::io::ErrorKind::NotFound),
            target: Error::connect(Side::Target)(connect::Error::Stopped),
        });
        assert!(matches!(
            stopped,
            Error::Connect {
                side: Side::Target,
                ..
            }
        ));
    }
}
