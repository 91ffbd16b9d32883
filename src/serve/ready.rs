//! Whether everything is replicated.

use crate::status::{Report, Verdict};
use crate::ui::replication::Health;
use crate::ui::text;

/// Why not everything is replicated, a line each; none if it is.
pub(super) fn reasons(report: Option<&Report>) -> Vec<String> {
    let Some(report) = report else {
        return vec!["no report yet".to_owned()];
    };
    let health = report
        .databases
        .iter()
        .map(|database| (&database.source, Health::of(database)));
    let mut reasons: Vec<_> = health
        .filter(|(_, health)| !is_replicated(*health))
        .map(|(name, health)| format!("{}: {}", text::clean(name), health.code()))
        .collect();
    if report.databases.is_empty() {
        reasons.push("no databases".to_owned());
    }
    reasons
}

const fn is_replicated(health: Health) -> bool {
    match health {
        Health::Known(Verdict::CaughtUp | Verdict::Lagging) => true,
        Health::Known(Verdict::NotActive | Verdict::Broken) | Health::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    #[test]
    fn a_lagging_database_is_replicated_and_others_are_reasons() {
        assert_eq!(reasons(None), ["no report yet"]);
        assert_eq!(
            reasons(Some(&samples::all_kinds())),
            ["orders: broken", "new: not_active", "lost: unknown"]
        );
        let good = vec![samples::caught_up("a"), samples::copying("b")];
        assert!(reasons(Some(&samples::report(0, good))).is_empty());
        let empty = samples::report(0, Vec::new());
        assert_eq!(reasons(Some(&empty)), ["no databases"]);
    }
}
