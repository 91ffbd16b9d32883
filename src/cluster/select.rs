//! Which databases take part, and which of their tables.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;

use crate::catalog::cluster::{Candidate, Database, Roles};
use crate::catalog::provider::Provider;
use crate::cluster::contents::Contents;
use crate::cluster::error::Error;
use crate::cluster::filter::{FilterFault, ResolvedFilters, RunInstant, resolve_filters};
use crate::cluster::finding::{Code, Finding, Level};
use crate::cluster::server::Cluster;
use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::{Counted, Ident, QualifiedName, Side, Sql, UnknownLetter};
use crate::remedy::{Remedy, Setting};
use crate::selection::{
    self, Databases, Offered, RowCondition, Rules, TableChoice, TableRules, TableScope, Tables,
};
use crate::sql;

/// The selected databases, each with what of it takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectedDatabases {
    /// By name.
    pub databases: BTreeMap<String, TableScope>,
    /// Names that can be read in another way.
    pub warnings: Vec<String>,
    /// Rules without effect.
    pub notes: Vec<String>,
    /// The instant that filters use as the current time, if there are filters.
    pub instant: Option<RunInstant>,
}

/// Selects databases of the source, each with its tables and their rules.
///
/// # Errors
/// The source cannot be reached or read, or a name selects nothing.
pub async fn select_databases(
    source: &Endpoint,
    wanted: Wanted<'_>,
) -> Result<SelectedDatabases, Error> {
    let cluster = Cluster::open(Side::Source, source).await?;
    let roles = cluster.load_roles().await?;
    let offered = cluster.load_databases().await?;
    let chosen = choose_databases(source, wanted, &offered, &roles).await?;
    if let Some(fault) = chosen.faults.into_iter().next() {
        return Err(Error::Filter(Box::new(fault)));
    }
    let named = chosen.databases.into_iter().map(|one| {
        let name = one.database.name.as_str().to_owned();
        (name, one.scope)
    });
    Ok(SelectedDatabases {
        databases: named.collect(),
        warnings: chosen.warnings,
        notes: chosen.notes,
        instant: chosen.instant,
    })
}

/// What the user has selected, and the rules that the user has given.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The databases.
    pub databases: &'a Databases,
    /// Their tables.
    pub tables: &'a Tables,
    /// The rules of the tables.
    pub rules: &'a Rules,
    /// What filters use as the current time.
    pub as_of: AsOf<'a>,
}

/// What filters use as the current time.
#[derive(Clone, Copy, Debug)]
pub enum AsOf<'a> {
    /// The source's clock.
    Now,
    /// What the user says.
    Given(&'a str),
    /// What was recorded.
    Recorded(&'a RunInstant),
    /// The instant of a copy, which is not known: filters may not depend on it.
    Unknown,
}

impl<'a> AsOf<'a> {
    /// What the user says, before what was recorded, before the third.
    #[must_use]
    pub fn choose(
        given: Option<&'a str>,
        recorded: Option<&'a RunInstant>,
        otherwise: Self,
    ) -> Self {
        let recorded = recorded.map_or(otherwise, Self::Recorded);
        given.map_or(recorded, Self::Given)
    }
}

impl<'a> Wanted<'a> {
    /// The databases that entries of tables may name, and those of sections that can be selected.
    fn named_by_tables(&self) -> BTreeSet<&'a str> {
        let mut names = self.tables.databases();
        names.extend(self.rules.databases());
        let sections = self.rules.sections.iter();
        let sections = sections.map(|section| section.database.as_str());
        names.extend(sections.filter(|name| self.may_select(name)));
        names
    }

    /// Whether the databases and tables that are listed leave room for a database.
    fn may_select(&self, name: &str) -> bool {
        let by_databases = match self.databases {
            Databases::All => true,
            Databases::Only(_) => self.databases.includes(name),
            Databases::AllBut(_) => !self.databases.excludes(name),
        };
        by_databases && !matches!(self.tables, Tables::Only(_))
    }
}

