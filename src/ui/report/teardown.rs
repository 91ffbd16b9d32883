//! The report of `teardown`: what was removed, and what is to be run on a side that was not reached.

use serde::Serialize;

use super::contract::Report;
use super::plan::server_line;
use crate::checkpoint::DatabasePair;
use crate::event::WithCauses as _;
use crate::pg::{Ident, Side};
use crate::remedy::{Command, Remedy};
use crate::sql;
use crate::teardown::unrecorded::UnrecordedObject;
use crate::teardown::{Leftover, Leftovers, Unreachable};
use crate::ui::remedy::{SettingName, with_remedies};
use crate::ui::{LogKind, LogLine, Style, Ui, text};

/// The result of `teardown`.
#[derive(Debug)]
pub struct TornDown<'a> {
    /// What was found.
    pub leftovers: &'a Leftovers,
    /// Whether it was removed, rather than only listed.
    pub is_done: bool,
    /// How remedies name settings.
    pub setting_name: SettingName,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct TornDownBody {
    objects: Vec<ObjectBody>,
    unreachable: Vec<UnreachableBody>,
}

/// An object of a run.
#[derive(Debug, Serialize)]
struct ObjectBody {
    side: String,
    database: String,
    object: String,
    removed: bool,
}

/// A side that was not cleaned.
#[derive(Debug, Serialize)]
struct UnreachableBody {
    side: String,
    reason: String,
    statements: Vec<String>,
}

impl Report for TornDown<'_> {
    type Body = TornDownBody;

    fn command(&self) -> &'static str {
        "teardown"
    }

    fn render_text(&self, style: Style) -> String {
        let verb = if self.is_done {
            "removed"
        } else {
            "would remove"
        };
        let objects = self.leftovers.objects.iter();
        let mut lines: Vec<String> = objects
            .map(|leftover| text::clean(&format!("{verb} {leftover}")))
            .collect();
        if lines.is_empty() {
            lines.push("nothing to remove".to_owned());
        }
        for side in &self.leftovers.unreachable {
            lines.push(style.bad(&text::clean(&reason(side))));
            let statements = side.statements.iter();
            lines.extend(statements.map(|statement| format!("  {}", text::clean(statement))));
        }
        lines.join("\n") + "\n"
    }

    fn body(&self) -> TornDownBody {
        let objects = self.leftovers.objects.iter();
        TornDownBody {
            objects: objects.map(|one| object_body(one, self.is_done)).collect(),
            unreachable: self
                .leftovers
                .unreachable
                .iter()
                .map(unreachable_body)
                .collect(),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let others = self.leftovers.others.iter();
        others
            .map(|other| render_other(other, self.setting_name))
            .collect()
    }
}

/// Shows what was found, before the question: servers, objects, what is left alone, and what stays incomplete.
/// `with_statements` adds the statements that drop the objects.
pub fn show_leftovers(ui: &Ui, leftovers: &Leftovers, with_statements: bool) {
    let screen = ui.screen();
    for (side, server) in leftovers.servers.iter() {
        if let Some(server) = server {
            screen.show(&server_line(side, server));
        }
    }
    for leftover in &leftovers.objects {
        screen.show(&leftover_line(leftover, with_statements));
    }
    for other in &leftovers.others {
        let other = render_other(other, ui.setting_name());
        screen.show(&LogLine::new(LogKind::Note, &other).marked("  "));
    }
    for copy in &leftovers.incomplete {
        ui.warn(&render_incomplete(copy, ui.setting_name()));
    }
}

/// An object of a run, with the statement that drops it where that is asked for.
fn leftover_line(leftover: &Leftover, with_statement: bool) -> LogLine {
    let object = leftover.to_string();
    let statement = leftover.statement().filter(|_| with_statement);
    let mut shown = format!("  {}", text::clean(&object));
    if let Some(statement) = &statement {
        shown.push_str("\n    ");
        shown.push_str(&text::clean(statement));
    }
    LogLine::new(LogKind::Leftover, &object)
        .shown_as(shown)
        .with("side", leftover.side.to_string())
        .with("database", &leftover.database)
        .with("statement", statement)
}

/// What becomes of the incomplete copy of an interrupted run, and the two ways out.
fn render_incomplete(copy: &DatabasePair, name: SettingName) -> String {
    let target = Ident::from_catalog(copy.target.as_str());
    let what = format!(
        "database {target} on the target is the incomplete copy of an interrupted run. teardown removes the local \
         state of that run and keeps the database; afterwards it cannot be continued"
    );
    let purpose = "to complete it, do not remove the state, but continue";
    let continue_it = if copy.source == copy.target {
        Remedy::invoke(purpose, Command::Init)
    } else {
        copy.remedy(purpose, Command::Init)
    };
    let drop_it = Remedy::RunOn(Side::Target, sql!("DROP DATABASE {}", target));
    with_remedies(&what, &[continue_it, drop_it], name)
}

/// What is left alone, with what removes it.
fn render_other(other: &UnrecordedObject, name: SettingName) -> String {
    let what = format!("of another run, left alone: {}", other.what);
    with_remedies(&what, other.remedy.as_slice(), name)
}

fn object_body(leftover: &Leftover, removed: bool) -> ObjectBody {
    ObjectBody {
        side: leftover.side.to_string(),
        database: leftover.database.clone(),
        object: leftover.to_string(),
        removed,
    }
}

fn unreachable_body(side: &Unreachable) -> UnreachableBody {
    UnreachableBody {
        side: side.side.to_string(),
        reason: reason(side),
        statements: side.statements.clone(),
    }
}

/// Why a side was not cleaned, with the causes.
fn reason(side: &Unreachable) -> String {
    let what = match &side.error {
        Some(error) => format!("the {} cannot be reached: {}", side.side, error.chain()),
        None => format!("no URL of the {} is given", side.side),
    };
    format!("{what}; run there, if it still exists:")
}
