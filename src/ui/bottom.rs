//! The last rows of the terminal: bars, or the question that waits for an answer. Never both: bars that are drawn
//! over a question hide it. Only text and escape codes; the terminal itself is a writer.
//!
//! No library draws the bars: indicatif fills the last row to the edge of the terminal, so the `^C` that a terminal
//! echoes wraps, and what is erased then is one row too low.

use std::io::{self, Write};

/// To the beginning of the row.
const ROW_START: &str = "\r";

/// One row up.
const UP: &str = "\u{1b}[A";

/// Erases from the cursor to the end of the screen.
const ERASE: &str = "\u{1b}[J";

/// What is below the lines that were printed. The cursor is behind it.
#[derive(Debug, Default)]
pub(super) struct Bottom {
    bars: Vec<String>,
    /// Rows of bars that are on the screen.
    drawn: usize,
    question: Option<String>,
    /// A list is shown, which its library draws.
    is_held: bool,
    /// No bar is drawn any more.
    is_closed: bool,
    /// Lines that wait: another program part draws on the whole terminal.
    waiting: Option<Vec<u8>>,
}

/// How many bytes of lines wait at most. The newest stay.
const WAITING: usize = 64 << 10;

impl Bottom {
    /// Replaces the bars. Each is narrower than the terminal.
    pub(super) fn set_bars(&mut self, bars: Vec<String>, out: &mut impl Write) -> io::Result<()> {
        self.bars = bars;
        let mut text = self.erase();
        text.push_str(&self.draw());
        flush(out, &text)
    }

    /// Writes whole lines above the bars. After a question, they begin on a row of their own, and the question
    /// is repeated below.
    pub(super) fn write_above(&mut self, lines: &[u8], out: &mut impl Write) -> io::Result<()> {
        if let Some(waiting) = &mut self.waiting {
            add_waiting(waiting, lines);
            return Ok(());
        }
        out.write_all(self.erase().as_bytes())?;
        if self.question.is_some() {
            out.write_all(b"\n")?;
        }
        out.write_all(lines)?;
        match &self.question {
            Some(question) => flush(out, &format!("{question} ")),
            None => {
                let bars = self.draw();
                flush(out, &bars)
            }
        }
    }

    /// Takes the bars off the screen, and puts them back after `write`, which writes elsewhere on the terminal.
    pub(super) fn step_aside<T>(
        &mut self,
        out: &mut impl Write,
        write: impl FnOnce() -> T,
    ) -> io::Result<T> {
        let erase = self.erase();
        flush(out, &erase)?;
        let written = write();
        let bars = self.draw();
        flush(out, &bars)?;
        Ok(written)
    }

    /// Asks. Until [`end_question`](Self::end_question) no bar is drawn.
    pub(super) fn ask(&mut self, question: &str, out: &mut impl Write) -> io::Result<()> {
        let erase = self.erase();
        self.question = Some(question.to_owned());
        flush(out, &format!("{erase}{question} "))
    }

    /// Ends the question, if it still waits. Its row ends with the user's Enter, or here.
    pub(super) fn end_question(&mut self, ends_row: bool, out: &mut impl Write) -> io::Result<()> {
        if self.question.take().is_some() && ends_row {
            return flush(out, "\n");
        }
        Ok(())
    }

    /// Takes the bars off the screen, and draws none until [`release`](Self::release).
    pub(super) fn hold(&mut self, out: &mut impl Write) -> io::Result<()> {
        let erase = self.erase();
        self.is_held = true;
        flush(out, &erase)
    }

    /// Erases what a list has left below the cursor, on a row of its own.
    pub(super) fn clear_below(&mut self, out: &mut impl Write) -> io::Result<()> {
        flush(out, &format!("{ROW_START}{ERASE}"))
    }

    /// Draws bars again.
    pub(super) fn release(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.is_held = false;
        let bars = self.draw();
        flush(out, &bars)
    }

    /// Writes nothing until [`release_lines`](Self::release_lines): the whole terminal is drawn.
    pub(super) fn hold_lines(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.waiting.get_or_insert_default();
        self.hold(out)
    }

    /// Writes the lines that have waited.
    pub(super) fn release_lines(&mut self, out: &mut impl Write) -> io::Result<()> {
        let waiting = self.waiting.take().unwrap_or_default();
        self.release(out)?;
        match waiting.is_empty() {
            true => Ok(()),
            false => self.write_above(&waiting, out),
        }
    }

    /// Takes the bars off the screen for good.
    pub(super) fn close(&mut self, out: &mut impl Write) -> io::Result<()> {
        let erase = self.erase();
        self.is_closed = true;
        flush(out, &erase)
    }

    /// What takes the bars off the screen.
    fn erase(&mut self) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        match drawn.checked_sub(1) {
            Some(above) => format!("{ROW_START}{}{ERASE}", UP.repeat(above)),
            None => String::new(),
        }
    }

    /// What draws them, while none is on the screen.
    fn draw(&mut self) -> String {
        if self.question.is_some() || self.is_held || self.is_closed {
            return String::new();
        }
        self.drawn = self.bars.len();
        self.bars.join("\n")
    }
}

