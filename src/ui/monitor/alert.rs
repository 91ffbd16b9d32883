//! What has changed between two reports and should be seen.

use jiff::Timestamp;

use crate::status::DatabaseStatus;
use crate::ui::replication::{Grade, Health, retained_wal};
use crate::ui::text;

/// The part of the budget, in per cent, from which retained WAL is a reason for an alert.
const NEAR_BUDGET: u64 = 80;

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    /// When it was observed.
    pub(super) at: Timestamp,
    /// The database and what has changed.
    pub(super) text: String,
    /// How good the new state is.
    pub(super) grade: Grade,
}

/// How much of its budget a slot retains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BudgetUse {
    /// Less than most of it, or unknown.
    #[default]
    Low,
    /// Most of it.
    Near,
    /// More.
    Over,
}

impl BudgetUse {
    pub(super) fn of(retained: u64, budget: u64) -> Self {
        let percent = u128::from(retained) * 100;
        match percent {
            _ if retained > budget => Self::Over,
            percent if percent >= u128::from(budget) * u128::from(NEAR_BUDGET) => Self::Near,
            _ => Self::Low,
        }
    }

    pub(super) const fn grade(self) -> Grade {
        match self {
            Self::Low => Grade::Good,
            Self::Near => Grade::Doubtful,
            Self::Over => Grade::Bad,
        }
    }
}

/// The alert about another verdict; none at the first report of a database that is well.
pub(super) fn verdict_alert(
    at: Timestamp,
    database: &DatabaseStatus,
    before: Option<Health>,
) -> Option<Alert> {
    let now = Health::of(database);
    let name = text::clean(&database.source);
    let text = match before {
        None if now.grade() == Grade::Good => return None,
        None => format!("{name}: {}", now.name()),
        Some(before) if before == now => return None,
        Some(before) => format!("{name}: {}, was {}", now.name(), before.name()),
    };
    Some(Alert {
        at,
        text,
        grade: now.grade(),
    })
}

/// The alert about retained WAL, when it grows over a limit.
pub(super) fn budget_alert(
    at: Timestamp,
    database: &DatabaseStatus,
    before: BudgetUse,
    budget: u64,
) -> (BudgetUse, Option<Alert>) {
    let Some(retained) = database.observation().and_then(retained_wal) else {
        return (before, None);
    };
    let now = BudgetUse::of(retained, budget);
    let alert = (now > before).then(|| {
        let name = text::clean(&database.source);
        let (retained, budget) = (text::size(retained), text::size(budget));
        Alert {
            at,
            text: format!("{name}: slot retains {retained} of WAL, budget {budget}"),
            grade: now.grade(),
        }
    });
    (now, alert)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Verdict, samples};

    #[test]
    fn another_verdict_is_an_alert() {
        let at = samples::report(0, Vec::new()).at;
        let (good, bad) = (samples::caught_up("a"), samples::broken("a"));
        let good_health = Some(Health::Known(Verdict::CaughtUp));
        let text = |database, before| verdict_alert(at, database, before).map(|one| one.text);
        assert_eq!(text(&good, None), None);
        assert_eq!(text(&good, good_health), None);
        assert_eq!(text(&bad, None).as_deref(), Some("a: BROKEN"));
        let changed = text(&bad, good_health);
        assert_eq!(changed.as_deref(), Some("a: BROKEN, was CAUGHT UP"));
    }

    #[test]
    fn wal_over_a_limit_is_an_alert_once() {
        let at = samples::report(0, Vec::new()).at;
        // It retains 16 MB.
        let database = samples::caught_up("a");
        let check = |before, budget| budget_alert(at, &database, before, budget);
        let (now, alert) = check(BudgetUse::Low, 20 << 20);
        assert_eq!((now, alert.is_some()), (BudgetUse::Near, true));
        let (now, alert) = check(now, 20 << 20);
        assert_eq!((now, alert), (BudgetUse::Near, None));
        let (now, alert) = check(now, 10 << 20);
        assert_eq!((now, alert.is_some()), (BudgetUse::Over, true));
        let (now, alert) = check(now, 1 << 30);
        assert_eq!((now, alert), (BudgetUse::Low, None));
    }

    #[test]
    fn a_budget_of_nothing_is_used_up() {
        assert_eq!(BudgetUse::of(1, 0), BudgetUse::Over);
        assert_eq!(BudgetUse::of(u64::MAX, u64::MAX), BudgetUse::Near);
    }
}
