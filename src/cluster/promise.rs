//! What a successful run promises of each database: its changes since the copy can be replicated.
//!
//! - The slot exists, is usable, and is still at the consistent point.
//! - The publication is this run's and complete. It lists exactly the tables that it listed when the slot was
//!   created.
//!
//! The promise is checked before a database counts as finished, as the last step of every run, and when a run
//! keeps a database that an earlier one has finished.

use std::collections::BTreeSet;
use std::fmt;

use crate::cluster::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{
    FoundPublication, ListedTables, Mark, Seconds, Slot, SlotFault, find_publication, find_slot,
    judge_slot, load_subscriptions,
};
use crate::pg::{Ident, Lsn, Oid, Side, Sides, SlotName, Sql, SqlState};

/// What must be true on the servers after a database was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    /// Its name on the source.
    pub(crate) database: String,
    /// Its name on the target.
    pub(crate) target: String,
    /// Its slot.
    pub(crate) slot: SlotName,
    /// The consistent point, at which the slot's changes begin; `None` if an older version has not recorded
    /// it.
    pub(crate) point: Option<Lsn>,
    /// Its publication.
    pub(crate) publication: Ident,
    /// The name of the run in the publication's mark; `None` if another program created the publication.
    pub(crate) run: Option<String>,
    /// The published tables; `None` if an older version has not recorded them.
    pub(crate) listed: Option<ListedTables>,
    /// Whether the mark must record that the copy is complete.
    pub(crate) complete: bool,
}

impl Promise {
    /// Which publications of insert-only tables may go with its publication.
    fn seconds(&self) -> Seconds {
        let listed = self.listed.as_ref();
        listed.map_or(Seconds::Marked, |listed| Seconds::of(&listed.insert_only))
    }
}

/// The objects of a promise as they are on the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    slot: Option<Slot>,
    publication: Option<FoundPublication>,
    /// Whether the server has `publish_via_partition_root`.
    via_root: bool,
    /// The published tables that still exist.
    existing: BTreeSet<Oid>,
    /// Whether a subscription of the target reads from the slot.
    is_subscribed: bool,
}

/// A part of a promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The slot is missing or unusable.
    Slot(SlotName, SlotFault),
    /// The slot decodes another database.
    SlotElsewhere(SlotName),
    /// Another session has read from the slot, or has created it again.
    SlotMoved {
        /// The slot.
        slot: SlotName,
        /// The position at which its changes begin now.
        now: Option<Lsn>,
        /// The position at which they must begin.
        point: Lsn,
    },
    /// The publication was dropped.
    PublicationGone(Ident),
    /// The publication is another run's, or has lost its mark.
    PublicationTaken(Ident),
    /// The publication's mark does not record that the copy is complete.
    PublicationIncomplete(Ident),
    /// The publication was changed.
    PublicationAltered(Ident, String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(slot, fault) => write!(f, "replication slot {slot} {fault}"),
            Self::SlotElsewhere(slot) => {
                write!(f, "replication slot {slot} belongs to another database now")
            }
            Self::SlotMoved { slot, now, point } => {
                let now = now.map_or_else(|| "nowhere".to_owned(), |now| now.to_string());
                write!(
                    f,
                    "replication slot {slot} continues at {now} instead of the consistent point {point}: \
                     somebody has read from it, or created it again"
                )
            }
            Self::PublicationGone(name) => {
                write!(f, "publication {name} was dropped by somebody else")
            }
            Self::PublicationTaken(name) => write!(f, "publication {name} is no longer this run's"),
            Self::PublicationIncomplete(name) => {
                write!(f, "publication {name} is not marked as complete")
            }
            Self::PublicationAltered(name, what) => {
                write!(f, "publication {name} was changed by somebody else: {what}")
            }
        }
    }
}

/// Checks a promise, and returns the parts of it that are not kept.
///
/// # Errors
/// A server cannot be reached, or refused a query.
pub(crate) async fn check_promise(
    promise: &Promise,
    servers: Sides<&Endpoint>,
) -> Result<Vec<Broken>, Error> {
    let seen = load_seen(promise, servers).await?;
    Ok(judge_promise(promise, &seen))
}

/// Requires that a promise is kept.
///
/// # Errors
/// It is not kept, or a server cannot be reached or refused a query.
pub(crate) async fn require_promise(
    promise: &Promise,
    servers: Sides<&Endpoint>,
) -> Result<(), Error> {
    let broken = check_promise(promise, servers).await?;
    if broken.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = broken.iter().map(ToString::to_string).collect();
    Err(Error::PromiseBroken {
        database: promise.database.clone(),
        reasons: reasons.join("; "),
    })
}

