//! How an error is shown: what failed and where, the causes down to the server's answer, and what
//! to do next.

use std::error::Error;

use super::json::{Failed, NotAttemptedBody, RefusedBody};
use super::log::{LogKind, LogLine};
use super::remedy::SettingName;
use super::style::Style;
use super::text;
use crate::connect;
use crate::event::{as_type, causes};
use crate::pg::ServerError;
use crate::remedy::Setting;
use crate::snapshot::{self, Refusal, Refused, Skipped};
use crate::wire;

/// Refused statements, and objects not attempted, that standard error lists at most.
const LISTED: usize = 10;

/// The list of refused statements, if one is among the causes.
fn refused<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refused> {
    causes(error).find_map(|error| match as_type(error) {
        Some(snapshot::Error::Refused(refused)) => Some(refused.as_ref()),
        Some(_) | None => None,
    })
}

/// What the program knows to do about a refused statement.
pub(super) type Advice = fn(&Refusal) -> Option<&'static str>;

/// The first refused statements with all that is known of them, and what they prevented.
pub(super) fn list_refused(refused: &Refused, advise: Advice, name: SettingName) -> Vec<String> {
    let mut lines = Vec::new();
    for refusal in refused.refusals.iter().take(LISTED) {
        let messages = chain(refusal).join(": ");
        lines.push(format!("  refused: {messages}"));
        if let Some(answer) = refusal.answer() {
            let fields = [
                ("detail", &answer.detail),
                ("context", &answer.context),
                ("hint", &answer.hint),
            ];
            for (name, value) in fields {
                lines.extend(
                    value
                        .iter()
                        .map(|value| format!("    {name}: {}", text::clean(value))),
                );
            }
        }
        let advice = advise(refusal).into_iter();
        lines.extend(advice.map(|advice| format!("    next: {advice}")));
    }
    for skipped in refused.skipped.iter().take(LISTED) {
        let (object, cause) = (text::clean(&skipped.object), text::clean(&skipped.cause));
        lines.push(format!("  {object}: not attempted, needs {cause}"));
    }
    let left = refused.refusals.len().saturating_sub(LISTED)
        + refused.skipped.len().saturating_sub(LISTED);
    if left > 0 {
        let output = name(Setting::Output);
        lines.push(format!("  and {left} more: see {output} json"));
    }
    lines
}

pub(super) fn refused_body(refusal: &Refusal, advise: Advice) -> RefusedBody {
    let answer = refusal.answer();
    let message = answer.map_or_else(|| refusal.source.to_string(), |one| one.message.clone());
    let detail = answer.and_then(|answer| answer.detail.as_deref());
    let hint = answer.and_then(|answer| answer.hint.as_deref());
    RefusedBody {
        object: text::clean(&refusal.object),
        statement: refusal.statement.clone(),
        sqlstate: answer.map(|answer| answer.code.to_string()),
        message: text::clean(&message),
        detail: detail.map(text::clean),
        hint: hint.map(text::clean),
        next: advise(refusal),
    }
}

fn not_attempted_body(skipped: &Skipped) -> NotAttemptedBody {
    NotAttemptedBody {
        object: text::clean(&skipped.object),
        needs: text::clean(&skipped.cause),
    }
}

/// A command that failed.
#[derive(Debug)]
pub struct Failure<'a> {
    /// The command, such as `init`.
    pub command: &'a str,
    /// The code it will exit with.
    pub exit_code: u8,
    /// What happened; its sources are the causes.
    pub error: &'a (dyn Error + 'static),
    /// Side, database, table, phase, host and port: what is known. Never a password.
    pub place: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether a copy is kept without what the target has refused.
    pub is_kept: bool,
}

/// The messages from the outside in. A message that its predecessor already ends with is skipped: it would
/// only be repeated.
pub(super) fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for error in causes(error) {
        let message = server_error(error).map_or_else(|| error.to_string(), headline);
        let message = text::clean(&message);
        if !messages.last().is_some_and(|last| last.ends_with(&message)) {
            messages.push(message);
        }
    }
    messages
}

/// Message and code, without the fields that are on lines of their own.
fn headline(answer: &ServerError) -> String {
    format!("{} (SQLSTATE {})", answer.message, answer.code)
}

/// The server's answer, if this very error is one. The transparent errors of the layers below represent it in
/// the chain.
fn server_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ServerError> {
    if let Some(connect::Error::Server(answer)) = error.downcast_ref() {
        return Some(answer);
    }
    if let Some(wire::Error::Server(answer)) = error.downcast_ref() {
        return Some(answer);
    }
    as_type(error)
}

/// The server's answer, if one is among the causes.
fn answer<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ServerError> {
    causes(error).find_map(server_error)
}

