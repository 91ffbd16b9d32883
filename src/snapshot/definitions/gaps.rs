//! What a section has not created.

use super::section::Section;
use super::section_run::{RefusedStatement, SectionRun};
use crate::connect;
use crate::ddl::Kind;
use crate::pg::QualifiedName;
use crate::snapshot::error::Error;
use crate::snapshot::refusal::{Reason, Refusal, Refused, Skipped};
use crate::snapshot::statistics::analyze_table::render_unanalyzed;

/// What is missing after a section, and can be added by a later statement.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// The tables that could not be analyzed, with the reasons.
    unanalyzed: Vec<(QualifiedName, connect::Error)>,
    /// The materialized views that could not be filled, in words.
    unfilled: Vec<String>,
}

/// All that is missing after a section.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) gaps: Gaps,
    /// The definitions that no later statement adds by itself.
    pub(crate) refused: Option<Refused>,
}

impl Gaps {
    /// Returns a note for each gap.
    pub(crate) fn notes(self) -> impl Iterator<Item = String> {
        let unanalyzed = self.unanalyzed.into_iter();
        let unanalyzed = unanalyzed.map(|(table, error)| render_unanalyzed(&table, &error));
        unanalyzed.chain(self.unfilled)
    }
}

impl SectionRun {
    /// Returns what is missing, once, where everything else is complete without it.
    ///
    /// # Errors
    /// [`Error::Refused`]: a definition is missing, and no later statement adds it by itself.
    pub(crate) fn take_gaps(&self) -> Result<Gaps, Error> {
        let Missing { gaps, refused } = self.take_missing();
        refused.map_or(Ok(gaps), |refused| Err(Error::Refused(Box::new(refused))))
    }

    /// Returns what is missing, once.
    pub(crate) fn take_missing(&self) -> Missing {
        let section = &self.section;
        let (mut refusals, mut gaps) = (Vec::new(), Gaps::default());
        for RefusedStatement { number, reason } in self.take_refusals() {
            let step = section.step_of(number);
            match (section.analyzed_table(step), reason) {
                (Some(table), Reason::Answer(error)) => {
                    gaps.unanalyzed.push((table.clone(), error));
                }
                (None, Reason::Answer(error))
                    if needs_foreign_server(section.statements[number].kind, &error) =>
                {
                    gaps.unfilled.push(render_unfilled(section, step, &error));
                }
                (_, reason) => refusals.push(render_refusal(section, number, reason)),
            }
        }
        let refused = (!refusals.is_empty()).then(|| Refused {
            refusals,
            skipped: self.list_skipped(),
        });
        Missing { gaps, refused }
    }

    /// Returns the tables that were not analyzed since something on them was refused.
    pub(crate) fn list_unanalyzed(&self) -> Vec<QualifiedName> {
        let steps = self.skipped_steps().into_iter();
        let tables = steps.filter_map(|(step, _)| self.section.analyzed_table(step));
        tables.cloned().collect()
    }

    /// Returns the objects that were not attempted.
    fn list_skipped(&self) -> Vec<Skipped> {
        let section = &self.section;
        let steps = self.skipped_steps().into_iter();
        let definitions = steps.filter(|(step, _)| section.analyzed_table(*step).is_none());
        let skipped = definitions.map(|(step, cause)| {
            let statement = &section.statements[section.ranges[step].start];
            Skipped {
                object: section.label(step),
                kind: statement.kind,
                necessity: statement.necessity,
                cause: section.label(cause),
            }
        });
        skipped.collect()
    }
}

fn render_refusal(section: &Section, number: usize, source: Reason) -> Refusal {
    let statement = &section.statements[number];
    tracing::debug!(object = %statement.object, "refused: {source}");
    Refusal {
        object: statement.object.to_string(),
        kind: statement.kind,
        necessity: statement.necessity,
        statement: Some(statement.shown().as_str().to_owned()),
        source,
    }
}

/// Whether a materialized view could not be filled because the target does not reach a foreign server. The
/// copy of everything else is as good without it.
fn needs_foreign_server(kind: Kind, error: &connect::Error) -> bool {
    let answer = error.answer();
    let is_of_foreign_server = answer.is_some_and(|one| matches!(one.code.class(), "08" | "HV"));
    kind == Kind::Refresh && is_of_foreign_server
}

/// Renders the note for a materialized view without rows, and for those that read it.
fn render_unfilled(section: &Section, step: usize, error: &connect::Error) -> String {
    let mut views = vec![step];
    for (number, other) in section.steps.iter().enumerate() {
        let is_view = section.analyzed_table(number).is_none();
        if is_view && other.needs.iter().any(|needed| views.contains(needed)) {
            views.push(number);
        }
    }
    let labels: Vec<String> = views.iter().map(|view| section.label(*view)).collect();
    format!(
        "{}: not filled, the target cannot reach what it reads ({error}); run REFRESH MATERIALIZED VIEW \
         once it can",
        labels.join(", ")
    )
}
