//! docs/monitoring.md lists every metric of the web server, and the dashboard uses no other.

use std::collections::BTreeSet;

use seren_replicator::serve::metric_names;

use super::markdown::{cells, code_spans};
use super::read;

/// The prefix of all metrics.
const PREFIX: &str = "seren_";

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let is_part = |part: char| part.is_ascii_lowercase() || part == '_';
    let found = text.match_indices(PREFIX).map(|(at, _)| {
        let rest = &text[at..];
        &rest[..rest.find(|part| !is_part(part)).unwrap_or(rest.len())]
    });
    found.collect()
}

#[test]
fn the_document_lists_every_metric_in_order() {
    let text = read("docs/monitoring.md");
    let section = text.split("\n## Metrics\n").nth(1).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let listed = rows.map(|row| code_spans(&cells(row)[0])[0].to_owned());
    assert_eq!(listed.collect::<Vec<_>>(), metric_names());
}

#[test]
fn the_dashboard_names_only_metrics_of_the_server() {
    let text = read("docs/grafana-dashboard.json");
    let exported: BTreeSet<_> = metric_names().into_iter().collect();
    let used = named(&text);
    let unknown: Vec<_> = used.difference(&exported).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(used.len() > 10);
}

#[test]
fn the_alerts_name_only_metrics_of_the_server() {
    let text = read("docs/operations.md");
    let rules = text.split("```yaml").nth(1).unwrap();
    let rules = rules.split("```").next().unwrap();
    let exported: BTreeSet<_> = metric_names().into_iter().collect();
    let used = named(rules);
    let unknown: Vec<_> = used.difference(&exported).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(used.len(), 10);
}

#[test]
fn the_dashboard_asks_for_its_data_source() {
    let text = read("docs/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert!(variables.iter().any(|one| one["type"] == "datasource"));
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            assert!(target["expr"].as_str().unwrap().contains(PREFIX));
        }
    }
    for wanted in [
        "Lag",
        "Retained WAL",
        "Verdict",
        "Tables by state",
        "Errors and conflicts",
    ] {
        assert!(
            panels.iter().any(|panel| panel["title"] == wanted),
            "{wanted}"
        );
    }
}
