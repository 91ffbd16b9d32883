//! Phases 1 and 2 of `init`: examine both clusters, decide what happens to each database.

use crate::migrate::planned::PlannedDatabase;
use crate::migrate::planned::Prepared;
use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Database;
use crate::checkpoint::{self};
use crate::cluster::finding::{Finding, Level};
use crate::cluster::select::{self, ChosenDatabase};
use crate::cluster::server::Cluster;
use crate::ddl;
use crate::ddl::cluster::database::{DatabaseOptions, render_finish};
use crate::event::{Event, Phase};
use crate::migrate::Options;
use crate::migrate::check::{self, Examination};
use crate::migrate::error::Error;
use crate::migrate::execute::database;
use crate::migrate::plan::replication::{self, Facts, Known};
use crate::migrate::plan::selection::describe_selection;
use crate::migrate::plan::target_action::{self, Destiny};
use crate::migrate::resume::{Interrupted, Resume, WantedDatabase};
use crate::migrate::target_action::Fate;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Ident, Side, Sides};
use crate::remedy::{Remedy, Setting};
use crate::selection::TableChoice;
use crate::snapshot::SnapshotSource;
use crate::task::Scope;

/// Examines both clusters. Writes nothing.
///
/// # Errors
/// A cluster cannot be reached or read, or the names select nothing. Obstacles to the run itself
/// are no errors here but [`findings`](Prepared::findings).
pub async fn prepare(options: &Options, scope: &Scope) -> Result<Prepared, Error> {
    let phase = Phase::Check;
    scope
        .events
        .emit(Event::PhaseStarted {
            database: None,
            phase,
        })
        .await;
    let Sides { source, target } = Cluster::open_pair(options.servers()).await?;
    let place = check::pair(
        (&source.session, &source.facts),
        (&target.session, &target.facts),
        options,
    );
    let check::Place {
        mut findings,
        is_one,
    } = place.await?;
    if check::refused(&findings) {
        return Ok(refused(findings));
    }
    let mut resume = Resume::open_state(
        options.state.as_ref(),
        Sides {
            source: &source.facts,
            target: &target.facts,
        },
    )?;
    let offered = source.load_databases().await?;
    let (cluster, chosen, more) = read_cluster((&source, &target), &offered, options).await?;
    findings.extend(more);
    findings.extend(select::find_unselected_maintenance(&options.source, &chosen, &offered).await?);
    let names = |one: &ChosenDatabase| one.database.name.clone();
    let selected = chosen.iter().map(names).collect();
    findings.extend(
        resume
            .iter_mut()
            .flat_map(|resume| resume.find_unselected(&offered, &selected, &options.map)),
    );
    let facts = (&source.facts, &target.facts);
    findings.extend(replication::left_slots(&source, (&offered, &chosen), (options, facts)).await?);
    let names = chosen.iter().map(|one| one.database.name.as_str());
    let places = check::judge_map(&options.map, &names.collect(), is_one);
    let is_misplaced = check::refused(&places);
    findings.extend(places);
    if is_misplaced {
        return Ok(refused(findings));
    }
    let ends = (source, target);
    let known = (cluster, resume);
    Box::pin(examine_all(ends, known, chosen, findings, (options, scope))).await
}

/// What only the findings are known of.
fn refused(findings: Vec<Finding>) -> Prepared {
    Prepared {
        findings,
        databases: Vec::new(),
        cluster: None,
        resume: None,
        definitions: BTreeMap::new(),
    }
}