/// A selected database with its tables.
#[derive(Debug)]
pub(crate) struct ChosenDatabase {
    pub(crate) database: Database,
    pub(crate) scope: TableScope,
}

/// The selected databases in name order, and what was not selected.
pub(crate) struct Chosen {
    pub(crate) databases: Vec<ChosenDatabase>,
    /// Names that can be read in another way.
    pub(crate) warnings: Vec<String>,
    /// Rules without effect.
    pub(crate) notes: Vec<String>,
    /// Databases that cannot be copied, with the reasons.
    pub(crate) skipped: Vec<Finding>,
    /// Filters that the source does not accept; their tables have none in the rules.
    pub(crate) faults: Vec<FilterFault>,
    /// The instant that filters use as the current time, if there are filters.
    pub(crate) instant: Option<RunInstant>,
}

/// Chooses among the source's databases.
pub(crate) async fn choose_databases(
    source: &Endpoint,
    wanted: Wanted<'_>,
    offered: &[Database],
    roles: &Roles,
) -> Result<Chosen, Error> {
    let existing = offered.iter().map(|one| one.name.as_str());
    wanted.rules.check_sections(&existing.collect())?;
    let Candidates {
        names,
        others,
        skipped,
    } = find_candidates(source, wanted, offered, roles).await?;
    let databases = wanted.databases.without(&others);
    let mut relations = BTreeMap::new();
    for name in databases.choose(&names, &wanted.named_by_tables())? {
        let of_database = match (wanted.tables, wanted.rules.is_empty()) {
            (Tables::All, true) => Vec::new(),
            (Tables::All, false) | (Tables::Only(_) | Tables::AllBut(_), _) => {
                load_relations(source, &name).await?
            }
        };
        relations.insert(name, of_database);
    }
    let selected = wanted.tables.select(&relations)?;
    let resolved = wanted.rules.resolve(&relations, &selected.databases)?;
    let warnings = selected.warnings.into_iter().chain(resolved.warnings);
    let instant = match wanted.rules.have_filters() {
        true => Some(load_instant(source, wanted.as_of).await?),
        false => None,
    };
    let filters = resolve_all_filters(source, resolved.databases, &instant).await?;
    if matches!(wanted.as_of, AsOf::Unknown) && filters.use_instant {
        return Err(Error::AsOfUnknown);
    }
    Ok(Chosen {
        databases: pick_databases(offered, selected.databases, filters.rules),
        warnings: warnings.collect(),
        notes: resolved.notes,
        skipped,
        faults: filters.faults,
        instant,
    })
}

/// The rules of all databases, and the faults of their filters.
#[derive(Default)]
struct AllFilters {
    rules: BTreeMap<String, TableRules>,
    faults: Vec<FilterFault>,
    use_instant: bool,
}

/// Has the source understand the filters of all databases.
async fn resolve_all_filters(
    source: &Endpoint,
    rules: BTreeMap<String, TableRules<RowCondition>>,
    instant: &Option<RunInstant>,
) -> Result<AllFilters, Error> {
    let mut all = AllFilters::default();
    for (database, rules) in rules {
        let resolved = match instant {
            Some(instant) => {
                resolve_filters(&source.with_database(&database), rules, instant).await?
            }
            None => ResolvedFilters::without_filters(&rules),
        };
        all.use_instant |= resolved.uses_instant;
        all.faults.extend(resolved.faults);
        all.rules.insert(database, resolved.rules);
    }
    Ok(all)
}

async fn load_instant(source: &Endpoint, as_of: AsOf<'_>) -> Result<RunInstant, Error> {
    if let AsOf::Recorded(instant) = as_of {
        return Ok(instant.clone());
    }
    let cluster = Cluster::open(Side::Source, source).await?;
    match as_of {
        AsOf::Given(text) => RunInstant::load_given(&cluster.session, text).await,
        AsOf::Now | AsOf::Recorded(_) | AsOf::Unknown => RunInstant::load_now(&cluster.session)
            .await
            .map_err(Error::examine(Side::Source)),
    }
}

