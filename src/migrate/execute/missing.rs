//! What a copy is without, since the target has refused it.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::ddl::{Kind, Label, Script, Statement};
use crate::snapshot::{Refused, Skipped};

/// Returns the statements that depend on nothing that was refused; the others are added to it.
pub(crate) fn skip_dependents(
    script: &Script,
    statements: Vec<Statement>,
    refused: &mut Refused,
) -> Vec<Statement> {
    let causes = find_causes(script, refused);
    let mut skipped = BTreeSet::new();
    let mut kept = Vec::new();
    for statement in statements {
        let Some(cause) = causes.get(&statement.step) else {
            kept.push(statement);
            continue;
        };
        if skipped.insert(statement.step) {
            refused.skipped.push(Skipped {
                object: statement.object.to_string(),
                kind: statement.kind,
                necessity: statement.necessity,
                cause: cause.clone(),
            });
        }
    }
    kept
}

/// The steps that were refused or depend on one that was, each with the name of that object.
fn find_causes(script: &Script, refused: &Refused) -> BTreeMap<usize, String> {
    let statements = || script.pre_data.iter().chain(&script.post_data);
    let mut causes = BTreeMap::new();
    for statement in statements() {
        let object = statement.object.to_string();
        if refused.is_missing(statement.kind, &object) {
            causes.insert(statement.step, object);
        }
    }
    // Temporary grants are the last step and come first: one pass does not reach what needs them.
    loop {
        let before = causes.len();
        for (number, step) in script.steps.iter().enumerate() {
            let cause = step
                .needs
                .iter()
                .find_map(|needed| causes.get(needed))
                .cloned();
            if let Some(cause) = cause {
                causes.entry(number).or_insert(cause);
            }
        }
        if causes.len() == before {
            return causes;
        }
    }
}

/// Removes from a catalog the materialized views that are missing on the target: nothing analyzes them.
pub(crate) fn forget_missing(catalog: &mut Catalog, refused: &Refused) {
    catalog.materialized_views.retain(|view| {
        let label = Label::qualified("materialized view", &view.name);
        !refused.is_missing(Kind::MaterializedView, &label.to_string())
    });
}

/// Joins what is missing of two sections.
pub(crate) fn join_refused(one: Option<Refused>, other: Option<Refused>) -> Option<Refused> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.add(other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect;
    use crate::ddl::{Necessity, Step};
    use crate::pg::{QualifiedName, ServerError, Sql, SqlState};
    use crate::snapshot::{Reason, Refusal};

    fn label(name: &str) -> Label {
        Label::qualified("view", &QualifiedName::from_catalog("s", name))
    }

    fn statement(step: usize, name: &str) -> Statement {
        Statement {
            sql: Sql::default(),
            object: label(name),
            kind: Kind::View,
            necessity: Necessity::Optional,
            step,
            needs_no_transaction: false,
            secret: false,
        }
    }

    fn refused(name: &str) -> Refused {
        let answer = ServerError {
            severity: "ERROR".to_owned(),
            code: SqlState::UNDEFINED_FUNCTION,
            message: "no".to_owned(),
            detail: None,
            hint: None,
            context: None,
            position: None,
        };
        Refused {
            refusals: vec![Refusal {
                object: label(name).to_string(),
                kind: Kind::View,
                necessity: Necessity::Optional,
                statement: None,
                source: Reason::Answer(connect::Error::Server(Box::new(answer))),
            }],
            skipped: Vec::new(),
        }
    }

    /// The steps depend on each other as listed; the one of place 1 has no statement.
    fn script(needs: &[&[usize]]) -> Script {
        let steps = needs.iter().map(|needs| Step {
            needs: needs.to_vec(),
            ..Step::default()
        });
        Script {
            pre_data: vec![statement(0, "a")],
            steps: steps.collect(),
            ..Script::default()
        }
    }

    #[test]
    fn dependents_are_skipped_through_steps_without_statements() {
        let script = script(&[&[], &[0], &[1], &[]]);
        let mut refused = refused("a");
        let left = vec![statement(2, "b"), statement(2, "b"), statement(3, "c")];
        let kept = skip_dependents(&script, left, &mut refused);
        assert_eq!(kept, [statement(3, "c")]);
        let skipped = Skipped {
            object: "view s.b".to_owned(),
            kind: Kind::View,
            necessity: Necessity::Optional,
            cause: "view s.a".to_owned(),
        };
        assert_eq!(refused.skipped, [skipped]);
        assert!(refused.is_optional());
    }

    #[test]
    fn what_is_required_is_not_optional_even_as_a_dependent() {
        let script = script(&[&[], &[0]]);
        let mut refused = refused("a");
        let policy = Statement {
            necessity: Necessity::Required,
            ..statement(1, "b")
        };
        assert!(skip_dependents(&script, vec![policy], &mut refused).is_empty());
        assert!(!refused.is_optional());
    }
}
