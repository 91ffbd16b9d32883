//! Questions: asked on standard error, answered by one line of standard input.

use std::io;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Screen;

/// `init`'s question, unless databases are dropped.
pub const PROCEED: &str = "Proceed with replication? [y/N]:";

/// `teardown`'s question.
pub const REMOVE: &str = "Remove these objects? [y/N]:";

/// Whether a line means yes: `y`, `Y` or `yes`. An empty line and the end of input mean no.
fn is_yes(line: &str) -> bool {
    matches!(line.trim(), "y" | "Y" | "yes")
}

/// Asks, and waits for a line or for `stop`, which means no. See [`super::Ui::confirm`].
pub(super) async fn ask(
    screen: &Screen,
    question: &str,
    echoes: bool,
    stop: &CancellationToken,
) -> io::Result<bool> {
    screen.ask(question)?;
    let (sender, answer) = oneshot::channel();
    // A thread of its own: a read of standard input cannot be cancelled, and a runtime would wait
    // for it at its end. Reading here would hold up the signals instead.
    std::thread::Builder::new()
        .name("question".to_owned())
        .spawn(move || {
            let mut line = String::new();
            let read = io::stdin().read_line(&mut line).map(|_| line);
            // Nobody waits for the answer after a stop.
            drop(sender.send(read));
        })?;
    let line = tokio::select! {
        biased;
        () = stop.cancelled() => Ok(String::new()),
        line = answer => line.unwrap_or_else(|_| Ok(String::new())),
    };
    // The end of input, a pipe and a stop leave the cursor behind the question: nobody pressed Enter.
    let has_line_end = line.as_ref().is_ok_and(|line| line.ends_with('\n'));
    screen.end_question(!(echoes && has_line_end))?;
    line.map(|line| is_yes(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_words_mean_yes() {
        for yes in ["y\n", "Y\n", "yes\r\n", " y "] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "YES\n", "yes please\n", "j\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