/// Returns the databases that have a choice of tables, in name order.
fn pick_databases(
    offered: &[Database],
    mut choices: BTreeMap<String, TableChoice>,
    mut rules: BTreeMap<String, TableRules>,
) -> Vec<ChosenDatabase> {
    let picked = offered.iter().filter_map(|database| {
        let name = database.name.as_str();
        let scope = TableScope {
            choice: choices.remove(name)?,
            rules: rules.remove(name).unwrap_or_default(),
            ..TableScope::default()
        };
        let database = database.clone();
        Some(ChosenDatabase { database, scope })
    });
    let mut picked: Vec<_> = picked.collect();
    picked.sort_by(|one, other| one.database.name.cmp(&other.database.name));
    picked
}

/// The source's databases, separated by whether they can be copied.
#[derive(Default)]
pub(super) struct Candidates<'a> {
    pub(super) names: Vec<String>,
    /// The names of the databases that cannot be copied.
    others: BTreeSet<&'a str>,
    /// Those of them that are reported.
    skipped: Vec<Finding>,
}

/// Finds the databases that can be copied. One that is named and cannot be copied is an error.
pub(super) async fn find_candidates<'a>(
    source: &Endpoint,
    wanted: Wanted<'_>,
    offered: &'a [Database],
    roles: &Roles,
) -> Result<Candidates<'a>, Error> {
    let by_tables = wanted.named_by_tables();
    let mut found = Candidates::default();
    for database in offered {
        let name = database.name.as_str();
        let is_named = wanted.databases.includes(name) || by_tables.contains(name);
        let Some(skip) = find_skip(source, database, roles.provider, is_named).await? else {
            found.names.push(name.to_owned());
            continue;
        };
        if is_named {
            let refused = selection::Error::NotCopyable {
                name: name.to_owned(),
                why: skip.describe_reason().to_owned(),
                remedy: skip.find_remedy(&database.name),
            };
            return Err(refused.into());
        }
        found.others.insert(name);
        found.skipped.extend(report_skip(skip, database, wanted));
    }
    Ok(found)
}

/// Returns why a database is not copied. An unused template is copied only if it is named.
async fn find_skip(
    source: &Endpoint,
    database: &Database,
    provider: Option<Provider>,
    is_named: bool,
) -> Result<Option<Skip>, Error> {
    Ok(match database.candidate(provider) {
        Candidate::Yes | Candidate::WhenNamed => None,
        Candidate::WhenUsed => {
            let is_copied = is_named || has_objects(source, database.name.as_str()).await?;
            (!is_copied).then_some(Skip::Unused)
        }
        Candidate::Template => Some(Skip::Template),
        Candidate::NoConnections => Some(Skip::NoConnections),
        Candidate::Invalid => Some(Skip::Invalid),
        Candidate::Provider => Some(Skip::Provider),
    })
}

/// Reports a database that cannot be copied, unless the filters exclude it anyway.
fn report_skip(skip: Skip, database: &Database, wanted: Wanted<'_>) -> Option<Finding> {
    let filters = wanted.databases;
    let is_excluded =
        matches!(filters, Databases::Only(_)) || filters.excludes(database.name.as_str());
    let name = &database.name;
    (skip.is_listed() && !is_excluded).then(|| {
        let message = format!("database {name} is skipped: it {}", skip.describe_reason());
        Finding::new(Code::DatabaseSkipped, Level::Note, Side::Source, message)
            .about(name)
            .with_remedies(skip.find_remedy(name))
    })
}

/// Why a database is not copied.
#[derive(Clone, Copy)]
enum Skip {
    Template,
    Unused,
    NoConnections,
    Invalid,
    Provider,
}

impl Skip {
    /// Returns whether it is reported. Databases that every cluster or service has are not.
    const fn is_listed(self) -> bool {
        match self {
            Self::Template | Self::Provider => false,
            Self::Unused | Self::NoConnections | Self::Invalid => true,
        }
    }

