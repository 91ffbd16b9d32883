//! What names and types denote on the source while rows are read.
//!
//! A server resolves names, labels of enums and attributes of row types by the *latest* state of its catalogs,
//! independently of the snapshot. A lock on a table keeps its own name and columns. But neither
//! `ALTER SCHEMA … RENAME` nor `ALTER TYPE` waits for it: two schemas that are exchanged during a copy would
//! exchange the rows of their tables, without any error.
//!
//! So the catalog rows on which a batch depends are loaded after its last row, by a session that is in no
//! transaction and sees the latest state. They are compared by their *versions* (`xmin`, `ctid`): a row that was
//! changed and changed back has another version. With the same versions before and after, a name denoted the same
//! object all the time. With other versions the batch is repeated by the current names. Types that differ from
//! the snapshot's end the run, because the target was created with the snapshot's types.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_postgres::types::{ToSql, Type};

use super::job::CopyJob;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::snapshot::point::consistent_point::ConsistentPoint;

/// The versions of the catalog rows that a copy depends on.
#[derive(Debug)]
pub(crate) struct CatalogVersions {
    source: Endpoint,
    tables: HashMap<Oid, WatchedTable>,
    types: HashMap<Oid, QualifiedName>,
    /// As the snapshot shows them.
    planned: RowVersions,
    /// As they were loaded last.
    latest: Mutex<RowVersions>,
    session: Mutex<Option<Arc<Session>>>,
}

/// A table of which rows are read.
#[derive(Clone, Debug)]
struct WatchedTable {
    name: QualifiedName,
    schema: Oid,
    enums: Vec<Oid>,
    /// Relations of row types.
    relations: Vec<Oid>,
    is_locked: bool,
}

/// The kind of a catalog row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Schema,
    Label,
    Attributes,
    Table,
}

/// A catalog row as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RowVersion {
    /// The type that it belongs to.
    owner: Oid,
    value: String,
    version: String,
}

type RowVersions = HashMap<(Kind, Oid), RowVersion>;

/// The objects on which a few tables depend.
#[derive(Clone, Debug, Default)]
struct WatchedObjects {
    schemas: BTreeSet<Oid>,
    enums: BTreeSet<Oid>,
    relations: BTreeSet<Oid>,
    unlocked: BTreeSet<Oid>,
}

/// The versions that were known before rows were read.
#[derive(Debug)]
pub(crate) struct KnownVersions {
    objects: WatchedObjects,
    versions: RowVersions,
    /// Tables whose schema has another name now than at the snapshot.
    pub(crate) renamed: HashMap<Oid, QualifiedName>,
}

/// The difference between two states.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// A schema, a label or an unlocked table may have had another name in between.
    Name(String),
    /// The type of this oid, or of this relation, is another one.
    Type(Oid, String),
    /// An unlocked table has another name.
    Table(Oid),
}

impl CatalogVersions {
    /// Loads the versions for these tables, at the snapshot and now.
    ///
    /// # Errors
    /// The source cannot be asked, or a type has changed since the snapshot.
    pub(crate) async fn load(
        source: &Endpoint,
        point: &ConsistentPoint,
        jobs: &[CopyJob],
    ) -> Result<Self, Error> {
        let mut known = Self {
            source: source.clone(),
            tables: HashMap::new(),
            types: HashMap::new(),
            planned: RowVersions::new(),
            latest: Mutex::default(),
            session: Mutex::default(),
        };
        if jobs.is_empty() {
            return Ok(known);
        }
        let (reader, session) =
            tokio::try_join!(point.hold.lease.open_session(), known.open_session())?;
        drop(session);
        let unlocked = point.hold.unlocked.iter().map(|table| table.oid).collect();
        let watching = known.load_tables(&reader, jobs, &unlocked).await;
        let objects = watching.map_err(Error::Lease)?;
        known.planned = objects.load_versions(&reader).await.map_err(Error::Lease)?;
        let latest = known.load_versions(&objects).await?;
        known.lock_latest().extend(latest);
        // Nothing has been read: only what has other types now than at the snapshot is wrong.
        let oids: Vec<Oid> = known.tables.keys().copied().collect();
        let before = known.known(&oids);
        known.check_change(find_change(&known.planned, &before, &before.versions))?;
        Ok(known)
    }

