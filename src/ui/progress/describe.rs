//! Events as lines.

use std::time::Duration;

use crate::event::{Event, Phase};
use crate::pg::QualifiedName;
use crate::ui::log::{LogKind, LogLine};
use crate::ui::remedy::with_remedies;
use crate::ui::report::milliseconds;
use crate::ui::{SettingName, text};

/// An event as a line, and who is shown it.
pub(super) struct Described {
    pub(super) line: LogLine,
    pub(super) audience: Audience,
}

/// Who is shown a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// People and programs.
    Everyone,
    /// Those who see no bars, which show the same.
    WithoutBars,
    /// Programs alone.
    Programs,
}

impl Audience {
    const fn of(self, line: LogLine) -> Described {
        Described {
            line,
            audience: self,
        }
    }
}

/// A table whose rows are committed.
#[derive(Clone, Copy)]
struct CopiedTable<'a> {
    database: &'a str,
    table: &'a QualifiedName,
    rows: u64,
    bytes: u64,
    elapsed: Duration,
}

/// The line of an event; none of a tick, whose state is shown now and then.
pub(super) fn describe_event(event: &Event, name: SettingName) -> Option<Described> {
    Some(match event {
        Event::Warning(warning) => {
            let text = with_remedies(warning, &warning.remedies(), name);
            Audience::Everyone.of(LogLine::new(LogKind::Warning, &text).marked("warning: "))
        }
        Event::Note(note) => {
            let text = with_remedies(note, &note.remedies(), name);
            Audience::Everyone.of(LogLine::new(LogKind::Note, &text).marked("note: "))
        }
        Event::ServerNotice(notice) if notice.severity == "WARNING" => {
            let line = LogLine::new(LogKind::ServerWarning, &notice.to_string());
            let line = line.with("sqlstate", notice.code.to_string());
            Audience::Everyone.of(line.marked("the server warns: "))
        }
        Event::ServerNotice(notice) => {
            tracing::debug!("{}: {notice}", notice.severity);
            return None;
        }
        Event::PhaseStarted { database, phase } => {
            Audience::Programs.of(phase_started(database.as_deref(), *phase))
        }
        Event::PhaseFinished {
            database,
            phase,
            elapsed,
        } => {
            let line = phase_finished(database.as_deref(), *phase, *elapsed);
            // The findings of the checks follow, and show that they are done.
            if *phase == Phase::Check {
                Audience::Programs.of(line)
            } else {
                Audience::WithoutBars.of(line)
            }
        }
        Event::CopyPlanned {
            database,
            tables,
            bytes,
        } => Audience::Programs.of(planned(LogKind::CopyPlanned, database, *tables, *bytes)),
        Event::VerifyPlanned {
            database,
            tables,
            bytes,
        } => Audience::Programs.of(planned(LogKind::VerifyPlanned, database, *tables, *bytes)),
        Event::TableCopied {
            database,
            table,
            rows,
            bytes,
            elapsed,
        } => Audience::WithoutBars.of(table_copied(&CopiedTable {
            database,
            table,
            rows: *rows,
            bytes: *bytes,
            elapsed: *elapsed,
        })),
        Event::TableVerified {
            database,
            table,
            equal,
            rows,
        } => Audience::WithoutBars.of(table_verified(database, table, *equal, *rows)),
        Event::CaughtUp { database, elapsed } => {
            Audience::Everyone.of(caught_up(database, *elapsed))
        }
        Event::CopyProgress { .. }
        | Event::CatchingUp { .. }
        | Event::StatementsProgress { .. }
        | Event::VerifyProgress { .. }
        | Event::Waiting { .. }
        | Event::Connecting { .. } => return None,
    })
}

