//! A pipelined transaction of steps, and its answers.

use super::message::Message;
use crate::connect::Answer;
use crate::snapshot::refusal::Reason;

/// A transaction whose statements are sent.
pub(super) struct SentTransaction {
    pub(super) steps: Vec<usize>,
    pub(super) answers: Vec<(Message, Answer)>,
}

/// The result of a transaction.
pub(super) enum Outcome {
    Committed,
    Refused(FailedStatement),
}

/// Waits for all answers. Only the first error counts: later ones only say that the transaction has failed.
pub(super) async fn read_answers(sent: SentTransaction) -> Outcome {
    for (message, answer) in sent.answers {
        if let Err((completed, mut error)) = answer.finish().await {
            let culprit = message.culprit(completed, &error);
            error.count_from(culprit.map_or(0, |statement| message.begin_of(statement)));
            let reason = Reason::Answer(error);
            return Outcome::Refused(FailedStatement {
                statement: culprit,
                reason,
            });
        }
    }
    Outcome::Committed
}

/// A statement that the target refused.
pub(super) struct FailedStatement {
    /// Its number; None for the commit itself.
    pub(super) statement: Option<usize>,
    pub(super) reason: Reason,
}