    /// Loads the schema and the types of each table. Returns the objects of all tables.
    async fn load_tables(
        &mut self,
        reader: &Session,
        jobs: &[CopyJob],
        unlocked: &BTreeSet<Oid>,
    ) -> Result<WatchedObjects, connect::Error> {
        let oids: Vec<u32> = jobs.iter().map(|job| job.oid.0).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&oids, Type::OID_ARRAY)];
        let schemas = load_schemas(reader, &oids).await?;
        let watched = jobs.iter().map(|job| WatchedTable {
            name: job.table.clone(),
            schema: schemas.get(&job.oid).copied().unwrap_or(Oid(0)),
            enums: Vec::new(),
            relations: Vec::new(),
            is_locked: !unlocked.contains(&job.oid),
        });
        self.tables = jobs.iter().map(|job| job.oid).zip(watched).collect();
        let types = Sql::fixed(include_str!("sql/row_types.sql"));
        for row in reader.query_typed(&types, &parameters).await? {
            self.note_type(&row);
        }
        Ok(self.objects_of(self.tables.keys()))
    }

    fn note_type(&mut self, row: &tokio_postgres::Row) {
        let (type_oid, relation) = (Oid(row.get(1)), Oid(row.get(2)));
        let Some(table) = self.tables.get_mut(&Oid(row.get(0))) else {
            return;
        };
        let owner = if relation == Oid(0) {
            table.enums.push(type_oid);
            type_oid
        } else {
            table.relations.push(relation);
            relation
        };
        let name = || QualifiedName::from_catalog(row.get::<_, String>(3), row.get::<_, String>(4));
        self.types.entry(owner).or_insert_with(name);
    }

    fn objects_of<'a>(&self, tables: impl Iterator<Item = &'a Oid>) -> WatchedObjects {
        let mut objects = WatchedObjects::default();
        for oid in tables {
            let Some(table) = self.tables.get(oid) else {
                continue;
            };
            objects.schemas.insert(table.schema);
            objects.enums.extend(&table.enums);
            objects.relations.extend(&table.relations);
            if !table.is_locked {
                objects.unlocked.insert(*oid);
            }
        }
        objects
    }

    fn lock_latest(&self) -> MutexGuard<'_, RowVersions> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the known versions of some tables right before their rows are read.
    pub(crate) fn known(&self, tables: &[Oid]) -> KnownVersions {
        let objects = self.objects_of(tables.iter());
        let latest = self.lock_latest();
        let versions: RowVersions = latest
            .iter()
            .filter(|((kind, oid), row)| objects.covers(*kind, *oid, row.owner))
            .map(|(key, row)| (*key, row.clone()))
            .collect();
        let renamed = |oid: &Oid| {
            let table = self.tables.get(oid)?;
            let schema = &versions.get(&(Kind::Schema, table.schema))?.value;
            let now = QualifiedName {
                schema: Ident::from_catalog(schema.clone()),
                name: table.name.name.clone(),
            };
            (now != table.name).then_some((*oid, now))
        };
        KnownVersions {
            renamed: tables.iter().filter_map(renamed).collect(),
            objects,
            versions,
        }
    }

    /// Checks that rows that were read since then are those of the right tables and types.
    ///
    /// # Errors
    /// [`Error::Renamed`]: they may be others, and may be read again by the current names;
    /// [`Error::TypeChanged`]: the target has other types; or the source cannot be asked.
    pub(crate) async fn check_unchanged(&self, before: &KnownVersions) -> Result<(), Error> {
        let now = self.load_versions(&before.objects).await?;
        let change = find_change(&self.planned, before, &now);
        self.lock_latest().extend(now);
        self.check_change(change)
    }

    fn check_change(&self, change: Option<Change>) -> Result<(), Error> {
        match change {
            None => Ok(()),
            Some(Change::Name(what)) => Err(Error::Renamed { what }),
            Some(Change::Type(owner, what)) => Err(self.type_changed(owner, what)),
            Some(Change::Table(oid)) => Err(Error::Changed {
                table: self.tables[&oid].name.clone(),
            }),
        }
    }

    fn type_changed(&self, owner: Oid, change: String) -> Error {
        let name = self.types.get(&owner).map(ToString::to_string);
        Error::TypeChanged {
            name: name.unwrap_or_else(|| owner.to_string()),
            change,
        }
    }

    /// Loads versions by a session that sees the latest state. A lost session is replaced at the next call.
    async fn load_versions(&self, objects: &WatchedObjects) -> Result<RowVersions, Error> {
        let session = self.open_session().await?;
        let asked = objects.load_versions(&session).await;
        if asked.is_err() {
            self.close();
        }
        asked.map_err(Error::Lease)
    }

    async fn open_session(&self) -> Result<Arc<Session>, Error> {
        let known = self.lock_session().clone();
        if let Some(session) = known {
            return Ok(session);
        }
        let session = self.source.session(Purpose::Introspect).await;
        let session = Arc::new(session.map_err(Error::Connect)?);
        *self.lock_session() = Some(Arc::clone(&session));
        Ok(session)
    }

    fn lock_session(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the session; the next load opens one again.
    pub(crate) fn close(&self) {
        *self.lock_session() = None;
    }
}

