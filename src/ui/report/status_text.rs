//! The report of `status` for people: a block for each database, and one line for all.

use super::contract::number;
use super::finding::FindingBody;
use super::status::{ShownStatus, next_steps, unknown_reason};
use crate::cluster::Finding;
use crate::cluster::finding::Level;
use crate::logical::Slot;
use crate::pg::Lsn;
use crate::status::{
    DatabaseStatus, Lag, Observation, Outcome, Report, Sender, SenderLags, TargetFacts,
    TroubledTable,
};
use crate::ui::remedy::SettingName;
use crate::ui::replication::{
    Grade, Health, TABLE_STATES, TargetState, lag_text, table_state_code, trouble_text,
};
use crate::ui::{Style, text};

/// Tables that a block names at most.
const LISTED_TABLES: usize = 20;

/// Columns of the names of lines.
const NAMES: usize = 10;

/// The report, each line ended.
pub(super) fn render_lines(shown: ShownStatus<'_>, style: Style) -> String {
    let mut lines = Vec::new();
    for database in &shown.report.databases {
        lines.push(header(database, style));
        lines.extend(match &database.outcome {
            Outcome::Observed(seen) => block(seen, shown.setting_name, style),
            Outcome::Unknown(_) => unknown_lines(database, shown.setting_name),
        });
        lines.push(String::new());
    }
    lines.push(overall_line(shown.report, style));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// `✓ shop -> shop_new: CAUGHT UP`
fn header(database: &DatabaseStatus, style: Style) -> String {
    let health = Health::of(database);
    let (source, target) = (text::clean(&database.source), text::clean(&database.target));
    format!(
        "{} {}: {}",
        health.grade().paint(style, health.mark()),
        style.strong(&format!("{source} -> {target}")),
        health.grade().paint(style, health.name()),
    )
}

/// Lines of which the first is named.
fn named(name: &str, lines: Vec<String>) -> impl Iterator<Item = String> {
    let name = format!("  {name}:");
    lines.into_iter().enumerate().map(move |(at, line)| {
        let name = if at == 0 { name.as_str() } else { "" };
        format!("{name:<NAMES$}{line}")
    })
}

fn block(seen: &Observation, name: SettingName, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(named("source", slot_lines(seen, style)));
    lines.extend(named("sender", sender_lines(seen.source.sender.as_ref())));
    lines.extend(named("target", target_lines(&seen.target, style)));
    lines.extend(named("lag", vec![lag_line(seen.lag)]));
    lines.extend(named("tables", table_lines(seen, style)));
    let findings = seen.findings.iter();
    lines.extend(findings.flat_map(|finding| finding_lines(finding, name, style)));
    lines
}

fn unknown_lines(database: &DatabaseStatus, name: SettingName) -> Vec<String> {
    let reason = unknown_reason(database).into_iter();
    let reason = reason.map(|reason| format!("  {reason}"));
    let steps = next_steps(database, name).into_iter();
    reason
        .chain(steps.map(|step| format!("  next: {step}")))
        .collect()
}

fn slot_lines(seen: &Observation, style: Style) -> Vec<String> {
    let standby = seen.source.is_standby.then(|| style.bad("a standby"));
    let Some(slot) = &seen.source.slot else {
        let name = seen.names.slot.as_ref();
        let missing = match name {
            Some(name) => format!("slot {} does not exist", name.as_str()),
            None => "no slot".to_owned(),
        };
        return standby.into_iter().chain([style.bad(&missing)]).collect();
    };
    let use_ = match slot.active_pid {
        Some(_) => "active".to_owned(),
        None => style.doubtful("not active"),
    };
    let since = slot.inactive_since.as_ref();
    let since = since.map_or_else(String::new, |since| {
        format!(" since {}", text::clean(since))
    });
    let use_ = format!("slot {}: {use_}{since}", text::clean(&slot.name));
    let lines = standby.into_iter().chain([use_]);
    lines.chain(wal_line(slot, style)).collect()
}

/// What the slot retains, and how much more WAL it survives.
fn wal_line(slot: &Slot, style: Style) -> Option<String> {
    let retained = slot.retained;
    let mut parts: Vec<_> = retained
        .map(|bytes| format!("retains {} of WAL", text::size(bytes)))
        .into_iter()
        .collect();
    parts.extend(slot.wal_status.as_ref().map(|status| {
        let shown = format!("wal_status {}", text::clean(status));
        match status.as_str() {
            "reserved" => shown,
            "lost" => style.bad(&shown),
            _ => style.doubtful(&shown),
        }
    }));
    parts.extend(slot.safe_wal_size.map(|bytes| match u64::try_from(bytes) {
        Ok(bytes) => format!("{} until it is lost", text::size(bytes)),
        Err(_) => style.bad("over max_slot_wal_keep_size"),
    }));
    let cause = slot.invalidation.as_ref();
    parts.extend(cause.map(|cause| style.bad(&format!("invalidated: {}", text::clean(cause)))));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn sender_lines(sender: Option<&Sender>) -> Vec<String> {
    let Some(sender) = sender else {
        return vec!["Not running".to_owned()];
    };
    let state = sender.state.as_deref().unwrap_or("state unknown");
    let client = sender.client.as_ref();
    let client = client.map_or_else(String::new, |client| format!(" to {}", text::clean(client)));
    let mut lines = vec![
        format!("{}, PID {}{client}", text::clean(state), sender.pid),
        format!("sent {}, write {}", lsn(sender.sent), lsn(sender.write)),
        format!("flush {}, replay {}", lsn(sender.flush), lsn(sender.replay)),
    ];
    lines.extend(sender_lag_line(sender.lags));
    lines
}

/// The times that the sender has measured.
fn sender_lag_line(lags: SenderLags) -> Option<String> {
    let lags = [
        ("write", lags.write),
        ("flush", lags.flush),
        ("replay", lags.replay),
    ];
    let measured = lags.iter().filter_map(|(name, lag)| Some((name, (*lag)?)));
    let parts: Vec<_> = measured
        .map(|(name, lag)| format!("{name} lag {}", text::duration(lag)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A position, as far as the role may see it.
fn lsn(lsn: Option<Lsn>) -> String {
    lsn.map_or_else(|| "unknown".to_owned(), |lsn| lsn.to_string())
}

fn target_lines(target: &TargetFacts, style: Style) -> Vec<String> {
    let state = TargetState::of(target);
    let shown = match state {
        TargetState::Ready => style.good(state.name()),
        TargetState::Error | TargetState::NotCreated | TargetState::Disabled => {
            style.bad(state.name())
        }
        TargetState::Initializing | TargetState::Copying | TargetState::Syncing => {
            style.doubtful(state.name())
        }
    };
    if state == TargetState::NotCreated {
        return vec![shown];
    }
    let named = target
        .subscription
        .as_ref()
        .map_or_else(String::new, |one| format!("subscription {}: ", one.name));
    let mut lines = match &target.worker {
        None => vec![format!("{named}{shown}, worker Not running")],
        Some(worker) => vec![
            format!("{named}{shown}, worker PID {}", worker.pid),
            format!(
                "received {}, latest end {}",
                lsn(worker.received),
                lsn(worker.latest_end)
            ),
        ],
    };
    lines.extend(error_line(target, style));
    lines
}

/// The errors and conflicts that the server has counted.
fn error_line(target: &TargetFacts, style: Style) -> Option<String> {
    let part = |count: i64, noun: &str| {
        let shown = text::counted(u64::try_from(count).unwrap_or(0), noun);
        if count > 0 { style.bad(&shown) } else { shown }
    };
    let apply = target.apply_errors();
    let sync = target.sync_errors();
    let mut parts: Vec<String> = Vec::new();
    parts.extend(apply.map(|count| part(count, "apply error")));
    parts.extend(sync.map(|count| part(count, "sync error")));
    let conflicts = target.conflicts().into_iter();
    parts.extend(
        conflicts.map(|(name, count)| style.bad(&format!("{} {count}", text::clean(name)))),
    );
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn lag_line(lag: Lag) -> String {
    let bytes = lag.bytes.map(text::size);
    match (lag_text(lag.time), bytes) {
        (Some(time), Some(bytes)) => format!("{time}, {bytes}"),
        (Some(time), None) => time,
        (None, Some(bytes)) => format!("not measured, {bytes}"),
        (None, None) => "not measured".to_owned(),
    }
}

/// The counts, and each table that is not replicated as it should be.
fn table_lines(seen: &Observation, style: Style) -> Vec<String> {
    let counts = TABLE_STATES.map(|state| (seen.target.count_tables(state), state));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, state)| format!("{count} {}", table_state_code(*state)))
        .collect();
    let mut lines = vec![match counts.is_empty() {
        true => "none subscribed".to_owned(),
        false => counts.join(", "),
    }];
    let listed = seen.tables.iter().take(LISTED_TABLES);
    lines.extend(listed.map(|table| troubled_line(table, style)));
    let rest = seen.tables.len().saturating_sub(LISTED_TABLES);
    lines.extend((rest > 0).then(|| format!("and {rest} more")));
    lines
}

fn troubled_line(troubled: &TroubledTable, style: Style) -> String {
    let TroubledTable { table, trouble } = troubled;
    format!("{} {table}: {}", style.doubtful("!"), trouble_text(trouble))
}

/// The finding without its database, and what to do about it.
fn finding_lines(finding: &Finding, name: SettingName, style: Style) -> Vec<String> {
    let body = FindingBody::new(finding, name);
    let line = body.headline();
    let line = match finding.level {
        Level::Error => Grade::Bad.paint(style, &line),
        Level::Warning => Grade::Doubtful.paint(style, &line),
        Level::Note | Level::Ok => line,
    };
    let next = body.remedy().map(|remedy| format!("    next: {remedy}"));
    std::iter::once(format!("  {line}")).chain(next).collect()
}

/// `✗ broken: 1 of 3 databases; 2 caught up`
fn overall_line(report: &Report, style: Style) -> String {
    let overall = Health::of_all(report);
    let all = number(report.databases.len());
    let count = |health| {
        let databases = report.databases.iter();
        number(databases.filter(|one| Health::of(one) == health).count())
    };
    let databases = text::counted(all, "database");
    let named = count(overall);
    let mut line = match named == all {
        true => databases,
        false => format!("{named} of {databases}"),
    };
    let others = Health::ALL.iter().rev().filter(|one| **one != overall);
    let others = others.map(|one| (count(*one), one.name().to_lowercase()));
    let others: Vec<_> = others
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if !others.is_empty() {
        line = format!("{line}; {}", others.join(", "));
    }
    let (mark, word) = (overall.mark(), overall.name().to_lowercase());
    let grade = overall.grade();
    format!(
        "{} {}: {line}",
        grade.paint(style, mark),
        style.strong(&word)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;
    use crate::ui::wrap::wrap;

    fn render(report: &Report) -> String {
        let shown = ShownStatus {
            report,
            setting_name: |_| "--x",
        };
        render_lines(shown, Style::PLAIN)
    }

    #[test]
    fn each_database_has_a_block() {
        insta::assert_snapshot!(wrap(&render(&samples::all_kinds()), 80));
    }

    #[test]
    fn a_narrow_terminal_shows_it_too() {
        let text = wrap(&render(&samples::all_kinds()), 40);
        insta::assert_snapshot!(text);
        for line in text.lines() {
            assert!(line.chars().count() <= 40, "{line}");
        }
    }

    #[test]
    fn the_last_line_counts() {
        let last = |databases| {
            let text = render(&samples::report(0, databases));
            text.lines().last().unwrap_or_default().to_owned()
        };
        let (one, two) = (|| samples::caught_up("a"), samples::caught_up("b"));
        assert_eq!(last(vec![one(), two]), "✓ caught up: 2 databases");
        assert_eq!(last(vec![one()]), "✓ caught up: 1 database");
        assert_eq!(
            last(vec![one(), samples::broken("b"), samples::unknown("c")]),
            "✗ broken: 1 of 3 databases; 1 unknown, 1 caught up"
        );
        assert_eq!(
            last(vec![one(), samples::unknown("c")]),
            "? unknown: 1 of 2 databases; 1 caught up"
        );
        assert_eq!(last(Vec::new()), "✗ not active: 0 databases");
    }
}
