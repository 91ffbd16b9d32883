//! Phases 1 and 2 of `init`: examine both clusters, decide what happens to each database.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Contents, Examination, Finding, Level, ServerFacts, Side};
use super::fate::{self, Destiny, Fate};
use super::resume::{self, Resume};
use super::roles::TargetCluster;
use super::{Error, Options, door, select};
use crate::catalog::cluster::{Database, Roles};
use crate::catalog::load::database::load_databases;
use crate::catalog::load::roles::load_roles;
use crate::checkpoint::{self, Decision};
use crate::connect::{Endpoint, Purpose, Session};
use crate::ddl;
use crate::ddl::object::database::{DatabaseOptions, render_finish};
use crate::event::{Event, Phase};
use crate::logical::{SlotIdentity, slot_name};
use crate::pg::{Ident, QualifiedName};
use crate::selection::TableChoice;
use crate::snapshot::{Before, Ledger, PointKind};
use crate::task::Scope;

/// One database of the plan.
#[derive(Debug)]
pub struct PlannedDatabase {
    /// As the source describes it, in the target's names of roles.
    pub database: Database,
    /// What stands on the target under its name.
    pub existing: Option<Database>,
    /// What happens on the target.
    pub fate: Fate,
    /// Estimated bytes to copy, as they lie on the source's disk.
    pub bytes: u64,
    /// Tables with rows of their own.
    pub tables: usize,
    /// The largest of them.
    pub largest: Vec<QualifiedName>,
    /// How the consistent point comes about.
    pub point: PointKind,
    /// Its tables that take part.
    pub choice: TableChoice,
    /// What the checks learned of it.
    pub(super) before: Before,
    /// What decides what of it is copied, as it is recorded.
    pub(super) selection: checkpoint::Selection,
    /// Extensions that the target's database has already.
    pub(super) installed: BTreeSet<Ident>,
    /// Where the engine tells what of it is committed.
    pub(super) ledger: Ledger,
}

impl PlannedDatabase {
    /// The database's name, the same on both sides.
    pub fn name(&self) -> &str {
        self.database.name.as_str()
    }
}

/// What `init` found and would do.
#[derive(Debug)]
pub struct Prepared {
    /// All results of the checks, worst last.
    pub findings: Vec<Finding>,
    /// What would be copied, in name order; may be incomplete when the findings refuse the run.
    pub databases: Vec<PlannedDatabase>,
    pub(super) cluster: Option<TargetCluster>,
    pub(super) resume: Option<Resume>,
}

impl Prepared {
    /// How many findings refuse the run.
    pub fn errors(&self) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .count()
    }
}

/// A cluster as the checks see it.
pub(super) struct Cluster {
    session: Session,
    facts: ServerFacts,
}

impl Cluster {
    pub(super) async fn open(side: Side, endpoint: &Endpoint) -> Result<Self, Error> {
        let session = door::open(side, endpoint, Purpose::Introspect).await?;
        let facts = ServerFacts::load(&session)
            .await
            .map_err(Error::examine(side))?;
        Ok(Self { session, facts })
    }

    pub(super) async fn roles(&self, side: Side) -> Result<Roles, Error> {
        let place = "roles".to_owned();
        load_roles(&self.session)
            .await
            .map_err(|source| Error::Catalog {
                side,
                place,
                source,
            })
    }

    /// The target's databases, by name.
    async fn standing(&self) -> Result<BTreeMap<Ident, Database>, Error> {
        let databases = self.databases(Side::Target).await?.into_iter();
        Ok(databases
            .map(|database| (database.name.clone(), database))
            .collect())
    }

    pub(super) async fn databases(&self, side: Side) -> Result<Vec<Database>, Error> {
        let place = "databases".to_owned();
        load_databases(&self.session)
            .await
            .map_err(|source| Error::Catalog {
                side,
                place,
                source,
            })
    }
}

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
    let source = Cluster::open(Side::Source, &options.source).await?;
    let target = Cluster::open(Side::Target, &options.target).await?;
    let mut findings = check::pair(
        (&source.session, &source.facts),
        (&target.session, &target.facts),
        options,
    )
    .await?;
    if check::refused(&findings) {
        return Ok(Prepared {
            findings,
            databases: Vec::new(),
            cluster: None,
            resume: None,
        });
    }
    let mut resume = Resume::find(options, (&source.facts, &target.facts))?;
    let offered = source.databases(Side::Source).await?;
    let (mut cluster, chosen, more) = read_cluster((&source, &target), &offered, options).await?;
    findings.extend(more);
    findings.extend(unselected_maintenance(options, &chosen, &offered).await?);
    let names = |(database, _): &(Database, TableChoice)| database.name.clone();
    let selected = chosen.iter().map(names).collect();
    findings.extend(
        resume
            .iter_mut()
            .flat_map(|resume| resume.left(&offered, &selected)),
    );
    let existing = target.standing().await?;
    let creates = options.drop_existing
        || chosen
            .iter()
            .any(|(database, _)| !existing.contains_key(&database.name));
    let facts = (&source.facts, &target.facts);
    findings.extend(check::abilities(
        facts.0,
        facts.1,
        options.replicate,
        creates,
    ));
    let mut databases = Vec::new();
    let mut found = BTreeSet::new();
    for (database, choice) in chosen {
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let exists = existing.get(&database.name);
        let selection = resume::selection(options, &choice);
        let decision = Resume::decide(resume.as_ref(), (&database, &selection), exists);
        let site = (&cluster, facts);
        let wanted = (database, choice, selection);
        let found_there = (exists, decision);
        let (planned, examined) = plan(options, wanted, found_there, site, scope).await?;
        findings.extend(examined.findings);
        found.extend(examined.extensions);
        cluster.actors.extend(examined.actors);
        databases.push(planned);
    }
    findings.extend(unknown_extensions(options, &found));
    findings.sort_by_key(|finding| finding.level);
    Ok(Prepared {
        findings,
        databases,
        cluster: Some(cluster),
        resume,
    })
}

