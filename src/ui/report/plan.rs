//! The plan of a copy: sizes, times, and what becomes of each database of the target.

use serde::Serialize;

use super::contract::number;
use super::proposal::show_servers;
use super::sizes::{self, Estimate};
use crate::cluster::ServerIdentity;
use crate::migrate::Prepared;
use crate::migrate::{Options, PlannedDatabase, TargetAction};
use crate::pg::{QualifiedName, Side};
use crate::remedy::Setting;
use crate::selection::{ChangesRule, ExcludedObjects, RowFilter, RowsRule, TableRules};
use crate::ui::remedy::SettingName;
use crate::ui::{LogKind, LogLine, Ui, text};

/// What the times do not include.
const LOWER_BOUND: &str =
    "Times are a lower bound: the target also writes the rows and builds indexes and keys.";

/// A planned database, for programs.
#[derive(Debug, Serialize)]
pub(super) struct PlannedBody {
    database: String,
    target: String,
    action: &'static str,
    reason: Option<&'static str>,
    tables: usize,
    estimated_bytes: u64,
    /// Whether its replication slot is created as a failover slot.
    failover_slot: bool,
    /// Tables that are created without rows.
    schema_only_tables: Vec<String>,
    /// Tables whose later changes are not replicated.
    snapshot_only_tables: Vec<String>,
    insert_only_tables: Vec<String>,
    /// Tables of which only some rows are copied.
    filters: Vec<FilterBody>,
    /// The objects that are excluded by name.
    excluded_objects: Vec<String>,
}

/// A row filter, for programs.
#[derive(Debug, Serialize)]
struct FilterBody {
    table: String,
    /// As the user has written it.
    written: String,
    /// With constants in the place of the current time.
    predicate: String,
}

/// Shows sizes, times, both servers and what happens to each database, on standard error. The rate is in bytes an hour.
pub fn show_plan(ui: &Ui, prepared: &Prepared, options: &Options, rate: Option<u64>) {
    let screen = ui.screen();
    if options.copies_rows() {
        show_sizes(ui, prepared, rate);
    }
    if let Some(instant) = &prepared.instant {
        let text = format!("Filters use {} as the current time.", instant.as_str());
        screen.show(&LogLine::new(LogKind::Status, &text));
    }
    show_servers(ui, prepared);
    for planned in &prepared.databases {
        screen.show(&planned_line(planned));
    }
    let workers = text::counted(number(options.jobs), "worker");
    if !options.copies_rows() {
        screen.line(&format!("Creating definitions only, with {workers}."));
        return;
    }
    let kind = if options.replicate {
        "a replication slot's"
    } else {
        "one plain"
    };
    screen.line(&format!("Copying at {kind} snapshot with {workers}."));
    screen.line(&locks_line(options, ui.setting_name()));
}

/// `source: role@host:port, PostgreSQL 17.2`
pub(super) fn server_line(side: Side, server: &ServerIdentity) -> LogLine {
    LogLine::new(LogKind::Server, &format!("{side}: {server}"))
        .with("side", side.to_string())
        .with("role", &server.role)
        .with("place", &server.place)
        .with("version", server.version.to_string())
}

/// What becomes of a database of the target, and of its tables that have a rule.
fn planned_line(planned: &PlannedDatabase) -> LogLine {
    let action = action_line(planned);
    let rules = rule_lines(&planned.scope.rules);
    let excluded = excluded_line(&planned.scope.objects);
    let changes = source_lines(planned);
    let rules = rules
        .iter()
        .chain(&excluded)
        .chain(&changes)
        .map(|rule| format!("    {}", text::clean(rule)));
    let lines = std::iter::once(format!("  {}", text::clean(&action))).chain(rules);
    LogLine::new(LogKind::Plan, &action)
        .shown_as(lines.collect::<Vec<_>>().join("\n"))
        .with_fields(&planned_body(planned))
}

/// What is created and changed on the source.
fn source_lines(planned: &PlannedDatabase) -> Vec<String> {
    let Some(changes) = planned.source_changes() else {
        return Vec::new();
    };
    let list = |names: Vec<String>| names.join(", ");
    let publications = changes.publications.iter().map(ToString::to_string);
    let noun = match changes.publications.len() {
        1 => "publication",
        _ => "publications",
    };
    let publications = list(publications.collect());
    let kind = match changes.is_failover {
        true => "failover slot",
        false => "replication slot",
    };
    let created = format!(
        "on the source: {noun} {publications}, {kind} {}",
        changes.slot
    );
    let full = changes.made_full.iter().map(ToString::to_string);
    let full = list(full.collect());
    let full =
        (!full.is_empty()).then(|| format!("on the source: REPLICA IDENTITY FULL of {full}"));
    std::iter::once(created).chain(full).collect()
}

/// The tables that have a rule, one line a rule.
pub(super) fn rule_lines(rules: &TableRules) -> Vec<String> {
    let line = |what: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
    };
    let lists = [
        line("without rows", schema_only_tables(rules)),
        line(
            "without later changes",
            tables_with_changes(rules, ChangesRule::None),
        ),
        line(
            "later INSERT and TRUNCATE only",
            tables_with_changes(rules, ChangesRule::Inserts),
        ),
    ];
    let filters = filters(rules)
        .map(|(table, filter)| format!("only rows of {table} where {}", filter.predicate));
    lists.into_iter().flatten().chain(filters).collect()
}

