//! The row that the source cannot read out: `COPY … TO` names neither its line nor its column.

use crate::pg::{Literal, QualifiedName, Sql, SqlState};
use crate::selection::RowFilter;
use crate::snapshot::error::Error;
use crate::sql;
use crate::wire::{self, EndedBy};

/// What to run on the source in order to find the rows behind an error of reading them, if it is one.
pub fn find_unreadable_row(error: &Error) -> Option<String> {
    let Error::Copy {
        table,
        filter,
        source,
    } = error
    else {
        return None;
    };
    if source.ended_by != EndedBy::Source {
        return None;
    }
    let wire::Error::Server(answer) = source.first()? else {
        return None;
    };
    is_of_a_row(answer.code).then(|| search(table, filter.as_deref()))
}

/// Whether a value, its type's functions or its pages may be the cause.
fn is_of_a_row(code: SqlState) -> bool {
    matches!(
        code.class(),
        "22" | "23" | "2F" | "38" | "39" | "54" | "58" | "P0" | "XX"
    )
}

/// Reads the rows one by one, and warns of each that fails. It changes nothing.
fn search(table: &QualifiedName, filter: Option<&RowFilter>) -> String {
    let read = match filter {
        Some(filter) => sql!(
            "PERFORM {} FROM ONLY {} AS {} WHERE ctid = place; ",
            filter.predicate,
            table,
            filter.alias()
        ),
        None => Sql::default(),
    };
    let body = sql!(
        "DECLARE place pg_catalog.tid; BEGIN FOR place IN SELECT ctid FROM ONLY {} LOOP \
         BEGIN {}PERFORM pg_catalog.record_out(unreadable_row) FROM ONLY {} AS unreadable_row WHERE ctid = place; \
         EXCEPTION WHEN OTHERS THEN RAISE WARNING 'row at ctid %: %', place, SQLERRM; END; END LOOP; END",
        table,
        read,
        table
    );
    let settings = filter.map(|filter| sql!("BEGIN; {}; ", filter.render_settings()));
    let end = filter.map(|_| Sql::fixed(" ROLLBACK;"));
    let run = sql!("{}DO {};{}", settings, Literal(body.as_str()), end);
    format!(
        "run on the source, to find the row by its ctid: {}",
        run.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::ServerError;
    use crate::wire::PumpError;

    fn failed(ended_by: EndedBy, code: SqlState) -> Error {
        let answer = ServerError {
            severity: "ERROR".to_owned(),
            code,
            message: "invalid internal value for enum: 7".to_owned(),
            detail: None,
            hint: None,
            context: None,
            position: None,
        };
        let error = Some(wire::Error::Server(Box::new(answer)));
        let (source_error, target_error) = match ended_by {
            EndedBy::Source => (error, None),
            EndedBy::Target | EndedBy::Stop => (None, error),
        };
        Error::Copy {
            table: QualifiedName::from_catalog("public".to_owned(), "it's".to_owned()),
            filter: None,
            source: Box::new(PumpError {
                ended_by,
                source_error,
                target_error,
            }),
        }
    }

    #[test]
    fn only_values_that_the_source_cannot_read_are_searched_for() {
        let found = find_unreadable_row(&failed(EndedBy::Source, SqlState::INTERNAL_ERROR));
        let found = found.unwrap();
        assert!(found.contains("DO '"), "{found}");
        assert!(
            found.contains(r#"FROM ONLY "public"."it''s" AS"#),
            "{found}"
        );
        let others = [
            (EndedBy::Target, SqlState::INTERNAL_ERROR),
            (EndedBy::Source, SqlState::INSUFFICIENT_PRIVILEGE),
            (EndedBy::Source, SqlState::ADMIN_SHUTDOWN),
        ];
        for (ended_by, code) in others {
            assert_eq!(find_unreadable_row(&failed(ended_by, code)), None);
        }
    }
}