/// Adds lines, and forgets the oldest if there are too many.
fn add_waiting(waiting: &mut Vec<u8>, lines: &[u8]) {
    waiting.extend_from_slice(lines);
    let excess = waiting.len().saturating_sub(WAITING);
    if excess > 0 {
        let line_end = waiting[excess..].iter().position(|byte| *byte == b'\n');
        waiting.drain(..line_end.map_or(waiting.len(), |at| excess + at + 1));
    }
}

fn flush(out: &mut impl Write, text: &str) -> io::Result<()> {
    if !text.is_empty() {
        out.write_all(text.as_bytes())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;

    /// A terminal of 40 columns that has shown these bytes.
    fn shown(bytes: &[u8]) -> String {
        let size = |size| NonZero::new(size).unwrap();
        let mut terminal = vt100::Parser::new(size(8), size(40), 0);
        let bytes = String::from_utf8(bytes.to_vec()).unwrap();
        terminal.process(bytes.replace('\n', "\r\n").as_bytes());
        let contents = terminal.screen().contents();
        let rows = contents.lines().map(str::trim_end);
        rows.collect::<Vec<_>>().join("\n")
    }

    fn bars(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn bars_stay_below_the_lines_and_leave_nothing_behind() {
        let (mut bottom, mut out) = (Bottom::default(), Vec::new());
        bottom.set_bars(bars(&["one", "two"]), &mut out).unwrap();
        bottom.write_above(b"line\n", &mut out).unwrap();
        assert_eq!(shown(&out), "line\none\ntwo");
        // What a terminal shows of Ctrl-C.
        out.extend(b"^C");
        bottom.set_bars(bars(&["three"]), &mut out).unwrap();
        assert_eq!(shown(&out), "line\nthree");
        bottom.close(&mut out).unwrap();
        bottom.set_bars(bars(&["four"]), &mut out).unwrap();
        assert_eq!(shown(&out), "line");
    }

    #[test]
    fn nothing_is_drawn_over_a_question_and_it_stays_the_last_row() {
        let (mut bottom, mut out) = (Bottom::default(), Vec::new());
        bottom.set_bars(bars(&["bar"]), &mut out).unwrap();
        bottom.ask("Go? [y/N]:", &mut out).unwrap();
        assert_eq!(shown(&out), "Go? [y/N]:");
        bottom.set_bars(bars(&["bar", "more"]), &mut out).unwrap();
        assert_eq!(shown(&out), "Go? [y/N]:");
        bottom.write_above(b"warning\n", &mut out).unwrap();
        bottom.step_aside(&mut out, || ()).unwrap();
        assert_eq!(shown(&out), "Go? [y/N]:\nwarning\nGo? [y/N]:");
        out.extend(b"y\n");
        bottom.end_question(false, &mut out).unwrap();
        bottom.set_bars(bars(&["bar"]), &mut out).unwrap();
        assert_eq!(shown(&out), "Go? [y/N]:\nwarning\nGo? [y/N]: y\nbar");
    }

    #[test]
    fn no_bar_is_drawn_over_a_list() {
        let (mut bottom, mut out) = (Bottom::default(), Vec::new());
        bottom.set_bars(bars(&["bar"]), &mut out).unwrap();
        bottom.hold(&mut out).unwrap();
        bottom.set_bars(bars(&["more"]), &mut out).unwrap();
        assert_eq!(shown(&out), "");
        bottom.release(&mut out).unwrap();
        assert_eq!(shown(&out), "more");
    }

    #[test]
    fn lines_wait_while_the_whole_terminal_is_drawn() {
        let (mut bottom, mut out) = (Bottom::default(), Vec::new());
        bottom.hold_lines(&mut out).unwrap();
        bottom.write_above(b"one\n", &mut out).unwrap();
        bottom.set_bars(bars(&["bar"]), &mut out).unwrap();
        assert_eq!(shown(&out), "");
        bottom.release_lines(&mut out).unwrap();
        assert_eq!(shown(&out), "one\nbar");
        bottom.write_above(b"two\n", &mut out).unwrap();
        assert_eq!(shown(&out), "one\ntwo\nbar");
    }

    #[test]
    fn of_many_waiting_lines_the_newest_stay() {
        let mut waiting = Vec::new();
        for number in 0..20_000 {
            add_waiting(&mut waiting, format!("line {number}\n").as_bytes());
        }
        let text = String::from_utf8(waiting).unwrap();
        assert!(text.len() <= WAITING && text.starts_with("line "));
        assert!(text.ends_with("line 19999\n"));
    }

    #[test]
    fn a_question_without_an_answer_ends_its_row_once() {
        let (mut bottom, mut out) = (Bottom::default(), Vec::new());
        bottom.ask("Go? [y/N]:", &mut out).unwrap();
        bottom.end_question(true, &mut out).unwrap();
        bottom.end_question(true, &mut out).unwrap();
        bottom.write_above(b"stopped\n", &mut out).unwrap();
        assert_eq!(shown(&out), "Go? [y/N]:\nstopped");
    }
}
