//! The last rows of the terminal: bars, or the question that waits for an answer. Never both: bars that are drawn
//! over a question hide it.

use std::io::{self, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is below the lines that were printed.
#[derive(Debug)]
pub(super) struct Bottom {
    bars: MultiProgress,
    /// The bars on the screen; none while a question waits.
    drawn: Vec<ProgressBar>,
    question: Option<String>,
    /// A list is shown, and its own library draws it.
    is_held: bool,
    /// No bar is drawn any more.
    is_closed: bool,
}

impl Bottom {
    /// Nothing yet. Bars are drawn only on a screen that may move its cursor, which is then `live`.
    pub(super) fn new(live: bool) -> Self {
        let target = match live {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            drawn: Vec::new(),
            question: None,
            is_held: false,
            is_closed: false,
        }
    }

    /// Replaces the bars. Each is narrower than the terminal.
    pub(super) fn set_bars(&mut self, bars: Vec<String>) {
        if self.question.is_some() || self.is_held || self.is_closed {
            return;
        }
        self.keep_bars(bars.len());
        for (place, text) in bars.into_iter().enumerate() {
            if place == self.drawn.len() {
                // Its style comes first: adding it draws it.
                let bar = ProgressBar::no_length().with_style(plain_style());
                self.drawn.push(self.bars.add(bar));
            }
            self.drawn[place].set_message(text);
            self.drawn[place].tick();
        }
    }

    /// Writes whole lines above the bars. After a question, they begin on a row of their own, and the question
    /// is repeated below.
    pub(super) fn write_above(&self, lines: &[u8], out: &mut impl Write) -> io::Result<()> {
        let Some(question) = &self.question else {
            return self.bars.suspend(|| out.write_all(lines));
        };
        out.write_all(b"\n")?;
        out.write_all(lines)?;
        write!(out, "{question} ")?;
        out.flush()
    }

    /// Takes the bars off the screen, and puts them back after `write`, which writes elsewhere on the terminal.
    pub(super) fn step_aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bars.suspend(write)
    }

    /// Asks. Until [`end_question`](Self::end_question) no bar is drawn.
    pub(super) fn ask(&mut self, question: &str, out: &mut impl Write) -> io::Result<()> {
        self.keep_bars(0);
        self.question = Some(question.to_owned());
        write!(out, "{question} ")?;
        out.flush()
    }

    /// Ends the question, if it still waits. Its row ends with the user's Enter, or here.
    pub(super) fn end_question(&mut self, ends_row: bool, out: &mut impl Write) -> io::Result<()> {
        match self.question.take() {
            Some(_) if ends_row => out.write_all(b"\n"),
            Some(_) | None => Ok(()),
        }
    }

    /// Draws no bar until [`release`](Self::release).
    pub(super) fn hold(&mut self) {
        self.keep_bars(0);
        self.is_held = true;
    }

    /// Draws bars again.
    pub(super) fn release(&mut self) {
        self.is_held = false;
    }

    /// Takes the bars off the screen for good.
    pub(super) fn close(&mut self) {
        self.keep_bars(0);
        self.is_closed = true;
    }

    /// Takes all bars but the first ones off the screen.
    fn keep_bars(&mut self, count: usize) {
        while self.drawn.len() > count {
            if let Some(bar) = self.drawn.pop() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        }
    }
}

/// A bar is the text that we give it.
fn plain_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").expect("the template is constant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_stays_the_last_row() {
        let (mut bottom, mut out) = (Bottom::new(false), Vec::new());
        bottom.ask("Go? [y/N]:", &mut out).unwrap();
        bottom.set_bars(vec!["bar".to_owned()]);
        assert!(bottom.drawn.is_empty());
        bottom.write_above(b"warning\n", &mut out).unwrap();
        bottom.end_question(false, &mut out).unwrap();
        bottom.write_above(b"line\n", &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown, "Go? [y/N]: \nwarning\nGo? [y/N]: line\n");
        bottom.set_bars(vec!["one".to_owned(), "two".to_owned()]);
        assert_eq!(bottom.drawn.len(), 2);
        bottom.close();
        bottom.set_bars(vec!["three".to_owned()]);
        assert!(bottom.drawn.is_empty());
    }

    #[test]
    fn a_question_without_an_answer_ends_its_row_once() {
        let (mut bottom, mut out) = (Bottom::new(false), Vec::new());
        bottom.ask("Go? [y/N]:", &mut out).unwrap();
        bottom.end_question(true, &mut out).unwrap();
        bottom.end_question(true, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "Go? [y/N]: \n");
    }
}
