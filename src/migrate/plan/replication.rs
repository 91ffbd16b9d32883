//! The part of the plan that concerns replication: the names of slots, whether another run is at work, and
//! whether what an earlier run has finished can still be followed.

use std::collections::BTreeMap;

use crate::catalog::cluster::Database;
use crate::checkpoint::{DatabasePair, Decision, Stale};
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::promise::{self, Promise};
use crate::cluster::run_lock::Holder;
use crate::cluster::select::ChosenDatabase;
use crate::connect::Purpose;
use crate::logical::{
    FoundPublication, Mark, Publishing, RunId, Seconds, SlotIdentity, find_publication, find_slot,
    slot_name,
};
use crate::migrate::check::{self, Examination, FailoverFacts, SubscriptionFacts};
use crate::migrate::error::Error;
use crate::migrate::lock_keys::lock_keys;
use crate::migrate::options::Options;
use crate::migrate::plan::adopt;
use crate::migrate::plan::planner::Planner;
use crate::migrate::replication::{Ours, Replication};
use crate::migrate::target_action::TargetAction;
use crate::pg::{Ident, Side, Sides, SlotName};
use crate::remedy::{Remedy, Setting};

/// What is known of a database's replication before its tables are examined.
#[derive(Debug)]
pub(crate) struct Known {
    slot: SlotName,
    ours: Ours,
    /// Runs that are at work on it, on either side.
    live: Vec<Finding>,
    /// The mark of its publication, if that is of the run that is adopted.
    pub(crate) adopted: Option<Mark>,
    /// What must be true of it, if an earlier run has finished it.
    promise: Option<Promise>,
}

impl Known {
    /// Looks at both sides.
    ///
    /// # Errors
    /// A server cannot be asked.
    pub(crate) async fn load(planner: &Planner<'_>, database: &Database) -> Result<Self, Error> {
        let Planner {
            options,
            servers: Sides { source, target },
            resume,
            ..
        } = planner;
        let resume = resume.as_ref();
        let slot = planner.slot_name(database);
        let name = database.name.as_str();
        let keys = lock_keys(options, database);
        let source_holder = source.find_holder(keys.source.as_slice()).await?;
        let target_holder = target.find_holder(&[keys.target]).await?;
        let asks = source_holder.is_some() || options.replication.adopt.is_some();
        let found = if asks && options.replicate {
            load_publication(options, name).await?
        } else {
            None
        };
        let mark = found.as_ref().and_then(|found| found.mark.as_ref());
        let run = mark.map_or_else(String::new, |mark| format!(", {}", mark.describe()));
        let live = [
            source_holder.map(|holder| judge_holder(Side::Source, &holder, &run)),
            target_holder.map(|holder| judge_holder(Side::Target, &holder, &run)),
        ];
        let adopted = options.replication.adopt.as_deref();
        let pair = DatabasePair::new(name, options.map.target(name));
        Ok(Self {
            adopted: mark.filter(|mark| Some(mark.name()) == adopted).cloned(),
            live: live.into_iter().flatten().collect(),
            ours: Ours {
                adopted: adopted.map(str::to_owned),
                ..resume
                    .map(|one| one.identify_ours(&pair))
                    .unwrap_or_default()
            },
            promise: resume.and_then(|resume| resume.recorded_promise(database, options)),
            slot,
        })
    }

    /// Decides again where a finished database is to be kept and its changes are lost, and where the run that
    /// was filling `existing` is adopted.
    ///
    /// # Errors
    /// A server cannot be asked.
    pub(crate) async fn decide(
        &self,
        decision: Decision,
        existing: Option<&Database>,
        options: &Options,
    ) -> Result<Decision, Error> {
        let mark = self.adopted.as_ref();
        let decision = adopt::decide_adopted(decision, existing, mark, options).await?;
        let (Decision::Finished { .. }, Some(promise)) = (&decision, &self.promise) else {
            return Ok(decision);
        };
        let broken = promise::check_promise(promise, options.servers()).await?;
        let reasons: Vec<String> = broken.iter().map(ToString::to_string).collect();
        Ok(if reasons.is_empty() {
            decision
        } else {
            Decision::Stale(Stale::NotFollowed(reasons.join("; ")))
        })
    }

    /// The runs that are at work on the database; then nothing else of its replication is to be judged.
    pub(crate) fn live(&self) -> &[Finding] {
        &self.live
    }

    /// The slot's name.
    pub(crate) fn slot(&self) -> &SlotName {
        &self.slot
    }

    /// What must stay true of a database that is kept.
    pub(crate) fn promise(&self) -> Option<Promise> {
        self.promise.clone()
    }

    /// What replication takes, where it is to follow.
    pub(crate) fn replication(
        &self,
        planner: &Planner<'_>,
        database: &Database,
        examined: &Examination,
    ) -> Option<Replication> {
        let options = planner.options;
        let excluded = &examined.before.excluded;
        let kept_apart = examined.chunks.union(&examined.unpublished).cloned();
        options.creates_replication().then(|| Replication {
            run: planner.run_id(),
            target: options.map.target(database.name.as_str()).to_owned(),
            slot: self.slot.clone(),
            is_failover: options.replication.failover_slots,
            publishing: Publishing {
                name: options.replication.publication.clone(),
                excluded: excluded.iter().cloned().chain(kept_apart).collect(),
                hypertables: examined.hypertables.clone(),
                insert_only: examined.insert_only.clone(),
                filters: examined.filters.clone(),
                make_full: options.replication.identity_full,
            },
            ours: self.ours.clone(),
        })
    }
}

