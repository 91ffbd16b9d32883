//! Our publication on the source: an explicit list of tables, never FOR ALL TABLES. A table created later
//! would break its own updates without an identity, and the target's apply without a table.

use std::collections::BTreeSet;

use super::identity::Published;
use super::mark::{FormerIdentity, Mark};
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Session};
use crate::pg::{Ident, Literal, Oid, QualifiedName, ServerVersion, Sql, SqlState};
use crate::sql;

/// The publication's name in every database, unless another one is asked for.
pub const PUBLICATION: &str = "seren_replication_pub";

/// Tables that one statement adds: each holds a lock until its end, and the lock table is shared.
const BATCH_TABLES: usize = 500;

/// Text of one statement, in bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// How many tables a difference names.
const NAMED: usize = 5;

/// What a publication lists, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its tables.
    pub tables: BTreeSet<QualifiedName>,
    /// Whether changes of partitions are sent as the root's.
    pub via_root: bool,
}

impl Definition {
    /// What is to be published, on a server of this version.
    pub fn new(published: &Published, version: ServerVersion) -> Self {
        Self {
            tables: published.tables.clone(),
            via_root: version.has_publish_via_root(),
        }
    }

    /// A digest of it, independent of any order.
    pub fn digest(&self) -> String {
        let mut text = format!("{}", self.via_root);
        for table in &self.tables {
            for part in [&table.schema, &table.name] {
                text.push('\0');
                text.push_str(part.as_str());
            }
        }
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

/// A publication that exists under our name, or with a mark of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPublication {
    /// Its name.
    pub name: Ident,
    /// Whose it is, if it is a run's.
    pub mark: Option<Mark>,
    /// The tables that it lists, by oid: a renamed table stays the same.
    pub oids: BTreeSet<Oid>,
    definition: Definition,
    /// What no publication of ours has.
    oddities: Vec<&'static str>,
}

impl FoundPublication {
    /// An unmarked publication of tables with these oids, as we create it.
    #[cfg(test)]
    pub(crate) fn plain(name: Ident, oids: impl Iterator<Item = u32>) -> Self {
        let tables = BTreeSet::new();
        Self {
            name,
            mark: None,
            oids: oids.map(Oid).collect(),
            definition: Definition {
                tables,
                via_root: true,
            },
            oddities: Vec::new(),
        }
    }

    /// Its definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Which of its options are not those that are wanted.
    pub fn odd_options(&self, via_root: bool) -> Vec<String> {
        let mut found: Vec<String> = self.oddities.iter().map(ToString::to_string).collect();
        if self.definition.via_root != via_root {
            let has = self.definition.via_root;
            found.push(format!("publish_via_partition_root is {has}"));
        }
        found
    }

    /// What differs from the definition that is wanted; nothing: it may serve.
    pub fn differences(&self, wanted: &Definition) -> Vec<String> {
        let mut found = self.odd_options(wanted.via_root);
        let (has, wants) = (&self.definition.tables, &wanted.tables);
        found.extend(name_tables("lacks", wants.difference(has)));
        found.extend(name_tables("has also", has.difference(wants)));
        found
    }
}

fn name_tables<'a>(what: &str, tables: impl Iterator<Item = &'a QualifiedName>) -> Option<String> {
    let names: Vec<String> = tables.map(ToString::to_string).collect();
    let more = names.len().saturating_sub(NAMED);
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| format!("{what} {}{rest}", first.join(", ")))
}

/// Looks for the publication of this name in the session's database.
///
/// # Errors
/// The server refused the question.
pub async fn find_publication(
    session: &Session,
    name: &Ident,
) -> Result<Option<FoundPublication>, connect::Error> {
    let found = load_publications(session, Some(name)).await?;
    Ok(found.into_iter().next())
}

/// Finds all publications in the session's database that runs have marked, by name.
///
/// # Errors
/// The server refused the question.
pub async fn find_marked(session: &Session) -> Result<Vec<FoundPublication>, connect::Error> {
    let found = load_publications(session, None).await?;
    Ok(found.into_iter().filter(|one| one.mark.is_some()).collect())
}

async fn load_publications(
    session: &Session,
    name: Option<&Ident>,
) -> Result<Vec<FoundPublication>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/publication.sql"));
    let rows = session.query(&sql, &[&name.map(Ident::as_str)]).await?;
    Ok(rows.iter().map(read_publication).collect())
}

