//! Where an expression depends on the current time: the largest operands around it that read no column.

use std::ops::Range;

use super::moment::TimeCall;
use super::node::Node;
use super::not_bounded::{NotBounded, NotBoundedReason};
use super::parser::parse_expression;
use super::text::Predicate;
use super::time_call::{find_age, find_time_places};

/// An operand that has the same value for every row of a table, and depends on the current time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeOperand {
    /// Its place in the text, in bytes.
    pub place: Range<usize>,
    /// The calls of the current time in it.
    pub calls: Vec<TimeCall>,
    /// What an operator compares or combines it with, where that reads columns.
    pub beside: Vec<Range<usize>>,
}

/// Finds the operands that depend on the current time, in their order.
///
/// # Errors
/// The current time is used where it cannot be computed ahead of the rows.
pub fn find_time_operands(predicate: &Predicate) -> Result<Vec<TimeOperand>, NotBounded> {
    let text = predicate.text();
    let tokens = predicate.tokens();
    let refused = |at: usize, reason| NotBounded {
        position: text[..at].chars().count() + 1,
        reason,
    };
    if let Some(at) = find_age(text, &tokens) {
        return Err(refused(at, NotBoundedReason::Age));
    }
    let wanted = find_time_places(text, &tokens);
    let Some(first) = wanted.first() else {
        return Ok(Vec::new());
    };
    let root = parse_expression(text, &tokens).map_err(|stop| {
        let at = stop.place.unwrap_or(first.start);
        refused(at, stop.reason)
    })?;
    let mut found = Vec::new();
    collect_operands(&root, &[], &mut found);
    let calls: usize = found.iter().map(|operand| operand.calls.len()).sum();
    if calls != wanted.len() {
        let is_found = |place: &&Range<usize>| {
            let mut calls = found.iter().flat_map(|operand| &operand.calls);
            !calls.any(|call| call.place.start == place.start)
        };
        let missed = wanted.iter().find(is_found).unwrap_or(first);
        return Err(refused(missed.start, NotBoundedReason::Query));
    }
    Ok(found)
}

fn collect_operands(node: &Node, beside: &[Range<usize>], found: &mut Vec<TimeOperand>) {
    if !node.has_time() {
        return;
    }
    if !node.reads_row {
        let mut calls = Vec::new();
        collect_calls(node, &mut calls);
        found.push(TimeOperand {
            place: node.place.clone(),
            calls,
            beside: beside.to_vec(),
        });
        return;
    }
    for (number, part) in node.parts.iter().enumerate() {
        let others = node.parts.iter().enumerate();
        let others = others.filter(|(other, part)| *other != number && part.reads_row);
        let beside: Vec<_> = match node.compares {
            true => others.map(|(_, part)| part.place.clone()).collect(),
            false => Vec::new(),
        };
        collect_operands(part, &beside, found);
    }
}

