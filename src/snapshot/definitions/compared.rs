//! Steps whose definitions find operators by the search path: each in a transaction of its own, which
//! is committed only if the target has recorded what the source has.
//!
//! A role that may create in a schema of the path can create another candidate there. So the result is compared
//! before anything is evaluated. Definitions before the rows are compared right after their creation, while all
//! tables are empty. Definitions that are evaluated for existing rows are compared by a view of the same
//! expressions, which is rolled back.

use super::section_run::SectionRun;
use super::transaction::{FailedStatement, Outcome};
use crate::catalog::load::resolution::recorded_calls;
use crate::catalog::model::{Address, Calls};
use crate::connect::Session;
use crate::ddl::StepPath;
use crate::pg::{ServerVersion, Sides, Sql};
use crate::snapshot::refusal::{Mismatch, Reason};
use crate::sql;

impl SectionRun {
    /// Runs a step whose definition depends on a search path; None for any other step.
    pub(super) async fn run_compared(&self, session: &Session, steps: &[usize]) -> Option<Outcome> {
        let [step] = steps else {
            return None;
        };
        let path = self.section.paths.get(step)?;
        Some(match self.create_compared(session, *step, path).await {
            Ok(()) => Outcome::Committed,
            Err(failed) => Outcome::Refused(failed),
        })
    }

    async fn create_compared(
        &self,
        session: &Session,
        step: usize,
        path: &StepPath,
    ) -> Result<(), FailedStatement> {
        let range = self.section.ranges[step].clone();
        let first = range.start;
        let of_first = |reason| FailedStatement {
            statement: Some(first),
            reason,
        };
        for probe in &path.probes {
            let begin = sql!("BEGIN; {}; {}", path.set(), probe.view);
            run_statement(session, &begin).await.map_err(of_first)?;
            let compared = check_calls(session, path.source, &probe.address, &probe.calls).await;
            compared.map_err(of_first)?;
            let rollback = run_statement(session, &Sql::fixed("ROLLBACK")).await;
            rollback.map_err(of_first)?;
        }
        let begin = run_statement(session, &sql!("BEGIN; {}", path.set())).await;
        begin.map_err(of_first)?;
        for number in range {
            let created = self.run_with_path(session, number, path).await;
            created.map_err(|reason| FailedStatement {
                statement: Some(number),
                reason,
            })?;
        }
        for definition in &path.definitions {
            let (address, calls) = (&definition.address, &definition.calls);
            let compared = check_calls(session, path.source, address, calls).await;
            compared.map_err(of_first)?;
        }
        let commit = run_statement(session, &session.commit()).await;
        commit.map_err(|reason| FailedStatement {
            statement: None,
            reason,
        })
    }
}

impl SectionRun {
    /// Runs a statement under the step's path, and what it evaluates under the settings of the source's
    /// database.
    async fn run_with_path(
        &self,
        session: &Session,
        number: usize,
        path: &StepPath,
    ) -> Result<(), Reason> {
        let statement = &self.section.statements[number].sql;
        let Some(around) = self.around(number) else {
            return run_statement(session, statement).await;
        };
        let before = sql!("{}; {}; {}", render_empty_path(), around.before, path.set());
        run_statement(session, &before).await?;
        run_statement(session, statement).await?;
        let after = sql!("{}; {}; {}", render_empty_path(), around.after, path.set());
        run_statement(session, &after).await
    }
}

fn render_empty_path() -> Sql {
    Sql::fixed("SET LOCAL search_path TO ''")
}

/// Checks that the target has recorded the wanted calls for an object. Under the empty path: the query's own
/// operators are the server's.
async fn check_calls(
    session: &Session,
    source: ServerVersion,
    address: &Address,
    wanted: &Calls,
) -> Result<(), Reason> {
    run_statement(session, &render_empty_path()).await?;
    let found = recorded_calls(session, address).await;
    let found = found.map_err(Reason::Catalog)?;
    let versions = Sides {
        source,
        target: session.version(),
    };
    find_mismatch(versions, wanted, &found).map_or(Ok(()), |mismatch| Err(mismatch.into()))
}

async fn run_statement(session: &Session, sql: &Sql) -> Result<(), Reason> {
    session.batch(sql).await.map_err(Reason::Answer)
}

/// Finds how the calls of two servers differ. Since 18 a view repeats the expressions of its groups.
fn find_mismatch(
    versions: Sides<ServerVersion>,
    wanted: &Calls,
    found: &Calls,
) -> Option<Mismatch> {
    let Sides { source, target } = versions;
    let repeats = source.repeats_groups() != target.repeats_groups();
    let mismatch = Mismatch {
        source: list_more_calls(wanted, found, !repeats || target.repeats_groups()),
        target: list_more_calls(found, wanted, !repeats || source.repeats_groups()),
    };
    (!mismatch.source.is_empty() || !mismatch.target.is_empty()).then_some(mismatch)
}

/// Lists the calls of `one` that `other` does not have; if `counts`, also those that it has less often.
fn list_more_calls(one: &Calls, other: &Calls, counts: bool) -> Vec<String> {
    let is_more = |(key, count): &(&(String, String), &i64)| match other.get(*key) {
        None => true,
        Some(others) => counts && others < *count,
    };
    let more = one.iter().filter(is_more);
    let mut names: Vec<String> = more.map(|(key, _)| key.1.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
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

    fn both(version: ServerVersion) -> Sides<ServerVersion> {
        Sides::from_fn(|_| version)
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
        assert_eq!(find_mismatch(both(old), &wanted, &wanted), None);
        let mismatch = Mismatch {
            source: vec!["a.=".to_owned()],
            target: vec!["b.=".to_owned()],
        };
        assert_eq!(find_mismatch(both(old), &wanted, &other), Some(mismatch));
    }

    #[test]
    fn only_18_may_repeat_calls() {
        let (old, new) = (ServerVersion::new(170_000), ServerVersion::new(180_000));
        let (once, twice) = (
            calls(&[("OPEXPR", "a.=", 1)]),
            calls(&[("OPEXPR", "a.=", 2)]),
        );
        let is_same = |source, target, one, other| {
            find_mismatch(Sides { source, target }, one, other).is_none()
        };
        assert!(is_same(old, new, &once, &twice));
        assert!(is_same(new, old, &twice, &once));
        assert!(!is_same(old, new, &twice, &once));
        assert!(!is_same(new, old, &once, &twice));
        assert!(!is_same(new, new, &once, &twice));
        assert!(!is_same(old, old, &once, &twice));
    }
}
