//! Which objects of a target database are ours, by the journal of our transactions in it.
//!
//! The journal ([`JOURNAL_SCHEMA`]) is created before the first definition, and every transaction of the
//! engine enters itself. After a crash or `kill -9` it shows exactly what was committed: a catalog row of
//! another transaction is a user's object, or one of ours that a user has altered. Neither is removed.
//!
//! The journal is dropped when the database is complete, before event triggers are created, which would
//! fire. From then on a *seal* takes its place: a digest over all objects and their transactions, on our
//! disk before the journal goes. A database that still matches it holds what we made, and nothing else.

use serde::{Deserialize, Serialize};

use crate::checkpoint::Origin;
use crate::connect::{self, Endpoint, JOURNAL_SCHEMA, Purpose, Session};
use crate::pg::{Ident, Literal, Sql};
use crate::sql;

use crate::migrate::error::Error;
use crate::pg::Side;

/// How many objects a message names.
const NAMED: i64 = 3;

/// Objects that this run did not create, or that were changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// How many.
    pub(super) count: i64,
    /// Some of them, by kind and name.
    pub(super) named: Vec<String>,
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.named.join(", "))?;
        let more = self.count - i64::try_from(self.named.len()).unwrap_or(i64::MAX);
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        Ok(())
    }
}

/// Which run fills a database, and how the database came about. It is the comment of the journal's schema, so
/// that who adopts the run knows what it has created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filling {
    /// The run's number.
    pub(super) run: String,
    /// The oid of the database: a copy of the database has the journal, too.
    pub(super) database: u32,
    /// How the database came about.
    pub(super) origin: Origin,
}

impl Filling {
    /// Reads it in the session's database; none where no journal is, or an older version began it.
    ///
    /// # Errors
    /// The target cannot be asked.
    pub(super) async fn load(session: &Session) -> Result<Option<Self>, connect::Error> {
        if !journal_exists(session).await? {
            return Ok(None);
        }
        let ask = Sql::fixed(
            "SELECT pg_catalog.obj_description(pg_catalog.to_regnamespace('seren_replicator_run'), 'pg_namespace')",
        );
        let row = session.query_one(&ask, &[]).await?;
        let comment: Option<&str> = row.get(0);
        Ok(comment.and_then(|comment| serde_json::from_str(comment).ok()))
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are JSON")
    }
}

/// A journal in a database of which no local state is known: an interrupted run has left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InterruptedRun {
    /// The run's number, unless an older version began it.
    number: Option<String>,
}

impl std::fmt::Display for InterruptedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.number.iter();
        let number: String = number.map(|number| format!(" {number}")).collect();
        write!(
            f,
            "it is the incomplete copy of interrupted run{number}, whose journal is its schema {JOURNAL_SCHEMA}"
        )
    }
}

/// Reads which interrupted run has left its journal in the session's database, if there is one.
///
/// # Errors
/// The target cannot be asked.
pub(super) async fn load_interrupted_run(
    session: &Session,
) -> Result<Option<InterruptedRun>, connect::Error> {
    if !journal_exists(session).await? {
        return Ok(None);
    }
    let filling = Filling::load(session).await?;
    let number = filling.map(|filling| filling.run);
    Ok(Some(InterruptedRun { number }))
}

/// Creates the journal of this run's work. What exists already counts as known where `is_used`: a database in
/// which only extensions and the like exist.
///
/// # Errors
/// The target refuses.
pub(super) async fn open_journal(
    session: &Session,
    is_used: bool,
    filling: Option<&Filling>,
) -> Result<(), connect::Error> {
    let schema = Ident::from_catalog(JOURNAL_SCHEMA);
    let mut create = sql!(
        "BEGIN; DROP SCHEMA IF EXISTS {} CASCADE; CREATE SCHEMA {}; \
         CREATE TABLE {}.transactions (id pg_catalog.xid NOT NULL)",
        schema,
        schema,
        schema
    );
    if let Some(filling) = filling {
        let text = filling.text();
        create.push(&sql!(
            "; COMMENT ON SCHEMA {} IS {}",
            schema,
            Literal(&text)
        ));
    }
    if is_used {
        create.push(&sql!("; INSERT INTO {}.transactions ", schema));
        create.push(&render_objects_query(" SELECT DISTINCT maker FROM found"));
    }
    create.push(&Sql::fixed("; COMMIT"));
    finish_transaction(session, session.batch(&create).await).await
}

