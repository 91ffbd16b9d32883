//! Which databases take part, and which of their tables.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::prepare::Cluster;
use super::{Error, Side};
use crate::catalog::cluster::{Candidate, Database, Roles};
use crate::connect::{Endpoint, Purpose};
use crate::pg::{QualifiedName, Sql, UnknownLetter};
use crate::selection::{Databases, Offered, Selected, TableChoice, Tables};

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
    let (chosen, warnings) = choose(source, wanted, &offered, &roles).await?;
    let name = |(database, choice): (Database, _)| (database.name.as_str().to_owned(), choice);
    Ok(Selected {
        databases: chosen.into_iter().map(name).collect(),
        warnings,
    })
}

/// The databases asked for, in name order, each with its tables; what could have been meant
/// otherwise.
pub(super) async fn choose(
    source: &Endpoint,
    (databases, tables): (&Databases, &Tables),
    offered: &[Database],
    roles: &Roles,
) -> Result<(Vec<(Database, TableChoice)>, Vec<String>), Error> {
    let is_candidate = |database: &&Database| {
        matches!(
            database.candidate(roles.provider),
            Candidate::Yes | Candidate::WhenNamed
        )
    };
    let names: Vec<String> = offered
        .iter()
        .filter(is_candidate)
        .map(|database| database.name.as_str().to_owned())
        .collect();
    let mut relations = BTreeMap::new();
    for name in databases.choose(&names, &tables.databases())? {
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
    Ok((chosen, warnings))
}

async fn load_relations(source: &Endpoint, database: &str) -> Result<Vec<Offered>, Error> {
    let side = Side::Source;
    let endpoint = source.with_database(database);
    let session = endpoint.session(Purpose::Introspect).await;
    let session = session.map_err(|source| Error::Connect { side, source })?;
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
