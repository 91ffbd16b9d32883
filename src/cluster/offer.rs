//! What the source offers to a user who selects interactively.

use crate::cluster::error::Error;
use crate::cluster::select::{AsOf, Wanted, find_candidates};
use crate::cluster::server::Cluster;
use crate::connect::{Endpoint, Purpose};
use crate::pg::{Ident, QualifiedName, Side, Sql};
use crate::selection::{Databases, Rules, Tables};

/// A database that can be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedDatabase {
    /// Its name.
    pub name: String,
    /// Its bytes on disk, where our role may read that.
    pub bytes: Option<u64>,
}

/// A table that can be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedTable {
    /// Its name.
    pub name: QualifiedName,
    /// Estimated bytes of its rows, if the server has counted them.
    pub bytes: Option<u64>,
    /// Its columns of dates and timestamps.
    pub time_columns: Vec<Ident>,
}

/// The source, for questions about what it offers.
pub struct Offer {
    cluster: Cluster,
}

impl Offer {
    /// Connects to the source.
    ///
    /// # Errors
    /// The source cannot be reached or read.
    pub async fn open(source: &Endpoint) -> Result<Self, Error> {
        let cluster = Cluster::open(Side::Source, source).await?;
        Ok(Self { cluster })
    }

    /// Whether publications of the source can filter rows.
    pub fn can_filter(&self) -> bool {
        self.cluster.session.version().has_publication_filters()
    }

    /// Loads the databases that can be copied, by name.
    ///
    /// # Errors
    /// The source cannot be read.
    pub async fn load_databases(&self) -> Result<Vec<OfferedDatabase>, Error> {
        let roles = self.cluster.load_roles().await?;
        let databases = self.cluster.load_databases().await?;
        let wanted = Wanted {
            databases: &Databases::All,
            tables: &Tables::All,
            rules: &Rules::default(),
            as_of: AsOf::Now,
        };
        let found = find_candidates(&self.cluster.endpoint, wanted, &databases, &roles).await?;
        let mut names = found.names;
        names.sort();
        let sizes = self.load_sizes(&names).await?;
        let offered = names.into_iter().zip(sizes);
        Ok(offered
            .map(|(name, bytes)| OfferedDatabase { name, bytes })
            .collect())
    }

    async fn load_sizes(&self, names: &[String]) -> Result<Vec<Option<u64>>, Error> {
        let sql = Sql::fixed(
            "SELECT CASE WHEN pg_catalog.has_database_privilege(name, 'CONNECT') \
                         THEN pg_catalog.pg_database_size(name::pg_catalog.name) END \
               FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY d(name, place) \
              ORDER BY place",
        );
        let rows = self.cluster.session.query(&sql, &[&names]).await;
        let rows = rows.map_err(Error::examine(Side::Source))?;
        let bytes = rows.iter().map(|row| row.get::<_, Option<i64>>(0));
        Ok(bytes
            .map(|bytes| bytes.and_then(|bytes| u64::try_from(bytes).ok()))
            .collect())
    }

    /// Loads the tables of a database that can be selected, those of `public` first.
    ///
    /// # Errors
    /// The database cannot be reached or read.
    pub async fn load_tables(&self, database: &str) -> Result<Vec<OfferedTable>, Error> {
        let endpoint = self.cluster.endpoint.with_database(database);
        let session = endpoint.session(Purpose::Introspect).await;
        let session = session.map_err(Error::connect(Side::Source))?;
        let sql = Sql::fixed(include_str!("sql/offered_tables.sql"));
        let rows = session.query(&sql, &[]).await;
        let rows = rows.map_err(Error::examine(Side::Source))?;
        let table = |row: &tokio_postgres::Row| OfferedTable {
            name: QualifiedName::from_catalog(
                row.get::<_, String>("schema_name"),
                row.get::<_, String>("name"),
            ),
            bytes: row
                .get::<_, Option<i64>>("bytes")
                .and_then(|bytes| u64::try_from(bytes).ok()),
            time_columns: row
                .get::<_, Vec<String>>("time_columns")
                .into_iter()
                .map(Ident::from_catalog)
                .collect(),
        };
        Ok(rows.iter().map(table).collect())
    }
}