/// Drops the journal of a database that is not filled after all.
pub(super) async fn discard_journal(session: &Session) -> Result<(), connect::Error> {
    let schema = Ident::from_catalog(JOURNAL_SCHEMA);
    let drop = sql!("DROP SCHEMA IF EXISTS {} CASCADE", schema);
    session.batch(&drop).await
}

/// Drops the journal once `record` has the seal on disk.
///
/// # Errors
/// The target or the record refuses; the journal then stays.
pub(super) async fn seal_journal(
    database: &Endpoint,
    record: impl FnOnce(String) -> Result<(), Error>,
) -> Result<(), Error> {
    let side = Side::Target;
    let session = database.session(Purpose::Build).await;
    let session = session.map_err(Error::connect(side))?;
    let sealing = async {
        session.batch(&Sql::fixed("BEGIN")).await?;
        discard_journal(&session).await?;
        load_digest(&session).await
    };
    let digest = sealing.await.map_err(Error::examine(side))?;
    record(digest)?;
    let committed = session.batch(&Sql::fixed("COMMIT")).await;
    committed.map_err(Error::examine(side))
}

/// The objects of the session's database that are not ours; `seal` is what was recorded when the journal
/// was dropped.
///
/// # Errors
/// The target cannot be asked.
pub(super) async fn find_foreign_objects(
    session: &Session,
    seal: Option<&str>,
) -> Result<Option<Foreign>, connect::Error> {
    if journal_exists(session).await? {
        return load_objects(
            session,
            " SELECT class, oid, sub, maker FROM found
               WHERE NOT (maker IN (SELECT id FROM seren_replicator_run.transactions)
                          OR first IS NOT NULL AND first IN (SELECT id FROM seren_replicator_run.transactions))",
        )
        .await;
    }
    if let Some(seal) = seal
        && load_digest(session).await? == seal
    {
        return Ok(None);
    }
    load_newest_objects(session).await
}

/// Whether the session's database has a journal.
pub(super) async fn journal_exists(session: &Session) -> Result<bool, connect::Error> {
    let ask = Sql::fixed(
        "SELECT pg_catalog.to_regclass('seren_replicator_run.transactions') IS NOT NULL",
    );
    Ok(session.query_one(&ask, &[]).await?.get(0))
}

/// A digest over all objects but event triggers, and the transactions that created them.
pub(super) async fn load_digest(session: &Session) -> Result<String, connect::Error> {
    let ask = render_objects_query(
        " SELECT pg_catalog.count(*) || ' ' || pg_catalog.md5(coalesce(pg_catalog.string_agg(
                 pg_catalog.concat_ws(' ', class, oid, sub, coalesce(first, maker)), ',' ORDER BY class, oid, sub), ''))
            FROM found WHERE class <> 'pg_catalog.pg_event_trigger'::pg_catalog.regclass",
    );
    Ok(session.query_one(&ask, &[]).await?.get(0))
}

/// All objects, the newest first.
pub(super) async fn load_newest_objects(
    session: &Session,
) -> Result<Option<Foreign>, connect::Error> {
    load_objects(session, " SELECT class, oid, sub, maker FROM found").await
}

/// Names the objects that a query on `found` chooses.
async fn load_objects(
    session: &Session,
    query: &'static str,
) -> Result<Option<Foreign>, connect::Error> {
    let mut ask = render_objects_query(", chosen AS (");
    ask.push(&Sql::fixed(query));
    ask.push(&sql!(
        ") SELECT (SELECT pg_catalog.count(*) FROM chosen), coalesce(i.type || ' ' || i.identity, 'a dropped object') \
           FROM (SELECT * FROM chosen \
                  ORDER BY sub <> 0, class <> 'pg_catalog.pg_class'::pg_catalog.regclass, pg_catalog.age(maker), oid \
                  LIMIT {}) c, \
                LATERAL pg_catalog.pg_identify_object(c.class, c.oid, c.sub) i",
        NAMED
    ));
    let rows = session.query(&ask, &[]).await?;
    Ok(rows.first().map(|first| Foreign {
        count: first.get(0),
        named: rows.iter().map(|row| row.get(1)).collect(),
    }))
}

fn render_objects_query(then: &'static str) -> Sql {
    let mut sql = Sql::fixed(include_str!("sql/objects.sql"));
    sql.push(&Sql::fixed(then));
    sql
}

/// Leaves no failed transaction behind.
async fn finish_transaction(
    session: &Session,
    done: Result<(), connect::Error>,
) -> Result<(), connect::Error> {
    if done.is_err()
        && let Err(error) = session.batch(&Sql::fixed("ROLLBACK")).await
    {
        tracing::debug!(%error, "a rollback did not reach the target");
    }
    done
}
