//! The file with the statements that the target has refused, for people.

use crate::checkpoint::DatabasePair;
use crate::pg::Printable;
use crate::snapshot::{Refusal, Refused};

/// Renders the refused statements of a database, each with the target's answer, as a script. Secrets are masked.
pub(crate) fn render_missing(database: &DatabasePair, refused: &Refused) -> String {
    let mut lines = vec![comment(&format!(
        "Objects that are missing in database {}, since the target has refused them.",
        database.target
    ))];
    for refusal in &refused.refusals {
        lines.push(String::new());
        lines.extend(render_refusal(refusal));
    }
    if !refused.skipped.is_empty() {
        lines.push(String::new());
        lines.push(comment(
            "Not attempted, since they depend on a refused object:",
        ));
    }
    for skipped in &refused.skipped {
        lines.push(comment(&format!(
            "{}: depends on {}",
            skipped.object, skipped.cause
        )));
    }
    lines.join("\n") + "\n"
}

fn render_refusal(refusal: &Refusal) -> Vec<String> {
    let mut lines = vec![comment(&refusal.object)];
    match refusal.answer() {
        None => lines.push(comment(&refusal.source.to_string())),
        Some(answer) => {
            lines.push(comment(&format!(
                "{} {}: {}",
                answer.severity, answer.code, answer.message
            )));
            let fields = [
                ("detail", &answer.detail),
                ("context", &answer.context),
                ("hint", &answer.hint),
            ];
            let fields = fields.into_iter().filter_map(|(name, value)| {
                let value = value.as_ref()?;
                Some(comment(&format!("{name}: {value}")))
            });
            lines.extend(fields);
        }
    }
    let repair = refusal
        .repair()
        .map(|repair| comment(&format!("next: {repair}")));
    lines.extend(repair);
    let statement = refusal.statement.as_ref();
    lines.extend(statement.map(|statement| format!("{statement};")));
    lines
}

/// A line that no server runs.
fn comment(text: &str) -> String {
    format!("-- {}", Printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect;
    use crate::ddl::{Kind, Necessity};
    use crate::pg::{ServerError, SqlState};
    use crate::snapshot::{Reason, Skipped};

    #[test]
    fn a_script_holds_the_statement_and_the_answer_and_comments_cannot_be_left() {
        let answer = ServerError {
            severity: "ERROR".to_owned(),
            code: SqlState::UNIQUE_VIOLATION,
            message: "could not create unique index".to_owned(),
            detail: Some("Key (a)=(1\n) is duplicated.".to_owned()),
            hint: None,
            context: None,
            position: None,
        };
        let refusal = Refusal {
            object: "index public.i\nDROP on public.t".to_owned(),
            kind: Kind::Index,
            necessity: Necessity::Optional,
            statement: Some("CREATE UNIQUE INDEX i ON t (a)".to_owned()),
            source: Reason::Answer(connect::Error::Server(Box::new(answer))),
        };
        let skipped = Skipped {
            object: "comment on index public.i".to_owned(),
            kind: Kind::Comment,
            necessity: Necessity::Dependent,
            cause: "index public.i".to_owned(),
        };
        let refused = Refused {
            refusals: vec![refusal],
            skipped: vec![skipped],
        };
        let text = render_missing(&DatabasePair::new("shop", "store"), &refused);
        insta::assert_snapshot!(text, @r"
        -- Objects that are missing in database store, since the target has refused them.

        -- index public.i�DROP on public.t
        -- ERROR 23505: could not create unique index
        -- detail: Key (a)=(1�) is duplicated.
        -- next: the copied rows contain duplicates: on the target, correct all but one of them or delete them; then run the statement again. On the source, an index that does not find them needs REINDEX
        CREATE UNIQUE INDEX i ON t (a);

        -- Not attempted, since they depend on a refused object:
        -- comment on index public.i: depends on index public.i
        ");
    }
}