fn read_publication(row: &tokio_postgres::Row) -> FoundPublication {
    let comment: Option<String> = row.get("comment");
    let schemas: Vec<String> = row.get("table_schemas");
    let names: Vec<String> = row.get("table_names");
    let oids: Vec<u32> = row.get("table_oids");
    let tables = schemas.into_iter().zip(names);
    FoundPublication {
        name: Ident::from_catalog(row.get::<_, String>("name")),
        mark: comment.as_deref().and_then(Mark::parse),
        oids: oids.into_iter().map(Oid).collect(),
        definition: Definition {
            tables: tables
                .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
                .collect(),
            via_root: row.get("via_root"),
        },
        oddities: read_oddities(row),
    }
}

/// Which options no publication of ours has.
fn read_oddities(row: &tokio_postgres::Row) -> Vec<&'static str> {
    let all_operations: bool = row.get("all_operations");
    let odd = [
        (row.get("all_tables"), "is for all tables"),
        (row.get("schemas"), "is for whole schemas"),
        (row.get("narrowed"), "narrows rows or columns"),
        (row.get("generated_columns"), "sends generated columns"),
        (!all_operations, "does not send every operation"),
    ];
    odd.into_iter()
        .filter_map(|(is_odd, text)| is_odd.then_some(text))
        .collect()
}

/// Creates the publication, empty and with its mark, so that it is known as ours after any failure. Then it
/// sets the identities, since a published table without one cannot be updated. The tables come last. Each
/// statement holds its locks for itself, and is repeated where another session's lock is in its way.
///
/// # Errors
/// The server refused a statement, or waited for a lock for too long; what was created so far stays.
pub async fn create_publication(
    session: &Session,
    name: &Ident,
    wanted: &Definition,
    mark: &Mark,
) -> Result<(), connect::Error> {
    let mut create = sql!(
        "CREATE PUBLICATION {} WITH (publish = 'insert, update, delete, truncate'",
        name
    );
    if wanted.via_root {
        create.push(&Sql::fixed(", publish_via_partition_root = true"));
    }
    // One message of the simple protocol is one transaction.
    session
        .batch(&sql!("{}); {}", create, render_comment(name, mark)))
        .await?;
    set_full(session, &mark.identities).await?;
    alter_tables(session, name, "ADD", &wanted.tables).await
}

/// Gives tables the whole row as their identity. Their former identities must be in the mark already.
///
/// # Errors
/// The server refused a statement.
pub(super) async fn set_full(
    session: &Session,
    tables: &[FormerIdentity],
) -> Result<(), connect::Error> {
    let full =
        |former: &FormerIdentity| sql!("ALTER TABLE ONLY {} REPLICA IDENTITY FULL", former.table());
    alter_identities(session, tables.iter().map(full)).await
}

/// Adds or drops tables in few statements, or one by one where the server's lock table is small.
pub(super) async fn alter_tables(
    session: &Session,
    name: &Ident,
    verb: &'static str,
    tables: &BTreeSet<QualifiedName>,
) -> Result<(), connect::Error> {
    let mode = LockMode::ShareUpdateExclusive;
    let mut wait = LockWait::new(
        session.endpoint(),
        mode,
        "locks on tables of the publication",
    );
    for batch in split_batches(tables) {
        let done = wait
            .execute_when_unlocked(session, &render_alter(name, verb, &batch))
            .await;
        match done {
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
                for one in &batch {
                    let alone = render_alter(name, verb, std::slice::from_ref(one));
                    wait.execute_when_unlocked(session, &alone).await?;
                }
            }
            other => other?,
        }
    }
    Ok(())
}

/// Writes a mark.
///
/// # Errors
/// The server refused the statement.
pub(super) async fn mark_publication(
    session: &Session,
    name: &Ident,
    mark: &Mark,
) -> Result<(), connect::Error> {
    session.batch(&render_comment(name, mark)).await
}

fn render_comment(name: &Ident, mark: &Mark) -> Sql {
    sql!(
        "COMMENT ON PUBLICATION {} IS {}",
        name,
        Literal(&mark.text())
    )
}

