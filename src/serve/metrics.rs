//! The report as metrics of Prometheus (text format 0.0.4). Base units are seconds and bytes.

use crate::logical::Slot;
use crate::status::{DatabaseStatus, LagTime, Observation, Report};
use crate::ui::replication::{
    Health, TABLE_STATES, least_lag, retained_wal, table_state_code, trouble_code,
};

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

/// A value with the labels that it has besides `database`.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    label: Option<(&'static str, String)>,
    value: f64,
}

/// Metrics of one name.
struct Family {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&DatabaseStatus) -> Vec<Sample>,
}

/// Those of each database.
const FAMILIES: &[Family] = &[
    Family {
        name: "seren_replication_up",
        kind: Kind::Gauge,
        help: "Whether both servers could be asked.",
        read: |database| flag(Some(database.observation().is_some())),
    },
    Family {
        name: "seren_replication_verdict",
        kind: Kind::Gauge,
        help: "The verdict: 1 for the one that applies, 0 for the others.",
        read: verdicts,
    },
    Family {
        name: "seren_replication_lag_seconds",
        kind: Kind::Gauge,
        help: "Time until the target had applied what the source had flushed; at least, where it exceeds the limit.",
        read: |database| {
            one(seen(database)
                .and_then(least_lag)
                .map(|lag| lag.as_secs_f64()))
        },
    },
    Family {
        name: "seren_replication_lag_exceeds_limit",
        kind: Kind::Gauge,
        help: "Whether the lag exceeds the time for which it is measured.",
        read: |database| flag(seen(database).and_then(exceeds)),
    },
    Family {
        name: "seren_replication_lag_bytes",
        kind: Kind::Gauge,
        help: "WAL between what the source has flushed and what the target has applied.",
        read: |database| bytes(seen(database).and_then(|seen| seen.lag.bytes)),
    },
    Family {
        name: "seren_replication_tables",
        kind: Kind::Gauge,
        help: "Tables of the subscription by state.",
        read: tables,
    },
    Family {
        name: "seren_replication_troubled_tables",
        kind: Kind::Gauge,
        help: "Tables that are not replicated as they should be, by reason.",
        read: troubled,
    },
    Family {
        name: "seren_replication_findings",
        kind: Kind::Gauge,
        help: "Findings by level.",
        read: findings,
    },
    Family {
        name: "seren_slot_active",
        kind: Kind::Gauge,
        help: "Whether a process uses the slot.",
        read: |database| flag(slot(database).map(|slot| slot.active_pid.is_some())),
    },
    Family {
        name: "seren_slot_retained_wal_bytes",
        kind: Kind::Gauge,
        help: "WAL that the slot retains.",
        read: |database| bytes(seen(database).and_then(retained_wal)),
    },
    Family {
        name: "seren_slot_safe_wal_bytes",
        kind: Kind::Gauge,
        help: "WAL that can be written before the slot can be lost.",
        read: |database| count(slot(database).and_then(|slot| slot.safe_wal_size)),
    },
    Family {
        name: "seren_slot_wal_status",
        kind: Kind::Gauge,
        help: "The wal_status of the slot: 1 for the one that applies, 0 for the others.",
        read: wal_status,
    },
    Family {
        name: "seren_sender_sent_wal_bytes_total",
        kind: Kind::Counter,
        help: "Position in the WAL up to which the source has sent.",
        read: sent,
    },
    Family {
        name: "seren_subscription_received_wal_bytes_total",
        kind: Kind::Counter,
        help: "Position in the WAL up to which the target has received.",
        read: received,
    },
    Family {
        name: "seren_subscription_enabled",
        kind: Kind::Gauge,
        help: "Whether the subscription is enabled.",
        read: |database| {
            let subscription = seen(database).and_then(|seen| seen.target.subscription.as_ref());
            flag(subscription.map(|subscription| subscription.is_enabled))
        },
    },
    Family {
        name: "seren_subscription_worker_running",
        kind: Kind::Gauge,
        help: "Whether the apply worker runs.",
        read: |database| flag(seen(database).map(|seen| seen.target.worker.is_some())),
    },
    Family {
        name: "seren_subscription_apply_errors_total",
        kind: Kind::Counter,
        help: "Errors of the apply worker, since PostgreSQL 15.",
        read: |database| count(seen(database).and_then(|seen| seen.target.apply_errors())),
    },
    Family {
        name: "seren_subscription_sync_errors_total",
        kind: Kind::Counter,
        help: "Errors of the workers that copy tables, since PostgreSQL 15.",
        read: |database| count(seen(database).and_then(|seen| seen.target.sync_errors())),
    },
    Family {
        name: "seren_subscription_conflicts_total",
        kind: Kind::Counter,
        help: "Conflicts by kind, since PostgreSQL 18.",
        read: conflicts,
    },
];

/// When the report was created; a value for all databases.
const TIMESTAMP: &str = "seren_status_timestamp_seconds";

/// The program's version; its value is 1.
const BUILD: &str = "seren_build_info";

/// Returns the names of all metrics.
pub fn metric_names() -> Vec<&'static str> {
    let names = FAMILIES.iter().map(|family| family.name);
    [BUILD, TIMESTAMP].into_iter().chain(names).collect()
}

