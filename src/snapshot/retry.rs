//! When work is repeated after a lost connection. The rule is pure; only [`pause`] waits.

use std::time::Duration;

use super::error::Error;
use crate::task::Scope;

/// Attempts at one piece of work before the run gives up.
pub(super) const ATTEMPTS: u32 = 5;

/// The wait before the second attempt; doubled for each further one. A server that restarts needs
/// some seconds.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryStep {
    /// Ask the target whether it has committed the transaction, then decide again.
    AskTarget,
    /// Repeat the work after this time.
    RepeatAfter(Duration),
    /// Return the error.
    GiveUp,
}

/// What the decision about a failed attempt depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailedAttempt {
    /// Which attempt it was, from 1.
    pub(super) number: u32,
    /// The same work may succeed on new connections.
    pub(super) is_transient: bool,
    /// The commit was sent, and its answer was lost.
    pub(super) is_undecided: bool,
}

impl FailedAttempt {
    /// Decides what follows.
    pub(super) fn next_step(self) -> RetryStep {
        if !self.is_transient {
            RetryStep::GiveUp
        } else if self.is_undecided {
            // Also after the last attempt: the work may be finished.
            RetryStep::AskTarget
        } else if self.number >= ATTEMPTS {
            RetryStep::GiveUp
        } else {
            RetryStep::RepeatAfter(FIRST_WAIT * 2_u32.pow(self.number - 1))
        }
    }
}

/// Waits, unless the scope is stopped.
pub(super) async fn pause(wait: Duration, scope: &Scope) -> Result<(), Error> {
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        () = scope.stop.cancelled() => Err(Error::Stopped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_repeated_while_it_may_succeed() {
        let seconds = |count| RetryStep::RepeatAfter(Duration::from_secs(count));
        // (number, transient, undecided) → what follows
        let table = [
            ((1, true, false), seconds(1)),
            ((2, true, false), seconds(2)),
            ((3, true, false), seconds(4)),
            ((4, true, false), seconds(8)),
            ((5, true, false), RetryStep::GiveUp),
            ((1, false, false), RetryStep::GiveUp),
            ((1, true, true), RetryStep::AskTarget),
            ((5, true, true), RetryStep::AskTarget),
            ((1, false, true), RetryStep::GiveUp),
        ];
        for ((number, is_transient, is_undecided), expected) in table {
            let failed = FailedAttempt {
                number,
                is_transient,
                is_undecided,
            };
            assert_eq!(failed.next_step(), expected, "{failed:?}");
        }
    }
}