/// What takes long, if the event reports that.
pub(super) fn describe_wait(event: &Event) -> Option<LogLine> {
    match event {
        Event::Waiting { what, elapsed } => {
            let seconds = elapsed.as_secs();
            let line = LogLine::new(
                LogKind::Waiting,
                &format!("waiting for {what}, {seconds} s"),
            );
            Some(line.with("what", what).with("seconds", seconds))
        }
        Event::CatchingUp {
            database,
            behind,
            tables,
            elapsed,
        } => Some(catching_up(database, *behind, *tables, *elapsed)),
        Event::Connecting {
            place,
            attempt,
            attempts,
            elapsed,
            limit,
        } => {
            let of = limit.map_or_else(String::new, |limit| format!(" of {} s", limit.as_secs()));
            let (what, seconds) = (format!("connecting to {place}"), elapsed.as_secs());
            let text = format!("{what}, attempt {attempt} of {attempts}, {seconds} s{of}");
            let line = LogLine::new(LogKind::Waiting, &text).with("what", what);
            let line = line.with("seconds", seconds).with("attempt", attempt);
            Some(line.with("limit_seconds", limit.map(|limit| limit.as_secs())))
        }
        Event::PhaseStarted { .. }
        | Event::PhaseFinished { .. }
        | Event::CopyPlanned { .. }
        | Event::CopyProgress { .. }
        | Event::TableCopied { .. }
        | Event::StatementsProgress { .. }
        | Event::VerifyPlanned { .. }
        | Event::VerifyProgress { .. }
        | Event::TableVerified { .. }
        | Event::CaughtUp { .. }
        | Event::Note(_)
        | Event::Warning(_)
        | Event::ServerNotice(_) => None,
    }
}

/// How far a replication is behind.
fn catching_up(database: &str, behind: Option<u64>, tables: usize, elapsed: Duration) -> LogLine {
    let mut facts: Vec<String> = behind
        .map(|bytes| format!("{} of WAL", text::size(bytes)))
        .into_iter()
        .collect();
    if tables > 0 {
        let tables = u64::try_from(tables).unwrap_or(u64::MAX);
        facts.push(format!("the copy of {}", text::counted(tables, "table")));
    }
    let left = match facts.is_empty() {
        true => String::new(),
        false => format!(": {} to apply", facts.join(" and ")),
    };
    let seconds = elapsed.as_secs();
    let what = format!("waiting for database {database} to catch up{left}, {seconds} s");
    LogLine::new(LogKind::CatchingUp, &what)
        .with("database", database)
        .with("behind_bytes", behind)
        .with("tables", tables)
        .with("seconds", seconds)
}

fn caught_up(database: &str, elapsed: Duration) -> LogLine {
    let took = text::duration(elapsed);
    LogLine::new(
        LogKind::CaughtUp,
        &format!("{database}: the replication has caught up, after {took}"),
    )
    .with("database", database)
    .with("milliseconds", milliseconds(elapsed))
}

/// `shop: rows done in 4.0s`; phases of the cluster have no database.
fn phase_text(database: Option<&str>, text: &str) -> String {
    match database {
        Some(database) => format!("{database}: {text}"),
        None => text.to_owned(),
    }
}

fn phase_started(database: Option<&str>, phase: Phase) -> LogLine {
    let text = phase_text(database, &format!("{phase} started"));
    LogLine::new(LogKind::PhaseStarted, &text)
        .with("database", database)
        .with("phase", phase.to_string())
}

fn phase_finished(database: Option<&str>, phase: Phase, elapsed: Duration) -> LogLine {
    let took = text::duration(elapsed);
    let text = phase_text(database, &format!("{phase} done in {took}"));
    LogLine::new(LogKind::PhaseFinished, &text)
        .with("database", database)
        .with("phase", phase.to_string())
        .with("milliseconds", milliseconds(elapsed))
}

/// What is to be copied or compared.
fn planned(kind: LogKind, database: &str, tables: usize, bytes: u64) -> LogLine {
    let size = text::size(bytes);
    let count = text::counted(u64::try_from(tables).unwrap_or(u64::MAX), "table");
    LogLine::new(kind, &format!("{database}: {count}, ~{size}"))
        .with("database", database)
        .with("tables", tables)
        .with("planned_bytes", bytes)
}