async fn load_seen(promise: &Promise, servers: Sides<&Endpoint>) -> Result<Seen, Error> {
    let wrap = Error::examine(Side::Source);
    let session = servers
        .source
        .with_database(&promise.database)
        .session(Purpose::Introspect)
        .await
        .map_err(Error::connect(Side::Source))?;
    let slot = find_slot(&session, &promise.slot).await.map_err(wrap)?;
    let publication = find_publication(&session, &promise.publication, promise.seconds())
        .await
        .map_err(wrap)?;
    let now = publication.as_ref().map(|found| &found.listed.tables);
    let has_others = promise.listed.as_ref().map(|listed| &listed.tables) != now;
    let has_moved = slot.as_ref().map(|slot| slot.confirmed_lsn) != Some(promise.point);
    Ok(Seen {
        is_subscribed: (has_moved || has_others) && is_subscribed(promise, servers.target).await?,
        slot,
        publication,
        via_root: session.version().has_publish_via_root(),
        existing: load_existing_tables(&session, promise)
            .await
            .map_err(wrap)?,
    })
}

async fn load_existing_tables(
    session: &Session,
    promise: &Promise,
) -> Result<BTreeSet<Oid>, connect::Error> {
    let listed = promise.listed.iter();
    let oids: Vec<u32> = listed
        .flat_map(|listed| &listed.tables)
        .map(|oid| oid.0)
        .collect();
    let sql = Sql::fixed("SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[])");
    let rows = session.query(&sql, &[&oids]).await?;
    Ok(rows.iter().map(|row| Oid(row.get(0))).collect())
}

/// Returns whether a subscription in the target's database reads from the slot: then the slot may have moved.
async fn is_subscribed(promise: &Promise, target: &Endpoint) -> Result<bool, Error> {
    let side = Side::Target;
    let endpoint = target.with_database(&promise.target);
    let session = match endpoint.session(Purpose::Introspect).await {
        Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => return Ok(false),
        other => other.map_err(Error::connect(side))?,
    };
    let found = load_subscriptions(&session)
        .await
        .map_err(Error::examine(side))?;
    let slot = Some(promise.slot.as_str());
    Ok(found.iter().any(|one| one.slot.as_deref() == slot))
}

/// Returns the parts of a promise that are not kept.
fn judge_promise(promise: &Promise, seen: &Seen) -> Vec<Broken> {
    let slot = judge_promised_slot(promise, seen);
    let publication = judge_publication(promise, seen);
    slot.into_iter().chain(publication).collect()
}

fn judge_promised_slot(promise: &Promise, seen: &Seen) -> Option<Broken> {
    let name = promise.slot.clone();
    if let Some(fault) = judge_slot(seen.slot.as_ref(), None) {
        return Some(Broken::Slot(name, fault));
    }
    let slot = seen.slot.as_ref()?;
    if slot.database.as_deref() != Some(promise.database.as_str()) {
        return Some(Broken::SlotElsewhere(name));
    }
    let point = promise.point?;
    let is_at_point = slot.confirmed_lsn == Some(point);
    (!is_at_point && !seen.is_subscribed).then_some(Broken::SlotMoved {
        slot: name,
        now: slot.confirmed_lsn,
        point,
    })
}

fn judge_publication(promise: &Promise, seen: &Seen) -> Option<Broken> {
    let name = promise.publication.clone();
    let Some(found) = &seen.publication else {
        return Some(Broken::PublicationGone(name));
    };
    let run = found.mark.as_ref().map(Mark::name);
    if run != promise.run.as_deref() {
        return Some(Broken::PublicationTaken(name));
    }
    let mut differences = found.odd_options(seen.via_root);
    differences.extend(compare_tables(promise, seen, found));
    if !differences.is_empty() {
        return Some(Broken::PublicationAltered(name, differences.join("; ")));
    }
    let is_complete = found.mark.as_ref().is_none_or(|mark| mark.complete);
    (promise.complete && !is_complete).then_some(Broken::PublicationIncomplete(name))
}

