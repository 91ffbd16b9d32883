//! Several findings of one kind as one, for people.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Finding, Level};
use crate::pg::Side;
use crate::remedy::{Remedy, Setting};

/// How many findings of one kind are listed one by one, and how many objects of a group are named.
const NAMED: usize = 3;

/// What the findings of a group have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind<'a> {
    level: Level,
    code: Code,
    side: Option<Side>,
    database: Option<&'a str>,
}

impl<'a> Kind<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            level: finding.level,
            code: finding.code,
            side: finding.side,
            database: finding.database.as_deref(),
        }
    }
}

/// Replaces findings of the same level, code, server and database by one that names the first objects, if there are
/// more than three. It is at the place of the first of them.
pub fn group_findings(findings: &[Finding]) -> Vec<Finding> {
    let mut members: BTreeMap<Kind<'_>, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.object.is_some()) {
        members.entry(Kind::of(finding)).or_default().push(finding);
    }
    let mut grouped = Vec::new();
    for finding in findings {
        let group = members.get(&Kind::of(finding));
        let group = group.filter(|group| finding.object.is_some() && group.len() > NAMED);
        match (group, finding.code.plural()) {
            (Some(group), Some(plural)) => {
                if std::ptr::eq(group[0], finding) {
                    grouped.push(summarize(group, plural));
                }
            }
            (None, _) | (_, None) => grouped.push(finding.clone()),
        }
    }
    grouped
}

/// One finding for several.
fn summarize(group: &[&Finding], plural: &str) -> Finding {
    let mut known = BTreeSet::new();
    let objects = group.iter().filter_map(|finding| finding.object.as_deref());
    let objects: Vec<_> = objects.filter(|object| known.insert(*object)).collect();
    let named = objects.iter().take(NAMED).copied();
    let named = named.collect::<Vec<_>>().join(", ");
    let rest = match objects.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    Finding {
        message: format!("{} {plural}: {named}{rest}", objects.len()),
        object: None,
        remedies: find_common_remedies(group),
        group_remedies: Vec::new(),
        ..group[0].clone()
    }
}

/// The remedies that all findings of a group have. If each has its own, the list of all findings shows them.
fn find_common_remedies(group: &[&Finding]) -> Vec<Remedy> {
    let remedies = |finding: &'_ Finding| match finding.group_remedies.as_slice() {
        [] => finding.remedies.clone(),
        several => several.to_vec(),
    };
    let mut common = remedies(group[0]);
    let has_any = !common.is_empty();
    for finding in &group[1..] {
        let other = remedies(finding);
        common.retain(|remedy| other.contains(remedy));
    }
    if common.is_empty() && has_any {
        common.push(Remedy::pass_to(Setting::Verbose, "list the remedy of each"));
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Finding {
        let message = format!("table {name} is not readable");
        Finding::new(Code::TableNotReadable, Level::Error, Side::Source, message)
            .in_database("shop")
            .about(name)
            .remedy(format!("grant {name}"))
            .remedy("skip it")
    }

    fn tables(count: usize) -> Vec<Finding> {
        (1..=count)
            .map(|number| table(&format!("t{number}")))
            .collect()
    }

    fn lines(findings: &[Finding]) -> Vec<String> {
        group_findings(findings)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn more_than_three_of_a_kind_are_one_line() {
        let few = "error    source shop: table t1 is not readable";
        let cases = [
            (0, 0, None),
            (1, 1, Some(few)),
            (3, 3, Some(few)),
            (
                4,
                1,
                Some("error    source shop: 4 tables are not readable: t1, t2, t3 and 1 more"),
            ),
            (
                12,
                1,
                Some("error    source shop: 12 tables are not readable: t1, t2, t3 and 9 more"),
            ),
        ];
        for (count, expected, first) in cases {
            let lines = lines(&tables(count));
            assert_eq!(lines.len(), expected, "{count}");
            assert_eq!(lines.first().map(String::as_str), first, "{count}");
        }
    }

    #[test]
    fn only_what_is_alike_is_grouped() {
        let mut findings = tables(8);
        findings[0].level = Level::Warning;
        findings[1].side = Some(Side::Target);
        findings[2].database = Some("other".to_owned());
        findings[3].code = Code::SequenceNotReadable;
        findings[4].object = None;
        // Three of a kind remain.
        assert_eq!(group_findings(&findings), findings);
    }

    #[test]
    fn kinds_without_a_plural_are_listed_one_by_one() {
        let mut findings = tables(5);
        for finding in &mut findings {
            finding.code = Code::CreatedByHand;
        }
        assert_eq!(group_findings(&findings), findings);
    }

    #[test]
    fn a_group_is_at_the_place_of_its_first_and_counts_an_object_once() {
        let version = || {
            Finding::new(
                Code::ServerVersion,
                Level::Ok,
                Side::Source,
                "PostgreSQL 17",
            )
        };
        let findings = [
            version(),
            table("a"),
            version(),
            table("b"),
            table("a"),
            table("c"),
            table("b"),
        ];
        assert_eq!(
            lines(&findings),
            [
                "ok       source: PostgreSQL 17",
                "error    source shop: 3 tables are not readable: a, b, c",
                "ok       source: PostgreSQL 17",
            ]
        );
    }

    #[test]
    fn a_group_has_the_remedies_that_all_have() {
        let remedies = |findings: &[Finding]| group_findings(findings).remove(0).remedies;
        assert_eq!(remedies(&tables(4)), ["skip it".into()]);
        let grant = || Remedy::act("grant all");
        let with_group = |finding: Finding| finding.for_group([grant(), "skip them".into()]);
        let mut findings: Vec<_> = tables(4).into_iter().map(with_group).collect();
        assert_eq!(remedies(&findings), [grant(), "skip them".into()]);
        findings[3].group_remedies.remove(0);
        assert_eq!(remedies(&findings), ["skip them".into()]);
        findings[3].group_remedies = vec!["ask".into()];
        let list = Remedy::pass_to(Setting::Verbose, "list the remedy of each");
        assert_eq!(remedies(&findings), [list]);
        for finding in &mut findings {
            finding.remedies.clear();
            finding.group_remedies.clear();
        }
        assert_eq!(remedies(&findings), []);
    }
}
