//! What a run may keep of an interrupted one. Pure.

use std::collections::BTreeSet;

use super::database::{Database, Origin, Stage};
use super::selection::Selection;
use crate::pg::Oid;

/// What becomes of a database of the target, as far as the state decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The state says nothing of it.
    Fresh,
    /// It is whole, and kept as it is.
    Finished {
        /// How many tables with rows it has.
        tables: usize,
    },
    /// It was begun and interrupted, and the run had created it: it is dropped and created again.
    Recreate {
        /// Why its rows are not kept.
        why: &'static str,
    },
    /// It was begun and interrupted, and had existed before: what is in it is removed.
    DropCopied {
        /// Why its rows are not kept.
        why: &'static str,
        /// Extensions that it had before, and keeps.
        extensions: BTreeSet<String>,
    },
    /// The recorded state no longer applies, and it is treated as if nothing were known of it.
    Stale(Stale),
}

/// Why what was recorded of a database no longer applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Another selection was asked for; the differences.
    ScopeChanged(Vec<String>),
    /// The target has another database of this name now.
    TargetReplaced,
    /// The target has no such database any more.
    TargetGone,
    /// The source has another database of this name now.
    SourceReplaced,
    /// It was copied whole, and its changes since cannot be followed any more; the reason.
    NotFollowed(String),
}

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ScopeChanged(differences) => {
                write!(
                    f,
                    "the selection of what to copy has changed since the interrupted run: {}",
                    differences.join("; ")
                )
            }
            Self::TargetReplaced => f.write_str(
                "it was replaced on the target since the interrupted run, whose recorded state no longer applies to it",
            ),
            Self::TargetGone => f.write_str(
                "it was dropped on the target since the interrupted run, and is copied again",
            ),
            Self::NotFollowed(reason) => write!(
                f,
                "the interrupted run has copied it, but its changes since then are lost: {reason}"
            ),
            Self::SourceReplaced => f.write_str(
                "it was replaced on the source since the interrupted run, whose recorded state no longer applies to it",
            ),
        }
    }
}

/// Its snapshot ended with the process that held it.
const SNAPSHOT_GONE: &str =
    "its copy was interrupted, and the snapshot that its rows came from is gone";

/// A slot retains the changes, but nothing applies to each table those that it lacks.
const NO_CATCH_UP: &str = "its copy was interrupted, and tables of different snapshots cannot be combined \
     yet";

/// A database of the source, as a new run finds it.
#[derive(Clone, Copy, Debug)]
pub struct SourceDatabase<'a> {
    /// Which database of the source's cluster it is.
    pub oid: Oid,
    /// What of it takes part.
    pub selection: &'a Selection,
}

