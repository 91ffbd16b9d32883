//! What the replication of a database takes, and whose an object of replication is.

use std::collections::BTreeSet;

use crate::connect::Session;
use crate::logical::{FoundPublication, LoadError, Mark, Published, Publishing, RunId};
use crate::migrate::error::Error;
use crate::pg::{Side, SlotName};
use crate::remedy::{Command, Remedy, Setting};
use crate::snapshot::NewSlot;

/// What the replication of one database takes.
#[derive(Clone, Debug)]
pub(crate) struct Replication {
    /// Between which clusters.
    pub(crate) run: RunId,
    /// The target database's name.
    pub(crate) target: String,
    /// The slot.
    pub(crate) slot: SlotName,
    /// Whether standbys of the source are to synchronize the slot.
    pub(crate) is_failover: bool,
    /// What is published, and under which name.
    pub(crate) publishing: Publishing,
    /// What earlier runs have left that is ours.
    pub(crate) ours: Ours,
}

/// What distinguishes our own leftovers from other runs' objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ours {
    /// The numbers of earlier runs that the state knows.
    pub(crate) numbers: BTreeSet<String>,
    /// Whether the state knows runs from before there were numbers.
    pub(crate) is_old: bool,
    /// The run that the user adopts.
    pub(crate) adopted: Option<String>,
    /// The slot that the state knows of this database.
    pub(crate) slot: Option<String>,
}

/// Whose a marked publication is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// An earlier run's that this one continues or replaces.
    Ours,
    /// A run's between the same clusters into the same database, that the state does not record.
    Unknown,
    /// A run's into another target.
    OtherTarget,
}

impl Replication {
    /// The slot, as it is created.
    pub(crate) fn new_slot(&self) -> NewSlot {
        NewSlot {
            name: self.slot.clone(),
            is_failover: self.is_failover,
        }
    }

    /// Whose a publication with this mark is.
    pub(crate) fn whose(&self, mark: &Mark) -> Whose {
        let is_here = mark.is_of(&self.run, &self.target);
        let is_known = match &mark.tag {
            Some(tag) => self.ours.numbers.contains(&tag.number),
            None => self.ours.is_old && is_here,
        };
        let is_adopted = self.ours.adopted.as_deref() == Some(mark.name());
        // What we have copied whole into another database stays, like anybody else's.
        if is_adopted || is_known && (is_here || !mark.complete) {
            Whose::Ours
        } else if is_here {
            Whose::Unknown
        } else {
            Whose::OtherTarget
        }
    }

    /// Whether a publication was left by a run that this one continues or replaces.
    pub(crate) fn owns(&self, found: &FoundPublication) -> bool {
        let mark = found.mark.as_ref();
        mark.is_some_and(|mark| self.whose(mark) == Whose::Ours)
    }

    /// Whether a slot of our name was left by such a run.
    pub(crate) fn owns_slot(&self, earlier: Option<&FoundPublication>) -> bool {
        let marked = earlier.filter(|found| self.owns(found));
        let marked = marked.and_then(|found| found.mark.as_ref());
        marked.is_some_and(|mark| mark.slot == self.slot.as_str())
            || self.ours.slot.as_deref() == Some(self.slot.as_str())
    }

    /// What is to be published of the session's database, once an earlier publication of this run is
    /// gone and identities are what they were.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub(crate) async fn load_published(
        &self,
        session: &Session,
        found: Option<&FoundPublication>,
    ) -> Result<Published, Error> {
        let earlier = found.filter(|found| self.owns(found));
        let changed = earlier.and_then(|found| found.mark.as_ref());
        let changed = changed.map(|mark| mark.identities.as_slice());
        let published = self.publishing.judge(session, changed.unwrap_or_default());
        published.await.map_err(|error| match error {
            LoadError::Server(source) => Error::examine(Side::Source)(source),
            LoadError::Letter(source) => Error::read(Side::Source, "tables")(source.into()),
            LoadError::Catalog(source) => Error::read(Side::Source, "tables")(source),
        })
    }
}

/// What to do about a publication of another run.
pub(crate) fn ways_out(whose: Whose, mark: &Mark) -> Vec<Remedy> {
    let run = mark.name();
    let remove = |purpose: &'static str| Remedy::remove_run(purpose, run);
    match whose {
        Whose::Ours => Vec::new(),
        Whose::Unknown => vec![
            Remedy::invoke_with("become its owner", Command::Init, Setting::Adopt, run),
            remove("remove what that run left"),
        ],
        Whose::OtherTarget => vec![
            Remedy::PassValue(Setting::Publication, "NAME".to_owned()),
            remove("if its target is gone, remove what that run left"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::logical::{PUBLICATION, RunTag};
    use crate::pg::Ident;

    fn replication(ours: Ours) -> Replication {
        Replication {
            run: RunId::new("1", "2"),
            target: "app".to_owned(),
            slot: SlotName::new("seren_app").unwrap(),
            is_failover: false,
            publishing: Publishing {
                name: Ident::from_catalog(PUBLICATION),
                excluded: BTreeSet::new(),
                hypertables: BTreeSet::new(),
                insert_only: BTreeSet::new(),
                filters: BTreeMap::new(),
                make_full: false,
            },
            ours,
        }
    }

    fn mark(target: &str, complete: bool) -> Mark {
        let run = RunId::new("1", "2");
        let mark = Mark::new(run, RunTag::new(), target, "seren_app", String::new());
        if complete { mark.completed(None) } else { mark }
    }

    #[test]
    fn only_what_the_state_knows_or_the_user_adopts_is_ours() {
        let of = |mark: &Mark, ours: Ours| replication(ours).whose(mark);
        let (here, there) = (mark("app", true), mark("other", true));
        let knows = |mark: &Mark| Ours {
            numbers: BTreeSet::from([mark.name().to_owned()]),
            ..Ours::default()
        };
        let adopts = |mark: &Mark| Ours {
            adopted: Some(mark.name().to_owned()),
            ..Ours::default()
        };
        assert_eq!(of(&here, Ours::default()), Whose::Unknown);
        assert_eq!(of(&here, knows(&here)), Whose::Ours);
        assert_eq!(of(&here, adopts(&here)), Whose::Ours);
        assert_eq!(of(&there, Ours::default()), Whose::OtherTarget);
        assert_eq!(of(&there, knows(&there)), Whose::OtherTarget);
        assert_eq!(of(&there, adopts(&there)), Whose::Ours);
        let begun = mark("other", false);
        assert_eq!(of(&begun, knows(&begun)), Whose::Ours);
    }

    #[test]
    fn the_ways_out_name_the_run() {
        let mark = mark("app", true);
        let run = mark.name();
        let adopt = Remedy::invoke_with("become its owner", Command::Init, Setting::Adopt, run);
        let remove = Remedy::remove_run("remove what that run left", run);
        assert_eq!(ways_out(Whose::Unknown, &mark), [adopt, remove]);
        let other = Remedy::PassValue(Setting::Publication, "NAME".to_owned());
        assert_eq!(ways_out(Whose::OtherTarget, &mark)[0], other);
    }
}
