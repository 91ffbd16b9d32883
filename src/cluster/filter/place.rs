//! A table that a filter is for, and the questions to the source about it.

use crate::cluster::filter::Failure;
use crate::cluster::filter::fault::FilterFaultReason;
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql, SqlState};
use crate::sql;

/// Types of dates and times of the server's own.
pub(super) const DATE: Oid = Oid(1082);
pub(super) const TIME: Oid = Oid(1083);
pub(super) const TIMESTAMP: Oid = Oid(1114);
pub(super) const TIMESTAMPTZ: Oid = Oid(1184);
pub(super) const TIMETZ: Oid = Oid(1266);

/// Types of columns that a time filter can be on.
const TIME_TYPES: [Oid; 3] = [DATE, TIMESTAMP, TIMESTAMPTZ];

/// A table that a filter is for.
pub(super) struct FilteredTable<'a> {
    pub(super) name: &'a QualifiedName,
    /// Whether it has no rows of its own.
    is_partitioned: bool,
}

impl<'a> FilteredTable<'a> {
    pub(super) async fn load(
        session: &Session,
        name: &'a QualifiedName,
    ) -> Result<Self, connect::Error> {
        let sql = Sql::fixed(
            "SELECT c.relkind = 'p' FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
              WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text",
        );
        let parameters = [name.schema.as_str(), name.name.as_str()];
        let row = session
            .query(&sql, &[&parameters[0], &parameters[1]])
            .await?;
        Ok(Self {
            name,
            is_partitioned: row.first().is_some_and(|row| row.get(0)),
        })
    }

    /// Renders `FROM` with the name by which a predicate calls the table.
    pub(super) fn render_from(&self) -> Sql {
        // Of a partitioned table alone there are no rows, and the planner would look no further.
        let only = Sql::fixed(if self.is_partitioned { "" } else { "ONLY " });
        sql!("FROM {}{} AS {}", only, self.name, self.name.name)
    }

    /// Checks that a column has a date or a timestamp.
    pub(super) async fn check_time_column(
        &self,
        session: &Session,
        column: &Ident,
    ) -> Result<(), Failure> {
        let described = session
            .describe(&sql!("SELECT {} {}", column, self.render_from()))
            .await;
        let of_type = match described {
            Ok(description) => description.columns.first().copied().unwrap_or_default(),
            Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_COLUMN) => {
                session
                    .batch(&Sql::fixed("ROLLBACK; BEGIN READ ONLY"))
                    .await?;
                let candidates = self.load_time_columns(session).await?;
                let column = column.clone();
                return Err(FilterFaultReason::NoColumn { column, candidates }.into());
            }
            Err(error) => return Err(error.into()),
        };
        if TIME_TYPES.contains(&of_type) {
            return Ok(());
        }
        let name = Sql::fixed("SELECT pg_catalog.format_type($1, NULL)");
        let row = session.query_one(&name, &[&of_type.0]).await?;
        Err(FilterFaultReason::TimeColumn {
            column: column.clone(),
            type_name: row.get(0),
            candidates: self.load_time_columns(session).await?,
        }
        .into())
    }

    async fn load_time_columns(&self, session: &Session) -> Result<Vec<String>, connect::Error> {
        let columns = self.load_columns(session, &TIME_TYPES).await?;
        Ok(columns.iter().map(ToString::to_string).collect())
    }

    /// The columns of these types, or all if no type is given.
    pub(super) async fn load_columns(
        &self,
        session: &Session,
        types: &[Oid],
    ) -> Result<Vec<Ident>, connect::Error> {
        let sql = Sql::fixed(
            "SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a \
               JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
              WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text \
                AND a.attnum > 0 AND NOT a.attisdropped \
                AND (a.atttypid = ANY ($3::pg_catalog.oid[]) OR pg_catalog.cardinality($3) = 0) \
              ORDER BY a.attnum",
        );
        let parameters = [self.name.schema.as_str(), self.name.name.as_str()];
        let types: Vec<u32> = types.iter().map(|one| one.0).collect();
        let rows = session
            .query(&sql, &[&parameters[0], &parameters[1], &types])
            .await?;
        let names = rows
            .iter()
            .map(|row| Ident::from_catalog(row.get::<_, String>(0)));
        Ok(names.collect())
    }
}