fn filters(rules: &TableRules) -> impl Iterator<Item = (&QualifiedName, &RowFilter)> {
    let rules = rules.iter();
    rules.filter_map(|(table, rule)| Some((table, rule.filter()?)))
}

/// The objects that are excluded by name, in one line.
pub(super) fn excluded_line(objects: &ExcludedObjects) -> Option<String> {
    let names: Vec<String> = objects.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| format!("excluded: {}", names.join(", ")))
}

fn show_sizes(ui: &Ui, prepared: &Prepared, rate: Option<u64>) {
    let estimate = |planned: &PlannedDatabase| {
        Estimate::new(planned.name(), planned.bytes, rate.unwrap_or_default())
    };
    let estimates: Vec<_> = prepared.databases.iter().map(estimate).collect();
    ui.screen().show(&sizes::render_line(&estimates));
    ui.screen().line(LOWER_BOUND);
    match rate {
        Some(rate) => tracing::info!(
            "times from a sample of the source: {} an hour",
            text::size(rate)
        ),
        None => tracing::info!("times assume 20 GB an hour: there is too little to measure"),
    }
}

/// What becomes of DDL on the source meanwhile.
fn locks_line(options: &Options, name: SettingName) -> String {
    let flag = name(Setting::KeepLocks);
    if options.locks.keep {
        return format!(
            "DDL on the source that needs a copied table waits until the rows are copied ({flag})."
        );
    }
    format!(
        "DDL on the source that needs a copied table ends the copy (TRUNCATE, ALTER TABLE, DROP, VACUUM FULL, \
         CREATE TABLE … PARTITION OF, …): pause it, or pass {flag} to let it wait."
    )
}

/// What becomes of a database of the target.
pub(super) fn action_line(planned: &PlannedDatabase) -> String {
    let name = match (planned.name(), planned.target().as_str()) {
        (source, target) if source == target => source.to_owned(),
        (source, target) => format!("{source} → {target}"),
    };
    let tables = match &planned.action {
        TargetAction::Keep { tables } | TargetAction::Complete { tables, .. } => *tables,
        TargetAction::Recreate { .. }
        | TargetAction::Empty { .. }
        | TargetAction::Create
        | TargetAction::UseEmpty
        | TargetAction::DropAndCreate { .. } => planned.tables,
    };
    let tables = text::counted(number(tables), "table");
    format!("{name}: {}, {tables}", action(&planned.action))
}

fn action(action: &TargetAction) -> String {
    match action {
        TargetAction::Keep { .. } => "keep, finished by the interrupted run".to_owned(),
        TargetAction::Complete { missing, .. } => {
            format!(
                "create {}",
                text::counted(number(*missing), "missing object")
            )
        }
        TargetAction::Recreate { why, .. } => format!("drop and create again ({why})"),
        TargetAction::Empty { why, .. } => format!("remove what is in it and copy again ({why})"),
        TargetAction::Create => "create".to_owned(),
        TargetAction::UseEmpty => "use the empty database on the target".to_owned(),
        TargetAction::DropAndCreate { tables, bytes, .. } => format!(
            "drop and recreate (the target's holds {}, {})",
            text::counted(u64::try_from(*tables).unwrap_or_default(), "table"),
            text::size(u64::try_from(*bytes).unwrap_or_default()),
        ),
    }
}

/// A planned database for programs.
pub(super) fn planned_body(planned: &PlannedDatabase) -> PlannedBody {
    let (action, reason) = match planned.action {
        TargetAction::Create => ("create", None),
        TargetAction::UseEmpty => ("use", None),
        TargetAction::DropAndCreate { .. } => ("replace", None),
        TargetAction::Keep { .. } => ("keep", Some("finished by the interrupted run")),
        TargetAction::Complete { .. } => ("complete", Some("objects are missing")),
        TargetAction::Recreate { why, .. } => ("recreate", Some(why)),
        TargetAction::Empty { why, .. } => ("clear", Some(why)),
    };
    let rules = &planned.scope.rules;
    PlannedBody {
        database: planned.name().to_owned(),
        target: planned.target().as_str().to_owned(),
        action,
        reason,
        tables: planned.tables,
        estimated_bytes: planned.bytes,
        failover_slot: planned
            .source_changes()
            .is_some_and(|changes| changes.is_failover),
        schema_only_tables: schema_only_tables(rules),
        snapshot_only_tables: tables_with_changes(rules, ChangesRule::None),
        insert_only_tables: tables_with_changes(rules, ChangesRule::Inserts),
        filters: filters(rules).map(filter_body).collect(),
        excluded_objects: planned
            .scope
            .objects
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn filter_body((table, filter): (&QualifiedName, &RowFilter)) -> FilterBody {
    FilterBody {
        table: table.to_string(),
        written: filter.written.clone(),
        predicate: filter.predicate.text().to_owned(),
    }
}

/// The tables without rows, as `schema.table`.
fn schema_only_tables(rules: &TableRules) -> Vec<String> {
    let tables = rules
        .iter()
        .filter(|(_, rule)| rule.rows == Some(RowsRule::None));
    tables.map(|(name, _)| name.to_string()).collect()
}

/// The tables with this rule about later changes, as `schema.table`.
fn tables_with_changes(rules: &TableRules, changes: ChangesRule) -> Vec<String> {
    let tables = rules
        .iter()
        .filter(|(_, rule)| rule.changes == Some(changes));
    tables.map(|(name, _)| name.to_string()).collect()
}
