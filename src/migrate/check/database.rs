//! What one database needs: readable tables, kinds of objects that are covered, extensions that
//! the target has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::bodies::examine_bodies;
use super::difference::judge_omission;
use super::filters::examine_filters;
use super::identities::Identities;
use super::installed::Expected;
use super::references::examine_references;
use super::relations::{
    Relations, copied_tables, insert_only_names, relation_names, unpublished_names,
};
use super::unreadable::find_unreadable;
use crate::catalog::Catalog;
use crate::catalog::load::cached::CachedCatalog;
use crate::catalog::load::reading::{Reading, Sessions};
use crate::catalog::model::{Extension, Table, Unsupported};
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::locks::LockMode;
use crate::connect::waiters::{Waiter, watch_readers};
use crate::connect::{self, Endpoint, JOURNAL_SCHEMA, Session};
use crate::ddl::{self, Omission, OmissionReason, Script};
use crate::event::{WithCauses as _, find_cause};
use crate::migrate::error::Error;
use crate::migrate::repeats::Repeats;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Side;
use crate::pg::{Ident, QualifiedName, Sql};
use crate::remedy::{Remedy, Setting};
use crate::selection::{RowFilter, TableScope};
use crate::snapshot::CheckedDatabase;
use crate::sql;
use crate::task::Scope;

/// What was learned of a database of the source.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    /// Estimated bytes of the rows on the source's disk.
    pub(crate) bytes: u64,
    /// Tables with rows of their own.
    pub(crate) tables: usize,
    /// The largest of them, largest first.
    pub(crate) largest: Vec<QualifiedName>,
    /// What is in the way, and what is good to know.
    pub(crate) findings: Vec<Finding>,
    /// Its extensions.
    pub(crate) extensions: BTreeSet<Ident>,
    /// What an existing database of the target must fit.
    pub(crate) expected: Expected,
    /// Roles that we must act for on the target.
    pub(crate) actors: BTreeSet<Ident>,
    /// What the copy need not learn again.
    pub(crate) before: CheckedDatabase,
    /// Hypertables, whose changes cannot be published.
    pub(crate) hypertables: BTreeSet<QualifiedName>,
    /// The tables that they keep their rows in.
    pub(crate) chunks: BTreeSet<QualifiedName>,
    /// Tables whose changes are not to be published.
    pub(crate) unpublished: BTreeSet<QualifiedName>,
    /// Tables of whose changes only `INSERT` and `TRUNCATE` are replicated.
    pub(crate) insert_only: BTreeSet<QualifiedName>,
    /// The filters of tables of which only some rows are copied.
    pub(crate) filters: BTreeMap<QualifiedName, RowFilter>,
}

/// How many tables the measurement of the source's rate may read.
const LARGEST: usize = 8;

/// What a database is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    /// The target.
    pub(crate) cluster: &'a TargetCluster,
    /// The tables that take part, and their rules.
    pub(crate) scope: &'a TableScope,
    /// Extensions that the target's database has already.
    pub(crate) installed: &'a BTreeSet<Ident>,
    /// Whether roles that do not exist are created.
    pub(crate) makes_roles: bool,
    /// Whether changes are replicated afterwards.
    pub(crate) replicates: bool,
}

/// Examines the database that `source` names. Read-only.
///
/// # Errors
/// The database cannot be reached or read, or the scope was stopped.
pub(crate) async fn examine(
    source: &Endpoint,
    judge: Judge<'_>,
    scope: &Scope,
) -> Result<Examination, Error> {
    let what = format!(
        "locks to read the definitions of database {}",
        source.database()
    );
    let mut repeats = Repeats::new(source, LockMode::AccessShare, what);
    let begun = Instant::now();
    let mut on = Sessions::Two;
    loop {
        let error = match examine_once(source, judge, on, scope).await {
            Ok(Examined::Whole(mut examination)) => {
                let said = repeats.said().into_iter();
                let waited = said
                    .map(|said| Finding::new(Code::LockWait, Level::Warning, Side::Source, said));
                let waited = waited.map(|finding| finding.in_database(source.database()));
                examination.findings.extend(waited);
                return Ok(*examination);
            }
            Ok(Examined::Wanted(_)) if begun.elapsed() < source.lock_limit() => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Ok(Examined::Wanted(waiter)) => {
                let message =
                    format!("definitions could not be read without making others wait: {waiter}");
                return Ok(refused(source, message, Vec::new()));
            }
            Err(error) => error,
        };
        // Where the two block each other through somebody else, one of them alone gets through.
        on = Sessions::One;
        match repeats.after(error).await {
            Ok(()) => {}
            Err(error) if error.is_of_others() => {
                let remedies = find_cause::<connect::Error>(&error)
                    .map_or_else(Vec::new, connect::Error::remedies);
                return Ok(refused(source, error.chain(), remedies));
            }
            Err(error) => return Err(error),
        }
    }
}

