//! Our program on a terminal of its own, and what that terminal shows.

use std::fmt;
use std::io::{Read as _, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

use super::command::Program;
use super::wait::wait_until;

/// Key presses.
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const ENTER: &str = "\r";

/// Rows of every terminal when it opens.
const ROWS: u16 = 24;

/// A program that runs on a terminal.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    reader: JoinHandle<()>,
    /// Its modes before the program began.
    modes: String,
    _state: TempDir,
}

/// The end of a program on a terminal.
pub(crate) struct Ended {
    pub(crate) code: u32,
    /// The rows that are not empty, from the top.
    pub(crate) rows: Vec<String>,
    /// Whether echo, line editing and all other modes are as before.
    pub(crate) has_same_modes: bool,
}

impl Program {
    /// Starts it on a terminal with this many columns.
    pub(crate) fn on_terminal(self, columns: u16) -> Terminal {
        let pair = native_pty_system().openpty(size([ROWS, columns])).unwrap();
        let modes = modes(pair.master.as_ref());
        let (command, state) = self.into_parts();
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        for (name, value) in command.get_envs() {
            builder.env(name, value.unwrap_or_default());
        }
        builder.env("TERM", "xterm");
        // Not in its home folder, which does not exist.
        builder.cwd(state.path());
        let child = pair.slave.spawn_command(builder).unwrap();
        // Only the program holds it open: its end is the end of what can be read.
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            nonzero(ROWS),
            nonzero(columns),
            0,
        )));
        let reader = show(pair.master.as_ref(), Arc::clone(&screen));
        Terminal {
            keyboard: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            screen,
            reader,
            modes,
            _state: state,
        }
    }
}

fn size([rows, cols]: [u16; 2]) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn nonzero(size: u16) -> NonZero<u16> {
    NonZero::new(size).unwrap()
}

/// The terminal's modes; comparable.
fn modes(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn show(master: &(dyn MasterPty + Send), screen: Arc<Mutex<vt100::Parser>>) -> JoinHandle<()> {
    let mut output = master.try_clone_reader().unwrap();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        // Linux reports the end as an error.
        while let Ok(count @ 1..) = output.read(&mut piece) {
            screen.lock().unwrap().process(&piece[..count]);
        }
    })
}

impl Terminal {
    /// The rows that are not empty. One that the terminal has wrapped is one row.
    pub(crate) fn rows(&self) -> Vec<String> {
        rows(&self.screen)
    }

    /// All of what it shows.
    pub(crate) fn screen(&self) -> vt100::Screen {
        self.screen.lock().unwrap().screen().clone()
    }

    /// Gives it another size, in rows and columns. The program gets a signal.
    pub(crate) fn resize(&mut self, [rows, columns]: [u16; 2]) {
        let mut parser = self.screen.lock().unwrap();
        parser.set_size(nonzero(rows), nonzero(columns));
        self.master.resize(size([rows, columns])).unwrap();
    }

    /// Waits until a row that is not empty fulfils a condition.
    #[track_caller]
    pub(crate) fn wait_for_row(&self, what: &str, is_met: impl Fn(&str) -> bool) {
        let shown = fmt::from_fn(|f| write!(f, "{what} in: {:#?}", self.rows()));
        wait_until(shown, || {
            self.rows().iter().any(|row| is_met(row)).then_some(())
        });
    }

    /// Waits until the screen shows this text; line breaks do not count.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) {
        let shown = fmt::from_fn(|f| write!(f, "{text:?} in: {:#?}", self.rows()));
        let is_shown = |rows: &[String]| {
            let rows = rows.iter().map(|row| row.trim());
            let [with_blanks, without] =
                [" ", ""].map(|between| rows.clone().collect::<Vec<_>>().join(between));
            with_blanks.contains(text) || without.contains(text)
        };
        wait_until(shown, || is_shown(&self.rows()).then_some(()));
    }

    /// Waits until this text is the last on the screen, on a row of its own or on several.
    #[track_caller]
    pub(crate) fn wait_for_last_row(&self, text: &str) {
        let shown = fmt::from_fn(|f| write!(f, "{text:?} as last row of: {:#?}", self.rows()));
        let is_last = |rows: &[String]| {
            let begins = (0..rows.len()).rev();
            let joined = |from: usize| {
                let rows = rows[from..].iter().map(|row| row.trim());
                rows.collect::<Vec<_>>().join(" ")
            };
            begins.map(joined).any(|last| last == text)
        };
        wait_until(shown, || is_last(&self.rows()).then_some(()));
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ended {
        let screen = Arc::clone(&self.screen);
        let shown = fmt::from_fn(|f| write!(f, "the end, after: {:#?}", rows(&screen)));
        let status = wait_until(shown, || self.child.try_wait().unwrap());
        self.reader.join().unwrap();
        Ended {
            code: status.exit_code(),
            rows: rows(&self.screen),
            has_same_modes: modes(self.master.as_ref()) == self.modes,
        }
    }
}

fn rows(screen: &Mutex<vt100::Parser>) -> Vec<String> {
    let contents = screen.lock().unwrap().screen().contents();
    let rows = contents.lines().map(|row| row.trim_end().to_owned());
    rows.filter(|row| !row.is_empty()).collect()
}

impl Ended {
    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: u32) -> Self {
        assert_eq!(self.code, code, "{:#?}", self.rows);
        self
    }

    /// Whether the screen shows this text; line breaks between words do not count.
    pub(crate) fn shows(&self, text: &str) -> bool {
        let rows = self.rows.iter().map(|row| row.trim());
        rows.collect::<Vec<_>>().join(" ").contains(text)
    }
}