    const fn describe_reason(self) -> &'static str {
        match self {
            Self::Template => "is one of the server's own templates",
            Self::Unused => "is a template without objects of users",
            Self::NoConnections => "refuses connections (datallowconn = false)",
            Self::Invalid => {
                "is invalid: its DROP DATABASE was interrupted, and it can only be dropped"
            }
            Self::Provider => "belongs to the managed service",
        }
    }

    /// Returns what allows a copy of the database, if anything does.
    fn find_remedy(self, name: &Ident) -> Option<Remedy> {
        match self {
            Self::NoConnections => Some(Remedy::Run(sql!(
                "ALTER DATABASE {} WITH ALLOW_CONNECTIONS true",
                name
            ))),
            Self::Provider => Some(Remedy::PassValue(Setting::Provider, "none".to_owned())),
            Self::Template | Self::Unused | Self::Invalid => None,
        }
    }
}

/// Returns whether a database of the source contains objects of users.
async fn has_objects(source: &Endpoint, database: &str) -> Result<bool, Error> {
    let session = open_database(source, database).await?;
    let contents = Contents::load(&session)
        .await
        .map_err(Error::examine(Side::Source))?;
    Ok(!contents.is_empty())
}

async fn open_database(source: &Endpoint, database: &str) -> Result<Session, Error> {
    source
        .with_database(database)
        .session(Purpose::Introspect)
        .await
        .map_err(Error::connect(Side::Source))
}

/// Reports the maintenance database if it contains tables and is not copied.
pub(crate) async fn find_unselected_maintenance(
    source: &Endpoint,
    chosen: &[ChosenDatabase],
    offered: &[Database],
) -> Result<Option<Finding>, Error> {
    let Some(database) = offered.iter().find(|one| one.name.as_str() == "postgres") else {
        return Ok(None);
    };
    let is_chosen = chosen.iter().any(|one| one.database.name == database.name);
    if !database.allows_connections || is_chosen {
        return Ok(None);
    }
    let Ok(session) = open_database(source, "postgres").await else {
        let message = "database postgres is not selected, and cannot be examined";
        let code = Code::MaintenanceNotSelected;
        let finding = Finding::new(code, Level::Note, Side::Source, message);
        return Ok(Some(finding.about(&database.name)));
    };
    let contents = Contents::load(&session)
        .await
        .map_err(Error::examine(Side::Source))?;
    Ok((contents.tables > 0).then(|| {
        let message = format!(
            "database postgres contains {} and is not selected",
            Counted(contents.tables, "table")
        );
        let include = Remedy::with("copy it as well", Setting::IncludeDatabases);
        let code = Code::MaintenanceNotSelected;
        let finding = Finding::new(code, Level::Warning, Side::Source, message);
        finding.about(&database.name).remedy(include)
    }))
}

async fn load_relations(source: &Endpoint, database: &str) -> Result<Vec<Offered>, Error> {
    let session = open_database(source, database).await?;
    let sql = Sql::fixed(include_str!("sql/relations.sql"));
    let rows = session
        .query(&sql, &[])
        .await
        .map_err(Error::examine(Side::Source))?;
    let relations = rows.iter().map(decode_relation).collect::<Result<_, _>>();
    relations.map_err(|error| {
        let place = format!("database {database}");
        Error::read(Side::Source, place)(error.into())
    })
}

fn decode_relation(row: &Row) -> Result<Offered, UnknownLetter> {
    let root = row.get::<_, Option<String>>("root_schema");
    let root = root.zip(row.get::<_, Option<String>>("root_name"));
    let hypertable = row.get::<_, Option<String>>("hypertable_schema");
    let hypertable = hypertable.zip(row.get::<_, Option<String>>("hypertable_name"));
    let name = |(schema, name): (String, String)| QualifiedName::from_catalog(schema, name);
    Ok(Offered {
        name: QualifiedName::from_catalog(
            row.get::<_, String>("schema_name"),
            row.get::<_, String>("name"),
        ),
        kind: row.get::<_, String>("kind").parse()?,
        root: root.map(name),
        hypertable: hypertable.map(name),
        extension: row.get("extension"),
    })
}