/// Loads the schema of each table.
async fn load_schemas(
    reader: &Session,
    tables: &[u32],
) -> Result<HashMap<Oid, Oid>, connect::Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&tables, Type::OID_ARRAY)];
    let sql = Sql::fixed("SELECT oid, relnamespace FROM pg_catalog.pg_class WHERE oid = ANY ($1)");
    let rows = reader.query_typed(&sql, &parameters).await?;
    let schemas = rows.iter().map(|row| (Oid(row.get(0)), Oid(row.get(1))));
    Ok(schemas.collect())
}

impl WatchedObjects {
    fn covers(&self, kind: Kind, oid: Oid, owner: Oid) -> bool {
        match kind {
            Kind::Schema => self.schemas.contains(&oid),
            Kind::Label => self.enums.contains(&owner),
            Kind::Attributes => self.relations.contains(&oid),
            Kind::Table => self.unlocked.contains(&oid),
        }
    }

    async fn load_versions(&self, session: &Session) -> Result<RowVersions, connect::Error> {
        let oids = |set: &BTreeSet<Oid>| set.iter().map(|oid| oid.0).collect::<Vec<u32>>();
        let lists = [&self.schemas, &self.enums, &self.relations, &self.unlocked].map(oids);
        let parameters = lists
            .each_ref()
            .map(|list| (list as &(dyn ToSql + Sync), Type::OID_ARRAY));
        let sql = Sql::fixed(include_str!("sql/row_versions.sql"));
        let rows = session.query_typed(&sql, &parameters).await?;
        let entry = |row: &tokio_postgres::Row| {
            let kind = match row.get(0) {
                "schema" => Kind::Schema,
                "label" => Kind::Label,
                "attributes" => Kind::Attributes,
                _ => Kind::Table,
            };
            let version = RowVersion {
                owner: Oid(row.get(2)),
                value: row.get(3),
                version: row.get(4),
            };
            ((kind, Oid(row.get(1))), version)
        };
        Ok(rows.iter().map(entry).collect())
    }
}