async fn load_publication(
    options: &Options,
    name: &str,
) -> Result<Option<FoundPublication>, Error> {
    let side = Side::Source;
    let endpoint = options.source.with_database(name);
    let session = endpoint.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let name = &options.replication.publication;
    let found = find_publication(&session, name, Seconds::Marked).await;
    found.map_err(Error::examine(side))
}

fn judge_holder(side: Side, holder: &Holder, run: &str) -> Finding {
    let verb = match side {
        Side::Target => "filled",
        Side::Source => "copied",
    };
    let message = format!("is being {verb} by {}{run}", holder.by);
    Finding::new(Code::RunActive, Level::Error, side, message)
        .in_database(&holder.database)
        .remedy("wait for its end")
}

/// An error where no publication is of the run that is adopted.
pub(crate) fn judge_adoption(options: &Options, found: bool) -> Option<Finding> {
    let run = options.replication.adopt.as_ref().filter(|_| !found)?;
    let name = &options.replication.publication;
    let message = format!("no publication {name} of the selected databases is of run {run}");
    let finding = Finding::new(Code::NothingToAdopt, Level::Error, Side::Source, message);
    let finding = finding.about(name);
    Some(finding.remedy(Remedy::Correct(Setting::Adopt)))
}

impl Planner<'_> {
    /// Counts the slots to be created beside those that earlier runs have left; none without replication.
    pub(crate) async fn count_missing_slots(
        &self,
        chosen: &[ChosenDatabase],
    ) -> Result<Option<usize>, Error> {
        if !self.options.creates_replication() {
            return Ok(None);
        }
        let slots = self.servers.source.load_slots().await?;
        let is_missing = |one: &&ChosenDatabase| {
            let name = self.slot_name(&one.database);
            !slots.iter().any(|slot| slot.name == name.as_str())
        };
        Ok(Some(chosen.iter().filter(is_missing).count()))
    }

    /// Examines what a failover of the source does to the slots.
    pub(crate) async fn examine_failover(&self) -> Result<Vec<Finding>, Error> {
        let facts = FailoverFacts::load(&self.servers.source.session).await;
        let facts = facts.map_err(Error::examine(Side::Source))?;
        let is_wanted = self.options.replication.failover_slots;
        Ok(check::judge_failover(&facts, is_wanted))
    }

    /// Examines whether the slot of a database that is kept becomes a failover slot.
    pub(crate) async fn examine_kept_slot(
        &self,
        action: &TargetAction,
        name: &SlotName,
    ) -> Result<Option<Finding>, Error> {
        let is_kept = matches!(action, TargetAction::Keep { .. });
        let options = self.options;
        if !is_kept || !options.creates_replication() || !options.replication.failover_slots {
            return Ok(None);
        }
        let slot = find_slot(&self.servers.source.session, name).await;
        let slot = slot.map_err(Error::examine(Side::Source))?;
        Ok(slot.as_ref().and_then(check::judge_kept_slot))
    }

    /// Examines whether the target can have a subscription in each database.
    pub(crate) async fn examine_subscriptions(
        &self,
        chosen: &[ChosenDatabase],
        existing: &BTreeMap<Ident, Database>,
    ) -> Result<Vec<Finding>, Error> {
        let slots = chosen.iter().map(|one| self.slot_name(&one.database));
        let slots: Vec<String> = slots.map(|slot| slot.as_str().to_owned()).collect();
        let names = chosen.iter().map(|one| self.target_name(&one.database));
        let stays = |name: &Ident| !self.options.drop_existing && existing.contains_key(name);
        let stay = names.filter(stays).map(|name| name.as_str().to_owned());
        let stay: Vec<String> = stay.collect();
        let session = &self.servers.target.session;
        let facts = SubscriptionFacts::load(session, &slots, &stay).await;
        let facts = facts.map_err(Error::examine(Side::Target))?;
        Ok(check::judge_subscriptions(&facts, chosen.len()))
    }

    /// Finds slots between these clusters, of databases that this run does not replicate.
    pub(crate) async fn find_left_slots(
        &self,
        offered: &[Database],
        chosen: &[ChosenDatabase],
    ) -> Result<Vec<Finding>, Error> {
        let slots = self.servers.source.load_slots().await?;
        let is_replicated = |database: &&Database| {
            self.options.replicate && chosen.iter().any(|one| one.database.oid == database.oid)
        };
        let others = offered.iter().filter(|database| !is_replicated(database));
        let left = others.filter_map(|database| {
            let name = self.slot_name(database);
            let slot = slots.iter().find(|slot| slot.name == name.as_str())?;
            check::left_slot(database.name.as_str(), slot)
        });
        Ok(left.collect())
    }

    /// Returns the name of a database's slot.
    fn slot_name(&self, database: &Database) -> SlotName {
        let systems = self.systems();
        let identity = SlotIdentity {
            source_system: systems.source,
            source_database: database.oid,
            target_system: systems.target,
            target_database: self.options.map.target(database.name.as_str()),
            publication: &self.options.replication.publication,
        };
        slot_name(database.name.as_str(), &identity)
    }

    fn run_id(&self) -> RunId {
        let systems = self.systems();
        RunId::new(systems.source, systems.target)
    }

    /// Returns the system identifiers, empty where they cannot be read.
    fn systems(&self) -> Sides<&str> {
        let servers = self.servers.as_ref();
        servers.map(|server| server.system_identifier().unwrap_or_default())
    }
}
