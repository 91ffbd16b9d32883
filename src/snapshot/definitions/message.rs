//! How the statements of one transaction are sent, and which of them an error is about.
//!
//! Many statements share a message, since each message costs the server an answer. The first error of a message
//! ends it, and the number of commands completed before shows which statement it was. A statement of several
//! commands would change that number, so a statement with a semicolon has a message of its own.
//!
//! A transaction is sent as `BEGIN`, its statements, and a commit that a failed transaction does not execute.
//! After an error the session stays in its failed transaction, and refuses everything that was sent after it, up
//! to the `ROLLBACK`.

use std::ops::Range;

use crate::ddl::Statement;
use crate::pg::Sql;
use crate::snapshot::evaluation::Around;
use crate::{connect, sql};

/// Bytes of SQL after which a new message begins.
const LENGTH: usize = 64 * 1024;

/// Several statements sent as one.
#[derive(Debug)]
pub(super) struct Message {
    /// The text.
    pub(super) sql: Sql,
    /// For each statement its number and the character where it begins, from 0.
    pub(super) statements: Vec<(usize, usize)>,
}

/// Begins a transaction.
pub(super) fn begin_message() -> Message {
    plain("BEGIN")
}

/// Commits, unless the transaction has failed: then the first command is refused and the second
/// not reached.
pub(super) fn commit_message(commit: &Sql) -> Message {
    Message {
        sql: sql!("SELECT; {}", commit),
        statements: Vec::new(),
    }
}

fn plain(text: &'static str) -> Message {
    Message {
        sql: Sql::fixed(text),
        statements: Vec::new(),
    }
}

/// Statements, by their numbers, in as few messages as keep errors apart. What goes around a
/// statement comes with it in a message of its own.
pub(super) fn render_messages(
    statements: &[Statement],
    numbers: &[Range<usize>],
    around: &dyn Fn(usize) -> Option<Around>,
) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut characters = 0;
    let mut is_open = false;
    for number in numbers.iter().cloned().flatten() {
        let sql = &statements[number].sql;
        if let Some(around) = around(number) {
            messages.push(surrounded(number, sql, &around));
            is_open = false;
            continue;
        }
        let is_apart = sql.as_str().contains(';');
        let length = sql.as_str().chars().count();
        match messages.last_mut() {
            Some(last) if is_open && !is_apart && last.sql.as_str().len() < LENGTH => {
                last.sql.push(&Sql::fixed(SEPARATOR));
                last.statements.push((number, characters));
                last.sql.push(sql);
            }
            Some(_) | None => {
                characters = 0;
                messages.push(Message {
                    sql: sql!("{}", sql),
                    statements: vec![(number, 0)],
                });
            }
        }
        characters += length + SEPARATOR.len();
        is_open = !is_apart;
    }
    messages
}

fn surrounded(number: usize, sql: &Sql, around: &Around) -> Message {
    let begin = around.before.as_str().chars().count() + SEPARATOR.len();
    Message {
        sql: Sql::join([&around.before, sql, &around.after], SEPARATOR),
        statements: vec![(number, begin)],
    }
}

/// Between statements; a line break ends a comment that a definition may end with.
const SEPARATOR: &str = "\n;\n";

impl Message {
    /// The character where a statement begins, from 0.
    pub(super) fn begin_of(&self, statement: usize) -> usize {
        let mut statements = self.statements.iter();
        let found = statements.find(|(number, _)| *number == statement);
        found.map_or(0, |(_, begin)| *begin)
    }

    /// The statement that was refused after so many commands.
    pub(super) fn culprit(&self, completed: usize, error: &connect::Error) -> Option<usize> {
        let by_count = self.statements.get(completed).map(|(number, _)| *number);
        // A text that cannot be parsed is refused as a whole, before its first command.
        if completed > 0 || self.statements.len() == 1 {
            return by_count.or_else(|| self.statements.last().map(|(number, _)| *number));
        }
        let position = error.answer().and_then(|answer| answer.position);
        let Some(position) = position else {
            return by_count;
        };
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let before = self
            .statements
            .iter()
            .rev()
            .find(|(_, start)| *start < position);
        before.map(|(number, _)| *number).or(by_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ddl::Kind;
    use crate::ddl::{Label, Necessity};
    use crate::pg::Ident;
    use crate::pg::ServerError;
    use crate::pg::SqlState;

    fn statement(text: &str) -> Statement {
        Statement {
            sql: Sql::deparsed(text),
            object: Label::plain("schema", &Ident::from_catalog("s")),
            kind: Kind::Schema,
            necessity: Necessity::Required,
            step: 0,
            needs_no_transaction: false,
            secret: false,
        }
    }

    fn refused(position: Option<u32>) -> connect::Error {
        connect::Error::Server(Box::new(ServerError {
            severity: "ERROR".to_owned(),
            code: SqlState::UNDEFINED_OBJECT,
            message: String::new(),
            detail: None,
            hint: None,
            context: None,
            position,
        }))
    }

    #[test]
    fn several_commands_stand_in_a_message_of_their_own() {
        let statements = ["ü", "b", "c; d", "e", "f"].map(statement);
        let messages = render_messages(&statements, &[0..2, 2..5], &|_| None);
        let texts: Vec<_> = messages
            .iter()
            .map(|message| message.sql.as_str())
            .collect();
        assert_eq!(texts, ["ü\n;\nb", "c; d", "e\n;\nf"]);
        assert_eq!(messages[0].statements, [(0, 0), (1, 4)]);
        assert_eq!(messages[2].statements, [(3, 0), (4, 4)]);
    }

    #[test]
    fn what_goes_around_a_statement_stands_with_it_alone() {
        let statements = ["a", "b", "c", "d"].map(statement);
        let around = |number| {
            (number == 1).then(|| Around {
                before: Sql::deparsed("ü; x"),
                after: Sql::deparsed("y"),
            })
        };
        let messages = render_messages(&statements, std::slice::from_ref(&(0..4)), &around);
        let texts: Vec<_> = messages.iter().map(|one| one.sql.as_str()).collect();
        assert_eq!(texts, ["a", "ü; x\n;\nb\n;\ny", "c\n;\nd"]);
        assert_eq!(messages[1].statements, [(1, 7)]);
        assert_eq!(messages[1].culprit(2, &refused(None)), Some(1));
    }

    #[test]
    fn an_error_is_told_by_the_commands_before_it_or_by_its_place() {
        let statements = ["ü", "b", "c"].map(statement);
        let message = &render_messages(&statements, &[0..1, 1..3], &|_| None)[0];
        assert_eq!(message.culprit(2, &refused(Some(1))), Some(2));
        assert_eq!(message.culprit(0, &refused(Some(5))), Some(1));
        assert_eq!(message.culprit(0, &refused(Some(1))), Some(0));
        assert_eq!(message.culprit(0, &refused(None)), Some(0));
    }
}