/// How long a statement may wait for our reading before that ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pause after that.
const PAUSE: Duration = Duration::from_millis(200);

/// What came of one reading.
enum Examined {
    Whole(Box<Examination>),
    /// A session waited for its locks.
    Wanted(Waiter),
}

/// What others kept from being read.
fn refused(source: &Endpoint, message: String, remedies: Vec<Remedy>) -> Examination {
    let code = Code::DefinitionsNotReadable;
    let finding = Finding::new(code, Level::Error, Side::Source, message);
    let finding = finding.with_remedies(remedies);
    Examination {
        findings: vec![finding.in_database(source.database())],
        ..Examination::default()
    }
}

async fn examine_once(
    source: &Endpoint,
    judge: Judge<'_>,
    on: Sessions,
    scope: &Scope,
) -> Result<Examined, Error> {
    let target = judge.cluster.options.target.version;
    let begun = Reading::begin_on(source, target, on).await;
    let reading = begun.map_err(Error::connect(Side::Source))?;
    let looking = look(&reading, source.database(), judge);
    let done = tokio::select! {
        biased;
        done = looking => return done.map(|whole| Examined::Whole(Box::new(whole))),
        () = scope.stop.cancelled() => Err(Error::Stopped),
        waiter = watch_readers(source, PATIENCE, scope) => Ok(Examined::Wanted(waiter)),
    };
    reading.cancel().await;
    done
}

async fn look(reading: &Reading, name: &str, judge: Judge<'_>) -> Result<Examination, Error> {
    let wrap = |source| Error::read(Side::Source, format!("database {name}"))(source);
    let session = reading.session();
    let mut catalog = reading.load().await.map_err(wrap)?;
    let definitions = CachedCatalog::cache(session, &catalog)
        .await
        .map_err(wrap)?;
    let contents = Relations::of(&catalog);
    let identities = Identities::of(&catalog);
    let fitted = ddl::fit(&mut catalog, &judge.cluster.options, judge.scope);
    let stay = relation_names(&catalog);
    let excluded = contents.names.difference(&stay).cloned().collect();
    let mut findings = find_obstacles(session, &catalog, &excluded, &fitted, judge).await?;
    if judge.replicates {
        findings.extend(identities.find_excluded(&catalog, judge.scope));
    }
    let mut actors = BTreeSet::new();
    if findings.iter().all(|finding| finding.level != Level::Error) {
        match fitted.script {
            Ok(script) => {
                let judged = judge_statements(session, &catalog, script, judge).await?;
                findings.extend(judged.findings);
                actors = judged.actors;
            }
            Err(error) => findings.push(no_script(&error)),
        }
    }
    let findings = findings.into_iter().map(|found| found.in_database(name));
    let mut findings: Vec<Finding> = findings.collect();
    let tables = copied_tables(&catalog, judge.scope);
    let shares = examine_filters(session, &catalog, judge).await?;
    findings.extend(
        shares
            .findings
            .into_iter()
            .map(|found| found.in_database(name)),
    );
    let bytes_of = |table: &&Table| {
        let share = shares.shares.get(&table.id.oid);
        share.map_or(table.size.bytes(), |share| share.of(table.size.bytes()))
    };
    let largest = tables.iter().take(LARGEST);
    let filtered: Vec<_> = judge.scope.rules.filtered(&catalog).collect();
    Ok(Examination {
        bytes: tables.iter().map(bytes_of).sum(),
        tables: tables.len(),
        largest: largest.map(|table| table.name.clone()).collect(),
        findings,
        extensions: contents.extensions,
        expected: Expected::of(&catalog),
        actors,
        before: CheckedDatabase {
            definitions,
            excluded,
            target: Some(judge.cluster.options.target.version),
            publisher: None,
            keeping: 0,
        },
        hypertables: contents.hypertables,
        chunks: contents.chunks,
        unpublished: unpublished_names(&catalog, judge.scope),
        insert_only: insert_only_names(&catalog, judge.scope),
        filters: filtered
            .into_iter()
            .map(|(table, filter)| (table.name.clone(), filter))
            .collect(),
    })
}