/// Removes the publication and brings the identities back that were changed for it. The mark goes
/// last: it is the only place that knows them.
///
/// # Errors
/// The server refused a statement; repeating continues.
pub async fn remove_publication(
    session: &Session,
    found: &FoundPublication,
) -> Result<(), connect::Error> {
    let identities = found.mark.iter().flat_map(|mark| &mark.identities);
    let identities: Vec<&FormerIdentity> = identities.collect();
    if !identities.is_empty() {
        // A table that is still published could not be updated without the identity.
        alter_tables(session, &found.name, "DROP", &found.definition.tables).await?;
        let changed = load_full_identities(session).await?;
        let present = identities
            .iter()
            .filter(|one| changed.contains(&one.table()));
        alter_identities(session, present.map(|one| one.render_restore())).await?;
    }
    let mode = LockMode::ShareUpdateExclusive;
    let mut wait = LockWait::new(session.endpoint(), mode, "locks to drop the publication");
    let drop = drop_statement(&found.name);
    match wait.execute_when_unlocked(session, &drop).await {
        // To drop it as a whole takes a lock for every table.
        Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
            alter_tables(session, &found.name, "DROP", &found.definition.tables).await?;
            wait.execute_when_unlocked(session, &drop).await
        }
        other => other,
    }
}

/// The statement that removes the publication.
pub fn drop_statement(name: &Ident) -> Sql {
    sql!("DROP PUBLICATION IF EXISTS {}", name)
}

/// The tables whose identity is the whole row now.
async fn load_full_identities(
    session: &Session,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE c.relreplident = 'f'",
    );
    let rows = session.query(&sql, &[]).await?;
    let names = rows
        .iter()
        .map(|row| QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1)));
    Ok(names.collect())
}

/// Changes identities one by one. Whoever reads or writes a table waits behind the change while that waits
/// for its lock: on a source in use it waits shortly, and again.
async fn alter_identities(
    session: &Session,
    statements: impl Iterator<Item = Sql>,
) -> Result<(), connect::Error> {
    let mode = LockMode::AccessExclusive;
    let what = "locks on tables that get another replica identity";
    for statement in statements {
        let mut wait = LockWait::new(session.endpoint(), mode, what);
        wait.execute_when_unlocked(session, &statement).await?;
    }
    Ok(())
}

/// Tables as statements name them, as many to a batch as one statement may change.
fn split_batches(tables: &BTreeSet<QualifiedName>) -> Vec<Vec<Sql>> {
    let mut batches = Vec::new();
    let mut batch: Vec<Sql> = Vec::new();
    let mut bytes = 0;
    for table in tables {
        let one = sql!("ONLY {}", table);
        bytes += one.as_str().len();
        batch.push(one);
        if batch.len() == BATCH_TABLES || bytes >= BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn render_alter(name: &Ident, verb: &'static str, tables: &[Sql]) -> Sql {
    let verb = Sql::fixed(verb);
    sql!(
        "ALTER PUBLICATION {} {} TABLE {}",
        name,
        verb,
        Sql::join(tables, ", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(names: &[&str], via_root: bool) -> Definition {
        let table = |name: &&str| QualifiedName::from_catalog("s", *name);
        Definition {
            tables: names.iter().map(table).collect(),
            via_root,
        }
    }

    #[test]
    fn ten_thousand_tables_take_few_statements() {
        let table = |n: usize| QualifiedName::from_catalog("public", format!("table_{n}"));
        let tables: BTreeSet<_> = (0..10_000).map(table).collect();
        assert_eq!(split_batches(&tables).len(), 20);
        assert!(split_batches(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn names_are_quoted() {
        let batches = split_batches(&definition(&["a\"; DROP"], true).tables);
        assert_eq!(
            render_alter(&Ident::from_catalog(PUBLICATION), "ADD", &batches[0]).as_str(),
            r#"ALTER PUBLICATION "seren_replication_pub" ADD TABLE ONLY "s"."a""; DROP""#
        );
    }

    #[test]
    fn every_difference_is_told() {
        let found = FoundPublication {
            name: Ident::from_catalog(PUBLICATION),
            mark: None,
            oids: BTreeSet::new(),
            definition: definition(&["a", "b"], false),
            oddities: vec!["narrows rows or columns"],
        };
        assert_eq!(
            found.differences(&definition(&["b", "c"], true)),
            [
                "narrows rows or columns",
                "publish_via_partition_root is false",
                "lacks s.c",
                "has also s.a"
            ]
        );
        let same = FoundPublication {
            oddities: Vec::new(),
            ..found
        };
        assert!(same.differences(&definition(&["a", "b"], false)).is_empty());
    }

    #[test]
    fn the_digest_tells_names_apart() {
        let split = |schema: &str, name: &str| {
            let tables = BTreeSet::from([QualifiedName::from_catalog(schema, name)]);
            let via_root = true;
            Definition { tables, via_root }.digest()
        };
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_eq!(split("a", "b"), split("a", "b"));
    }
}