/// Describes how the published tables differ from the promised ones. While a subscription reads from the slot, added tables
/// join with a copy of their own.
fn compare_tables(promise: &Promise, seen: &Seen, found: &FoundPublication) -> Vec<String> {
    let Some(promised) = &promise.listed else {
        return Vec::new();
    };
    let differences = promised.compare(&found.listed, &seen.existing);
    match seen.is_subscribed {
        true => differences.without_added().describe(),
        false => differences.describe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::{PUBLICATION, RunId, RunTag};

    fn promise() -> Promise {
        Promise {
            database: "app".to_owned(),
            target: "copy".to_owned(),
            slot: SlotName::new("seren_app").unwrap(),
            point: Some(Lsn::new(7)),
            publication: Ident::from_catalog(PUBLICATION),
            run: None,
            listed: Some(publication(&[1, 2]).listed),
            complete: true,
        }
    }

    fn publication(tables: &[u32]) -> FoundPublication {
        FoundPublication::plain(Ident::from_catalog(PUBLICATION), tables.iter().copied())
    }

    fn seen() -> Seen {
        Seen {
            slot: Some(Slot {
                name: "seren_app".to_owned(),
                database: Some("app".to_owned()),
                active_pid: None,
                restart_lsn: Some(Lsn::new(1)),
                confirmed_lsn: Some(Lsn::new(7)),
                retained: Some(100),
                wal_status: Some("reserved".to_owned()),
                safe_wal_size: None,
                inactive_since: None,
                invalidation: None,
                is_failover: false,
            }),
            publication: Some(publication(&[1, 2])),
            via_root: true,
            existing: BTreeSet::from([Oid(1), Oid(2)]),
            is_subscribed: false,
        }
    }

    fn broken(change: impl FnOnce(&mut Seen)) -> Vec<String> {
        let mut seen = seen();
        change(&mut seen);
        let broken = judge_promise(&promise(), &seen);
        broken.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_as_it_was_is_kept() {
        assert!(broken(|_| {}).is_empty());
        // A table that was dropped leaves the publication by itself.
        let dropped = broken(|seen| {
            seen.existing.remove(&Oid(2));
            seen.publication = Some(publication(&[1]));
        });
        assert!(dropped.is_empty(), "{dropped:?}");
        let followed = broken(|seen| {
            seen.slot.as_mut().unwrap().confirmed_lsn = Some(Lsn::new(9));
            seen.is_subscribed = true;
        });
        assert!(followed.is_empty(), "{followed:?}");
    }

    /// A part of the reported text, and the change that causes it.
    type Case = (&'static str, fn(&mut Seen));

    #[test]
    fn every_loss_is_listed() {
        let gone = broken(|seen| (seen.slot, seen.publication) = (None, None));
        assert_eq!(gone.len(), 2, "{gone:?}");
        let cases: [Case; 7] = [
            ("is lost", |seen| {
                seen.slot.as_mut().unwrap().wal_status = Some("lost".to_owned());
            }),
            ("idle_timeout", |seen| {
                seen.slot.as_mut().unwrap().invalidation = Some("idle_timeout".to_owned());
            }),
            ("another database", |seen| {
                seen.slot.as_mut().unwrap().database = Some("other".to_owned());
            }),
            ("instead of the consistent point", |seen| {
                seen.slot.as_mut().unwrap().confirmed_lsn = Some(Lsn::new(9));
            }),
            ("it lacks 1 table; it also lists 1 table", |seen| {
                seen.publication = Some(publication(&[1, 3]));
            }),
            ("it sends other operations of 1 table", |seen| {
                let mut found = publication(&[1, 2]);
                found.listed.insert_only.insert(Oid(2));
                seen.publication = Some(found);
            }),
            ("publish_via_partition_root", |seen| seen.via_root = false),
        ];
        for (text, change) in cases {
            let broken = broken(change);
            assert!(broken.len() == 1 && broken[0].contains(text), "{broken:?}");
        }
    }

    #[test]
    fn another_runs_or_an_incomplete_mark_is_no_success() {
        let run = RunId::new("1", "2");
        let mark = Mark::new(run, RunTag::new(), "copy", "seren_app", String::new());
        let own = Promise {
            run: Some(mark.name().to_owned()),
            ..promise()
        };
        let mut seen = seen();
        let marked = |mark: Mark| {
            let mut found = publication(&[1, 2]);
            found.mark = Some(mark);
            Some(found)
        };
        assert!(matches!(
            judge_promise(&own, &seen)[..],
            [Broken::PublicationTaken(_)]
        ));
        seen.publication = marked(mark.clone());
        assert!(matches!(
            judge_promise(&own, &seen)[..],
            [Broken::PublicationIncomplete(_)]
        ));
        seen.publication = marked(mark.completed(None));
        assert!(judge_promise(&own, &seen).is_empty());
        assert!(matches!(
            judge_promise(&promise(), &seen)[..],
            [Broken::PublicationTaken(_)]
        ));
    }
}