/// Examines every database that was chosen.
async fn examine_all(
    (source, target): (Cluster, Cluster),
    (mut cluster, resume): (TargetCluster, Option<Resume>),
    chosen: Vec<ChosenDatabase>,
    mut findings: Vec<Finding>,
    (options, scope): (&Options, &Scope),
) -> Result<Prepared, Error> {
    database::wait_until_settled(&target.session, scope).await?;
    let existing = target.load_databases_by_name().await?;
    let place = |database: &Database| {
        existing.get(&Ident::from_catalog(
            options.map.target(database.name.as_str()),
        ))
    };
    let creates = options.drop_existing || chosen.iter().any(|one| place(&one.database).is_none());
    let facts = (&source.facts, &target.facts);
    let slots = replication::missing_slots(&source, &chosen, (options, facts)).await?;
    findings.extend(check::abilities(facts.0, facts.1, slots, creates));
    let sessions = [&source.session, &target.session];
    let names = chosen
        .iter()
        .map(|one| one.database.name.as_str())
        .collect();
    let connections = check::examine_connections(sessions, &names, options).await?;
    let lacks_connections = check::refused(&connections);
    findings.extend(connections);
    if lacks_connections {
        return Ok(refused(findings));
    }
    let mut databases = Vec::new();
    let mut definitions = BTreeMap::new();
    let mut found = BTreeSet::new();
    let mut is_adopted = false;
    for ChosenDatabase { database, choice } in chosen {
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let exists = place(&database);
        let selection = describe_selection(options, &choice);
        let place = options.map.target(database.name.as_str());
        let wanted = WantedDatabase {
            source: &database,
            target: place,
            selection: &selection,
        };
        let mut interrupted = Resume::decide_database(resume.as_ref(), wanted, exists);
        let known = Known::load((&source, &target), &database, (options, resume.as_ref()));
        let known = known.await?;
        interrupted.decision = known.decide(interrupted.decision, exists, options).await?;
        is_adopted |= known.adopted.is_some();
        let site = (&cluster, (facts, &known));
        let wanted = (database, choice, selection);
        let found_there = (exists, interrupted);
        let planning = plan(options, wanted, found_there, site, scope);
        let (planned, examined) = Box::pin(planning).await?;
        findings.extend(examined.findings);
        found.extend(examined.extensions);
        cluster.actors.extend(examined.actors);
        if let Some(read) = examined.before.definitions {
            definitions.insert(planned.name().to_owned(), read);
        }
        databases.push(planned);
    }
    findings.extend(replication::nothing_adopted(options, is_adopted));
    findings.extend(unknown_extensions(options, &found));
    findings.sort_by_key(|finding| finding.level);
    Ok(Prepared {
        findings,
        databases,
        cluster: Some(cluster),
        resume,
        definitions,
    })
}

/// What is asked to be skipped and is nowhere.
fn unknown_extensions(options: &Options, found: &BTreeSet<Ident>) -> Vec<Finding> {
    let unknown = options.carried.skipped_extensions.difference(found);
    unknown
        .map(|name| {
            let message =
                format!("extension {name}, which is to be skipped, is in none of the databases");
            Finding::new(Level::Error, Side::Source, message)
                .remedy(Remedy::Correct(Setting::SkipExtensions))
        })
        .collect()
}

/// Reads the roles of both sides, plans what becomes of them, and chooses the databases.
async fn read_cluster(
    (source, target): (&Cluster, &Cluster),
    offered: &[Database],
    options: &Options,
) -> Result<(TargetCluster, Vec<ChosenDatabase>, Vec<Finding>), Error> {
    let mut source = source.load_roles().await?;
    let mut roles = target.load_roles().await?;
    if !options.cluster.provider {
        (source.provider, roles.provider) = (None, None);
    }
    let wanted = select::Wanted {
        databases: &options.databases,
        tables: &options.tables,
    };
    let chosen = select::choose_databases(&options.source, wanted, offered, &source);
    let select::Chosen {
        databases: chosen,
        warnings,
        skipped,
    } = chosen.await?;
    let (cluster, mut findings) =
        check::cluster(&target.session, options, (&source, roles)).await?;
    let warning = |text| Finding::new(Level::Warning, Side::Source, text);
    findings.extend(warnings.into_iter().map(warning));
    findings.extend(skipped);
    findings.extend(check::judge_inheritance(&cluster));
    let differences = cluster.merge.differences.iter();
    findings.extend(
        differences
            .map(|difference| Finding::new(Level::Note, Side::Target, difference.to_string())),
    );
    Ok((cluster, chosen, findings))
}

