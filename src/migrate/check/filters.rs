//! Filtered tables: how much of them is copied, and what a filter is in the way of.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::catalog::load::transfer::{Why, load_transfer};
use crate::cluster::filter::{FilterShare, load_share};
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::Session;
use crate::migrate::check::database::Judge;
use crate::migrate::error::Error;
use crate::pg::{Oid, Side};
use crate::remedy::{Remedy, Setting};

/// What is learned of the filtered tables of a database.
#[derive(Default)]
pub(super) struct ExaminedFilters {
    /// How much of each the planner expects to be copied.
    pub(super) shares: HashMap<Oid, FilterShare>,
    pub(super) findings: Vec<Finding>,
}

/// Examines the filtered tables. The session is in a transaction.
///
/// # Errors
/// The source refused a question.
pub(super) async fn examine_filters(
    session: &Session,
    catalog: &Catalog,
    judge: Judge<'_>,
) -> Result<ExaminedFilters, Error> {
    let mut examined = ExaminedFilters::default();
    let filtered: Vec<_> = judge.scope.rules.filtered(catalog).collect();
    if filtered.is_empty() {
        return Ok(examined);
    }
    let target = judge.cluster.options.target.version;
    let as_text = load_transfer(session, target).await;
    let as_text = as_text.map_err(Error::read(Side::Source, "types of columns"))?;
    for (table, filter) in filtered {
        let oid = table.id.oid;
        let reasons = as_text.get(&oid).into_iter().flatten();
        for reason in reasons.filter(|reason| reason.why == Why::ObjectIdentifier) {
            let message = format!(
                "table {} has a filter and column {} of type {}: its values are names, which the filter's \
                 search_path would change",
                table.name, reason.column, reason.type_name
            );
            let finding = Finding::new(Code::FilterNames, Level::Error, Side::Source, message);
            let whole = "copy the table without a filter";
            examined.findings.push(
                finding
                    .about(&table.name)
                    .remedy(whole)
                    .remedy(Remedy::with(
                        "copy no rows of it",
                        Setting::SchemaOnlyTables,
                    )),
            );
        }
        let share = load_share(session, &table.name, &filter).await;
        let share = share.map_err(Error::examine(Side::Source))?;
        examined.shares.insert(oid, share);
    }
    Ok(examined)
}
