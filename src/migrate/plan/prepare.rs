//! The checks and the plan of `init`: examine both clusters, decide what happens to each database.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::catalog::cluster::Database;
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::identity::ServerIdentity;
use crate::cluster::place::{Place, judge_map};
use crate::cluster::select::{self, AsOf, ChosenDatabase};
use crate::cluster::server::Cluster;
use crate::cluster::{FilterFault, RunInstant};
use crate::event::{Event, Phase};
use crate::migrate::check;
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::migrate::plan::objects::exclude_named;
use crate::migrate::plan::planner::Planner;
use crate::migrate::planned::Prepared;
use crate::migrate::resume::{Recorded, Resume};
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Side, Sides};
use crate::task::Scope;

/// Examines both clusters. Writes nothing.
///
/// # Errors
/// A cluster cannot be reached or read, or the names select nothing. Obstacles to the run itself
/// are no errors here but [`findings`](Prepared::findings).
pub async fn prepare(options: &Options, scope: &Scope) -> Result<Prepared, Error> {
    let started = Event::PhaseStarted {
        database: None,
        phase: Phase::Check,
    };
    scope.events.emit(started).await;
    let begun = Instant::now();
    let prepared = Box::pin(examine(options, scope)).await;
    // Also before an error: nothing of this phase is at work any more.
    let finished = Event::PhaseFinished {
        database: None,
        phase: Phase::Check,
        elapsed: begun.elapsed(),
    };
    scope.events.emit(finished).await;
    prepared
}

/// The phase without its events.
async fn examine(options: &Options, scope: &Scope) -> Result<Prepared, Error> {
    let servers = Cluster::open_pair(options.servers()).await?;
    let Place {
        mut findings,
        is_one,
    } = check::examine_pair(&servers, options).await?;
    if check::has_errors(&findings) {
        let identities = servers.as_ref().map(ServerIdentity::of_server);
        return Ok(Prepared::refused(identities, findings));
    }
    let facts = servers.as_ref().map(|server| &server.facts);
    let resume = Resume::open_state(options.state.as_ref(), facts)?;
    let by = Recorded::for_run(options);
    let recorded = resume.as_ref().and_then(|one| one.recorded_instant(by));
    let loading = async {
        let offered = servers.source.load_databases().await?;
        let selected = select_databases(&servers, &offered, options, recorded.as_ref()).await?;
        Ok::<_, Error>((offered, selected))
    };
    let what = "roles and databases of both servers";
    let (offered, selected) = scope.events.reporting(what, loading).await?;
    findings.extend(selected.findings);
    let chosen = selected.chosen;
    let mut planner = Planner {
        options,
        servers,
        target: selected.target,
        resume,
        instant: selected.instant,
        scope,
    };
    findings.extend(planner.examine_unselected(&offered, &chosen).await?);
    let names = chosen.iter().map(|one| one.database.name.as_str());
    let places = judge_map(&options.map, &names.collect(), is_one);
    let is_misplaced = check::has_errors(&places);
    findings.extend(places);
    if is_misplaced {
        return Ok(Prepared::refused(planner.identities(), findings));
    }
    Box::pin(planner.plan_all(chosen, findings)).await
}

/// The selected databases, and the target as they need it.
struct SelectedDatabases {
    target: TargetCluster,
    chosen: Vec<ChosenDatabase>,
    findings: Vec<Finding>,
    instant: Option<RunInstant>,
}

/// Loads the roles of both servers, selects the databases, and plans the roles of the target.
async fn select_databases(
    servers: &Sides<Cluster>,
    offered: &[Database],
    options: &Options,
    recorded: Option<&RunInstant>,
) -> Result<SelectedDatabases, Error> {
    let mut roles = Sides {
        source: servers.source.load_roles().await?,
        target: servers.target.load_roles().await?,
    };
    if !options.cluster.provider {
        (roles.source.provider, roles.target.provider) = (None, None);
    }
    let wanted = select::Wanted {
        databases: &options.databases,
        tables: &options.tables,
        rules: &options.rules,
        as_of: AsOf::choose(options.as_of.as_deref(), recorded, AsOf::Now),
    };
    let mut chosen =
        select::choose_databases(&options.source, wanted, offered, &roles.source).await?;
    let excluding = exclude_named(
        &options.source,
        &options.excluded_objects,
        &mut chosen.databases,
    );
    chosen.warnings.extend(excluding.await?);
    let session = &servers.target.session;
    let (target, mut findings) = check::plan_cluster(session, options, roles).await?;
    let warnings = chosen.warnings.into_iter();
    findings.extend(
        warnings
            .map(|text| Finding::new(Code::AmbiguousFilter, Level::Warning, Side::Source, text)),
    );
    let notes = chosen.notes.into_iter();
    findings.extend(
        notes.map(|text| Finding::new(Code::RuleWithoutEffect, Level::Note, Side::Source, text)),
    );
    findings.extend(chosen.skipped);
    findings.extend(chosen.faults.iter().map(judge_fault));
    findings.extend(check::judge_inheritance(&target));
    let differences = target.merge.differences.iter();
    findings.extend(differences.map(check::judge_difference));
    Ok(SelectedDatabases {
        target,
        chosen: chosen.databases,
        findings,
        instant: chosen.instant,
    })
}

fn judge_fault(fault: &FilterFault) -> Finding {
    Finding::new(
        Code::FilterRefused,
        Level::Error,
        Side::Source,
        fault.to_string(),
    )
    .in_database(&fault.database)
    .about(&fault.table)
    .with_remedies(fault.remedies())
}

impl Planner<'_> {
    /// Finds what concerns databases that are not selected: objects in `postgres`, interrupted copies, slots.
    async fn examine_unselected(
        &mut self,
        offered: &[Database],
        chosen: &[ChosenDatabase],
    ) -> Result<Vec<Finding>, Error> {
        let source = &self.options.source;
        let maintenance = select::find_unselected_maintenance(source, chosen, offered).await?;
        let mut findings: Vec<Finding> = maintenance.into_iter().collect();
        let selected = chosen.iter().map(|one| one.database.name.clone());
        let selected: BTreeSet<_> = selected.collect();
        if let Some(resume) = &mut self.resume {
            findings.extend(resume.find_unselected(offered, &selected, &self.options.map));
        }
        findings.extend(self.find_left_slots(offered, chosen).await?);
        Ok(findings)
    }
}
