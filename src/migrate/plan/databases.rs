//! The plan of every selected database.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Database;
use crate::catalog::load::cached::CachedCatalog;
use crate::checkpoint::Selection;
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::select::ChosenDatabase;
use crate::ddl;
use crate::ddl::cluster::database::{DatabaseOptions, render_finish};
use crate::migrate::check::{self, Examination, ExaminedReplication};
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::plan::planner::Planner;
use crate::migrate::plan::replication::{self, Known};
use crate::migrate::plan::selection::describe_selection;
use crate::migrate::plan::target_action::{TargetPlan, plan_target};
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::replication::Replication;
use crate::migrate::resume::{Interrupted, Recorded, Resume, WantedDatabase};
use crate::migrate::target_action::TargetAction;
use crate::migrate::target_cluster::TargetCluster;
use crate::migrate::target_use::wait_until_settled;
use crate::pg::{Ident, Side};
use crate::remedy::{Remedy, Setting};
use crate::snapshot::SnapshotSource;

/// A selected database, with what is on the target under its name and what is recorded of it.
struct DatabaseSite<'a> {
    chosen: ChosenDatabase,
    selection: Selection,
    existing: Option<&'a Database>,
    interrupted: Interrupted,
    known: Known,
}

/// The plan of a database, and what the checks have found on the way.
struct DatabasePlan {
    planned: PlannedDatabase,
    examined: Examination,
}

/// The plans of the databases so far.
#[derive(Default)]
struct Plans {
    databases: Vec<PlannedDatabase>,
    findings: Vec<Finding>,
    definitions: BTreeMap<String, CachedCatalog>,
    extensions: BTreeSet<Ident>,
    is_adopted: bool,
}

impl Plans {
    fn add(&mut self, plan: DatabasePlan) {
        let DatabasePlan { planned, examined } = plan;
        self.findings.extend(examined.findings);
        self.extensions.extend(examined.extensions);
        if let Some(read) = examined.before.definitions {
            self.definitions.insert(planned.name().to_owned(), read);
        }
        self.databases.push(planned);
    }
}