/// Examines one database on both sides; on the source only if anything of it is to be copied.
async fn plan(
    options: &Options,
    (database, choice, selection): (Database, TableChoice, checkpoint::Selection),
    (exists, interrupted): (Option<&Database>, Interrupted),
    (cluster, (facts, known)): (&TargetCluster, (Facts<'_>, &Known)),
    scope: &Scope,
) -> Result<(PlannedDatabase, Examination), Error> {
    let Destiny {
        fate,
        installed,
        findings,
    } = target_action::destiny(options, &database, (exists, &interrupted)).await?;
    let is_kept = matches!(fate, Fate::Keep { .. });
    let mut examined = if is_kept {
        Examination::default()
    } else {
        let endpoint = options.source.with_database(database.name.as_str());
        let judge = check::Judge {
            cluster,
            choice: &choice,
            installed: &installed,
            makes_roles: options.cluster.roles,
        };
        Box::pin(check::examine(&endpoint, judge, scope)).await?
    };
    examined.findings.extend(findings);
    if fate.uses_existing() && !installed.is_empty() {
        let name = options.map.target(database.name.as_str());
        let place = options.target.with_database(name);
        let target = &cluster.options.target;
        let findings = check::examine_installed(&place, &examined.expected, target).await?;
        examined.findings.extend(findings);
    }
    examined
        .findings
        .extend(fate.foreign_subscription(known.slot()));
    examined.findings.extend_from_slice(known.live());
    // What is kept has its publication and its slot.
    let replication = known.replication((options, &database), facts, &examined);
    let replication = replication.filter(|_| !is_kept);
    let is_possible = facts.0.replication && facts.0.wal_level == "logical" && !facts.0.standby;
    let is_possible = is_possible && known.live().is_empty();
    if let Some(replication) = replication.as_ref().filter(|_| is_possible) {
        let is_freed = options.drop_existing && fate.frees(&replication.slot);
        let endpoint = options.source.with_database(database.name.as_str());
        let judged = (replication, options.state.is_some());
        let findings = check::examine_replication(&endpoint, judged, is_freed, scope).await?;
        examined.findings.extend(findings);
    }
    let point = match &replication {
        Some(replication) => SnapshotSource::Slot(replication.slot.clone()),
        None => SnapshotSource::SnapshotOnly,
    };
    let target = Ident::from_catalog(options.map.target(database.name.as_str()));
    let planned = PlannedDatabase {
        database: renamed(&database, cluster),
        existing: exists.filter(|_| fate.uses_existing()).cloned(),
        drops_template: exists.is_some_and(|existing| existing.is_template),
        fate,
        bytes: examined.bytes,
        tables: examined.tables,
        largest: std::mem::take(&mut examined.largest),
        point,
        choice,
        checked: examined.before.again(),
        selection,
        installed,
        seal: interrupted.seal,
        target,
        replication,
        promise: known.promise().filter(|_| is_kept),
    };
    if !is_kept {
        judge_database(&planned, cluster, &mut examined);
    }
    Ok((planned, examined))
}

/// A database in the target's names. Without owners it becomes ours.
fn renamed(database: &Database, cluster: &TargetCluster) -> Database {
    let ddl::Options { target, carried } = &cluster.options;
    let mut map = carried.role_map.clone();
    if !carried.owners {
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
        judge(Finding::new(
            Level::Warning,
            Side::Target,
            omission.to_string(),
        ));
    }
    let acl = planned.database.acl.iter().flat_map(|acl| &acl.items);
    let former = planned.existing.iter().map(|existing| &existing.owner);
    let actors = acl.map(|item| &item.grantor).chain(former).chain([owner]);
    examined
        .actors
        .extend(actors.filter(|role| target.reaches(role)).cloned());
}