fn table_copied(copied: &CopiedTable<'_>) -> LogLine {
    let CopiedTable {
        database,
        table,
        rows,
        bytes,
        elapsed,
    } = *copied;
    let rate = text::rate(bytes, elapsed).map(|rate| format!(" ({rate})"));
    let text = format!(
        "{database}.{table}: {}, {} in {}{}",
        text::counted(rows, "row"),
        text::size(bytes),
        text::duration(elapsed),
        rate.unwrap_or_default(),
    );
    LogLine::new(LogKind::TableCopied, &text)
        .with("database", database)
        .with("table", table.to_string())
        .with("rows", rows)
        .with("bytes", bytes)
        .with("milliseconds", milliseconds(elapsed))
}

fn table_verified(
    database: &str,
    table: &QualifiedName,
    equal: Option<bool>,
    rows: u64,
) -> LogLine {
    let verdict = match equal {
        Some(true) => "equal",
        Some(false) => "different",
        None => "undecided",
    };
    let count = text::counted(rows, "row");
    LogLine::new(
        LogKind::TableVerified,
        &format!("{database}.{table}: {verdict}, {count}"),
    )
    .with("database", database)
    .with("table", table.to_string())
    .with("equal", equal)
    .with("rows", rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Warning;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn described(event: &Event) -> Described {
        describe_event(event, |_| "--x").unwrap()
    }

    #[test]
    fn a_finished_table_says_what_moved_and_how_fast() {
        let copied = described(&Event::TableCopied {
            database: "shop".to_owned(),
            table: QualifiedName::from_catalog("public", "orders"),
            rows: 1_500_000,
            bytes: 120 << 20,
            elapsed: seconds(4),
        });
        assert_eq!(
            copied.line.text(),
            "shop.public.orders: 1500000 rows, 120.0 MB in 4.0s (30.0 MB/s)"
        );
        assert_eq!(copied.audience, Audience::WithoutBars);
    }

    #[test]
    fn an_attempt_to_connect_shows_its_number_and_its_limit() {
        let connecting = |limit| Event::Connecting {
            place: "h:5432".to_owned(),
            attempt: 2,
            attempts: 4,
            elapsed: seconds(5),
            limit,
        };
        let text = |limit| describe_wait(&connecting(limit)).unwrap().text().to_owned();
        let begin = "connecting to h:5432, attempt 2 of 4, 5 s";
        assert_eq!(text(Some(seconds(40))), format!("{begin} of 40 s"));
        assert_eq!(text(None), begin);
    }

    #[test]
    fn a_wait_says_what_for() {
        let waiting = Event::Waiting {
            what: "definitions of database shop".to_owned(),
            elapsed: seconds(3),
        };
        assert_eq!(
            describe_wait(&waiting).unwrap().text(),
            "waiting for definitions of database shop, 3 s"
        );
    }

    #[test]
    fn the_end_of_the_checks_is_for_programs_only() {
        let ended = |phase| {
            described(&Event::PhaseFinished {
                database: None,
                phase,
                elapsed: seconds(3),
            })
        };
        assert_eq!(ended(Phase::Check).audience, Audience::Programs);
        assert_eq!(ended(Phase::Roles).audience, Audience::WithoutBars);
        assert_eq!(ended(Phase::Roles).line.text(), "roles done in 3.0s");
    }

    #[test]
    fn a_warning_has_a_mark_for_people() {
        let cause = "lost".to_owned();
        let warned = described(&Event::Warning(Warning::Retry { cause }));
        assert_eq!(warned.line.text(), "warning: lost; trying again");
        assert_eq!(warned.line.message(), "lost; trying again");
        assert_eq!(warned.audience, Audience::Everyone);
    }
}
