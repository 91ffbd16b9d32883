//! Which databases take part, and which of their tables.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;

use crate::catalog::cluster::{Candidate, Database, Roles};
use crate::catalog::provider::Provider;
use crate::cluster::contents::Contents;
use crate::cluster::error::Error;
use crate::cluster::finding::{Finding, Level};
use crate::cluster::server::Cluster;
use crate::connect::{Endpoint, Purpose};
use crate::pg::Side;
use crate::pg::{Ident, QualifiedName, Sql, UnknownLetter};
use crate::remedy::{Remedy, Setting};
use crate::selection::{self, Databases, Offered, Selected, TableChoice, Tables};
use crate::sql;

/// The databases asked for, each with its tables.
///
/// # Errors
/// The source cannot be reached or read, or a name selects nothing.
pub async fn select(
    source: &Endpoint,
    databases: &Databases,
    tables: &Tables,
) -> Result<Selected, Error> {
    let cluster = Cluster::open(Side::Source, source).await?;
    let roles = cluster.roles(Side::Source).await?;
    let offered = cluster.databases(Side::Source).await?;
    let wanted = (databases, tables);
    let chosen = choose(source, wanted, &offered, &roles).await?;
    let name = |(database, choice): (Database, _)| (database.name.as_str().to_owned(), choice);
    Ok(Selected {
        databases: chosen.databases.into_iter().map(name).collect(),
        warnings: chosen.warnings,
    })
}

/// The databases asked for, in name order, each with its tables.
pub(crate) struct Chosen {
    pub(crate) databases: Vec<(Database, TableChoice)>,
    /// What could have been meant otherwise.
    pub(crate) warnings: Vec<String>,
    /// Databases that are no candidates, with the reasons.
    pub(crate) skipped: Vec<Finding>,
}

/// Chooses among the source's databases.
pub(crate) async fn choose(
    source: &Endpoint,
    (databases, tables): (&Databases, &Tables),
    offered: &[Database],
    roles: &Roles,
) -> Result<Chosen, Error> {
    let by_tables = tables.databases();
    let (mut names, mut skipped) = (Vec::new(), Vec::new());
    let mut no_candidates = BTreeSet::new();
    for database in offered {
        let name = database.name.as_str();
        let is_named = databases.includes(name) || by_tables.contains(name);
        let why = match why_not(database, roles.provider) {
            None if !needs_use(database, roles.provider) || is_named => None,
            None if holds_objects(source, name).await? => None,
            None => Some(Skip::Unused),
            Some(why) => Some(why),
        };
        let Some(why) = why else {
            names.push(name.to_owned());
            continue;
        };
        if is_named {
            let refused = selection::Error::NotCopyable {
                name: name.to_owned(),
                why: why.text().to_owned(),
                remedy: why.remedy(&database.name),
            };
            return Err(refused.into());
        }
        no_candidates.insert(name);
        if why.is_listed() && !matches!(databases, Databases::Only(_)) && !databases.excludes(name)
        {
            let message = format!("database {} is skipped: it {}", database.name, why.text());
            let finding = Finding::new(Level::Note, Side::Source, message);
            skipped.push(finding.with_remedies(why.remedy(&database.name)));
        }
    }
    let databases = databases.without(&no_candidates);
    let mut relations = BTreeMap::new();
    for name in databases.choose(&names, &by_tables)? {
        let of_database = match tables {
            Tables::All => Vec::new(),
            Tables::Only(_) | Tables::AllBut(_) => load_relations(source, &name).await?,
        };
        relations.insert(name, of_database);
    }
    let Selected {
        mut databases,
        warnings,
    } = tables.select(&relations)?;
    let chosen = offered.iter().filter_map(|database| {
        let choice = databases.remove(database.name.as_str())?;
        Some((database.clone(), choice))
    });
    let mut chosen: Vec<_> = chosen.collect();
    chosen.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    Ok(Chosen {
        databases: chosen,
        warnings,
        skipped,
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
    /// What every cluster or service has needs no mention.
    const fn is_listed(self) -> bool {
        match self {
            Self::Template | Self::Provider => false,
            Self::Unused | Self::NoConnections | Self::Invalid => true,
        }
    }

    const fn text(self) -> &'static str {
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

    /// What allows a copy of it, where something does.
    fn remedy(self, name: &Ident) -> Option<Remedy> {
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

fn why_not(database: &Database, provider: Option<Provider>) -> Option<Skip> {
    match database.candidate(provider) {
        Candidate::Yes | Candidate::WhenNamed | Candidate::WhenUsed => None,
        Candidate::Template => Some(Skip::Template),
        Candidate::NoConnections => Some(Skip::NoConnections),
        Candidate::Invalid => Some(Skip::Invalid),
        Candidate::Provider => Some(Skip::Provider),
    }
}

fn needs_use(database: &Database, provider: Option<Provider>) -> bool {
    database.candidate(provider) == Candidate::WhenUsed
}

/// Whether a database of the source holds objects of users.
async fn holds_objects(source: &Endpoint, database: &str) -> Result<bool, Error> {
    let side = Side::Source;
    let endpoint = source.with_database(database);
    let session = endpoint.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let contents = Contents::load(&session).await;
    Ok(!contents.map_err(Error::examine(side))?.is_empty())
}

/// A note when the maintenance database holds tables and is not copied.
pub(crate) async fn unselected_maintenance(
    source: &Endpoint,
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
    let endpoint = source.with_database("postgres");
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
        let include = Remedy::with("copy it as well", Setting::IncludeDatabases);
        Finding::new(Level::Warning, Side::Source, message).remedy(include)
    }))
}

async fn load_relations(source: &Endpoint, database: &str) -> Result<Vec<Offered>, Error> {
    let side = Side::Source;
    let endpoint = source.with_database(database);
    let session = endpoint.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let sql = Sql::fixed(include_str!("sql/relations.sql"));
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(side))?;
    let relations = rows.iter().map(relation).collect::<Result<_, _>>();
    relations.map_err(|source| Error::Catalog {
        side,
        place: format!("database {database}"),
        source: source.into(),
    })
}

fn relation(row: &Row) -> Result<Offered, UnknownLetter> {
    let root = row.get::<_, Option<String>>("root_schema");
    let root = root.zip(row.get::<_, Option<String>>("root_name"));
    Ok(Offered {
        name: QualifiedName::from_catalog(
            row.get::<_, String>("schema_name"),
            row.get::<_, String>("name"),
        ),
        kind: row.get::<_, String>("kind").parse()?,
        root: root.map(|(schema, name)| QualifiedName::from_catalog(schema, name)),
        extension: row.get("extension"),
    })
}