/// Returns all metrics. Before the first report there are no databases.
pub(super) fn render(report: Option<&Report>) -> String {
    let mut text = String::new();
    head(&mut text, BUILD, Kind::Gauge, "The version of the program.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    line(&mut text, BUILD, &version, 1.0);
    if let Some(report) = report {
        let help = "Unix time of the newest report.";
        head(&mut text, TIMESTAMP, Kind::Gauge, help);
        let milliseconds = report.at.as_millisecond() as f64;
        line(&mut text, TIMESTAMP, &[], milliseconds / 1000.0);
    }
    let databases = report.map_or(&[][..], |report| &report.databases);
    for family in FAMILIES {
        head(&mut text, family.name, family.kind, family.help);
        for database in databases {
            for sample in (family.read)(database) {
                let mut labels = vec![("database", database.source.as_str())];
                let label = sample.label.as_ref();
                labels.extend(label.map(|(name, value)| (*name, value.as_str())));
                line(&mut text, family.name, &labels, sample.value);
            }
        }
    }
    text
}

fn head(text: &mut String, name: &str, kind: Kind, help: &str) {
    let kind = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
    };
    text.push_str(&["# HELP ", name, " ", help, "\n"].concat());
    text.push_str(&["# TYPE ", name, " ", kind, "\n"].concat());
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    text.push_str(name);
    for (place, (label, value)) in labels.iter().enumerate() {
        text.push(if place == 0 { '{' } else { ',' });
        text.push_str(&[label, "=\"", &escape(value), "\""].concat());
    }
    if !labels.is_empty() {
        text.push('}');
    }
    text.push_str(&[" ", &value.to_string(), "\n"].concat());
}

/// The value of a label.
fn escape(value: &str) -> String {
    let value = value.replace('\\', "\\\\");
    value.replace('"', "\\\"").replace('\n', "\\n")
}

fn seen(database: &DatabaseStatus) -> Option<&Observation> {
    database.observation()
}

fn slot(database: &DatabaseStatus) -> Option<&Slot> {
    seen(database)?.source.slot.as_ref()
}

/// No sample where a value is not known.
fn one(value: Option<f64>) -> Vec<Sample> {
    let label = None;
    value
        .map(|value| Sample { label, value })
        .into_iter()
        .collect()
}

fn flag(value: Option<bool>) -> Vec<Sample> {
    one(value.map(number_of))
}

fn bytes(value: Option<u64>) -> Vec<Sample> {
    one(value.map(|value| value as f64))
}

fn count(value: Option<i64>) -> Vec<Sample> {
    one(value.map(|value| value as f64))
}

const fn number_of(is_true: bool) -> f64 {
    if is_true { 1.0 } else { 0.0 }
}

fn labelled(label: &'static str, value: &str, number: f64) -> Sample {
    Sample {
        label: Some((label, value.to_owned())),
        value: number,
    }
}

fn verdicts(database: &DatabaseStatus) -> Vec<Sample> {
    let own = Health::of(database);
    let all = Health::ALL.iter();
    all.map(|one| labelled("verdict", one.code(), number_of(*one == own)))
        .collect()
}

fn exceeds(seen: &Observation) -> Option<bool> {
    match seen.lag.time {
        LagTime::Within(_) => Some(false),
        LagTime::Exceeds(_) => Some(true),
        LagTime::Unknown => None,
    }
}

fn tables(database: &DatabaseStatus) -> Vec<Sample> {
    let Some(seen) = seen(database) else {
        return Vec::new();
    };
    let states = TABLE_STATES.iter();
    states
        .map(|state| {
            let count = seen.target.count_tables(*state) as f64;
            labelled("state", table_state_code(*state), count)
        })
        .collect()
}

/// How many there are of each kind of `kinds`; kinds that do not occur have 0.
fn counted<'a>(
    label: &'static str,
    kinds: &[&str],
    found: impl Iterator<Item = &'a str>,
) -> Vec<Sample> {
    let found: Vec<&str> = found.collect();
    let count = |kind: &str| found.iter().filter(|one| **one == kind).count() as f64;
    kinds
        .iter()
        .map(|kind| labelled(label, kind, count(kind)))
        .collect()
}

fn troubled(database: &DatabaseStatus) -> Vec<Sample> {
    let Some(seen) = seen(database) else {
        return Vec::new();
    };
    let kinds = [
        "not_ready",
        "missing_on_target",
        "not_subscribed",
        "not_published",
        "not_publishable",
    ];
    let found = seen.tables.iter().map(|table| trouble_code(&table.trouble));
    counted("trouble", &kinds, found)
}

fn findings(database: &DatabaseStatus) -> Vec<Sample> {
    let Some(seen) = seen(database) else {
        return Vec::new();
    };
    let found = seen.findings.iter().map(|finding| finding.level.name());
    counted("level", &["note", "warning", "error"], found)
}