fn collect_calls(node: &Node, calls: &mut Vec<TimeCall>) {
    calls.extend(node.call.clone());
    for part in &node.parts {
        collect_calls(part, calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::Moment;

    type Operand = (&'static str, &'static [&'static str]);
    /// Predicates, with their operands and what is beside each.
    const CASES: [(&str, &[Operand]); 23] = [
        ("a = 1", &[]),
        ("\"now\" > 1 AND now = 2", &[]),
        (
            "t.created >= NOW() - INTERVAL '6 months'",
            &[("NOW() - INTERVAL '6 months'", &["t.created"])],
        ),
        (
            "now() - created < interval '90 days'",
            &[("now()", &["created"])],
        ),
        ("a - now() + interval '1 day' > b", &[("now()", &["a"])]),
        (
            "a > 1 + 2 * 3 AND b < current_date - 7 OR c",
            &[("current_date - 7", &["b"])],
        ),
        (
            "date_trunc('day', now() AT TIME ZONE 'UTC') <= day",
            &[("date_trunc('day', now() AT TIME ZONE 'UTC')", &["day"])],
        ),
        (
            "day = (now() - '1 day'::interval)::date",
            &[("(now() - '1 day'::interval)::date", &["day"])],
        ),
        (
            "a BETWEEN now() - interval '2' day AND now()",
            &[("now() - interval '2' day", &["a"]), ("now()", &["a"])],
        ),
        (
            "NOT a IN (current_date, current_date - 1)",
            &[("current_date", &["a"]), ("current_date - 1", &["a"])],
        ),
        ("coalesce(deleted, now()) > created", &[("now()", &[])]),
        ("CASE WHEN a THEN b ELSE now() END < c", &[("now()", &[])]),
        (
            "extract(epoch FROM now()) > e",
            &[("extract(epoch FROM now())", &["e"])],
        ),
        (
            "cast(now() AS timestamp with time zone) > e",
            &[("cast(now() AS timestamp with time zone)", &["e"])],
        ),
        (
            "a > localtimestamp(0) - make_interval(days => 3)",
            &[("localtimestamp(0) - make_interval(days => 3)", &["a"])],
        ),
        ("now() > '2026-01-01'", &[("now() > '2026-01-01'", &[])]),
        (
            "a > b AND now() > '2026-01-01'",
            &[("now() > '2026-01-01'", &[])],
        ),
        ("a = ANY (ARRAY[current_date, d])", &[("current_date", &[])]),
        (
            "a >= pg_catalog.now() AND b ? 'x'",
            &[("pg_catalog.now()", &["a"])],
        ),
        ("mine.now() > a", &[]),
        (
            "a[1] > now() AND (b).c IS NOT NULL AND d IS DISTINCT FROM now()",
            &[("now()", &["a[1]"]), ("now()", &["d"])],
        ),
        (
            "-a < date_part('year', current_timestamp(3)) AND s LIKE 'x%' ESCAPE '!'",
            &[("date_part('year', current_timestamp(3))", &["-a"])],
        ),
        (
            "s COLLATE \"C\" > now()::text COLLATE \"C\"",
            &[("now()::text COLLATE \"C\"", &["s COLLATE \"C\""])],
        ),
    ];

    fn operands(text: &str) -> Vec<(String, Vec<String>)> {
        let found = find_time_operands(&Predicate::parse(text).unwrap()).unwrap();
        let text_of = |place: &Range<usize>| text[place.clone()].to_owned();
        found
            .iter()
            .map(|one| {
                (
                    text_of(&one.place),
                    one.beside.iter().map(text_of).collect(),
                )
            })
            .collect()
    }

    fn refused(text: &str) -> NotBoundedReason {
        let predicate = Predicate::parse(text).unwrap();
        find_time_operands(&predicate).unwrap_err().reason
    }

    #[test]
    fn the_largest_operand_without_columns_is_found() {
        for (text, wanted) in CASES {
            let wanted: Vec<(String, Vec<String>)> = wanted
                .iter()
                .map(|(one, beside)| {
                    let beside = beside.iter().map(|one| (*one).to_owned());
                    ((*one).to_owned(), beside.collect())
                })
                .collect();
            assert_eq!(operands(text), wanted, "{text}");
        }
    }

    #[test]
    fn calls_have_their_kind_and_precision() {
        let predicate = Predicate::parse("a > current_timestamp(3) - (now() - now())").unwrap();
        let found = find_time_operands(&predicate).unwrap();
        let calls: Vec<_> = found[0]
            .calls
            .iter()
            .map(|call| (call.moment, call.precision.as_deref()))
            .collect();
        let now = (Moment::Timestamp, None);
        assert_eq!(calls, [(Moment::Timestamp, Some("3")), now, now]);
    }

    #[test]
    fn what_cannot_be_computed_ahead_is_refused() {
        let query = "id IN (SELECT id FROM b WHERE created > now())";
        assert_eq!(refused(query), NotBoundedReason::Query);
        assert_eq!(
            refused("age(created) < interval '1 year'"),
            NotBoundedReason::Age
        );
        assert_eq!(refused("a > now() ORDER"), NotBoundedReason::Form);
        assert_eq!(
            refused("xmlforest(now() AS x) IS NOT NULL"),
            NotBoundedReason::Form
        );
    }
}
