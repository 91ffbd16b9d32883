//! What names and types mean on the source while rows are read.
//!
//! A server resolves names, labels of enums and attributes of row types by the *latest* state of its
//! catalogs, whatever the snapshot. A lock on a table keeps its own name and columns, but neither
//! `ALTER SCHEMA … RENAME` nor `ALTER TYPE` waits for it: two schemas exchanged while rows travel
//! would exchange their tables' rows, without any error.
//!
//! So what the rows of a parcel depend on is looked at after the last of them, by a session that is in
//! no transaction and sees the latest state. Rows of the catalogs are compared by their *versions*: one
//! that was changed and changed back is another version. With the same versions before and after, a
//! name meant the same for the whole time in between; with others the parcel is repeated, by the
//! names of now. Types that differ from the snapshot's end the run: the target has been given the others.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_postgres::types::{ToSql, Type};

use super::plan::CopyJob;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::snapshot::point::establish::Basis;

/// See the module's documentation.
#[derive(Debug)]
pub(in crate::snapshot) struct Meanings {
    source: Endpoint,
    tables: HashMap<Oid, Watched>,
    types: HashMap<Oid, QualifiedName>,
    /// As the snapshot shows them.
    planned: Marks,
    /// As they were when they were last looked at.
    latest: Mutex<Marks>,
    session: Mutex<Option<Arc<Session>>>,
}

/// A table of which rows are read.
#[derive(Clone, Debug)]
struct Watched {
    name: QualifiedName,
    schema: Oid,
    enums: Vec<Oid>,
    /// Relations of row types.
    relations: Vec<Oid>,
    is_locked: bool,
}

/// What a row of a catalog is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Schema,
    Label,
    Attributes,
    Table,
}

/// A row of a catalog as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    /// The type that it belongs to.
    owner: Oid,
    value: String,
    version: String,
}

type Marks = HashMap<(Kind, Oid), Mark>;

/// What a few tables depend on.
#[derive(Clone, Debug, Default)]
struct Question {
    schemas: BTreeSet<Oid>,
    enums: BTreeSet<Oid>,
    relations: BTreeSet<Oid>,
    unlocked: BTreeSet<Oid>,
}

/// What was known before rows were read.
#[derive(Debug)]
pub(in crate::snapshot) struct Before {
    question: Question,
    marks: Marks,
    /// Tables whose schema has another name now than at the snapshot.
    pub(in crate::snapshot) renamed: HashMap<Oid, QualifiedName>,
}

/// How two looks compare.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// A schema, a label or an unlocked table may have had another name in between.
    Name(String),
    /// The type of this oid, or of this relation, is another one.
    Type(Oid, String),
    /// An unlocked table has another name.
    Table(Oid),
}

impl Meanings {
    /// Looks at what the rows of these tables depend on, at the snapshot and now.
    ///
    /// # Errors
    /// The source cannot be asked, or a type has changed since the snapshot.
    pub(in crate::snapshot) async fn load(
        source: &Endpoint,
        basis: &Basis,
        jobs: &[CopyJob],
    ) -> Result<Self, Error> {
        let mut meanings = Self {
            source: source.clone(),
            tables: HashMap::new(),
            types: HashMap::new(),
            planned: Marks::new(),
            latest: Mutex::default(),
            session: Mutex::default(),
        };
        if jobs.is_empty() {
            return Ok(meanings);
        }
        let (reader, session) =
            tokio::try_join!(basis.hold.lease.session(), meanings.open_session())?;
        drop(session);
        let unlocked = basis.hold.unlocked.iter().map(|table| table.oid).collect();
        let watching = meanings.watch(&reader, jobs, &unlocked).await;
        let question = watching.map_err(Error::Lease)?;
        meanings.planned = question.ask(&reader).await.map_err(Error::Lease)?;
        let latest = meanings.ask(&question).await?;
        meanings.latest().extend(latest);
        // Nothing has been read: only what has other types now than at the snapshot is wrong.
        let oids: Vec<Oid> = meanings.tables.keys().copied().collect();
        let before = meanings.before(&oids);
        meanings.judge(change(&meanings.planned, &before, &before.marks))?;
        Ok(meanings)
    }