impl Planner<'_> {
    /// Examines and plans every selected database.
    pub(crate) async fn plan_all(
        mut self,
        chosen: Vec<ChosenDatabase>,
        mut findings: Vec<Finding>,
    ) -> Result<Prepared, Error> {
        let settling = wait_until_settled(&self.servers.target.session, self.scope);
        let what = "a CREATE DATABASE or DROP DATABASE of another run on the target";
        self.scope.events.reporting(what, settling).await?;
        let existing = self.servers.target.load_databases_by_name().await?;
        findings.extend(self.examine_abilities(&chosen, &existing).await?);
        let names = chosen.iter().map(|one| one.database.name.as_str());
        let names = names.collect();
        let examining = check::examine_connections(&self.servers, &names, self.options);
        let what = "the limits of connections";
        let connections = self.scope.events.reporting(what, examining).await?;
        let lacks_connections = check::has_errors(&connections);
        findings.extend(connections);
        if lacks_connections {
            return Ok(Prepared::refused(self.identities(), findings));
        }
        let plans = self.plan_databases(chosen, &existing).await?;
        findings.extend(plans.findings);
        findings.extend(replication::judge_adoption(self.options, plans.is_adopted));
        findings.extend(judge_skipped_extensions(self.options, &plans.extensions));
        findings.sort_by_key(|finding| finding.level);
        Ok(Prepared {
            servers: self.identities(),
            findings,
            databases: plans.databases,
            cluster: Some(self.target),
            resume: self.resume,
            instant: self.instant,
            definitions: plans.definitions,
        })
    }

    /// Examines what the roles and settings of both servers allow.
    async fn examine_abilities(
        &self,
        chosen: &[ChosenDatabase],
        existing: &BTreeMap<Ident, Database>,
    ) -> Result<Vec<Finding>, Error> {
        let is_absent =
            |one: &ChosenDatabase| !existing.contains_key(&self.target_name(&one.database));
        let creates = self.options.drop_existing || chosen.iter().any(is_absent);
        let slots = self.count_missing_slots(chosen).await?;
        let facts = self.servers.as_ref().map(|server| &server.facts);
        let mut findings = check::judge_abilities(facts, slots, creates);
        if slots.is_some() {
            findings.extend(self.examine_failover().await?);
            findings.extend(self.examine_subscriptions(chosen, existing).await?);
        }
        Ok(findings)
    }

    async fn plan_databases(
        &mut self,
        chosen: Vec<ChosenDatabase>,
        existing: &BTreeMap<Ident, Database>,
    ) -> Result<Plans, Error> {
        let mut plans = Plans::default();
        for chosen in chosen {
            if self.scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            let existing = existing.get(&self.target_name(&chosen.database));
            let what = format!("the state of database {}", chosen.database.name.as_str());
            let loading = self.load_site(chosen, existing);
            let site = self.scope.events.reporting(what, loading).await?;
            plans.is_adopted |= site.known.adopted.is_some();
            let mut plan = Box::pin(self.plan_database(site)).await?;
            self.target.actors.append(&mut plan.examined.actors);
            plans.add(plan);
        }
        Ok(plans)
    }

    pub(super) fn target_name(&self, database: &Database) -> Ident {
        Ident::from_catalog(self.options.map.target(database.name.as_str()))
    }

    /// Loads what is recorded of a database and what is known of its replication.
    async fn load_site<'d>(
        &self,
        chosen: ChosenDatabase,
        existing: Option<&'d Database>,
    ) -> Result<DatabaseSite<'d>, Error> {
        let database = &chosen.database;
        let selection = describe_selection(self.options, &chosen.scope);
        let wanted = WantedDatabase {
            source: database,
            target: self.options.map.target(database.name.as_str()),
            selection: &selection,
        };
        let recorded = Recorded::for_run(self.options);
        let resume = self.resume.as_ref();
        let mut interrupted = Resume::decide_database(resume, wanted, existing, recorded);
        let known = Known::load(self, database).await?;
        let decision = interrupted.decision;
        interrupted.decision = match recorded {
            Recorded::ByInterruptedRun => known.decide(decision, existing, self.options).await?,
            // Whether its changes can be followed is nothing to what is missing of it.
            Recorded::ByAnyRun => decision,
        };
        Ok(DatabaseSite {
            chosen,
            selection,
            existing,
            interrupted,
            known,
        })
    }

    /// Plans one database; it is examined on the source only if anything of it is to be copied.
    async fn plan_database(&self, site: DatabaseSite<'_>) -> Result<DatabasePlan, Error> {
        let database = &site.chosen.database;
        let existing = site.existing;
        let name = database.name.as_str();
        let planning = plan_target(self.options, database, existing, &site.interrupted);
        let what = format!("the contents of database {name} on the target");
        let target_plan = self.scope.events.reporting(what, planning).await?;
        let is_kept = matches!(
            target_plan.action,
            TargetAction::Keep { .. } | TargetAction::Complete { .. }
        );
        let examining = self.examine_definitions(&site, &target_plan);
        let what = format!("the definitions of database {name}");
        let mut examined = self.scope.events.reporting(what, examining).await?;
        examined.findings.extend_from_slice(site.known.live());
        // What is kept has its publication and its slot.
        let replication = site.known.replication(self, database, &examined);
        let replication = replication.filter(|_| !is_kept);
        let followed = match &replication {
            Some(replication) => {
                let examining = self.examine_replication(&site, &target_plan.action, replication);
                let what = format!("the replica identities of database {name}");
                self.scope.events.reporting(what, examining).await?
            }
            None => ExaminedReplication::default(),
        };
        examined.findings.extend(followed.findings);
        let point = match &replication {
            Some(replication) => SnapshotSource::Slot(replication.new_slot()),
            None => SnapshotSource::SnapshotOnly,
        };
        let action = target_plan.action;
        let enabling = self.examine_kept_slot(&action, site.known.slot()).await?;
        let enables_failover = enabling.is_some();
        let enabling = enabling.map(|finding| finding.in_database(name));
        examined.findings.extend(enabling);
        let planned = PlannedDatabase {
            database: rename_roles(database, &self.target),
            existing: existing.filter(|_| action.uses_existing()).cloned(),
            enables_failover,
            drops_template: existing.is_some_and(|existing| existing.is_template),
            action,
            bytes: examined.bytes,
            tables: examined.tables,
            largest: std::mem::take(&mut examined.largest),
            point,
            checked: examined.before.again(),
            installed: target_plan.installed,
            target: self.target_name(database),
            replication,
            not_followed: followed.not_followed,
            made_full: followed.made_full,
            promise: site.known.promise().filter(|_| is_kept),
            scope: site.chosen.scope,
            selection: site.selection,
            seal: site.interrupted.seal,
            missing: site.interrupted.missing,
        };
        if !is_kept {
            judge_database(&planned, &self.target, &mut examined);
        }
        Ok(DatabasePlan { planned, examined })
    }

    /// Examines the definitions on the source, and an existing database of the target that is used.
    async fn examine_definitions(
        &self,
        site: &DatabaseSite<'_>,
        target_plan: &TargetPlan,
    ) -> Result<Examination, Error> {
        let (options, action) = (self.options, &target_plan.action);
        let name = site.chosen.database.name.as_str();
        let mut examined = if matches!(action, TargetAction::Keep { .. }) {
            Examination::default()
        } else {
            let judge = check::Judge {
                cluster: &self.target,
                scope: &site.chosen.scope,
                installed: &target_plan.installed,
                makes_roles: options.cluster.roles,
                replicates: options.creates_replication(),
            };
            let endpoint = options.source.with_database(name);
            Box::pin(check::examine(&endpoint, judge, self.scope)).await?
        };
        examined.findings.extend_from_slice(&target_plan.findings);
        if action.uses_existing() && !target_plan.installed.is_empty() {
            let place = options.target.with_database(options.map.target(name));
            let target = &self.target.options.target;
            let found = check::examine_installed(&place, &examined.expected, target).await?;
            let found = found.into_iter().map(|finding| finding.in_database(name));
            examined.findings.extend(found);
        }
        let foreign = action.foreign_subscription(site.known.slot());
        examined.findings.extend(foreign);
        Ok(examined)
    }

    /// Examines whether a database can be published, if its server and other runs let it be published at all.
    async fn examine_replication(
        &self,
        site: &DatabaseSite<'_>,
        action: &TargetAction,
        replication: &Replication,
    ) -> Result<ExaminedReplication, Error> {
        let facts = &self.servers.source.facts;
        let is_possible = facts.replication && facts.wal_level == "logical" && !facts.standby;
        if !is_possible || !site.known.live().is_empty() {
            return Ok(ExaminedReplication::default());
        }
        let judge = check::ReplicationJudge {
            replication,
            has_state: self.options.state.is_some(),
            is_freed: self.options.drop_existing && action.frees(&replication.slot),
        };
        let name = site.chosen.database.name.as_str();
        let endpoint = self.options.source.with_database(name);
        check::examine_replication(&endpoint, judge, self.scope).await
    }
}

