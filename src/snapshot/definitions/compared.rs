//! Steps whose definitions find operators by the search path: each in a transaction of its own, which
//! is committed only if the target has recorded what the source has.
//!
//! Whoever may create in a schema of the path can put another candidate there. So what was found is
//! compared before anything is evaluated: definitions before the rows right after they are made,
//! when all tables are empty; those that are evaluated for existing rows by a view of the same
//! expressions that is rolled back.

use std::fmt;

use super::lane::{Outcome, Work};
use super::refusal::Reason;
use crate::catalog::load::resolution::recorded_calls;
use crate::catalog::model::{Address, Calls};
use crate::connect::Session;
use crate::ddl::StepPath;
use crate::pg::{ServerVersion, Sql};
use crate::sql;

/// The target resolves names of a definition otherwise than the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What only the source has recorded.
    pub source: Vec<String>,
    /// What only the target has recorded.
    pub target: Vec<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| match names {
            // These are not recorded by name.
            [] => "only functions of pg_catalog".to_owned(),
            names => names.join(", "),
        };
        write!(
            f,
            "its operators and functions would differ: the source calls {}, the target would call {}. \
             On the source, write the operator in the definition as OPERATOR(schema.name), or drop \
             the other candidate; then run again",
            list(&self.source),
            list(&self.target)
        )
    }
}

impl std::error::Error for Mismatch {}

/// Why a step is refused: the statement, unless the commit itself failed, and the reason.
type Failed = (Option<usize>, Reason);

impl Work {
    /// Runs a step that needs a search path; None for any other.
    pub(in crate::snapshot::definitions) async fn run_compared(
        &self,
        session: &Session,
        steps: &[usize],
    ) -> Option<Outcome> {
        let [step] = steps else {
            return None;
        };
        let path = self.section.paths.get(step)?;
        Some(match self.make(session, *step, path).await {
            Ok(()) => Outcome::Committed,
            Err((statement, reason)) => Outcome::Refused(statement, reason),
        })
    }

    async fn make(&self, session: &Session, step: usize, path: &StepPath) -> Result<(), Failed> {
        let range = self.section.ranges[step].clone();
        let first = range.start;
        let of_first = |reason| (Some(first), reason);
        for probe in &path.probes {
            let begin = sql!("BEGIN; {}; {}", path.set(), probe.view);
            run(session, &begin).await.map_err(of_first)?;
            let wanted = (&probe.address, &probe.calls);
            let compared = compare(session, path.source, wanted).await;
            compared.map_err(of_first)?;
            let rollback = run(session, &Sql::fixed("ROLLBACK")).await;
            rollback.map_err(of_first)?;
        }
        let begin = run(session, &sql!("BEGIN; {}", path.set())).await;
        begin.map_err(of_first)?;
        for number in range {
            let made = self.make_one(session, number, path).await;
            made.map_err(|reason| (Some(number), reason))?;
        }
        for definition in &path.definitions {
            let wanted = (&definition.address, &definition.calls);
            let compared = compare(session, path.source, wanted).await;
            compared.map_err(of_first)?;
        }
        let commit = run(session, &session.commit()).await;
        commit.map_err(|reason| (None, reason))
    }
}

impl Work {
    /// Runs a statement under the step's path, and what it evaluates under the settings of the source's
    /// database.
    async fn make_one(
        &self,
        session: &Session,
        number: usize,
        path: &StepPath,
    ) -> Result<(), Reason> {
        let statement = &self.section.statements[number].sql;
        let Some(around) = self.around(number) else {
            return run(session, statement).await;
        };
        let before = sql!("{}; {}; {}", empty_path(), around.before, path.set());
        run(session, &before).await?;
        run(session, statement).await?;
        let after = sql!("{}; {}; {}", empty_path(), around.after, path.set());
        run(session, &after).await
    }
}

fn empty_path() -> Sql {
    Sql::fixed("SET LOCAL search_path TO ''")
}

/// Compares what the target has recorded for an object. Under the empty path: the query's own
/// operators are the server's.
async fn compare(
    session: &Session,
    source: ServerVersion,
    (address, wanted): (&Address, &Calls),
) -> Result<(), Reason> {
    run(session, &empty_path()).await?;
    let found = recorded_calls(session, address).await;
    let found = found.map_err(Reason::Catalog)?;
    let versions = (source, session.version());
    difference(versions, wanted, &found).map_or(Ok(()), |mismatch| Err(mismatch.into()))
}

async fn run(session: &Session, sql: &Sql) -> Result<(), Reason> {
    session.batch(sql).await.map_err(Reason::Answer)
}

/// How the calls of two servers differ. Since 18 a view repeats the expressions of its groups.
fn difference(
    (source, target): (ServerVersion, ServerVersion),
    wanted: &Calls,
    found: &Calls,
) -> Option<Mismatch> {
    let repeats = source.repeats_groups() != target.repeats_groups();
    let lacks = |one: &Calls, other: &Calls, most: bool| {
        let is_less = |(key, count): &(&(String, String), &i64)| match other.get(*key) {
            None => true,
            Some(others) => most && others < *count,
        };
        let mut names: Vec<String> = one
            .iter()
            .filter(is_less)
            .map(|(key, _)| key.1.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let mismatch = Mismatch {
        source: lacks(wanted, found, !repeats || target.repeats_groups()),
        target: lacks(found, wanted, !repeats || source.repeats_groups()),
    };
    (!mismatch.source.is_empty() || !mismatch.target.is_empty()).then_some(mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(entries: &[(&str, &str, i64)]) -> Calls {
        let entry = |(node, name, count): &(&str, &str, i64)| {
            (((*node).to_owned(), (*name).to_owned()), *count)
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn each_kind_of_node_counts_by_itself() {
        let old = ServerVersion::new(170_000);
        let wanted = calls(&[("OPEXPR", "a.=", 1), ("DISTINCTEXPR", "a.=", 2)]);
        let other = calls(&[
            ("OPEXPR", "a.=", 1),
            ("DISTINCTEXPR", "a.=", 1),
            ("DISTINCTEXPR", "b.=", 1),
        ]);
        assert_eq!(difference((old, old), &wanted, &wanted), None);
        let mismatch = Mismatch {
            source: vec!["a.=".to_owned()],
            target: vec!["b.=".to_owned()],
        };
        assert_eq!(difference((old, old), &wanted, &other), Some(mismatch));
    }

    #[test]
    fn only_18_may_repeat_calls() {
        let (old, new) = (ServerVersion::new(170_000), ServerVersion::new(180_000));
        let (once, twice) = (
            calls(&[("OPEXPR", "a.=", 1)]),
            calls(&[("OPEXPR", "a.=", 2)]),
        );
        let is_same = |from, to, one, other| difference((from, to), one, other).is_none();
        assert!(is_same(old, new, &once, &twice));
        assert!(is_same(new, old, &twice, &once));
        assert!(!is_same(old, new, &twice, &once));
        assert!(!is_same(new, old, &once, &twice));
        assert!(!is_same(new, new, &once, &twice));
        assert!(!is_same(old, old, &once, &twice));
    }
}