/// Finds what keeps a database from being copied as it is, before any statement is looked at.
async fn find_obstacles(
    session: &Session,
    catalog: &Catalog,
    excluded: &BTreeSet<QualifiedName>,
    fitted: &ddl::Fitted,
    judge: Judge<'_>,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    if let Err(error @ ddl::Error::UnsupportedOnTarget { .. }) = &fitted.script {
        findings.extend(unsupported(error));
    }
    findings.extend(find_unreadable(session, catalog, excluded).await?);
    findings.extend(examine_references(session, catalog, judge).await?);
    findings.extend(fitted.omissions.iter().map(not_made));
    findings.extend(catalog.unsupported.iter().map(not_covered));
    findings.extend(extensions(catalog, judge));
    findings.extend(journal_schema(catalog));
    let target = judge.cluster.options.target.version;
    findings.extend(examine_bodies(session, catalog, target).await?);
    Ok(findings)
}

/// What the checks found out about a script.
struct JudgedScript {
    findings: Vec<Finding>,
    /// Roles that our role must act for to run it.
    actors: BTreeSet<Ident>,
}

/// Judges the statements of a script, and finds the roles that our role must act for to run them.
async fn judge_statements(
    session: &Session,
    catalog: &Catalog,
    mut script: ddl::Script,
    judge: Judge<'_>,
) -> Result<JudgedScript, Error> {
    let lent = large_object_roles(session, judge, &mut script).await?;
    let findings = judge_script(catalog, &script, judge);
    let actors = script.owners.into_keys().chain(script.grantors).chain(lent);
    Ok(JudgedScript {
        findings,
        actors: actors.collect(),
    })
}

/// A journal on the source: an interrupted run has used it as a target.
fn journal_schema(catalog: &Catalog) -> Option<Finding> {
    let mut schemas = catalog.schemas.iter();
    let found = schemas.find(|schema| schema.name.as_str() == JOURNAL_SCHEMA)?;
    let message = format!(
        "schema {} is the journal of an interrupted run that had this database as its target",
        found.name
    );
    let drop = sql!("DROP SCHEMA {} CASCADE", found.name);
    let remedy = format!("finish that run first, or run: {};", drop.as_str());
    let finding = Finding::new(Code::JournalSchema, Level::Error, Side::Source, message);
    Some(finding.about(&found.name).remedy(remedy))
}

/// What goes along with something that is skipped. A table that was selected may not, nor what protects its rows.
fn not_made(omission: &Omission) -> Finding {
    if matches!(omission.reason, OmissionReason::CutOff(_)) {
        judge_omission(Level::Error, omission).remedy("select both tables, or exclude both")
    } else if matches!(omission.reason, OmissionReason::DependsOnExcluded(_)) {
        let correct = Remedy::Correct(Setting::ExcludeObjects);
        judge_omission(Level::Error, omission).remedy(correct)
    } else {
        judge_omission(Level::Warning, omission)
    }
}

/// Why an older target cannot hold a database, object by object.
fn unsupported(error: &ddl::Error) -> Vec<Finding> {
    match error {
        ddl::Error::UnsupportedOnTarget { objects } => objects
            .iter()
            .map(|ddl::RefusedObject { object, reason }| {
                let message = format!("{object}: the target does not support {reason}");
                Finding::new(
                    Code::UnsupportedOnTarget,
                    Level::Error,
                    Side::Target,
                    message,
                )
                .about(object)
                .remedy("choose a newer target, or drop or change it on the source first")
                .for_group([
                    "choose a newer target, or drop or change them on the source first".into(),
                ])
            })
            .collect(),
        ddl::Error::CircularDependency { .. }
        | ddl::Error::RemovedOnTarget { .. }
        | ddl::Error::PostfixOperators { .. } => vec![no_script(error)],
    }
}

/// Why there is no script at all.
fn no_script(error: &ddl::Error) -> Finding {
    let code = match error {
        ddl::Error::CircularDependency { .. } => Code::CircularDependency,
        ddl::Error::UnsupportedOnTarget { .. } => Code::UnsupportedOnTarget,
        ddl::Error::RemovedOnTarget { .. } | ddl::Error::PostfixOperators { .. } => {
            Code::RemovedOnTarget
        }
    };
    Finding::new(code, Level::Error, Side::Source, error.to_string())
}

/// Adds the owners of large objects to a script's; the roles that granted privileges on some.
async fn large_object_roles(
    session: &Session,
    judge: Judge<'_>,
    script: &mut Script,
) -> Result<Vec<Ident>, Error> {
    let ddl::Options { target, include } = &judge.cluster.options;
    let sql = Sql::fixed(include_str!("../sql/large_object_roles.sql"));
    let rows = session.query(&sql, &[]).await;
    let mut grantors = Vec::new();
    for row in rows.map_err(Error::examine(Side::Source))? {
        let role = Ident::from_catalog(row.get::<_, String>(0));
        let role = include.role_map.of(&role).clone();
        match usize::try_from(row.get::<_, i64>(1)).unwrap_or_default() {
            0 if target.reaches(&role) => grantors.push(role),
            0 => {}
            owned if include.owners => *script.owners.entry(role).or_default() += owned,
            _ => {}
        }
    }
    Ok(grantors)
}