/// What is asked to be skipped and is nowhere.
fn judge_skipped_extensions(options: &Options, found: &BTreeSet<Ident>) -> Vec<Finding> {
    let unknown = options.definitions.skipped_extensions.difference(found);
    unknown
        .map(|name| {
            let message =
                format!("extension {name}, which is to be skipped, is in none of the databases");
            Finding::new(
                Code::SkippedExtensionMissing,
                Level::Error,
                Side::Source,
                message,
            )
            .about(name)
            .remedy(Remedy::Correct(Setting::SkipExtensions))
        })
        .collect()
}

/// A database in the target's names. Without owners it becomes ours.
fn rename_roles(database: &Database, cluster: &TargetCluster) -> Database {
    let ddl::Options { target, include } = &cluster.options;
    let mut map = include.role_map.clone();
    if !include.owners {
        map.replace(database.owner.clone(), target.connected_as.clone());
    }
    map.database(database)
}

/// Whom we must act for to finish the database, and what will differ of it.
fn judge_database(planned: &PlannedDatabase, cluster: &TargetCluster, examined: &mut Examination) {
    let (name, target) = (planned.name(), &cluster.options.target);
    let mut judge = |finding: Finding| examined.findings.push(finding.in_database(name));
    let owner = &planned.database.owner;
    let is_ours = |existing: &Database| target.reaches(&existing.owner);
    if planned.existing.as_ref().is_none_or(is_ours) {
        let owners = BTreeMap::from([(owner.clone(), 1)]);
        let findings = check::judge_owners(&owners, target);
        findings.into_iter().for_each(&mut judge);
    }
    let wanted = DatabaseOptions {
        name: planned.target(),
        locale: None,
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    for omission in render_finish(&planned.database, wanted).omissions {
        judge(check::judge_property(planned.target(), &omission));
    }
    let acl = planned.database.acl.iter().flat_map(|acl| &acl.items);
    let former = planned.existing.iter().map(|existing| &existing.owner);
    let actors = acl.map(|item| &item.grantor).chain(former).chain([owner]);
    examined
        .actors
        .extend(actors.filter(|role| target.reaches(role)).cloned());
}
