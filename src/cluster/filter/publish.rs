//! What a publication needs to know of a predicate: its columns, and why no publication can have it.

use crate::cluster::filter::Failure;
use crate::cluster::filter::parse::{refused, try_describe};
use crate::cluster::filter::place::FilteredTable;
use crate::connect::{self, Session};
use crate::pg::{Ident, Sql, SqlState};
use crate::predicate::{Predicate, Words};
use crate::selection::NotPublishable;
use crate::sql;

/// Columns that every table has.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];

impl FilteredTable<'_> {
    /// Finds the columns that a predicate reads: without one of them it cannot be parsed.
    pub(super) async fn find_columns(
        &self,
        session: &Session,
        predicate: &Predicate,
    ) -> Result<Vec<Ident>, Failure> {
        let all = self.load_columns(session, &[]).await?;
        let names = predicate.words().names;
        let mut read = Vec::new();
        for column in all.iter().filter(|column| names.contains(column.as_str())) {
            let others: Vec<&Ident> = all.iter().filter(|other| *other != column).collect();
            if !self.parses_with(session, predicate, &others).await? {
                read.push(column.clone());
            }
        }
        Ok(read)
    }

    /// Whether the server understands the predicate on a table that has only these columns.
    async fn parses_with(
        &self,
        session: &Session,
        predicate: &Predicate,
        columns: &[&Ident],
    ) -> Result<bool, Failure> {
        let select = sql!(
            "SELECT 1 FROM (SELECT {} {}) AS {} WHERE {}",
            Sql::join(columns, ", "),
            self.render_from(),
            self.name.name,
            predicate
        );
        match try_describe(session, &select).await? {
            Ok(_) => Ok(true),
            Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_COLUMN) => Ok(false),
            // Without the column its name is that of a function of the row, or of the row itself.
            Err(error)
                if error
                    .answer()
                    .is_some_and(|answer| answer.code.class() == "42") =>
            {
                Ok(false)
            }
            Err(error) => Err(refused(error, &Sql::default(), predicate)),
        }
    }

    /// Finds why no publication can have a predicate, as far as that shows before the publication is created. What does
    /// not show here, the server refuses when the publication is created, which is before anything else is written.
    pub(super) async fn find_unpublishable(
        &self,
        session: &Session,
        predicate: &Predicate,
        columns: &[Ident],
    ) -> Result<Option<NotPublishable>, connect::Error> {
        if predicate.has_query() {
            return Ok(Some(NotPublishable::Query));
        }
        let words = predicate.words();
        let is_column = |name: &str| columns.iter().any(|column| column.as_str() == name);
        let system = SYSTEM_COLUMNS
            .iter()
            .find(|name| words.names.contains(**name));
        if let Some(name) = system.filter(|name| !is_column(name)) {
            return Ok(Some(NotPublishable::SystemColumn((*name).to_owned())));
        }
        if predicate.reads_whole_row(self.name.name.as_str()) && !is_column(self.name.name.as_str())
        {
            return Ok(Some(NotPublishable::WholeRow));
        }
        self.find_function(session, &words).await
    }

    /// Finds a function that is not the server's own, or of whose forms none is immutable.
    async fn find_function(
        &self,
        session: &Session,
        words: &Words,
    ) -> Result<Option<NotPublishable>, connect::Error> {
        let sql = Sql::fixed(
            "SELECT p.proname::pg_catalog.text, \
                    pg_catalog.bool_or(n.nspname = 'pg_catalog') AS is_own, \
                    pg_catalog.bool_or(n.nspname = 'pg_catalog' AND p.provolatile = 'i') AS is_immutable \
               FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
              WHERE p.proname = ANY ($1::pg_catalog.text[]) GROUP BY 1 ORDER BY 1",
        );
        let names: Vec<&str> = words.calls.iter().map(String::as_str).collect();
        let rows = session.query(&sql, &[&names]).await?;
        for row in rows {
            let name: String = row.get(0);
            if !row.get::<_, bool>(1) {
                return Ok(Some(NotPublishable::UserFunction(name)));
            }
            if !row.get::<_, bool>(2) {
                return Ok(Some(NotPublishable::NotImmutable(name)));
            }
        }
        Ok(None)
    }
}