/// Finds the first relevant change. Types come first: there a repetition does not help.
fn find_change(planned: &RowVersions, before: &KnownVersions, now: &RowVersions) -> Option<Change> {
    let concerned = planned
        .iter()
        .filter(|((kind, oid), row)| before.objects.covers(*kind, *oid, row.owner));
    for (key, row) in concerned.clone() {
        let found = now.get(key);
        let differs = found.is_none_or(|found| found.value != row.value);
        match key.0 {
            Kind::Label | Kind::Attributes if differs => {
                return Some(Change::Type(row.owner, render_type_change(row, found)));
            }
            Kind::Table if differs => return Some(Change::Table(key.1)),
            Kind::Schema | Kind::Label | Kind::Attributes | Kind::Table => {}
        }
    }
    let is_same = |key: &(Kind, Oid)| now.get(key) == before.versions.get(key);
    let (key, row) = concerned.clone().find(|(key, _)| !is_same(key))?;
    let what = match key.0 {
        Kind::Schema => format!("schema {}", Ident::from_catalog(row.value.clone())),
        Kind::Label | Kind::Attributes => "a type".to_owned(),
        Kind::Table => "a table without a lock".to_owned(),
    };
    Some(Change::Name(what))
}

fn render_type_change(planned: &RowVersion, now: Option<&RowVersion>) -> String {
    match now {
        None => "it is gone".to_owned(),
        // The text of a row type is a list of numbers.
        Some(_) if planned.version.is_empty() => "its attributes are different".to_owned(),
        Some(now) => format!("label {:?} is now {:?}", planned.value, now.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(owner: u32, value: &str, version: &str) -> RowVersion {
        RowVersion {
            owner: Oid(owner),
            value: value.to_owned(),
            version: version.to_owned(),
        }
    }

    fn versions(schema: (&str, &str), label: (&str, &str), attributes: &str) -> RowVersions {
        RowVersions::from([
            ((Kind::Schema, Oid(1)), row(1, schema.0, schema.1)),
            ((Kind::Label, Oid(2)), row(20, label.0, label.1)),
            ((Kind::Attributes, Oid(3)), row(3, attributes, "")),
        ])
    }

    fn known(versions: RowVersions) -> KnownVersions {
        let of = |oid| BTreeSet::from([Oid(oid)]);
        KnownVersions {
            objects: WatchedObjects {
                schemas: of(1),
                enums: of(20),
                relations: of(3),
                unlocked: BTreeSet::new(),
            },
            versions,
            renamed: HashMap::new(),
        }
    }

    #[test]
    fn what_was_changed_and_changed_back_is_not_the_same() {
        let planned = versions(("a", "1"), ("sad", "1"), "1 23 false");
        let first = || known(planned.clone());
        assert_eq!(find_change(&planned, &first(), &planned), None);
        for now in [
            versions(("b", "2"), ("sad", "1"), "1 23 false"),
            versions(("a", "2"), ("sad", "1"), "1 23 false"),
            versions(("a", "1"), ("sad", "2"), "1 23 false"),
        ] {
            let found = find_change(&planned, &first(), &now);
            assert!(matches!(found, Some(Change::Name(_))), "{found:?}");
            assert_eq!(find_change(&planned, &known(now.clone()), &now), None);
        }
    }

    #[test]
    fn another_type_is_never_read_again() {
        let planned = versions(("a", "1"), ("sad", "1"), "1 23 false");
        for (now, owner, what) in [
            (
                versions(("a", "1"), ("glad", "2"), "1 23 false"),
                20,
                "label \"sad\" is now \"glad\"",
            ),
            (
                versions(("b", "2"), ("sad", "1"), "1 23 true"),
                3,
                "its attributes are different",
            ),
        ] {
            let expected = Change::Type(Oid(owner), what.to_owned());
            let found = find_change(&planned, &known(planned.clone()), &now);
            assert_eq!(found.as_ref(), Some(&expected));
            let found = find_change(&planned, &known(now.clone()), &now);
            assert_eq!(found, Some(expected), "also when it was known before");
        }
    }

    #[test]
    fn a_new_label_and_what_others_depend_on_do_not_matter() {
        let planned = versions(("a", "1"), ("sad", "1"), "1 23 false");
        let mut now = planned.clone();
        now.insert((Kind::Label, Oid(9)), row(20, "new", "3"));
        assert_eq!(find_change(&planned, &known(planned.clone()), &now), None);
        let other = KnownVersions {
            objects: WatchedObjects::default(),
            ..known(planned.clone())
        };
        assert_eq!(find_change(&planned, &other, &RowVersions::new()), None);
    }
}