/// What is asked to be skipped and is nowhere.
fn unknown_extensions(options: &Options, found: &BTreeSet<Ident>) -> Vec<Finding> {
    let unknown = options.carried.skipped_extensions.difference(found);
    unknown
        .map(|name| {
            let message =
                format!("extension {name} of --skip-extensions is in none of the databases");
            Finding::new(Level::Error, Side::Source, message).cure("correct the name")
        })
        .collect()
}

/// Reads the roles of both sides, plans what becomes of them, and chooses the databases.
async fn read_cluster(
    (source, target): (&Cluster, &Cluster),
    offered: &[Database],
    options: &Options,
) -> Result<(TargetCluster, Vec<(Database, TableChoice)>, Vec<Finding>), Error> {
    let mut source = source.roles(Side::Source).await?;
    let mut roles = target.roles(Side::Target).await?;
    if !options.cluster.provider {
        (source.provider, roles.provider) = (None, None);
    }
    let wanted = (&options.databases, &options.tables);
    let chosen = select::choose(&options.source, wanted, offered, &source);
    let (chosen, warnings) = chosen.await?;
    let (cluster, mut findings) =
        check::cluster(&target.session, options, (&source, roles)).await?;
    let warning = |text| Finding::new(Level::Warning, Side::Source, text);
    findings.extend(warnings.into_iter().map(warning));
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
    (exists, decision): (Option<&Database>, Decision),
    (cluster, facts): (&TargetCluster, (&ServerFacts, &ServerFacts)),
    scope: &Scope,
) -> Result<(PlannedDatabase, Examination), Error> {
    let Destiny {
        fate,
        installed,
        findings,
    } = fate::destiny(options, &database, (exists, decision)).await?;
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
        check::examine(&endpoint, judge, scope).await?
    };
    examined.findings.extend(findings);
    let point = point(options, &database, facts);
    let planned = PlannedDatabase {
        database: renamed(&database, cluster),
        existing: exists.filter(|_| fate.uses_existing()).cloned(),
        fate,
        bytes: examined.bytes,
        tables: examined.tables,
        largest: std::mem::take(&mut examined.largest),
        point,
        choice,
        before: std::mem::take(&mut examined.before),
        selection,
        installed,
        ledger: Ledger::none(),
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
        name: &planned.database.name,
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

/// A note when the maintenance database holds tables and is not copied.
async fn unselected_maintenance(
    options: &Options,
    chosen: &[(Database, TableChoice)],
    offered: &[Database],
) -> Result<Option<Finding>, Error> {
    let Some(database) = offered
        .iter()
        .find(|database| database.name.as_str() == "postgres")
    else {
        return Ok(None);
    };
    if !database.allows_connections || chosen.iter().any(|(other, _)| other.name == database.name) {
        return Ok(None);
    }
    let endpoint = options.source.with_database("postgres");
    let Ok(session) = endpoint.session(Purpose::Introspect).await else {
        let message = "database postgres is not selected, and could not be looked into";
        return Ok(Some(Finding::new(Level::Note, Side::Source, message)));
    };
    let contents = Contents::load(&session)
        .await
        .map_err(Error::examine(Side::Source))?;
    Ok((contents.tables > 0).then(|| {
        let message = format!(
            "database postgres holds {} tables and is not selected",
            contents.tables
        );
        let cure = "name it in --include-databases to copy it";
        Finding::new(Level::Warning, Side::Source, message).cure(cure)
    }))
}

/// The slot's name, where replication is to follow.
fn point(
    options: &Options,
    database: &Database,
    (source, target): (&ServerFacts, &ServerFacts),
) -> PointKind {
    if !options.replicate {
        return PointKind::SnapshotOnly;
    }
    let system = |facts: &ServerFacts| facts.system_identifier.clone().unwrap_or_default();
    PointKind::TemporarySlot(slot_name(
        database.name.as_str(),
        &SlotIdentity {
            source_system: &system(source),
            source_database: database.oid,
            target_system: &system(target),
            target_database: database.name.as_str(),
        },
    ))
}
