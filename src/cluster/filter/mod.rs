//! Row filters, as the source understands them.
//!
//! A predicate is parsed by the server in a read-only transaction, under the search path and the settings that it
//! will have in every later use. Then calls of the current time in it become constants, once. So `COPY`, publication
//! and comparison use the same predicate. Nothing here writes, and no row is read.

mod explain;
mod fault;
mod fold;
mod instant;
mod parse;
mod place;
mod publish;
mod share;

pub use fault::{FilterFault, FilterFaultReason};
pub use instant::RunInstant;
pub(crate) use share::{FilterShare, load_range_cost, load_share};

use crate::cluster::error::Error;
use crate::cluster::filter::place::FilteredTable;
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{QualifiedName, Side, Sql};
use crate::selection::{DateSettings, RowCondition, RowFilter, RowsRule, TableRule, TableRules};

/// The rules of a database whose filters the source has understood, and the faults of the others.
#[derive(Debug, Default)]
pub(crate) struct ResolvedFilters {
    pub(crate) rules: TableRules,
    pub(crate) faults: Vec<FilterFault>,
    /// Whether a filter depends on the instant of the run.
    pub(crate) uses_instant: bool,
}

impl ResolvedFilters {
    /// Rules among which there are no filters.
    pub(crate) fn without_filters(rules: &TableRules<RowCondition>) -> Self {
        Self {
            rules: rules.without_filters(),
            ..Self::default()
        }
    }
}

/// A filter, and whether it depends on the instant of the run.
struct ResolvedFilter {
    filter: RowFilter,
    uses_instant: bool,
}

/// Why a filter is not resolved.
enum Failure {
    /// The filter itself is at fault.
    Fault(FilterFaultReason),
    /// The server could not be asked.
    Server(connect::Error),
}

impl From<connect::Error> for Failure {
    fn from(error: connect::Error) -> Self {
        Self::Server(error)
    }
}

impl From<FilterFaultReason> for Failure {
    fn from(reason: FilterFaultReason) -> Self {
        Self::Fault(reason)
    }
}

/// Resolves the filters among the rules of the database that `source` names.
///
/// # Errors
/// The database cannot be reached or read. What is wrong with a filter is no error here but one of the faults.
pub(crate) async fn resolve_filters(
    source: &Endpoint,
    rules: TableRules<RowCondition>,
    instant: &RunInstant,
) -> Result<ResolvedFilters, Error> {
    let side = Side::Source;
    let session = source.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let dates = instant::load_date_settings(&session).await;
    let dates = dates.map_err(Error::examine(side))?;
    let resolver = Resolver {
        session: &session,
        dates: &dates,
        instant,
    };
    let mut resolved = Vec::new();
    let mut faults = Vec::new();
    let mut uses_instant = false;
    for (table, rule) in rules.iter() {
        let rows = match &rule.rows {
            None => None,
            Some(RowsRule::All) => Some(RowsRule::All),
            Some(RowsRule::None) => Some(RowsRule::None),
            Some(RowsRule::Matching(condition)) => match resolver.resolve(table, condition).await {
                Ok(resolved) => {
                    uses_instant |= resolved.uses_instant;
                    Some(RowsRule::Matching(resolved.filter))
                }
                Err(Failure::Server(error)) => return Err(Error::examine(side)(error)),
                Err(Failure::Fault(reason)) => {
                    faults.push(FilterFault {
                        database: source.database().to_owned(),
                        table: table.clone(),
                        reason,
                    });
                    None
                }
            },
        };
        let changes = rule.changes;
        resolved.push((table.clone(), TableRule { rows, changes }));
    }
    Ok(ResolvedFilters {
        rules: resolved.into_iter().collect(),
        faults,
        uses_instant,
    })
}

/// Resolves filters of one database.
struct Resolver<'a> {
    session: &'a Session,
    dates: &'a DateSettings,
    instant: &'a RunInstant,
}

impl Resolver<'_> {
    /// Resolves one filter, again where another session has locked its table meanwhile.
    async fn resolve(
        &self,
        table: &QualifiedName,
        condition: &RowCondition,
    ) -> Result<ResolvedFilter, Failure> {
        let what = format!("a lock to read the definition of table {table}");
        let mut wait = LockWait::new(self.session.endpoint(), LockMode::AccessShare, what);
        loop {
            match self.resolve_once(table, condition).await {
                Err(Failure::Server(error)) => wait.pause_after(error).await?,
                done => return done,
            }
        }
    }

    async fn resolve_once(
        &self,
        table: &QualifiedName,
        condition: &RowCondition,
    ) -> Result<ResolvedFilter, Failure> {
        let mut begin = Sql::fixed("BEGIN READ ONLY; ");
        begin.push(&self.dates.render_for(table));
        self.session.batch(&begin).await?;
        let resolved = self.resolve_inside(table, condition).await;
        // After an error that ended the session there is nothing to end, and its own error is the reason.
        let ended = self.session.batch(&Sql::fixed("ROLLBACK")).await;
        let resolved = resolved?;
        ended?;
        Ok(resolved)
    }

    async fn resolve_inside(
        &self,
        table: &QualifiedName,
        condition: &RowCondition,
    ) -> Result<ResolvedFilter, Failure> {
        let filtered = FilteredTable::load(self.session, table).await?;
        let predicate = match condition {
            RowCondition::Predicate(predicate) => predicate.clone(),
            RowCondition::Since(filter) => {
                filtered
                    .check_time_column(self.session, &filter.column)
                    .await?;
                filter.predicate().map_err(FilterFaultReason::NotScanned)?
            }
        };
        filtered.check_parses(self.session, &predicate).await?;
        filtered
            .check_literals(self.session, &predicate, self.instant)
            .await?;
        let folded = self.fold_time(&filtered, &predicate).await?;
        let uses_instant = folded != predicate;
        if uses_instant {
            filtered.check_parses(self.session, &folded).await?;
        }
        filtered.check_volatility(self.session, &folded).await?;
        let columns = filtered.find_columns(self.session, &folded).await?;
        let not_publishable = filtered
            .find_unpublishable(self.session, &folded, &columns)
            .await?;
        let filter = RowFilter {
            written: condition.to_string(),
            predicate: folded,
            table: table.clone(),
            columns,
            not_publishable,
            dates: self.dates.clone(),
        };
        Ok(ResolvedFilter {
            filter,
            uses_instant,
        })
    }
}