    /// Notes which schema and types each table has; what all depend on.
    async fn watch(
        &mut self,
        reader: &Session,
        jobs: &[CopyJob],
        unlocked: &BTreeSet<Oid>,
    ) -> Result<Question, connect::Error> {
        let oids: Vec<u32> = jobs.iter().map(|job| job.oid.0).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&oids, Type::OID_ARRAY)];
        let schemas =
            Sql::fixed("SELECT oid, relnamespace FROM pg_catalog.pg_class WHERE oid = ANY ($1)");
        let rows = reader.query_typed(&schemas, &parameters).await?;
        let schemas: HashMap<Oid, Oid> = rows
            .iter()
            .map(|row| (Oid(row.get(0)), Oid(row.get(1))))
            .collect();
        let watched = jobs.iter().map(|job| Watched {
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
        Ok(self.question(self.tables.keys()))
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

    fn question<'a>(&self, tables: impl Iterator<Item = &'a Oid>) -> Question {
        let mut question = Question::default();
        for oid in tables {
            let Some(table) = self.tables.get(oid) else {
                continue;
            };
            question.schemas.insert(table.schema);
            question.enums.extend(&table.enums);
            question.relations.extend(&table.relations);
            if !table.is_locked {
                question.unlocked.insert(*oid);
            }
        }
        question
    }

    fn latest(&self) -> MutexGuard<'_, Marks> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of some tables right before their rows are read.
    pub(in crate::snapshot) fn before(&self, tables: &[Oid]) -> Before {
        let question = self.question(tables.iter());
        let latest = self.latest();
        let marks: Marks = latest
            .iter()
            .filter(|((kind, oid), mark)| question.covers(*kind, *oid, mark.owner))
            .map(|(key, mark)| (*key, mark.clone()))
            .collect();
        let renamed = |oid: &Oid| {
            let table = self.tables.get(oid)?;
            let schema = &marks.get(&(Kind::Schema, table.schema))?.value;
            let now = QualifiedName {
                schema: Ident::from_catalog(schema.clone()),
                name: table.name.name.clone(),
            };
            (now != table.name).then_some((*oid, now))
        };
        Before {
            renamed: tables.iter().filter_map(renamed).collect(),
            question,
            marks,
        }
    }

    /// Makes sure that rows that were read since then are those of the tables and types that were meant.
    ///
    /// # Errors
    /// [`Error::Renamed`]: they may be others, and may be read again by the names of now;
    /// [`Error::TypeChanged`]: they are not what the target has a type for; or the source cannot be asked.
    pub(in crate::snapshot) async fn check(&self, before: &Before) -> Result<(), Error> {
        let now = self.ask(&before.question).await?;
        let change = change(&self.planned, before, &now);
        self.latest().extend(now);
        self.judge(change)
    }

    fn judge(&self, change: Option<Change>) -> Result<(), Error> {
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

    /// Asks a session that sees the latest state; a lost one is replaced by the next question.
    async fn ask(&self, question: &Question) -> Result<Marks, Error> {
        let session = self.open_session().await?;
        let asked = question.ask(&session).await;
        if asked.is_err() {
            self.close();
        }
        asked.map_err(Error::Lease)
    }

    async fn open_session(&self) -> Result<Arc<Session>, Error> {
        let known = self.session().clone();
        if let Some(session) = known {
            return Ok(session);
        }
        let session = self.source.session(Purpose::Introspect).await;
        let session = Arc::new(session.map_err(Error::Connect)?);
        *self.session() = Some(Arc::clone(&session));
        Ok(session)
    }

    fn session(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the session; another question opens one again.
    pub(in crate::snapshot) fn close(&self) {
        *self.session() = None;
    }
}

impl Question {
    fn covers(&self, kind: Kind, oid: Oid, owner: Oid) -> bool {
        match kind {
            Kind::Schema => self.schemas.contains(&oid),
            Kind::Label => self.enums.contains(&owner),
            Kind::Attributes => self.relations.contains(&oid),
            Kind::Table => self.unlocked.contains(&oid),
        }
    }

    async fn ask(&self, session: &Session) -> Result<Marks, connect::Error> {
        let oids = |set: &BTreeSet<Oid>| set.iter().map(|oid| oid.0).collect::<Vec<u32>>();
        let lists = [&self.schemas, &self.enums, &self.relations, &self.unlocked].map(oids);
        let parameters = lists
            .each_ref()
            .map(|list| (list as &(dyn ToSql + Sync), Type::OID_ARRAY));
        let sql = Sql::fixed(include_str!("sql/meanings.sql"));
        let rows = session.query_typed(&sql, &parameters).await?;
        let mark = |row: &tokio_postgres::Row| {
            let kind = match row.get(0) {
                "schema" => Kind::Schema,
                "label" => Kind::Label,
                "attributes" => Kind::Attributes,
                _ => Kind::Table,
            };
            let mark = Mark {
                owner: Oid(row.get(2)),
                value: row.get(3),
                version: row.get(4),
            };
            ((kind, Oid(row.get(1))), mark)
        };
        Ok(rows.iter().map(mark).collect())
    }
}

/// The first change that matters. Types come first: no repetition helps there.
fn change(planned: &Marks, before: &Before, now: &Marks) -> Option<Change> {
    let concerned = planned
        .iter()
        .filter(|((kind, oid), mark)| before.question.covers(*kind, *oid, mark.owner));
    for (key, mark) in concerned.clone() {
        let found = now.get(key);
        let differs = found.is_none_or(|found| found.value != mark.value);
        match key.0 {
            Kind::Label | Kind::Attributes if differs => {
                return Some(Change::Type(mark.owner, change_of(mark, found)));
            }
            Kind::Table if differs => return Some(Change::Table(key.1)),
            Kind::Schema | Kind::Label | Kind::Attributes | Kind::Table => {}
        }
    }
    let is_same = |key: &(Kind, Oid)| now.get(key) == before.marks.get(key);
    let (key, mark) = concerned.clone().find(|(key, _)| !is_same(key))?;
    let what = match key.0 {
        Kind::Schema => format!("schema {}", Ident::from_catalog(mark.value.clone())),
        Kind::Label | Kind::Attributes => "a type".to_owned(),
        Kind::Table => "a table without a lock".to_owned(),
    };
    Some(Change::Name(what))
}

fn change_of(planned: &Mark, now: Option<&Mark>) -> String {
    match now {
        None => "it is gone".to_owned(),
        // The text of a row type is a list of numbers.
        Some(_) if planned.version.is_empty() => "its attributes are others".to_owned(),
        Some(now) => format!("label {:?} is now {:?}", planned.value, now.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(owner: u32, value: &str, version: &str) -> Mark {
        Mark {
            owner: Oid(owner),
            value: value.to_owned(),
            version: version.to_owned(),
        }
    }

    fn marks(schema: (&str, &str), label: (&str, &str), attributes: &str) -> Marks {
        Marks::from([
            ((Kind::Schema, Oid(1)), mark(1, schema.0, schema.1)),
            ((Kind::Label, Oid(2)), mark(20, label.0, label.1)),
            ((Kind::Attributes, Oid(3)), mark(3, attributes, "")),
        ])
    }

    fn before(marks: Marks) -> Before {
        let of = |oid| BTreeSet::from([Oid(oid)]);
        Before {
            question: Question {
                schemas: of(1),
                enums: of(20),
                relations: of(3),
                unlocked: BTreeSet::new(),
            },
            marks,
            renamed: HashMap::new(),
        }
    }

    #[test]
    fn what_was_changed_and_changed_back_is_not_the_same() {
        let planned = marks(("a", "1"), ("sad", "1"), "1 23 false");
        let first = || before(planned.clone());
        assert_eq!(change(&planned, &first(), &planned), None);
        for now in [
            marks(("b", "2"), ("sad", "1"), "1 23 false"),
            marks(("a", "2"), ("sad", "1"), "1 23 false"),
            marks(("a", "1"), ("sad", "2"), "1 23 false"),
        ] {
            let found = change(&planned, &first(), &now);
            assert!(matches!(found, Some(Change::Name(_))), "{found:?}");
            assert_eq!(change(&planned, &before(now.clone()), &now), None);
        }
    }

    #[test]
    fn another_type_is_never_read_again() {
        let planned = marks(("a", "1"), ("sad", "1"), "1 23 false");
        for (now, owner, what) in [
            (
                marks(("a", "1"), ("glad", "2"), "1 23 false"),
                20,
                "label \"sad\" is now \"glad\"",
            ),
            (
                marks(("b", "2"), ("sad", "1"), "1 23 true"),
                3,
                "its attributes are others",
            ),
        ] {
            let expected = Change::Type(Oid(owner), what.to_owned());
            let found = change(&planned, &before(planned.clone()), &now);
            assert_eq!(found.as_ref(), Some(&expected));
            let found = change(&planned, &before(now.clone()), &now);
            assert_eq!(found, Some(expected), "also when it was known before");
        }
    }

    #[test]
    fn a_new_label_and_what_others_depend_on_do_not_matter() {
        let planned = marks(("a", "1"), ("sad", "1"), "1 23 false");
        let mut now = planned.clone();
        now.insert((Kind::Label, Oid(9)), mark(20, "new", "3"));
        assert_eq!(change(&planned, &before(planned.clone()), &now), None);
        let other = Before {
            question: Question::default(),
            ..before(planned.clone())
        };
        assert_eq!(change(&planned, &other, &Marks::new()), None);
    }
}