impl Failure<'_> {
    /// The error for people, its lines ended.
    pub(super) fn render_text(&self, style: Style, name: SettingName) -> String {
        let mut lines = vec![format!("{} {}", style.bad("error:"), self.message())];
        let mut field = |name: &str, value: Option<&str>| {
            lines.extend(value.map(|value| format!("  {name}: {}", text::clean(value))));
        };
        field("where", self.place.as_deref());
        if let Some(answer) = answer(self.error) {
            field("detail", answer.detail.as_deref());
            field("context", answer.context.as_deref());
            field("hint", answer.hint.as_deref());
        }
        if let Some(refused) = refused(self.error) {
            lines.extend(list_refused(refused, self.advice(), name));
        }
        let mut field = |name: &str, value: Option<&str>| {
            lines.extend(value.map(|value| format!("  {name}: {}", text::clean(value))));
        };
        field("next", self.hint.as_deref());
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The error as a line of standard error.
    pub(super) fn log_line(&self, style: Style, name: SettingName) -> LogLine {
        LogLine::new(LogKind::Error, &self.message())
            .shown_as(self.render_text(style, name).trim_end())
            .with("command", self.command)
            .with("exit_code", self.exit_code)
            .with("error", self.json())
    }

    /// What the program knows about refused statements: where the copy is kept, the rows on the target count.
    fn advice(&self) -> Advice {
        match self.is_kept {
            true => Refusal::repair,
            false => Refusal::advice,
        }
    }

    /// The chain as one sentence.
    fn message(&self) -> String {
        chain(self.error).join(": ")
    }

    /// The `error` of the JSON report. Of two hints, ours knows the program.
    pub(super) fn json(&self) -> Failed {
        let mut messages = chain(self.error).into_iter();
        let refused = refused(self.error);
        let answer = answer(self.error);
        let server_hint = answer.and_then(|answer| answer.hint.as_deref());
        let detail = answer.and_then(|answer| answer.detail.as_deref());
        Failed {
            message: messages.next().unwrap_or_default(),
            place: self.place.as_deref().map(text::clean),
            cause: messages.collect(),
            sqlstate: answer.map(|answer| answer.code.to_string()),
            detail: detail.map(text::clean),
            hint: self.hint.as_deref().or(server_hint).map(text::clean),
            refused: refused.map_or_else(Vec::new, |refused| {
                let refusals = refused.refusals.iter();
                refusals
                    .map(|one| refused_body(one, Refusal::advice))
                    .collect()
            }),
            not_attempted: refused.map_or_else(Vec::new, |refused| {
                refused.skipped.iter().map(not_attempted_body).collect()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::SqlState;

    #[derive(Debug, thiserror::Error)]
    #[error("copy table public.orders")]
    struct Copy(#[source] connect::Error);

    fn refused() -> Copy {
        Copy(connect::Error::Server(Box::new(ServerError {
            severity: "ERROR".to_owned(),
            code: SqlState::INSUFFICIENT_PRIVILEGE,
            message: "permission denied for table \u{1b}[1morders".to_owned(),
            detail: None,
            hint: Some("ask the owner".to_owned()),
            context: None,
            position: None,
        })))
    }

    fn failure<'a>(error: &'a (dyn Error + 'static)) -> Failure<'a> {
        Failure {
            command: "init",
            exit_code: 1,
            error,
            place: Some("source, database shop".to_owned()),
            hint: Some("grant SELECT".to_owned()),
            is_kept: false,
        }
    }

    #[test]
    fn people_see_the_chain_the_place_and_the_way_out() {
        assert_eq!(
            failure(&refused()).render_text(Style::PLAIN, |_| "--x"),
            "error: copy table public.orders: permission denied for table  [1morders (SQLSTATE 42501)\n  \
             where: source, database shop\n  hint: ask the owner\n  next: grant SELECT\n"
        );
    }

    #[test]
    fn programs_see_the_same_in_fields() {
        let json = failure(&refused()).json();
        assert_eq!(json.message, "copy table public.orders");
        assert_eq!(json.sqlstate.as_deref(), Some("42501"));
        assert_eq!(json.cause.len(), 1);
        assert_eq!(json.hint.as_deref(), Some("grant SELECT"));
    }

    #[test]
    fn the_answer_is_found_on_wire_connections_too() {
        #[derive(Debug, thiserror::Error)]
        #[error("read the rows")]
        struct Rows(#[source] wire::Error);
        let connect::Error::Server(answer) = refused().0 else {
            panic!("the example is a server's answer");
        };
        let error = Rows(wire::Error::Server(answer));
        assert_eq!(failure(&error).json().sqlstate.as_deref(), Some("42501"));
    }

    #[test]
    fn a_cause_is_not_said_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("read file: not found")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("not found")]
        struct Inner;
        assert_eq!(chain(&Outer(Inner)), ["read file: not found"]);
    }
}