fn wal_status(database: &DatabaseStatus) -> Vec<Sample> {
    let status = slot(database).and_then(|slot| slot.wal_status.as_deref());
    let Some(status) = status else {
        return Vec::new();
    };
    let all = ["reserved", "extended", "unreserved", "lost"];
    counted("status", &all, std::iter::once(status))
}

fn sent(database: &DatabaseStatus) -> Vec<Sample> {
    let sender = seen(database).and_then(|seen| seen.source.sender.as_ref());
    let sent = sender.and_then(|sender| sender.sent);
    bytes(sent.map(crate::pg::Lsn::get))
}

fn received(database: &DatabaseStatus) -> Vec<Sample> {
    let worker = seen(database).and_then(|seen| seen.target.worker.as_ref());
    let received = worker.and_then(|worker| worker.received);
    bytes(received.map(crate::pg::Lsn::get))
}

fn conflicts(database: &DatabaseStatus) -> Vec<Sample> {
    let conflicts = seen(database).map(|seen| seen.target.conflicts());
    let conflicts = conflicts.into_iter().flatten();
    conflicts
        .map(|(name, count)| labelled("conflict", name, count as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::status::samples;

    /// The labels of a line, read as Prometheus does.
    fn read_labels(text: &str) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        let mut rest = text;
        while let Some((name, behind)) = rest.split_once("=\"") {
            let mut value = String::new();
            let mut parts = behind.char_indices();
            let end = loop {
                match parts.next().unwrap() {
                    (_, '\\') => value.push(match parts.next().unwrap().1 {
                        'n' => '\n',
                        part => part,
                    }),
                    (at, '"') => break at,
                    (_, part) => value.push(part),
                }
            };
            labels.insert(name.trim_start_matches(',').to_owned(), value);
            rest = &behind[end + 1..];
        }
        assert_eq!(rest, "");
        labels
    }

    /// Every line of the format: names of samples with labels and values, in the order of their families.
    fn read(text: &str) -> Vec<(String, BTreeMap<String, String>, f64)> {
        let (mut samples, mut family) = (Vec::new(), String::new());
        let mut families = Vec::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split_once(' ').unwrap().0.to_owned();
                assert!(!families.contains(&family), "{family} is split");
                families.push(family.clone());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, family);
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            } else {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = match sample.split_once('{') {
                    Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
                    None => (sample, ""),
                };
                assert_eq!(name, family);
                let part = |part: char| part.is_ascii_lowercase() || part == '_';
                assert!(name.chars().all(part), "{name}");
                samples.push((name.to_owned(), read_labels(labels), value.parse().unwrap()));
            }
        }
        samples
    }

    #[test]
    fn every_line_is_one_of_the_format() {
        let text = render(Some(&samples::all_kinds()));
        let samples = read(&text);
        let names = metric_names();
        for name in &names {
            assert!(samples.iter().any(|(own, _, _)| own == name), "{name}");
        }
        assert!(
            samples
                .iter()
                .all(|(name, _, _)| names.contains(&name.as_str()))
        );
        let value = |name: &str, labels: &[&str]| {
            let found = samples.iter().find(|(own, own_labels, _)| {
                let has = |value: &&str| own_labels.values().any(|own| own == value);
                own == name && labels.iter().all(has)
            });
            found.map(|(_, _, value)| *value)
        };
        assert_eq!(
            value("seren_replication_lag_seconds", &["shop"]),
            Some(0.012)
        );
        assert_eq!(
            value("seren_replication_lag_seconds", &["archive"]),
            Some(2.0)
        );
        assert_eq!(value("seren_replication_lag_seconds", &["orders"]), None);
        assert_eq!(value("seren_replication_up", &["lost"]), Some(0.0));
        assert_eq!(
            value("seren_replication_verdict", &["shop", "caught_up"]),
            Some(1.0)
        );
        assert_eq!(
            value("seren_replication_verdict", &["shop", "broken"]),
            Some(0.0)
        );
        assert_eq!(
            value("seren_replication_verdict", &["lost", "unknown"]),
            Some(1.0)
        );
        assert_eq!(
            value("seren_slot_wal_status", &["orders", "lost"]),
            Some(1.0)
        );
        assert_eq!(
            value(
                "seren_subscription_conflicts_total",
                &["orders", "insert_exists"]
            ),
            Some(17.0)
        );
        assert_eq!(
            value("seren_status_timestamp_seconds", &[]),
            Some(1_800_000_000.0)
        );
        let missing = ["orders", "missing_on_target"];
        assert_eq!(
            value("seren_replication_troubled_tables", &missing),
            Some(22.0)
        );
    }

    #[test]
    fn any_name_is_a_label() {
        let name = "a\"b\\c\nd{}=,é";
        let report = samples::report(0, vec![samples::caught_up(name)]);
        let samples = read(&render(Some(&report)));
        let named = samples
            .iter()
            .filter(|(_, labels, _)| labels.get("database").is_some());
        assert!(named.clone().count() > 10);
        for (_, labels, _) in named {
            assert_eq!(labels["database"], name);
        }
    }

    #[test]
    fn before_the_first_report_there_are_no_databases() {
        let samples = read(&render(None));
        assert_eq!(samples.len(), 1);
        assert_eq!(samples[0].0, "seren_build_info");
    }
}
