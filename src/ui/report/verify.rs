//! The report of `verify` for programs: every table. For people: [`verify_text`](super::verify_text).

use serde::Serialize;

use super::contract::{Report, milliseconds};
use super::verify_text::{mismatch, render_lines, sentence};
use crate::pg::QualifiedName;
use crate::ui::Style;
use crate::verify::{
    self, Class, Contents, DatabaseReport, Mismatch, Outcome, TableReport, Totals, Verdict,
};

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct VerifyBody {
    databases: Vec<DatabaseBody>,
}

#[derive(Debug, Serialize)]
struct DatabaseBody {
    database: String,
    target_database: String,
    result: &'static str,
    reason: Option<String>,
    elapsed_ms: u64,
    tables: Vec<TableBody>,
    not_covered: [&'static str; 5],
    target_only: Vec<NameBody>,
    not_followed: Vec<NameBody>,
    totals: TotalsBody,
}

/// The catalog's own names.
#[derive(Debug, Serialize)]
struct NameBody {
    schema: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct TotalsBody {
    tables: u64,
    rows: u64,
    equal: u64,
    different: u64,
    not_compared: u64,
}

#[derive(Debug, Serialize)]
struct TableBody {
    #[serde(flatten)]
    name: NameBody,
    result: &'static str,
    source: Option<ContentsBody>,
    target: Option<ContentsBody>,
    columns: Vec<String>,
    parents: Vec<String>,
    reason: Option<String>,
    elapsed_ms: u64,
}

/// The rows of a table on one server.
#[derive(Debug, Serialize)]
struct ContentsBody {
    rows: u64,
    digest: String,
}

impl Report for verify::Report {
    type Body = VerifyBody;

    fn command(&self) -> &'static str {
        "verify"
    }

    fn render_text(&self, style: Style) -> String {
        render_lines(self, style)
    }

    fn body(&self) -> VerifyBody {
        let databases = self.databases.iter();
        VerifyBody {
            databases: databases
                .map(|database| database_body(database, self.strict))
                .collect(),
        }
    }
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Equal => "equal",
        Class::Different => "different",
        Class::NotCompared => "not_compared",
    }
}

fn database_body(database: &DatabaseReport, strict: bool) -> DatabaseBody {
    let reason = match &database.outcome {
        Outcome::Compared { .. } => None,
        Outcome::MissingOnTarget => Some("the target has no such database".to_owned()),
        Outcome::NotCompared(reason) => Some(sentence(reason.as_ref())),
    };
    let tables = database.tables().iter();
    DatabaseBody {
        database: database.source.clone(),
        target_database: database.target.clone(),
        result: class_name(database.class(strict)),
        reason,
        elapsed_ms: milliseconds(database.elapsed),
        tables: tables.map(|table| table_body(table, strict)).collect(),
        not_covered: verify::NOT_COVERED,
        target_only: database.target_only().iter().map(name_body).collect(),
        not_followed: database.not_followed().iter().map(name_body).collect(),
        totals: totals_body(database.totals(strict)),
    }
}

fn totals_body(totals: Totals) -> TotalsBody {
    TotalsBody {
        tables: totals.tables,
        rows: totals.rows,
        equal: totals.equal,
        different: totals.different,
        not_compared: totals.not_compared,
    }
}

fn name_body(name: &QualifiedName) -> NameBody {
    NameBody {
        schema: name.schema.as_str().to_owned(),
        name: name.name.as_str().to_owned(),
    }
}

fn table_body(table: &TableReport, strict: bool) -> TableBody {
    let (parents, columns): (Vec<_>, Vec<_>) = table.mismatches.iter().partition(|one| {
        matches!(
            one,
            Mismatch::ParentOnSource(_) | Mismatch::ParentOnTarget(_)
        )
    });
    let (source, target) = contents_of(&table.verdict);
    TableBody {
        name: name_body(&table.name),
        result: class_name(table.class(strict)),
        source: source.map(contents_body),
        target: target.map(contents_body),
        columns: columns.into_iter().map(mismatch).collect(),
        parents: parents.into_iter().map(mismatch).collect(),
        reason: reason(&table.verdict),
        elapsed_ms: milliseconds(table.elapsed),
    }
}

/// The rows of the source and of the target, where they were compared.
fn contents_of(verdict: &Verdict) -> (Option<&Contents>, Option<&Contents>) {
    match verdict {
        Verdict::Equal(contents) => (Some(contents), Some(contents)),
        Verdict::Different { source, target } | Verdict::Moved { source, target, .. } => {
            (Some(source), Some(target))
        }
        Verdict::MissingOnTarget | Verdict::NotCompared(_) => (None, None),
    }
}

fn contents_body(contents: &Contents) -> ContentsBody {
    ContentsBody {
        rows: contents.rows,
        digest: contents.digest.full(),
    }
}

/// Why a table counts as it does, where its rows alone do not say so.
fn reason(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Equal(_) | Verdict::Different { .. } => None,
        Verdict::Moved { root, .. } => Some(format!("equal over all partitions of {root}")),
        Verdict::MissingOnTarget => Some("missing on the target".to_owned()),
        Verdict::NotCompared(reason) => Some(sentence(reason.as_ref())),
    }
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
                        not_followed: Vec::new(),
                        insert_only: Vec::new(),
                    },
                ),
                database("lost", Outcome::MissingOnTarget),
            ],
            strict,
        }
    }

    #[test]
    fn people_get_the_differences_last_and_the_totals() {
        insta::assert_snapshot!(example(false).render_text(Style::PLAIN));
    }

    #[test]
    fn programs_get_all_digits() {
        let report = example(true);
        let json = serde_json::to_value(report.body()).unwrap();
        let json = &json["databases"];
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
