//! The report of `verify`: a line per table, the totals, and the same for programs.

use std::error::Error;

use serde_json::{Value, json};

use super::{Report, Style, failure, text};
use crate::pg::QualifiedName;
use crate::verify::{
    self, Class, Contents, DatabaseReport, Mismatch, Outcome, TableReport, Totals, Verdict,
};

impl Report for verify::Report {
    fn command(&self) -> &'static str {
        "verify"
    }

    fn exit_code(&self) -> u8 {
        verify::exit_code(self)
    }

    fn text(&self, style: Style) -> String {
        let mut lines = Vec::new();
        for database in &self.databases {
            lines.extend(database_lines(database, self.strict, style));
        }
        lines.push(totals_line(self.totals(), self.class(), style));
        lines.push(format!("- not covered: {}", verify::NOT_COVERED.join(", ")));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn databases(&self) -> Vec<Value> {
        let entry = |database| database_json(database, self.strict);
        self.databases.iter().map(entry).collect()
    }
}

fn mark(class: Class, style: Style) -> String {
    match class {
        Class::Equal => style.good("✓"),
        Class::Different => style.bad("✗"),
        Class::NotCompared => style.doubtful("?"),
    }
}

fn database_lines(database: &DatabaseReport, strict: bool, style: Style) -> Vec<String> {
    let name = text::clean(&database.source);
    match &database.outcome {
        Outcome::MissingOnTarget => {
            let target = text::clean(&database.target);
            let mark = mark(Class::Different, style);
            vec![format!(
                "{mark} {name}: the target has no database {target}"
            )]
        }
        Outcome::NotCompared(reason) => {
            let mark = mark(Class::NotCompared, style);
            vec![format!("{mark} {name}: {}", sentence(reason.as_ref()))]
        }
        Outcome::Compared {
            tables,
            target_only,
        } => {
            let table = |table| table_line(&name, table, strict, style);
            let extra = |table| target_only_line(&name, table, strict, style);
            let lines = tables.iter().map(table);
            lines.chain(target_only.iter().map(extra)).collect()
        }
    }
}

fn sentence(error: &(dyn Error + 'static)) -> String {
    failure::chain(error).join(": ")
}

fn table_line(database: &str, table: &TableReport, strict: bool, style: Style) -> String {
    let mark = mark(table.class(strict), style);
    let mut parts: Vec<String> = table.mismatches.iter().map(mismatch).collect();
    parts.push(verdict(&table.verdict));
    format!("{mark} {database}.{}: {}", table.name, parts.join("; "))
}

fn target_only_line(database: &str, name: &QualifiedName, strict: bool, style: Style) -> String {
    let mark = if strict {
        mark(Class::Different, style)
    } else {
        "-".to_owned()
    };
    format!("{mark} {database}.{name}: only on the target")
}

fn rows(contents: Contents) -> String {
    text::counted(contents.rows, "row")
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Equal(contents) => format!("{}, {}", rows(*contents), contents.digest),
        Verdict::Different { source, target } if source.rows == target.rows => {
            let sums = sums(*source, *target);
            format!("{} on both sides, {sums}", rows(*source))
        }
        Verdict::Different { source, target } => {
            format!(
                "{} on the source, {} on the target",
                rows(*source),
                target.rows
            )
        }
        Verdict::Moved {
            root,
            source,
            target,
        } => format!(
            "{} on the source, {} on the target, equal over all partitions of {root}",
            rows(*source),
            target.rows
        ),
        Verdict::MissingOnTarget => "missing on the target".to_owned(),
        Verdict::NotCompared(reason) => sentence(reason.as_ref()),
    }
}

/// Both sums, as long as it takes to see that they differ.
fn sums(source: Contents, target: Contents) -> String {
    let (mut one, mut other) = (source.digest.to_string(), target.digest.to_string());
    if one == other {
        (one, other) = (source.digest.full(), target.digest.full());
    }
    format!("{one} on the source, {other} on the target")
}

fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::MissingOnTarget(column) => format!("column {column} is missing on the target"),
        Mismatch::OnlyOnTarget(column) => format!("column {column} is only on the target"),
        Mismatch::Type {
            column,
            source,
            target,
        } => {
            let (source, target) = (text::clean(source), text::clean(target));
            format!("column {column} is {source} on the source, {target} on the target")
        }
        Mismatch::ParentOnSource(parent) => {
            format!("on the target it is no partition or child of {parent}, which lacks its rows")
        }
        Mismatch::ParentOnTarget(parent) => {
            format!("only on the target it is a partition or child of {parent}")
        }
    }
}

fn totals_line(totals: Totals, class: Class, style: Style) -> String {
    let mark = mark(class, style);
    let word = match class {
        Class::Equal => "equal",
        Class::Different => "different",
        Class::NotCompared => "not everything could be compared",
    };
    format!(
        "{mark} {}: {}, {}, {} equal, {} different, {} not compared",
        style.strong(word),
        text::counted(totals.tables, "table"),
        text::counted(totals.rows, "row"),
        totals.equal,
        totals.different,
        totals.not_compared,
    )
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Equal => "equal",
        Class::Different => "different",
        Class::NotCompared => "not_compared",
    }
}

