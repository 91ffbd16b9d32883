//! Reports where no cursor can be moved: lines.

use jiff::Timestamp;

use crate::status::{DatabaseStatus, Observation, Report};
use crate::ui::replication::{Health, lag_text, retained_wal};
use crate::ui::report::ShownStatus;
use crate::ui::{SettingName, Style, text};

/// The form of the lines of a report.
#[derive(Clone, Copy, Debug)]
pub(super) enum LineFormat {
    /// One for each database.
    Text(Style),
    /// One object, whose remedies call settings so.
    Json(SettingName),
}

impl LineFormat {
    /// Returns the lines of a report, each ended.
    pub(super) fn render(self, report: &Report) -> String {
        match self {
            Self::Json(setting_name) => {
                let shown = ShownStatus {
                    report,
                    setting_name,
                };
                shown.json_line()
            }
            Self::Text(style) => {
                let databases = report.databases.iter();
                databases
                    .map(|database| line(report.at, database, style) + "\n")
                    .collect()
            }
        }
    }
}

fn line(at: Timestamp, database: &DatabaseStatus, style: Style) -> String {
    let health = Health::of(database);
    let verdict = health.grade().paint(style, health.name());
    let name = text::clean(&database.source);
    let mut parts = vec![format!("{at:.0} {name}: {verdict}")];
    match database.observation() {
        Some(seen) => parts.extend(facts(seen)),
        None => parts.extend(ShownStatus::unknown_reason(database)),
    }
    parts.join(", ")
}

fn facts(seen: &Observation) -> impl Iterator<Item = String> {
    let lag = lag_text(seen.lag.time);
    let lag = lag.map_or_else(|| "lag not measured".to_owned(), |lag| format!("lag {lag}"));
    let retained = retained_wal(seen);
    let retained = match retained {
        Some(bytes) => format!("retained WAL {}", text::size(bytes)),
        None => "retained WAL unknown".to_owned(),
    };
    let tables = u64::try_from(seen.tables.len()).unwrap_or(u64::MAX);
    let tables = format!("{} in trouble", text::counted(tables, "table"));
    [lag, retained, tables].into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    #[test]
    fn each_database_has_a_line() {
        let lines = LineFormat::Text(Style::PLAIN).render(&samples::all_kinds());
        insta::assert_snapshot!(lines, @r"
        2027-01-15T08:00:00Z shop: CAUGHT UP, lag 12 ms, retained WAL 16.0 MB, 0 tables in trouble
        2027-01-15T08:00:00Z archive: LAGGING, lag > 2s, retained WAL 16.0 MB, 2 tables in trouble
        2027-01-15T08:00:00Z orders: BROKEN, lag not measured, retained WAL unknown, 23 tables in trouble
        2027-01-15T08:00:00Z new: NOT ACTIVE, lag not measured, retained WAL 3.0 GB, 0 tables in trouble
        2027-01-15T08:00:00Z lost: UNKNOWN, connect to the source: db.example.com:5432: connection refused
        ");
    }

    #[test]
    fn programs_get_an_object_a_line() {
        let lines = LineFormat::Json(|_| "--x").render(&samples::all_kinds());
        assert_eq!(lines.matches('\n').count(), 1);
        let object: serde_json::Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(object["command"], "status");
        assert_eq!(object["databases"].as_array().unwrap().len(), 5);
    }
}
