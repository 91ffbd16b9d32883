//! Questions about what refuses a run: what would be changed, and whether the user agrees.

use std::collections::BTreeSet;

use super::contract::number;
use super::plan::server_line;
use crate::migrate::{DatabaseTable, Dropped, Prepared, Proposal};
use crate::pg::Oid;
use crate::remedy::Setting;
use crate::ui::remedy::SettingName;
use crate::ui::{LogKind, LogLine, Ui, text};

/// The question before a run that replicates.
const PROCEED: &str = "Proceed with replication? [y/N]:";

/// The question before a run where replication is not possible.
const COPY_ONCE: &str = "Proceed with a one-off copy, without replication? [y/N]:";

/// How many tables are listed, unless all are asked for.
const LISTED: usize = 20;

/// Shows both servers, on standard error.
pub fn show_servers(ui: &Ui, prepared: &Prepared) {
    for (side, server) in prepared.servers.iter() {
        ui.screen().show(&server_line(side, server));
    }
}

/// Shows what a proposal is about, on standard error.
pub fn show_proposal(ui: &Ui, proposal: &Proposal, verbose: bool) {
    let line = match proposal {
        Proposal::SnapshotOnly(tables) => {
            let listed = if verbose { tables.len() } else { LISTED };
            list_tables(tables, listed, ui.setting_name())
        }
        Proposal::DropExisting(dropped) if dropped.len() > 1 => list_dropped(dropped),
        // The question names it.
        Proposal::DropExisting(_) => return,
        Proposal::CopyOnce => LogLine::new(
            LogKind::Proposal,
            "Replication is not possible: see the errors above.",
        ),
    };
    ui.screen().show(&line);
}

/// Lists the first tables.
fn list_tables(tables: &[DatabaseTable], listed: usize, name: SettingName) -> LogLine {
    let title = format!(
        "The changes of {} cannot be followed:",
        text::counted(number(tables.len()), "table")
    );
    let names: Vec<String> = tables
        .iter()
        .map(|table| format!("{}.{}", text::clean(&table.database), table.name))
        .collect();
    let mut shown = title.clone();
    for table in names.iter().take(listed) {
        shown.push_str("\n  ");
        shown.push_str(table);
    }
    let rest = names.len().saturating_sub(listed);
    if rest > 0 {
        let rest = format!("\n  and {rest} more: see {}", name(Setting::Verbose));
        shown.push_str(&rest);
    }
    LogLine::new(LogKind::Proposal, &title)
        .shown_as(shown)
        .with("tables", names)
}

fn list_dropped(dropped: &[Dropped]) -> LogLine {
    let lines: Vec<String> = dropped
        .iter()
        .map(|one| {
            let (name, tables) = (
                text::clean(one.name.as_str()),
                text::counted(one.tables, "table"),
            );
            format!("  {name}: {tables}, {}", text::size(one.bytes))
        })
        .collect();
    let names: Vec<&str> = dropped.iter().map(|one| one.name.as_str()).collect();
    let title = "Databases on the target that are not empty:";
    LogLine::new(LogKind::Proposal, title)
        .shown_as(format!("{title}\n{}", lines.join("\n")))
        .with("databases", names)
}

/// The question of a proposal. `place` is the target's host and port.
pub fn render_proposal(proposal: &Proposal, place: &str) -> String {
    match proposal {
        Proposal::SnapshotOnly(tables) => match tables.len() {
            1 => "Copy this table now without following its changes? [y/N]:".to_owned(),
            count => {
                format!("Copy these {count} tables now without following their changes? [y/N]:")
            }
        },
        Proposal::DropExisting(dropped) => match dropped.as_slice() {
            [one] => render_drop_one(one),
            several => render_drop(several, place),
        },
        Proposal::CopyOnce => COPY_ONCE.to_owned(),
    }
}

fn render_drop_one(dropped: &Dropped) -> String {
    let name = text::clean(dropped.name.as_str());
    let contents = match dropped.tables {
        0 => "is not empty".to_owned(),
        tables => format!("holds {}", text::counted(tables, "table")),
    };
    format!("Database \"{name}\" on the target {contents}. Drop and recreate it? [y/N]:")
}

/// The question before the run: it names what is dropped, and where, unless the user has agreed to that already.
pub fn render_question(prepared: &Prepared, agreed: &BTreeSet<Oid>) -> String {
    let mut dropped = prepared.dropped();
    dropped.retain(|one| !agreed.contains(&one.oid));
    match dropped.as_slice() {
        [] => PROCEED.to_owned(),
        open => render_drop(open, &prepared.servers.target.place),
    }
}

fn render_drop(dropped: &[Dropped], place: &str) -> String {
    let databases = text::counted(number(dropped.len()), "database");
    let tables = dropped.iter().map(|one| one.tables).sum();
    let tables = text::counted(tables, "table");
    let size = text::size(dropped.iter().map(|one| one.bytes).sum());
    let place = text::clean(place);
    format!("DROP {databases} on {place} ({tables}, {size})? [y/N]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Ident, QualifiedName};

    fn dropped(name: &str, tables: u64) -> Dropped {
        Dropped {
            name: Ident::from_catalog(name),
            oid: Oid(1),
            tables,
            bytes: 250 << 20,
        }
    }

    fn tables(count: usize) -> Proposal {
        let table = |number| DatabaseTable {
            database: "app".to_owned(),
            name: QualifiedName::from_catalog("public", format!("t{number}")),
        };
        Proposal::SnapshotOnly((1..=count).map(table).collect())
    }

    #[test]
    fn questions_name_what_is_changed() {
        let drop = |databases: &[Dropped]| Proposal::DropExisting(databases.to_vec());
        for (proposal, expected) in [
            (Proposal::CopyOnce, COPY_ONCE),
            (
                tables(1),
                "Copy this table now without following its changes? [y/N]:",
            ),
            (
                tables(12),
                "Copy these 12 tables now without following their changes? [y/N]:",
            ),
            (
                drop(&[dropped("shop", 1)]),
                "Database \"shop\" on the target holds 1 table. Drop and recreate it? [y/N]:",
            ),
            (
                drop(&[dropped("shop", 0)]),
                "Database \"shop\" on the target is not empty. Drop and recreate it? [y/N]:",
            ),
            (
                drop(&[dropped("shop", 1), dropped("crm", 144)]),
                "DROP 2 databases on db2.example:5432 (145 tables, 500.0 MB)? [y/N]",
            ),
        ] {
            assert_eq!(render_proposal(&proposal, "db2.example:5432"), expected);
        }
    }

    #[test]
    fn many_tables_are_listed_in_part() {
        let Proposal::SnapshotOnly(tables) = tables(23) else {
            panic!("the proposal is about tables");
        };
        let shown = list_tables(&tables, LISTED, |_| "--x");
        let lines: Vec<_> = shown.text().lines().collect();
        assert_eq!(lines[0], "The changes of 23 tables cannot be followed:");
        assert_eq!(lines[1], "  app.public.t1");
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[21], "  and 3 more: see --x");
        let all = list_tables(&tables, tables.len(), |_| "--x");
        assert_eq!(all.text().lines().count(), 24);
    }

    #[test]
    fn one_question_about_all_that_is_dropped() {
        let both = [dropped("shop", 1), dropped("crm", 1)];
        assert_eq!(
            render_drop(&both[..1], "h:1"),
            "DROP 1 database on h:1 (1 table, 250.0 MB)? [y/N]"
        );
        assert_eq!(
            list_dropped(&both).text(),
            "Databases on the target that are not empty:\n  shop: 1 table, 250.0 MB\n  crm: 1 table, 250.0 MB"
        );
    }
}