/// What the script cannot do, or skips.
fn judge_script(catalog: &Catalog, script: &Script, judge: Judge<'_>) -> Vec<Finding> {
    let ddl::Options { target, include } = &judge.cluster.options;
    let mut findings = super::target::judge_owners(&script.owners, target);
    let roles = catalog.policies.iter().flat_map(|policy| &policy.roles);
    let roles: BTreeSet<_> = roles.map(|role| include.role_map.of(role)).collect();
    for role in roles.iter().filter(|role| !target.roles.contains(**role)) {
        let message = format!("role {role}, to which a policy applies, does not exist");
        let finding = Finding::new(Code::MissingRole, Level::Error, Side::Target, message);
        findings.push(
            finding
                .about(*role)
                .remedy("create it")
                .remedy(super::target::map_role(role)),
        );
    }
    findings.extend(script.omissions.iter().map(|omission| {
        let is_missing = matches!(omission.reason, OmissionReason::NoSuchRole(_));
        let level = if is_missing && !judge.makes_roles {
            Level::Error
        } else {
            Level::Warning
        };
        let finding = judge_omission(level, omission);
        if level == Level::Error {
            finding.remedy("create the role").with_remedies([
                Remedy::Pass(Setting::RoleMap),
                Remedy::with("copy no privileges", Setting::NoPrivileges),
            ])
        } else {
            finding
        }
    }));
    findings
}

/// An object that is not copied: never skipped silently.
fn not_covered(object: &Unsupported) -> Finding {
    let message = format!("{object} is not copied");
    Finding::new(Code::NotCovered, Level::Warning, Side::Source, message)
        .about(object)
        .remedy("see docs/limits.md")
}

/// Extensions that the target lacks, has in another version, or does not let us make.
fn extensions(catalog: &Catalog, judge: Judge<'_>) -> Vec<Finding> {
    let ddl::Options { target, include } = &judge.cluster.options;
    let judge = |extension: &Extension| {
        let name = &extension.name;
        if include.skipped_extensions.contains(name) {
            return None;
        }
        let finding = |code, level, message: String| {
            Finding::new(code, level, Side::Target, message).about(name)
        };
        let skip = Remedy::PassValue(Setting::SkipExtensions, name.to_string());
        let skip_all = Remedy::pass_to(Setting::SkipExtensions, "skip them");
        let error = |code, message: String| finding(code, Level::Error, message);
        let Some(available) = target.extensions.get(name) else {
            let message = format!("extension {name} is not available");
            let error = error(Code::ExtensionNotAvailable, message)
                .with_remedies(["install its package on the target's host".into(), skip])
                .for_group([
                    "install their packages on the target's host".into(),
                    skip_all,
                ]);
            return Some(error);
        };
        if !available.is_loaded {
            let message = format!("extension {name} is not loaded");
            let one = "add it to shared_preload_libraries and restart the server";
            let several = "add them to shared_preload_libraries and restart the server";
            let error = error(Code::ExtensionNotLoaded, message)
                .with_remedies([one.into(), skip])
                .for_group([several.into(), skip_all]);
            return Some(error);
        }
        if !available.is_permitted && !judge.installed.contains(name) {
            let message = format!("extension {name} requires superuser to be created");
            let create =
                "create the target database first, and run CREATE EXTENSION there as a superuser";
            let error = error(Code::ExtensionRequiresSuperuser, message)
                .with_remedies([skip, create.into()])
                .for_group([skip_all, create.into()]);
            return Some(error);
        }
        if let Some(schema) = available
            .schema
            .as_ref()
            .filter(|s| **s != extension.schema)
        {
            let message = format!(
                "extension {name} is created in schema {schema}; on the source it is in {}: definitions that name \
                 its objects there are refused",
                extension.schema
            );
            return Some(finding(Code::ExtensionSchema, Level::Warning, message));
        }
        match &available.version {
            Some(version) if *version != extension.version => {
                let message = format!(
                    "extension {name} is version {} on the source, {version} on the target",
                    extension.version
                );
                Some(finding(Code::ExtensionVersion, Level::Note, message))
            }
            _ => None,
        }
    };
    catalog.extensions.iter().filter_map(judge).collect()
}
