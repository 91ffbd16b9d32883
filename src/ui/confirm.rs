//! Questions: asked on standard error, answered by one line of standard input.

use std::io;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Screen;

/// `teardown`'s question.
pub const REMOVE: &str = "Remove these objects? [y/N]:";

/// Whether a line means yes: `y`, `Y` or `yes`. An empty line and the end of input mean no.
pub(super) fn is_yes(line: &str) -> bool {
    matches!(line.trim(), "y" | "Y" | "yes")
}

/// Whether a line means yes where that is the default. The end of input has no line end, and means no.
pub(super) fn is_yes_or_enter(line: &str) -> bool {
    line.ends_with('\n') && (line.trim().is_empty() || is_yes(line))
}

/// Whether a line means no where everything else means yes, also the end of input.
pub(super) fn is_no(line: &str) -> bool {
    matches!(line.trim(), "n" | "N" | "no")
}

/// Asks, and waits for a line; an empty text after the end of input and after `stop`.
pub(super) async fn ask_line(
    screen: &Screen,
    question: &str,
    echoes: bool,
    stop: &CancellationToken,
) -> io::Result<String> {
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
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_means_yes_where_that_is_the_default() {
        for yes in ["\n", " \r\n", "y\n", "yes\n"] {
            assert!(is_yes_or_enter(yes), "{yes:?}");
        }
        for no in ["", "n\n", "no\n", "y"] {
            assert!(!is_yes_or_enter(no), "{no:?}");
        }
    }

    #[test]
    fn only_three_words_mean_no_where_no_answer_means_yes() {
        for no in ["n\n", "N\n", " no \n"] {
            assert!(is_no(no), "{no:?}");
        }
        for yes in ["", "\n", "y\n", "never\n"] {
            assert!(!is_no(yes), "{yes:?}");
        }
    }

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
