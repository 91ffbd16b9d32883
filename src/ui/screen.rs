//! Standard error: lines and, on a terminal, bars below them. One owner for both, so that neither
//! is written through the other.

use std::io::{self, Write};

use indicatif::{MultiProgress, ProgressDrawTarget};

use super::text;

/// Standard error, shared by bars, lines and logs; cheap to clone. As a writer it takes whole
/// lines, as a logger hands them over.
#[derive(Clone, Debug)]
pub struct Screen {
    bars: MultiProgress,
    live: bool,
}

impl Screen {
    /// A screen that may move the cursor only when `live`.
    pub(super) fn new(live: bool) -> Self {
        let target = if live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            live,
        }
    }

    /// Whether bars are drawn.
    pub fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes text of our own above the bars; a line end is added.
    pub fn line(&self, text: &str) {
        // Standard error is where failures are reported; its own failure has no such place.
        drop(self.above_bars(|out| writeln!(out, "{text}")));
    }

    /// Writes text that servers or users gave, free of control characters.
    pub fn line_from_outside(&self, prefix: &str, text: &str) {
        self.line(&format!("{prefix}{}", text::clean(text)));
    }

    fn above_bars<T>(&self, write: impl FnOnce(&mut io::StderrLock<'_>) -> T) -> T {
        self.bars.suspend(|| write(&mut io::stderr().lock()))
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.above_bars(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
