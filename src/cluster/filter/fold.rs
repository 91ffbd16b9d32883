//! Replaces the current time in a predicate by constants.

use std::ops::Range;

use crate::cluster::filter::fault::FilterFaultReason;
use crate::cluster::filter::parse::refused;
use crate::cluster::filter::place::{DATE, FilteredTable, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ};
use crate::cluster::filter::{Failure, Resolver};
use crate::pg::{Ident, Literal, Oid, Sql};
use crate::predicate::{Moment, Predicate, TimeCall, TimeOperand, find_time_operands};
use crate::sql;

impl Resolver<'_> {
    /// Replaces each largest operand that depends on the current time and reads no column by its value at the
    /// instant of the run. The value has a type that compares with the columns beside it regardless of the time zone.
    pub(super) async fn fold_time(
        &self,
        table: &FilteredTable<'_>,
        predicate: &Predicate,
    ) -> Result<Predicate, Failure> {
        let text = predicate.text();
        let operands =
            find_time_operands(predicate).map_err(|fault| FilterFaultReason::NotBounded {
                text: text.to_owned(),
                fault,
                constant: self.instant.render().as_str().to_owned(),
            })?;
        let mut places = Vec::new();
        for operand in operands {
            let value = self.evaluate(table, text, &operand).await?;
            places.push((operand.place, value));
        }
        let folded = predicate.replace(&places);
        Ok(folded.map_err(FilterFaultReason::NotScanned)?)
    }

    /// Asks the source for the value of an operand, and returns it as a constant.
    async fn evaluate(
        &self,
        table: &FilteredTable<'_>,
        text: &str,
        operand: &TimeOperand,
    ) -> Result<String, Failure> {
        let within = part_of(text, &operand.place)?;
        let calls = operand.calls.iter().map(|call| {
            let place =
                call.place.start - operand.place.start..call.place.end - operand.place.start;
            (place, self.render_call(call).as_str().to_owned())
        });
        let places: Vec<_> = calls.collect();
        let fixed = within.replace(&places);
        let fixed = fixed.map_err(FilterFaultReason::NotScanned)?;
        let mut value = sql!("{}", fixed);
        if let Some(cast) = self.find_cast(table, text, operand, &fixed).await? {
            value = sql!("{}::pg_catalog.{}", value, cast);
        }
        let select = sql!(
            "SELECT v::pg_catalog.text, t.typname::pg_catalog.text, n.nspname::pg_catalog.text \
               FROM (SELECT {} AS v) AS s \
               JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.pg_typeof(v) \
               JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace",
            value
        );
        let row = self.session.query_one(&select, &[]).await;
        let row = row.map_err(|error| refused(error, &Sql::default(), &within))?;
        let (constant, type_name): (Option<String>, String) = (row.get(0), row.get(1));
        let schema: String = row.get(2);
        if schema != "pg_catalog" {
            return Err(FilterFaultReason::ConstantType { type_name }.into());
        }
        let type_name = Ident::from_catalog(type_name);
        let constant = match &constant {
            Some(constant) => sql!("{}::pg_catalog.{}", Literal(constant), type_name),
            None => sql!("NULL::pg_catalog.{}", type_name),
        };
        Ok(constant.as_str().to_owned())
    }

    /// Renders the value of a call of the current time.
    fn render_call(&self, call: &TimeCall) -> Sql {
        let precision = call.precision.as_deref().and_then(|text| text.parse().ok());
        let precision = precision.map(|digits: u32| sql!("({})", digits));
        let instant = self.instant.render();
        if call.moment == Moment::Timestamp && precision.is_none() {
            return sql!("({})", instant);
        }
        let type_name = Sql::fixed(call.moment.type_name());
        sql!("({}::pg_catalog.{}{})", instant, type_name, precision)
    }

    /// Finds the type that an operand must become so that it compares with what is beside it.
    async fn find_cast(
        &self,
        table: &FilteredTable<'_>,
        text: &str,
        operand: &TimeOperand,
        fixed: &Predicate,
    ) -> Result<Option<Sql>, Failure> {
        for beside in &operand.beside {
            let beside = part_of(text, beside)?;
            let select = sql!("SELECT {}, {} {}", fixed, beside, table.render_from());
            let description = self.session.describe(&select).await?;
            if let [own, other] = description.columns[..]
                && let Some(cast) = choose_cast(own, other)
            {
                return Ok(Some(Sql::fixed(cast)));
            }
        }
        Ok(None)
    }
}

fn part_of(text: &str, place: &Range<usize>) -> Result<Predicate, FilterFaultReason> {
    Predicate::parse(&text[place.clone()]).map_err(FilterFaultReason::NotScanned)
}

/// The type by which a value compares with another one in the same way in every time zone, if it does not do so
/// already. A date is compared as the timestamp of its beginning.
const fn choose_cast(own: Oid, other: Oid) -> Option<&'static str> {
    match (own, other) {
        (DATE | TIMESTAMP, TIMESTAMPTZ) => Some("timestamptz"),
        (TIMESTAMPTZ, DATE | TIMESTAMP) => Some("timestamp"),
        (TIMETZ, TIME) => Some("time"),
        (TIME, TIMETZ) => Some("timetz"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gets_the_zone_of_what_it_is_compared_with() {
        assert_eq!(choose_cast(TIMESTAMPTZ, TIMESTAMPTZ), None);
        assert_eq!(choose_cast(TIMESTAMPTZ, DATE), Some("timestamp"));
        assert_eq!(choose_cast(TIMESTAMPTZ, TIMESTAMP), Some("timestamp"));
        assert_eq!(choose_cast(DATE, TIMESTAMPTZ), Some("timestamptz"));
        assert_eq!(choose_cast(DATE, TIMESTAMP), None);
        assert_eq!(choose_cast(TIMETZ, TIME), Some("time"));
        assert_eq!(choose_cast(TIMESTAMPTZ, Oid(1186)), None);
    }
}
