//! The question of `init` whether a copied database is kept without what the target has refused.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::migrate::{OnRefusal, Options, Prepared, RefusalQuestion, Report, execute};
use crate::task::Scope;
use crate::ui::Ui;
use crate::ui::report::list_refused_objects;

/// How long the question waits for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(600);

/// The question, after a list of the refused objects.
const KEEP: &str = "Keep the database without them? [Y/n]:";

/// Copies; with `asks`, the user decides about databases in which the target refuses objects that may be missing.
///
/// # Errors
/// Those of [`execute`].
pub(super) async fn execute_and_ask(
    prepared: Prepared,
    mut options: Options,
    asks: bool,
    ui: &Ui,
    scope: &Scope,
) -> Result<Report, Error> {
    let (user, questions) = mpsc::channel(1);
    if asks && !options.on_refusal.is_skip() {
        options.on_refusal = OnRefusal::Ask(user);
    }
    // Both are polled: the run watches its locks and slots while the user thinks.
    tokio::select! {
        biased;
        done = Box::pin(execute(prepared, &options, scope)) => Ok(done?),
        never = answer_questions(questions, ui, scope) => match never {},
    }
}

/// Answers the questions of a run for as long as it lasts.
async fn answer_questions(
    mut questions: mpsc::Receiver<RefusalQuestion>,
    ui: &Ui,
    scope: &Scope,
) -> Infallible {
    loop {
        match questions.recv().await {
            Some(question) => answer(question, ui, scope).await,
            // Nobody asks in this run.
            None => std::future::pending().await,
        }
    }
}

/// Asks whether a copied database is kept.
async fn answer(question: RefusalQuestion, ui: &Ui, scope: &Scope) {
    let RefusalQuestion {
        database,
        refused,
        keep,
    } = question;
    for line in list_refused_objects(&database, &refused, ui.setting_name()) {
        ui.screen().line(&line);
    }
    // The run takes it back with the answer.
    drop(refused);
    let stop = scope.stop.child_token();
    let asking = ui.confirm_unless_no(KEEP, &stop);
    if keep
        .send(wait_for_answer(asking, ANSWER_TIME, &stop).await)
        .is_err()
    {
        tracing::debug!("the run has ended before the answer");
    }
}

/// Waits for the answer. After the limit the question is stopped: without an answer, and also from a terminal that is
/// gone, the database is kept.
async fn wait_for_answer(
    asking: impl Future<Output = io::Result<bool>>,
    limit: Duration,
    stop: &CancellationToken,
) -> bool {
    tokio::pin!(asking);
    let answer = tokio::select! {
        answer = &mut asking => answer,
        () = tokio::time::sleep(limit) => {
            stop.cancel();
            asking.await
        }
    };
    answer.unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_an_answer_within_the_limit_the_database_is_kept() {
        let stop = CancellationToken::new();
        // As a question on a terminal: the end of the wait means yes.
        let unanswered = async {
            stop.cancelled().await;
            Ok(true)
        };
        assert!(wait_for_answer(unanswered, Duration::from_millis(1), &stop).await);
        assert!(stop.is_cancelled());
        let gone = async { Err(io::Error::other("the terminal is gone")) };
        assert!(wait_for_answer(gone, ANSWER_TIME, &CancellationToken::new()).await);
        let declined = async { Ok(false) };
        assert!(!wait_for_answer(declined, ANSWER_TIME, &CancellationToken::new()).await);
    }
}