/// Decides by the record of a database in the run to be resumed, if there is one. The record is compared with
/// the database on the source, and with the target's existing database of its name.
pub fn decide(
    recorded: Option<&Database>,
    source: SourceDatabase<'_>,
    existing: Option<Oid>,
) -> Decision {
    let Some(recorded) = recorded else {
        return Decision::Fresh;
    };
    let Some(target_oid) = recorded.target_oid() else {
        // Nothing of ours is in it, even if it exists.
        return Decision::Fresh;
    };
    if recorded.source_oid != source.oid.0 {
        return Decision::Stale(Stale::SourceReplaced);
    }
    match existing {
        None => return Decision::Stale(Stale::TargetGone),
        Some(existing) if existing != target_oid => return Decision::Stale(Stale::TargetReplaced),
        Some(_) => {}
    }
    let differences = source.selection.differences(&recorded.selection);
    if !differences.is_empty() {
        return Decision::Stale(Stale::ScopeChanged(differences));
    }
    let why = if recorded.slot.is_some() {
        NO_CATCH_UP
    } else {
        SNAPSHOT_GONE
    };
    match &recorded.stage {
        Stage::Planned => Decision::Fresh,
        Stage::Finished { tables, .. } => Decision::Finished { tables: *tables },
        Stage::Begun { origin, .. } => match origin {
            Origin::Made => Decision::Recreate { why },
            Origin::Used { extensions } => Decision::DropCopied {
                why,
                extensions: extensions.clone(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::samples::{pair, same, selection};
    use crate::checkpoint::{Deviation, Run};
    use proptest::prelude::*;

    const SOURCE: Oid = Oid(16384);
    const TARGET: Oid = Oid(5);

    fn record(change: impl FnOnce(&mut Database)) -> Database {
        let mut run = Run::new(pair());
        run.plan(&same("a"), SOURCE, selection(&[]));
        let database = run.databases.get_mut(&same("a")).unwrap();
        change(database);
        database.clone()
    }

    fn made(database: &mut Database) {
        database.begin(TARGET, Origin::Made);
    }

    fn finished(database: &mut Database) {
        made(database);
        database.finish(3, 9, None).unwrap();
    }

    fn decided(record: &Database, standing: Option<Oid>) -> Decision {
        let selection = selection(&[]);
        let source = SourceDatabase {
            oid: SOURCE,
            selection: &selection,
        };
        decide(Some(record), source, standing)
    }

    #[test]
    fn what_is_finished_is_kept() {
        let record = record(finished);
        let kept = Decision::Finished { tables: 3 };
        assert_eq!(decided(&record, Some(TARGET)), kept);
    }

    #[test]
    fn what_was_interrupted_is_copied_again_and_the_reason_given() {
        let mut begun = record(made);
        let why = SNAPSHOT_GONE;
        assert_eq!(decided(&begun, Some(TARGET)), Decision::Recreate { why });
        begun.slot = Some("seren".to_owned());
        let why = NO_CATCH_UP;
        assert_eq!(decided(&begun, Some(TARGET)), Decision::Recreate { why });
        let extensions = BTreeSet::from(["postgis".to_owned()]);
        let extensions = || extensions.clone();
        let (used, why) = (
            record(|database| {
                let extensions = extensions();
                database.begin(TARGET, Origin::Used { extensions });
            }),
            SNAPSHOT_GONE,
        );
        let extensions = extensions();
        let clear = Decision::DropCopied { why, extensions };
        assert_eq!(decided(&used, Some(TARGET)), clear);
    }

    #[test]
    fn a_database_that_was_replaced_or_dropped_makes_its_record_stale() {
        for record in [record(made), record(finished)] {
            let reason = |decision| {
                let Decision::Stale(stale) = decision else {
                    panic!("{decision:?}");
                };
                stale
            };
            assert_eq!(
                reason(decided(&record, Some(Oid(6)))),
                Stale::TargetReplaced
            );
            assert_eq!(reason(decided(&record, None)), Stale::TargetGone);
            let source = SourceDatabase {
                oid: Oid(1),
                selection: &selection(&[]),
            };
            let other = decide(Some(&record), source, record.target_oid());
            assert_eq!(reason(other), Stale::SourceReplaced);
        }
    }

    #[test]
    fn another_scope_is_named() {
        let record = record(finished);
        let now = selection(&[Deviation::NoOwners]);
        let source = SourceDatabase {
            oid: SOURCE,
            selection: &now,
        };
        let decision = decide(Some(&record), source, Some(TARGET));
        let differences = vec!["now without owners".to_owned()];
        assert_eq!(decision, Decision::Stale(Stale::ScopeChanged(differences)));
    }

    proptest! {
        /// Nothing is ever removed but the very database that the state says is ours and unfinished.
        #[test]
        fn only_our_own_is_removed(stage in 0..3, standing in proptest::option::of(1_u32..4), oid in 1_u32..4) {
            let record = record(|database| if stage > 0 {
                database.begin(Oid(oid), Origin::Made);
                if stage > 1 {
                    database.finish(0, 0, None).unwrap();
                }
            });
            let decision = decided(&record, standing.map(Oid));
            let is_removed = matches!(decision, Decision::Recreate { .. } | Decision::DropCopied { .. });
            prop_assert_eq!(is_removed, stage == 1 && standing == Some(oid));
        }
    }
}