fn database_json(database: &DatabaseReport, strict: bool) -> Value {
    let totals = database.totals(strict);
    let reason = match &database.outcome {
        Outcome::Compared { .. } => None,
        Outcome::MissingOnTarget => Some("the target has no such database".to_owned()),
        Outcome::NotCompared(reason) => Some(sentence(reason.as_ref())),
    };
    let tables: Vec<Value> = database
        .tables()
        .iter()
        .map(|table| table_json(table, strict))
        .collect();
    json!({
        "database": database.source,
        "target_database": database.target,
        "result": class_name(database.class(strict)),
        "reason": reason,
        "elapsed_ms": milliseconds(database.elapsed),
        "tables": tables,
        "not_covered": verify::NOT_COVERED,
        "target_only": database.target_only().iter().map(name_json).collect::<Vec<_>>(),
        "totals": {
            "tables": totals.tables,
            "rows": totals.rows,
            "equal": totals.equal,
            "different": totals.different,
            "not_compared": totals.not_compared,
        },
    })
}

fn milliseconds(elapsed: std::time::Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Names for programs are the catalog's own.
fn name_json(name: &QualifiedName) -> Value {
    json!({ "schema": name.schema.as_str(), "name": name.name.as_str() })
}

fn table_json(table: &TableReport, strict: bool) -> Value {
    let side =
        |contents: &Contents| json!({ "rows": contents.rows, "digest": contents.digest.full() });
    let (source, target, reason) = match &table.verdict {
        Verdict::Equal(contents) => (side(contents), side(contents), None),
        Verdict::Different { source, target } => (side(source), side(target), None),
        Verdict::Moved {
            root,
            source,
            target,
        } => {
            let reason = format!("equal over all partitions of {root}");
            (side(source), side(target), Some(reason))
        }
        Verdict::MissingOnTarget => (
            Value::Null,
            Value::Null,
            Some("missing on the target".to_owned()),
        ),
        Verdict::NotCompared(reason) => (Value::Null, Value::Null, Some(sentence(reason.as_ref()))),
    };
    let is_of_parent = |one: &&Mismatch| {
        matches!(
            one,
            Mismatch::ParentOnSource(_) | Mismatch::ParentOnTarget(_)
        )
    };
    let (parents, columns): (Vec<_>, Vec<_>) = table.mismatches.iter().partition(is_of_parent);
    json!({
        "schema": table.name.schema.as_str(),
        "name": table.name.name.as_str(),
        "result": class_name(table.class(strict)),
        "source": source,
        "target": target,
        "columns": columns.into_iter().map(mismatch).collect::<Vec<_>>(),
        "parents": parents.into_iter().map(mismatch).collect::<Vec<_>>(),
        "reason": reason,
        "elapsed_ms": milliseconds(table.elapsed),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::pg::Ident;
    use crate::verify::Digester;

    fn contents(text: &str) -> Contents {
        let mut digester = Digester::new();
        digester.update(text.as_bytes());
        digester.finish().unwrap()
    }

    fn table(name: &str, verdict: Verdict) -> TableReport {
        TableReport {
            name: QualifiedName::from_catalog("public", name),
            verdict,
            mismatches: Vec::new(),
            elapsed: Duration::from_millis(5),
        }
    }

    fn example(strict: bool) -> verify::Report {
        let (one, other, two) = (contents("1\n"), contents("2\n"), contents("1\n2\n"));
        let mut lost = table("columns", Verdict::Equal(one));
        let column = Ident::from_catalog("c\u{1b}");
        lost.mismatches.push(Mismatch::MissingOnTarget(column));
        let tables = vec![
            table("equal", Verdict::Equal(two)),
            table(
                "rows",
                Verdict::Different {
                    source: two,
                    target: one,
                },
            ),
            table(
                "values",
                Verdict::Different {
                    source: one,
                    target: other,
                },
            ),
            table("gone", Verdict::MissingOnTarget),
            table(
                "hidden",
                Verdict::NotCompared(Arc::new(verify::Error::Stopped)),
            ),
            lost,
        ];
        let target_only = vec![QualifiedName::from_catalog("public", "more")];
        let database = |source: &str, outcome| DatabaseReport {
            source: source.to_owned(),
            target: source.to_owned(),
            outcome,
            elapsed: Duration::from_millis(7),
        };
        verify::Report {
            databases: vec![
                database(
                    "app",
                    Outcome::Compared {
                        tables,
                        target_only,
                    },
                ),
                database("lost", Outcome::MissingOnTarget),
            ],
            strict,
        }
    }

    #[test]
    fn people_get_a_line_per_table_and_the_totals() {
        insta::assert_snapshot!(example(false).text(Style::PLAIN));
    }

    #[test]
    fn programs_get_all_digits() {
        let report = example(true);
        let json = report.databases();
        assert_eq!(json[0]["totals"]["different"], 5);
        assert_eq!(
            json[0]["tables"][0]["source"]["digest"]
                .as_str()
                .unwrap()
                .len(),
            32
        );
        assert_eq!(json[0]["tables"][4]["reason"], "stopped");
        assert_eq!(json[1]["result"], "different");
    }
}
